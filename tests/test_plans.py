"""Contingency plans: the library, files of plans, what is refused, and how a plan goes through its steps."""

from importlib.resources import files
from typing import Any

import pytest
import yaml

from sim.contingency.plan_files import as_csv, read_plans
from sim.drills.plans import NEEDS, chosen_plans, library_of, packaged_plans, plans_of
from sim.festival import check
from sim.params import ParameterError, build
from sim.params.contingency import PlanParams
from sim.params.contingency_kinds import ACTIONS, KINDS
from tests.contingency_case import HOUR_S, contingency, fault, site_params, struck_road, struck_site
from tests.site_case import festival


def plan(**changes: Any) -> dict[str, Any]:
    """A plan for half of the items' machines; groups in `changes` are merged."""
    values: dict[str, Any] = {
        "id": "a",
        "owner": "site duty officer",
        "fault": {k: v for k, v in fault("machines_down").items() if k != "onset_s"},
        "detect": {"metric": "working_share", "at": "item", "threshold": 0.95, "window_s": 5.0, "delay_s": 12.0},
        "act": {"kind": "scale", "where": "item", "amount": 5.0},
        "guard": {"metric": "failed_share", "at": "site", "threshold": 0.9, "window_s": 5.0},
        "undo_s": 20.0,
        "expects": "all as usual",
    }
    for name, change in changes.items():
        values[name] = values[name] | change if isinstance(change, dict) else change
    return values


@pytest.fixture(scope="module")
def packaged() -> list[PlanParams]:
    return packaged_plans()


def test_the_library_has_two_thousand_plans_no_two_with_the_same_fault_detection_action_and_scope(packaged):
    assert len(packaged) == 2000
    assert len({one.key for one in packaged}) == 2000
    assert len({one.id for one in packaged}) == 2000


def test_the_packaged_table_is_what_the_templates_make_and_every_plan_can_be_run(packaged):
    params = festival(*NEEDS)
    text = (files("configs") / "contingency" / "plans.csv").read_text(encoding="utf-8")
    assert as_csv(library_of(params)) == text
    assert plans_of(None, params) == packaged


def test_the_library_covers_both_parts_and_most_kinds_of_faults_and_actions(packaged):
    kinds = {one.fault.kind for one in packaged}
    assert len(kinds) >= 38
    assert {one.act.kind for one in packaged} >= set(ACTIONS) - {"limit", "cap", "shorten", "close_pickup"}
    assert min(sum(one.part == part for one in packaged) for part in ("site", "road")) > 900
    assert {KINDS[kind].part for kind in kinds} == {"site", "road"}


def test_plans_are_the_same_after_a_table_and_after_yaml(packaged):
    some = packaged[::200]
    assert read_plans(as_csv(some), "some.csv") == some
    listed = [one.model_dump(mode="json") for one in some]
    assert read_plans(yaml.safe_dump(listed), "some.yaml") == some


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"guard": {"threshold": 1.0}},
            "guard.threshold must be < 1, the most that failed_share can be, or it can never trip",
        ),
        (
            {"guard": {"metric": "working_share", "at": "item", "threshold": 0.0}},
            "guard.threshold must be > 0, or working_share",
        ),
        ({"detect": {"threshold": 0.0}}, "detect.threshold must be > 0"),
        ({"act": {"amount": 0.5}}, r"act.amount must be from 1 to 10 \(times a service's machines\), got 0.5"),
        ({"act": {"kind": "pray"}}, "act.kind is not an action"),
        ({"act": {"kind": "hire_sorters", "where": "STO/Beijing"}}, "act.kind must be of the site"),
        ({"detect": {"metric": "mood"}}, "detect.metric is not a metric"),
        ({"owner": "nobody"}, "owner must be"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(changes, reason):
    with pytest.raises(ParameterError, match=reason):
        build(PlanParams, plan(**changes), "plan")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"act": {"where": "itme"}}, "contingency.plans.0.act.where is not a service of this run; did you mean item"),
        ({"guard": {"at": "shop"}}, "contingency.plans.0.guard.at is not a site of this run"),
        ({"detect": {"at": "x"}}, "contingency.plans.0.detect.at is not a service of this run"),
    ],
)
def test_a_plan_for_what_the_run_does_not_have_is_refused(changes, reason):
    params = site_params().model_copy(update={"contingency": contingency(plans=[plan(**changes)])})
    with pytest.raises(ParameterError, match=reason):
        check(params)


