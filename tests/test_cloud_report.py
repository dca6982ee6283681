"""What a run with a cloud leaves behind: key figures, figure, report; and the question `peakday cloud`."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import cloud as question
from sim.metrics import cloud as metrics
from sim.metrics import kpis
from sim.params import ParameterError
from sim.plots import draw_frontier, plot_frontier, plot_machines
from sim.records import TABLES, table
from sim.report.clouds import write_clouds_report
from sim.runner import simulate
from sim.store import Result


def machines(**columns: Sequence[object]) -> pd.DataFrame:
    """A made-up table of machines; what is not given is 0."""
    n = len(columns["time_s"])
    values: dict[str, object] = {name: np.zeros(n) for name in TABLES["machines"]} | {
        "slots_per_machine": np.full(n, 2)
    }
    return table("machines", values | columns)


@pytest.fixture(scope="module")
def made_up() -> pd.DataFrame:
    return machines(
        time_s=[0, 0, 30, 60, 90, 120],
        service=["a", "b", "a", "a", "b", "a"],
        serving=[10, 5, 10, 30, 2, 20],
        booting=[0, 0, 20, 0, 0, 0],
        draining=[0, 0, 0, 0, 3, 10],
        ordered=[10, 5, 30, 30, 5, 30],
        machine_h=[0, 0, 1, 2, 3, 4],
        cost_rmb=[0, 0, 2, 4, 6, 8],
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("cloud")
    return simulate("cloud_target", parcels="off", rehearsal="off", scale=0.0002, output=folder)


def test_key_figures_count_all_machines_from_order_to_stop(made_up: pd.DataFrame) -> None:
    capacity = table(
        "site_capacity",
        {
            "time_s": [0.0, 0.0, 0.0, 3600.0],
            "service": ["a", "b", "bank", "bank"],
            "machines": [1.0, 0.5, 100.0, 200.0],
            "slots": [1, 1, 100, 200],
        },
    )
    assert metrics.running(made_up).tolist() == [15, 35, 35, 35, 35]
    found = metrics.machines_of_all(made_up, capacity, 7200.0, scale=0.1)
    assert found == {"peak_machines": 203.5, "machine_hours": pytest.approx(300 + 0.1 * 7)}
    figures = metrics.cloud_kpis({"machines": made_up})
    assert figures == {"machine_cost_rmb": 14.0, "cloud_machine_h": 7.0, "cloud_peak_machines": 35.0}
    assert set(metrics.cloud_kpis({}).values()) == {None}


def test_last_years_peak_is_the_most_that_served(made_up: pd.DataFrame) -> None:
    assert metrics.peak_machines(made_up) == {"a": 30, "b": 5}
    policy = question.last_years_peak({"trade": 30, "payment": 5})
    assert policy.option == "fixed"
    assert policy.overrides == (
        "cloud.services.trade.start_machines=30",
        "cloud.services.payment.start_machines=5",
    )


def test_machines_and_load_are_of_one_instant_and_one_scale(made_up: pd.DataFrame) -> None:
    seconds = {name: np.zeros(2) for name in TABLES["site_seconds"]} | {"second_s": [5, 65], "in_flight": [40, 60]}
    load = metrics.servers_and_load(
        made_up, table("site_seconds", {**seconds, "service": ["a", "a"]}), scale=0.1, end_s=120, step_s=60
    )
    assert load["a"]["load"].tolist() == pytest.approx([40 / 60 / 0.2, 60 / 60 / 0.2])
    assert load["a"]["serving"].tolist() == [30, 20]
    assert metrics.together(load)["draining"].tolist() == [0, 13]
    assert plot_machines(load["a"]).get_ylabel() == "machines"


def test_a_policy_that_another_beats_in_both_is_not_on_the_frontier() -> None:
    policies = pd.DataFrame(
        {"policy": list("abcd"), "cost_rmb": [1.0, 2.0, 3.0, 4.0], "orders_lost": [9.0, 9.5, 2.0, 2.0]}
    )
    assert metrics.frontier(policies)["policy"].tolist() == ["a", "c"]
    assert len(plot_frontier(policies).texts) == 4
    assert len(draw_frontier(policies, 0.1).axes) == 1


def test_a_run_with_a_cloud_has_its_cost_its_figure_and_its_table_in_the_report(result: Result) -> None:
    cloud = result.tables["machines"]
    assert (
        result.kpis["cost_rmb"]
        == result.kpis["machine_cost_rmb"]
        == pytest.approx(1.5 * result.kpis["cloud_machine_h"])
    )
    assert result.kpis["peak_machines"] >= 0.0002 * result.kpis["cloud_peak_machines"]
    assert result.kpis["cloud_peak_machines"] <= 20_000
    assert {"gateway", "trade"} < set(cloud["service"]) < {*cloud["service"], "bank"}
    assert result.directory is not None
    assert (result.directory / "figures" / "cloud.svg").is_file()
    report = (result.directory / "report.html").read_text().replace("\N{NO-BREAK SPACE}", " ")
    assert "Machines by the hour" in report
    assert "target of 50 % concurrency" in report
    again = kpis(result.tables, scale=0.0002, seed=1, wall_s=0.0, peak_rss_bytes=0, shoppers=42_600)
    assert again["machine_hours"] == result.kpis["machine_hours"]


def test_the_question_compares_policies_on_the_same_shoppers(monkeypatch, tmp_path, capsys) -> None:
    chosen = [policy for policy in question.POLICIES if policy.name in ("everyday machines", question.REACTIVE)]
    compare = question.compare
    monkeypatch.setattr(question, "compare", lambda params, nights: compare(params, chosen, nights))
    assert question.main(["scale=0.00005", "boot_s=60", f"output={tmp_path}"]) == 0
    rows = pd.read_parquet(tmp_path / "cloud.parquet")
    assert rows["policy"].tolist() == ["everyday machines", "target 50 %", "last year's peak", "target 50 %"]
    assert rows["year"].tolist() == [2012, 2012, 2013, 2013]
    wanted = rows["orders"] + rows["orders_lost"]
    assert wanted[0] == pytest.approx(wanted[1])
    assert rows["peak_machines"][0] == 1400 < rows["peak_machines"][1]
    assert rows["peak_machines"][2] > 1400
    assert rows["cost_rmb"][3] < rows["cost_rmb"][2]
    left = {file.name for file in tmp_path.iterdir()}
    figures = {f"{name}.{form}" for name in ("frontier", "machines") for form in ("svg", "png")}
    assert left == {"cloud.json", "cloud.parquet", "report.html", *figures}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "loses the fewest" in page
    assert page.count("<svg") == 2
    assert page.index('id="frontier"') < page.index('id="machines"')
    assert "peakday cloud scale=0.00005 boot_s=60" in page
    assert json.loads((tmp_path / "cloud.json").read_text())["params"]["boot_s"] == 60
    assert "last year's peak" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cost_rmb", "told"),
    [
        (
            [300.0, 200.0, 100.0],
            "“a” loses the fewest orders, 1, for RMB 300; “c” is the cheapest, RMB 100, and loses 3. 3 of 3 policies",
        ),
        ([100.0, 200.0, 300.0], "“a” loses the fewest orders, 1, for RMB 100, and is the cheapest of 3 policies, too."),
    ],
)
def test_the_answer_names_the_policy_that_loses_fewest_and_the_cheapest(
    tmp_path: Path, cost_rmb: list[float], told: str
) -> None:
    for name in ("frontier", "machines"):
        (tmp_path / f"{name}.svg").write_text('<svg viewBox="0 0 10 10"></svg>')
    same = {
        "year": 2012,
        "seed": 1,
        "peak_machines": 1.0,
        "machine_h": 1.0,
        "orders": 9.0,
        "error_rate_first_hour": 0.1,
    }
    rows = pd.DataFrame({"policy": ["a", "b", "c"], "cost_rmb": cost_rmb, "orders_lost": [1.0, 2.0, 3.0]}).assign(
        **same
    )
    page = write_clouds_report(tmp_path, rows, {}, "peakday cloud", {}).read_text(encoding="utf-8")
    assert told in page.replace("\N{NO-BREAK SPACE}", " ")


def test_bad_words_of_the_question_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"boot_s must be > 0 \[s\], got -5"):
        question.main(["boot_s=-5"])
