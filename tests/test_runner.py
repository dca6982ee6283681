"""The runner: checked before, simulated once, stored complete, told where it came from."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from sim import runner, simulate, store
from sim.compose import compose
from sim.params import ParameterError
from sim.progress import Progress
from tests.doubles import stand_in

FEW: dict[str, Any] = {"scale": 0.0001, "seed": 3}


@pytest.fixture
def double(monkeypatch):
    """The simulation replaced, and paper instead of figures."""
    monkeypatch.setattr(runner, "illustrate", lambda directory, result: (directory / "report.html").touch())
    return stand_in(monkeypatch)


def test_simulate_gives_key_figures_and_tables_and_writes_nothing(double, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = simulate("festival_2012", **FEW)
    assert result.kpis["seed"] == 3
    assert result.kpis["scale"] == 0.0001
    assert result.kpis["shoppers"] == 21300
    assert result.kpis["wall_s"] > 0
    assert result.kpis["peak_rss_bytes"] > 1e6
    assert "demand_seconds" in result.tables
    assert result.directory is None
    assert list(tmp_path.iterdir()) == []


def test_keywords_and_overrides_reach_the_parameters(double):
    simulate(scale=np.float64(0.0002), seed=np.int64(5), parcels="off", overrides=["demand.wireless_share=0.5"])
    (params,) = double.runs
    assert params.scale == 0.0002
    assert params.seed == 5
    assert params.parcels is None
    assert params.demand.wireless_share == 0.5


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1e-05, "1e-05"),
        (True, "true"),
        (None, "null"),
        ("off", "off"),
        ("null", "'null'"),
        ("it's 5 o'clock, {}", r"'it\'s 5 o\'clock, {}'"),
        ([1, "a b"], "[1,'a b']"),
        ({"kind": "fixed", "machines": 2}, "{kind:fixed,machines:2}"),
        (np.float32(0.5), "0.5"),
    ],
)
def test_a_python_value_is_written_in_the_grammar_of_overrides(value, written):
    assert runner._literal(value) == written


def test_nothing_is_simulated_with_bad_parameters_and_all_problems_are_told(double):
    with pytest.raises(ParameterError) as raised:
        simulate(scale=-1, seed="one", threads=10_000, replications=0)
    cores = len(os.sched_getaffinity(0))
    assert raised.value.problems == [
        "scale must be > 0, got -1",
        "seed must be an integer, got 'one'",
        "replications must be >= 1, got 0",
        f"threads must be <= {cores} (cores of this machine), got 10000",
    ]
    assert double.runs == []


def test_a_bad_override_hides_no_bad_parameter(double):
    with pytest.raises(ParameterError) as raised:
        simulate(sedd=2, overrides=["site.services.serach.machines=9", "scale=-1", "threads=10000"])
    assert [problem.split()[0] for problem in raised.value.problems] == [
        "sedd",
        "site.services.serach",
        "scale",
        "threads",
    ]


@pytest.mark.parametrize("output", [5, True, ["a"], ""])
def test_the_results_folder_has_a_name(double, output):
    with pytest.raises(ParameterError) as raised:
        simulate(output=output, **FEW)
    assert raised.value.problems == [f"output must be the name of a folder, got {output!r}"]


def test_simulate_makes_one_run(double):
    with pytest.raises(ParameterError, match="replications must be 1"):
        simulate(replications=2)
    assert double.runs == []


def test_the_same_run_again_is_a_read(double, tmp_path):
    first = simulate(output=tmp_path, **FEW)
    again = simulate(output=tmp_path, **FEW)
    assert len(double.runs) == 1
    assert again.kpis == first.kpis
    assert again.params == first.params
    assert again.provenance == store.plain(first.provenance)
    assert again.directory == first.directory
    assert again.tables["orders"].equals(first.tables["orders"])


def test_another_seed_config_or_code_is_another_run(double, tmp_path, monkeypatch):
    simulate(output=tmp_path, **FEW)
    simulate(output=tmp_path, scale=0.0001, seed=4)
    simulate(output=tmp_path, parcels="off", **FEW)
    monkeypatch.setattr(store, "source_hash", lambda: "edited")
    simulate(output=tmp_path, **FEW)
    assert len(double.runs) == 4
    assert len(list((tmp_path / "festival_2012").iterdir())) == 4


def test_a_stored_run_is_a_complete_result_under_its_experiment(double, tmp_path):
    directory = simulate(output=tmp_path, **FEW).directory
    assert directory is not None
    names = {file.name for file in directory.iterdir()}
    assert names == {"config.yaml", "provenance.json", "kpis.json", "tables", "report.html"}
    assert directory.parent == tmp_path / "festival_2012"


def test_provenance_tells_what_ran_where(double):
    provenance = simulate(**FEW).provenance
    assert provenance["experiment"] == "festival_2012"
    assert (provenance["seed"], provenance["scale"]) == (3, 0.0001)
    assert provenance["threads"] == provenance["host"]["cores"]
    assert simulate(threads=1, **FEW).provenance["threads"] == 1
    assert provenance["overrides"] == []
    assert provenance["versions"]["numpy"] == np.__version__
    assert provenance["code"]["source_hash"] == store.source_hash()
    assert provenance["host"]["cores"] >= 1
    assert provenance["wall_s"] > 0
    assert provenance["started_at"].endswith("+00:00")


def test_provenance_tells_the_overrides_that_it_does_not_tell_otherwise(double):
    provenance = simulate(parcels="off", overrides=["seed=3", "site.cells=2", "scale=0.0001"]).provenance
    assert provenance["overrides"] == ["parcels=off", "site.cells=2"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forgets the peak")
def test_peak_memory_is_the_run_s_own():
    code = """
import numpy as np
from sim import runner
much = np.ones(25_000_000)
before = runner._peak_rss_bytes()
del much
runner._forget_peak_rss()
print(before - runner._peak_rss_bytes())
"""  # in a process of its own, where nothing else takes or gives back memory meanwhile
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(told) > 150_000_000


def test_as_many_replications_as_one_likes_cost_nothing_before_they_run():
    config = compose("festival_2012", ["replications=1000000000000"])
    assert next(runner.prepare("festival_2012", config)).params.seed == 1


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), RuntimeError("a bug"), MemoryError()])
def test_a_run_that_dies_leaves_nothing(double, tmp_path, failure):
    double.failure = failure
    with pytest.raises(type(failure)):
        simulate(output=tmp_path, **FEW)
    assert list((tmp_path / "festival_2012").iterdir()) == []


def test_a_report_that_fails_leaves_nothing(double, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "illustrate", fail)
    with pytest.raises(store.DiskFullError):
        simulate(output=tmp_path, **FEW)
    assert list((tmp_path / "festival_2012").iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_before_the_run(double, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(store.InTheWayError):
        simulate(output=tmp_path / "file", **FEW)
    assert double.runs == []


def test_replications_are_runs_with_seeds_that_follow_each_other():
    config = compose("festival_2012", ["seed=3", "replications=3"])
    runs = list(runner.prepare("festival_2012", config, output="results"))
    assert [run.params.seed for run in runs] == [3, 4, 5]
    assert all(run.params.replications == 1 for run in runs)
    assert len({run.directory for run in runs}) == 3
    (alone,) = runner.prepare("festival_2012", compose("festival_2012", ["seed=4"]), output="results")
    assert alone.directory == runs[1].directory


def test_progress_is_passed_on(double):
    told: list[Progress] = []
    simulate(progress=told.append, **FEW)
    assert told[0].clock_s == 3600.0
