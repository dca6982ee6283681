"""`peakday whatif` from the words to the report, on tiny runs of the road."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import cli, whatif_runs
from sim import runner
from sim.sweeps.work import ALL, Keep, run
from tests.doubles import stand_in
from tests.sweep_case import InlineEngine

RUNS = ["scale=0.0001", "site=off", "rehearsal=off", "replications=2", "parcels.horizon_days=8"]


def in_this_process(patch: pytest.MonkeyPatch) -> None:
    """Run what is to be run here and without figures."""

    def engine(tasks, output, workers):
        return InlineEngine(lambda task: run(task, Keep((ALL,), output=output)))

    patch.setattr(whatif_runs, "_engine", engine)
    patch.setattr(runner, "illustrate", lambda directory, result, **_: (directory / "report.html").touch())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a what-if with two changes."""
    output = tmp_path_factory.mktemp("results")
    patch = pytest.MonkeyPatch()
    in_this_process(patch)
    change = "change=snow_northeast,slow: parcels.truck.speed_kmh=x0.5"
    try:
        assert cli.main(["whatif", change, "figure=lead_time_median_h", *RUNS, f"output={output}"]) == 0
    finally:
        patch.undo()
    return output


def report_of(output: Path) -> Path:
    return next((output / "whatif").glob("*slow*")) / "report.html"


def test_runs_are_stored_like_any_other_and_known_ones_are_not_run_again(finished, monkeypatch) -> None:
    assert sorted(folder.name for folder in finished.iterdir()) == ["festival_2012", "snow_northeast", "whatif"]
    assert len(list((finished / "festival_2012").iterdir())) == 4  # base and slow trucks
    double = stand_in(monkeypatch)
    assert cli.main(["whatif", "change=snow_northeast", *RUNS, f"output={finished}"]) == 0
    assert double.runs == []
    assert len(list((finished / "whatif").iterdir())) == 2


def test_the_stored_differences_are_those_of_the_stored_runs(finished) -> None:
    directory = report_of(finished).parent
    described = json.loads((directory / "whatif.json").read_text())
    assert described["seeds"] == [1, 2]
    kpis = {
        side: [json.loads((Path(folder) / "kpis.json").read_text()) for folder in folders]
        for side, folders in described["runs"].items()
    }
    assert [run["seed"] for run in kpis["base"]] == [run["seed"] for run in kpis["slow"]] == [1, 2]
    rows = json.loads((directory / "differences.json").read_text())["rows"]
    row = next(row for row in rows if row["change_name"] == "slow" and row["figure"] == "lead_time_median_h")
    apart = [
        other["lead_time_median_h"] - one["lead_time_median_h"]
        for one, other in zip(kpis["base"], kpis["slow"], strict=True)
    ]
    assert row["difference"] == pytest.approx(np.mean(apart))
    assert row["verdict"] == "more" or row["p"] > 0.05
    assert [one["path"] for one in json.loads((directory / "changed.json").read_text())["slow"]] == [
        "parcels.truck.speed_kmh"
    ]
    tables = {file.stem for file in (directory / "tables").iterdir()}
    assert tables == {"runs", "differences", "groups", "curves", "flows", "cities"}


def test_orders_have_the_same_luck_on_both_sides(finished) -> None:
    described = json.loads((report_of(finished).parent / "whatif.json").read_text())
    orders = [
        pd.read_parquet(Path(described["runs"][side][0]) / "tables" / "orders.parquet")
        for side in ("base", "snow_northeast")
    ]
    pd.testing.assert_frame_equal(*orders)


def test_the_report_answers_first_shows_everything_and_stands_alone(finished) -> None:
    text = report_of(finished).read_text(encoding="utf-8")
    first = text.index('class="answers"')
    assert 0 < first < text.index("<figure")
    for name in ("tornado", "overview", "1-differences", "1-signed", "1-map", "2-differences", "2-hub_backlogs"):
        assert f'<figure id="{name}">' in text, name
    assert "src=" not in text
    assert not re.search(r'href="(?!#)', text)
    assert "parcels.truck.speed_kmh" in text
    assert "assumed: a blizzard" in text
    command = re.search(r"<pre>(peakday whatif .*?)</pre>", text)
    assert command is not None
    assert "snow_northeast,slow: parcels.truck.speed_kmh=x0.5" in command[1].replace("&#39;", "'")
    assert "scale=0.0001" in command[1]
    assert "output=" not in command[1]


