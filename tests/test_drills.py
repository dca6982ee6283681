"""Drills: a branch is the run that would have gone that way, verdicts, resuming, the report and the command."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from experiments.cli import main
from sim.contingency.plan_files import as_csv
from sim.drills.branch import BranchError, branched
from sim.drills.drill import Terms, difference_interval, drilled, judged, steps_of
from sim.drills.plans import packaged_plans, terms_of
from sim.drills.series import Series, read_records, run_series
from sim.drills.stage import RoadStage, SiteStage
from sim.festival import Festival
from sim.params.contingency import PlanParams
from sim.site.site import Site
from tests.site_case import festival

TERMS = Terms(0.005, 0.01, 12.0)
MOMENT_S, SPAN_S = 300.0, 240.0


def few(*words: str) -> list[PlanParams]:
    """The first packaged plan whose id begins with each word."""
    plans = packaged_plans()
    return [next(plan for plan in plans if plan.id.startswith(word)) for word in words]


@pytest.fixture(scope="module")
def site_stage() -> SiteStage:
    params = festival("scale=0.0005", "threads=1")
    return SiteStage(params, terms_of(params), MOMENT_S, SPAN_S, 3.0)


@pytest.fixture(scope="module")
def usual(site_stage) -> dict[str, np.ndarray]:
    return branched(lambda: site_stage.go(None, None))


def test_a_branch_of_the_site_has_the_counts_of_the_run_that_had_the_fault_from_the_start(site_stage):
    (plan,) = few("machines-down-item-90")
    branch = branched(lambda: site_stage.go(plan.fault, plan))
    params = festival("scale=0.0005", "threads=1", "parcels=off", "rehearsal=off")
    struck = plan.fault.model_copy(update={"onset_s": MOMENT_S})
    told = terms_of(params).model_copy(update={"faults": (struck,)})
    whole = Festival(params.model_copy(update={"contingency": told}))
    whole.env.run(until=MOMENT_S)
    assert whole.contingency is not None
    whole.contingency.watch(plan)
    whole.env.run(until=MOMENT_S + SPAN_S)
    assert isinstance(whole.site, Site)
    whole.site.advance()
    span = slice(int(MOMENT_S), int(MOMENT_S + SPAN_S))
    for name in ("demand", "site", "link"):
        counts = np.sum([getattr(record, name)[span] for record in whole.site.records()], axis=0)
        np.testing.assert_array_equal(branch[name], counts)


def test_branches_change_nothing_in_the_stage_that_they_leave(site_stage, usual):
    (plan,) = few("request-attack-venue-100")
    one = branched(lambda: site_stage.go(plan.fault, plan))
    other = branched(lambda: site_stage.go(plan.fault, plan))
    again = branched(lambda: site_stage.go(None, None))
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert all(np.array_equal(again[name], usual[name]) for name in usual)
    assert not np.array_equal(one["site"], usual["site"])


def test_a_branch_that_dies_is_told():
    with pytest.raises(BranchError, match="a branch ended with status -9"):
        branched(lambda: os.kill(os.getpid(), signal.SIGKILL))  # type: ignore[arg-type,return-value]


def test_a_drill_proves_its_fault_and_tells_when_it_was_noticed_and_answered(site_stage, usual):
    (plan,) = few("machines-down-item-90-scale-item-4")
    without = branched(lambda: site_stage.go(plan.fault, None))
    drill = drilled(site_stage, plan, usual, without, TERMS)
    assert drill.proof > 60
    assert drill.steps.detect_s == 0.0
    assert drill.steps.act_s == plan.detect.delay_s
    assert drill.without.extra_share > drill.planned.extra_share > 0.0
    assert drill.planned.low < drill.planned.extra_share < drill.planned.high
    assert drill.verdict == "noticed by users"
    assert drill.usual.fails_at == ""
    assert drill.without.fails_at == "item"


def test_without_a_fault_that_can_be_felt_there_is_no_verdict(site_stage, usual):
    (plan,) = few("machines-down-item-50")
    assert judged(plan, usual, usual, usual, TERMS).verdict == "fault not felt"


def test_a_plan_that_makes_it_worse_is_named(site_stage, usual):
    (plan,) = few("machines-down-gateway-50-simplify")
    without = branched(lambda: site_stage.go(plan.fault, None))
    harm = plan.model_copy(
        update={"act": plan.act.model_copy(update={"kind": "limit", "where": "gateway", "amount": 20_000.0})}
    )
    assert drilled(site_stage, harm, usual, without, TERMS).verdict == "makes it worse"


def test_a_drill_ends_its_fault_when_its_own_guard_trips(usual):
    (plan,) = few("machines-down-payment-90")
    params = festival("scale=0.0005", "threads=1")
    stage = SiteStage(params, terms_of(params), MOMENT_S, SPAN_S, 3.0, stop_share=0.0001)
    whole = plan.fault.model_copy(update={"severity": 1.0, "kind": "machines_down", "where": "item"})
    told = json.loads(str(branched(lambda: stage.go(whole, None))["diary"]))
    assert [entry[2] for entry in told][:3] == ["struck", "stopped by the drill's guard", "mended"]
    assert told[2][0] < MOMENT_S + whole.lasts_s


def test_the_interval_of_a_difference_is_that_of_newcombes_example():
    low, high = difference_interval(56, 70, 48, 80)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_steps_are_counted_from_the_onset():
    diary = [
        [100.0, "fault", "struck", 1.0],
        [105.0, "p", "detected", 1.0],
        [135.0, "p", "acted", 2.0],
        [140.0, "q", "acted", 2.0],
    ]
    steps = steps_of(diary, "p")
    assert steps == (5.0, 35.0, None, None, False)


def test_a_drill_of_the_road_compares_parcel_by_parcel():
    (plan,) = few("sorter-down-STO.Hangzhou")
    params = festival("scale=0.00005", "threads=1")
    stage = RoadStage(params, terms_of(params), 36 * 3600.0, 48 * 3600.0)
    usual = branched(lambda: stage.go(None, None))
    without = branched(lambda: stage.go(plan.fault, None))
    drill = drilled(stage, plan, usual, without, TERMS)
    assert drill.proof > 0
    assert drill.steps.act_s is not None
    assert drill.usual.bad == 0
    assert drill.without.all == drill.usual.all > 1000
    assert drill.without.bad >= drill.planned.bad


def test_a_series_that_was_killed_goes_on_and_runs_nothing_twice(site_stage, tmp_path):
    plans = few(
        "machines-down-item", "bad-release-item", "cache-loss-item", "cell-down", "room-power", "rack-down-item"
    )
    series = Series(plans, TERMS, tmp_path)
    child = os.fork()
    if child == 0:
        try:
            run_series(series, lambda: site_stage, 1, lambda _: None)
        finally:
            os._exit(0)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("[!.]*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    time.sleep(1.5)  # the worker notices after its drill that nobody waits for it
    first = {file.name: file.stat().st_mtime_ns for file in tmp_path.glob("[!.]*.json")}
    assert first
    ran = run_series(series, lambda: site_stage, 2, lambda _: None)
    assert ran == len(plans) - len(first)
    assert {name: (tmp_path / name).stat().st_mtime_ns for name in first} == first
    assert [record["id"] for record in read_records(tmp_path, plans)] == [plan.id for plan in plans]
    assert run_series(series, lambda: site_stage, 2, lambda _: None) == 0


def test_the_command_drills_a_users_plans_and_writes_its_report(tmp_path, capsys):
    file = tmp_path / "mine.csv"
    file.write_text(
        as_csv(few("machines-down-item-90", "room-cooling-2", "request-attack-venue-100")), encoding="utf-8"
    )
    words = ["drill", f"file={file}", "scale=0.0005", "workers=2", "site_span_s=240", f"output={tmp_path}"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "3 of 3 plans" in said
    report = Path(said.rsplit("report: ")[-1].strip())
    text = report.read_text(encoding="utf-8")
    assert "Plans that never fired" in text
    assert text.count("<svg") == 2
    rows = json.loads((report.parent / "drills.json").read_text(encoding="utf-8"))["rows"]
    assert {row["fault"] for row in rows} == {"machines_down", "room_cooling", "request_attack"}
    assert main(words) == 0
    assert "run now                           0" in capsys.readouterr().out


def test_a_drill_on_an_ordinary_day_meets_fewer_users(tmp_path, capsys):
    file = tmp_path / "mine.csv"
    file.write_text(as_csv(few("machines-down-item-90")), encoding="utf-8")
    pages = {}
    for day in ("ordinary_day", "festival_2012"):
        words = ["drill", f"file={file}", f"experiment={day}", "scale=0.0005", "site_span_s=120", f"output={tmp_path}"]
        assert main(words) == 0
        report = Path(capsys.readouterr().out.rsplit("report: ")[-1].strip())
        (row,) = json.loads((report.parent / "drills.json").read_text(encoding="utf-8"))["rows"]
        pages[day] = row["planned_all"]
    assert 0 < pages["ordinary_day"] < 0.3 * pages["festival_2012"]


def test_an_ordinary_day_is_compared_with_nothing(capsys):
    assert main(["run", "experiment=ordinary_day", "scale=0.0002", "parcels=off", "output=null"]) == 0
    said = capsys.readouterr().out
    assert "published" in said
    assert "%" not in said


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["drill", "experiment=festival_2013"], "experiment must be a day with a site and a road"),
        (["drill", "plans=nothing-like-this"], "no plan has the id or matches the pattern"),
        (["drill", "scale=2"], "scale must be <= 1"),
        (["drill", "file=nowhere.yaml"], "nowhere.yaml cannot be read"),
        (["plans", "show=nothing"], "no plan has the id"),
    ],
)
def test_bad_words_are_refused(words, reason, capsys):
    assert main(words) == 2
    assert reason in capsys.readouterr().err


def test_plans_are_listed_and_shown(capsys):
    assert main(["plans"]) == 0
    assert "2,000  plans" in capsys.readouterr().out
    assert main(["plans", "show=retry-storm-*"]) == 0
    assert "retry_later" in capsys.readouterr().out