def test_plans_that_pull_one_lever_in_opposite_directions_are_refused():
    weaker = plan(id="b", act={"kind": "scale", "amount": 2.0})
    with pytest.raises(ParameterError, match="plans a and b contradict each other: scale item 5 and scale item 2"):
        contingency(plans=[plan(), weaker])
    contingency(plans=[plan(), plan(id="b", act={"where": "venue", "amount": 2.0})])


def test_a_plan_that_is_there_twice_is_refused_with_both_names():
    text = yaml.safe_dump([plan(), plan(id="b")])
    with pytest.raises(ParameterError, match="plan b has the fault, detection, action and scope of plan a"):
        read_plans(text, "mine.yaml")
    with pytest.raises(ParameterError, match="plans 1 and 2 have the same id 'a'"):
        read_plans(yaml.safe_dump([plan(), plan(act={"amount": 3.0})]), "mine.yaml")


def test_bad_rows_are_told_with_file_and_row(packaged):
    text = as_csv(packaged[:2]).replace("machines_down", "machines_dwon", 1)
    with pytest.raises(
        ParameterError, match=r"mine.csv row 2.fault.kind is not a kind of fault; did you mean machines_down"
    ):
        read_plans(text, "mine.csv")


def test_words_choose_plans_and_those_that_choose_none_are_told(packaged):
    assert chosen_plans(packaged, "all") == packaged
    rooms = chosen_plans(packaged, "room-cooling-*")
    assert {one.fault.kind for one in rooms} == {"room_cooling"}
    with pytest.raises(ParameterError, match="no plan has the id or matches the pattern 'room-coolign'"):
        chosen_plans(packaged, "room-coolign")


def test_a_plan_is_noticed_at_a_look_acts_after_its_delay_and_is_undone_when_all_is_well():
    told = contingency(fault("machines_down", where="item", severity=0.5, onset_s=301.0, lasts_s=60.0), plans=[plan()])
    site, acting = struck_site(site_params(), told)
    assert acting is not None
    steps = [(entry.what, entry.time_s) for entry in acting.diary.entries if entry.who == "a"]
    # scaled five-fold, half of the machines are more than all: well at the look after the action, undone 20 s later, and so on
    assert steps[:4] == [("detected", 305.0), ("acted", 317.0), ("well", 320.0), ("undone", 340.0)]
    assert steps[4] == ("detected", 345.0)
    assert site.accounts().working["item"] == pytest.approx(1.0)


def test_a_plan_whose_guard_trips_is_withdrawn_for_good():
    crash = {"kind": "simplify", "where": "item", "amount": 0.5}
    guard = {"metric": "requests_per_s", "threshold": 10.0}
    told = contingency(fault("machines_down", onset_s=300.0, lasts_s=200.0), plans=[plan(act=crash, guard=guard)])
    _, acting = struck_site(site_params(), told)
    assert acting is not None
    steps = [(entry.what, entry.time_s) for entry in acting.diary.entries if entry.who == "a"]
    assert steps == [("detected", 300.0), ("acted", 312.0), ("guard tripped", 320.0)]


def test_more_sorters_make_up_for_those_who_are_gone():
    answer = plan(
        fault={k: v for k, v in fault("sorter_down").items() if k != "onset_s"},
        detect={"metric": "hub_pace_share", "at": "swift/Ash", "threshold": 0.8, "window_s": HOUR_S, "delay_s": HOUR_S},
        act={"kind": "hire_sorters", "where": "swift/Ash", "amount": 5.0},
        guard={"metric": "hub_full_share", "at": "swift/Ash", "threshold": 5.0, "window_s": HOUR_S},
        undo_s=100 * HOUR_S,
    )
    struck = fault("sorter_down", severity=0.8, lasts_s=100 * HOUR_S)
    signed = []
    for told in (None, contingency(struck), contingency(struck, plans=[answer])):
        road, acting = struck_road(told, days=5.0)
        signed.append(road.whereabouts()["signed"])
    assert acting is not None
    assert acting.diary.first_s("a", "acted") is not None
    assert signed[1] < signed[2] <= signed[0] * 1.01
