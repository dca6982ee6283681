"""`peakday whatif` from the words to the report, on tiny runs of the road."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import cli
from sim import runner
from tests.doubles import stand_in

RUNS = ["scale=0.0001", "site=off", "rehearsal=off", "replications=2", "parcels.horizon_days=8"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of a what-if with two changes."""
    output = tmp_path_factory.mktemp("results")
    patch = pytest.MonkeyPatch()
    patch.setattr(runner, "illustrate", lambda directory, result, **_: (directory / "report.html").touch())
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