TINY = [
    "scale=0.0001",
    "site=off",
    "rehearsal=off",
    "replications=2",
    "parcels=off",
    "change=demand.wireless_share=0.2",
]


def test_worker_processes_leave_what_this_process_would_leave(tmp_path, monkeypatch, capsys) -> None:
    assert cli.main(["whatif", *TINY, f"output={tmp_path / 'workers'}"]) == 0
    assert "4 runs, 0 of them there and read; 4 to run" in capsys.readouterr().out
    in_this_process(monkeypatch)
    assert cli.main(["whatif", *TINY, f"output={tmp_path / 'here'}"]) == 0
    left, here = (
        {file.parent.name: file for file in (tmp_path / name).glob("f*/*/provenance.json")}
        for name in ("workers", "here")
    )
    assert len(left) == 4
    assert left.keys() == here.keys()
    for name, file in left.items():
        one, other = (json.loads(each.read_text()) for each in (file, here[name]))
        assert (one["table_hashes"], one["key"], one["overrides"]) == (
            other["table_hashes"],
            other["key"],
            other["overrides"],
        )
        assert file.with_name("config.yaml").read_bytes() == here[name].with_name("config.yaml").read_bytes()
        assert file.with_name("report.html").stat().st_size > 0
    (one, other) = (
        next((tmp_path / name / "whatif").glob("*/differences.json")).read_bytes() for name in ("workers", "here")
    )
    assert one == other


def test_a_run_that_fails_is_told_and_the_others_are_kept(tmp_path, monkeypatch, capsys) -> None:
    double = stand_in(monkeypatch)
    in_this_process(monkeypatch)
    double.failure = RuntimeError("too bad")
    assert cli.main(["whatif", *TINY, f"output={tmp_path}"]) == 1
    printed = capsys.readouterr().out
    assert "failed: demand.wireless_share=0.2, seed 2: RuntimeError: too bad" in printed
    assert "4 of 4 runs failed" in printed
    double.failure = None
    assert cli.main(["whatif", *TINY, f"output={tmp_path}"]) == 0


def test_a_wrong_number_of_workers_is_refused(capsys) -> None:
    assert cli.main(["whatif", *TINY, "workers=none"]) == 2
    assert "workers must be an integer >= 1, got 'none'" in capsys.readouterr().err


LATE = "site.changes=[{at_s: 1200.0, service: payment, machines: 100}]"
SITE = [
    "scale=0.00002",
    "parcels=off",
    "rehearsal=off",
    "replications=2",
    "demand.horizon_h=24",
    f"change=late: {LATE}",
]


def provenances(output: Path) -> dict[str, dict[str, Any]]:
    return {file.parent.name: json.loads(file.read_text()) for file in output.glob("festival_2012/*/provenance.json")}


def test_changes_that_branch_off_from_the_base_give_the_same_numbers_and_leave_no_state(tmp_path, monkeypatch) -> None:
    in_this_process(monkeypatch)
    assert cli.main(["whatif", *SITE, f"output={tmp_path / 'whole'}"]) == 0
    assert cli.main(["whatif", *SITE, "branch_at=00:10", f"output={tmp_path / 'branched'}"]) == 0
    whole, branched = provenances(tmp_path / "whole"), provenances(tmp_path / "branched")
    assert whole.keys() == branched.keys()
    assert {name: one["table_hashes"] for name, one in whole.items()} == {
        name: one["table_hashes"] for name, one in branched.items()
    }
    assert sum(one["from_state"] is not None for one in branched.values()) == 2
    assert list((tmp_path / "branched").glob("whatif/states/*")) == []


def test_a_change_that_acts_before_the_branching_is_refused_by_name(tmp_path, capsys) -> None:
    words = ["change=early: demand.wireless_share=0.2", f"change=late: {LATE}", *SITE[:-1], f"output={tmp_path}"]
    assert cli.main(["whatif", *words, "branch_at=00:30"]) == 2
    told = capsys.readouterr().err
    assert "change=early cannot branch off at 1800 s: demand.wireless_share must be what it was" in told
    assert "change=late cannot branch off at 1800 s: site.changes" in told
    assert cli.main(["whatif", *words[1:], "branch_at=noon"]) == 2
    assert "branch_at must be an instant" in capsys.readouterr().err
    assert cli.main(["whatif", "change=snow_northeast", "site=off", "branch_at=00:10"]) == 2
    assert "with site=off" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
