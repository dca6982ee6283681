"""`peakday bench` at tiny size: equal answers are found equal, wrong ones wrong, and no foreign package can stop it."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from experiments import bench
from experiments._bench import events, first_minute, measure, tools, workloads
from sim.festival import Festival
from sim.kernels import recursion
from sim.params import ParameterError

TINY = ["scale=0.01", "replications=2"]
OURS = tuple(tool for tool in tools.TOOLS if tool.package in tools.ALWAYS)


@pytest.fixture(autouse=True)
def short(monkeypatch) -> None:
    monkeypatch.setattr(measure, "LEAST_CPU_S", 0.0)


def test_the_tools_give_the_same_departures_and_peakday_is_faster(tmp_path, capsys) -> None:
    assert bench.main([*TINY, "least=0.01", f"output={tmp_path}"]) == 0
    rows = pd.read_parquet(tmp_path / "bench.parquet")
    about = json.loads((tmp_path / "bench.json").read_text())
    usable, reasons = tools.usable(tools.TOOLS)
    assert len(rows) == len(workloads.WORKLOADS) * len(usable) + 2 >= 11
    assert rows["equal"].all()
    assert about["not_measured"] == reasons
    assert "SimPy" in about["versions"]
    minute = rows[rows["workload"] == first_minute.NAME]
    assert minute["tool"].tolist() == [tools.PEAKDAY, "SimPy"]
    assert (minute["customers"] > 10).all()
    rows = rows[rows["workload"] != first_minute.NAME]
    ours = rows[rows["tool"] == tools.PEAKDAY]
    assert ours["customers"].tolist() == [workload.customers // 100 for workload in workloads.WORKLOADS]
    assert (ours["ratio"] == 1.0).all()
    simpy = rows[rows["tool"] == "SimPy"]
    assert simpy["customers"].tolist() == [workload.customers // 400 for workload in workloads.WORKLOADS]
    assert (simpy["ratio"] > simpy["least"] / 100).all()
    assert capsys.readouterr().out.count("equal, bit by bit") == len(rows) + len(minute)


def test_a_departure_that_is_off_by_one_bit_is_found(monkeypatch, capsys) -> None:
    serve_all = recursion.serve_all

    def off_by_one_bit(*arguments):
        left = serve_all(*arguments)
        arguments[-2][-1] = np.nextafter(arguments[-2][-1], np.inf)
        return left

    monkeypatch.setattr(recursion, "serve_all", off_by_one_bit)
    monkeypatch.setattr(tools, "TOOLS", OURS)
    assert bench.main([*TINY, "least=0"]) == 1
    out = capsys.readouterr().out
    assert out.count("DIFFER") == len(workloads.WORKLOADS) * (len(OURS) - 1)
    assert out.count("equal, bit by bit") == len(workloads.WORKLOADS) + 2


def test_a_peakday_that_is_not_fast_enough_fails(monkeypatch, capsys) -> None:
    monkeypatch.setattr(tools, "TOOLS", OURS)
    assert bench.main([*TINY, "least=1000000000"]) == 1
    assert "DIFFER" not in capsys.readouterr().out


def test_packages_that_are_missing_broken_or_fail_are_named_and_stop_nothing(monkeypatch, capsys) -> None:
    def fails_at_once(case):
        raise RuntimeError("no such model")

    def fails_later(case):
        def serve():
            raise RuntimeError("out of luck")

        return serve

    failing = SimpleNamespace(at_once=fails_at_once, later=fails_later)
    monkeypatch.setitem(sys.modules, "experiments._bench.failing", failing)
    foreign = (
        tools.Tool("Missing", "failing:at_once", "no-such-package-at-all", 1.0),
        tools.Tool("Broken", "no_such_module:prepare", "numpy", 1.0),
        tools.Tool("Failing", "failing:at_once", "numpy", 1.0),
        tools.Tool("Late", "failing:later", "numpy", 1.0),
    )
    monkeypatch.setattr(tools, "TOOLS", (*OURS, *foreign))
    monkeypatch.setattr(workloads, "WORKLOADS", workloads.WORKLOADS[:1])
    assert bench.main([*TINY, "least=0"]) == 0
    out = capsys.readouterr().out
    assert out.count("equal, bit by bit") == len(OURS) + 2
    assert "Missing: not installed" in out
    assert "Broken: cannot be imported: No module named" in out
    assert "Failing, M/M/1, utilisation 0.9: failed: no such model" in out
    assert "Late, M/M/1, utilisation 0.9: failed: out of luck" in out


def test_a_failure_of_our_own_is_not_swept_under_the_carpet(monkeypatch) -> None:
    def fails(*arguments):
        raise RuntimeError("a bug")

    monkeypatch.setattr(recursion, "serve_all", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        bench.main([*TINY])


@pytest.mark.parametrize("tool", tools.TOOLS[1:], ids=lambda tool: tool.name)
@pytest.mark.parametrize("workload", workloads.WORKLOADS, ids=lambda workload: workload.name)
def test_each_tool_that_is_installed_agrees_to_the_last_bit(tool, workload) -> None:
    usable, reasons = tools.usable([tool])
    if not usable:
        pytest.skip(reasons[tool.name])
    case = workloads.case_of(workload._replace(servers=min(workload.servers, 60)), 300, seed=7)
    np.testing.assert_array_equal(tool.prepare(case)(), tools.TOOLS[0].prepare(case)())


def test_the_parameters_are_shown_without_a_run(capsys) -> None:
    assert bench.main(["--cfg", "job", "seed=7", "output=2012"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "seed: 7",
        "replications: 5",
        "scale: 1.0",
        "least: 1.0",
        "parcels: []",
        "requests: []",
        "output: '2012'",
    ]


def test_what_an_event_costs_is_told_by_scale_for_parcels_and_requests(tmp_path, capsys) -> None:
    assert bench.main(["parcels=0.0002,0.0001", "requests=0.0001", "replications=1", f"output={tmp_path}"]) == 0
    rows = pd.read_parquet(tmp_path / "events.parquet")
    assert list(zip(rows["event"], rows["scale"], strict=True)) == [
        ("parcel", 2e-4),
        ("parcel", 1e-4),
        ("request", 1e-4),
    ]
    assert rows["events"][0] == pytest.approx(2 * rows["events"][1], rel=0.1)
    assert (rows["ns_per_event"] * rows["events"] / 1e9).to_numpy() == pytest.approx(rows["cpu_s"].to_numpy())
    assert json.loads((tmp_path / "events.json").read_text())["params"]["parcels"] == [2e-4, 1e-4]
    assert f"{rows['events'][0]:,}" in capsys.readouterr().out


def test_every_step_of_a_parcel_is_an_event() -> None:
    festival = Festival(events.params_of("parcel", 1e-4, seed=1))
    road = festival.parcels
    assert road is not None
    tables = festival.run()
    table = tables["parcels"]
    stamped = (
        table[["created_s", "packed_s", "picked_up_s", "outlet_s", "signed_s", "returned_s"]].notna().to_numpy().sum()
    )
    hubs = tables["hub_hours"]
    steps = sum(
        (hubs[f"{step}_parcels"] - hubs[f"everyday_{step}_parcels"]).sum() for step in ("arrived", "sorted", "departed")
    )
    tours = int(np.sum(road.column("attempts")))
    assert events.parcel_events(road, festival.end_s) == stamped + round(steps * 1e-4) + tours


def test_bad_words_are_refused() -> None:
    with pytest.raises(
        ParameterError, match=r"parcels must be scales above 0 and up to 1 with commas between, got '0.1,b'"
    ):
        bench.main(["parcels=0.1,b"])
    with pytest.raises(ParameterError, match=r"requests must be scales above 0 and up to 1 .* got 2"):
        bench.main(["requests=2"])
    with pytest.raises(ParameterError, match=r"scale must be > 0, got 0"):
        bench.main(["scale=0"])
    with pytest.raises(ParameterError, match="threads is not a parameter"):
        bench.main(["threads=2"])
