"""`peakday bench` at tiny size: equal answers are found equal, wrong ones wrong."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments import bench
from sim.lab import stations
from sim.params import ParameterError

TINY = ["scale=0.01", "replications=2"]


def test_the_kernel_gives_the_departures_of_plain_simpy_and_is_faster(tmp_path, capsys) -> None:
    assert bench.main([*TINY, "least_ratio=2", f"output={tmp_path}"]) == 0
    rows = pd.read_parquet(tmp_path / "bench.parquet")
    assert len(rows) == len(bench.WORKLOADS)
    assert rows["equal"].all()
    assert (rows["requests"] == 1000).all()
    np.testing.assert_allclose(rows["ratio"], rows["peakday_per_s"] / rows["simpy_per_s"])
    assert json.loads((tmp_path / "bench.json").read_text())["rows"][0]["workload"] == bench.WORKLOADS[0].name
    assert capsys.readouterr().out.count("equal, bit by bit") == len(rows)


def test_a_departure_that_is_off_by_one_bit_is_found(monkeypatch, capsys) -> None:
    served = stations.serve

    def off_by_one_bit(*arrays, **station):
        right = served(*arrays, **station)
        right.departure_s[-1] = np.nextafter(right.departure_s[-1], np.inf)
        return right

    monkeypatch.setattr(stations, "serve", off_by_one_bit)
    assert bench.main([*TINY, "least_ratio=0"]) == 1
    assert "DIFFER" in capsys.readouterr().out


def test_a_kernel_that_is_not_fast_enough_fails(capsys) -> None:
    assert bench.main([*TINY, "least_ratio=1000000000"]) == 1
    assert "DIFFER" not in capsys.readouterr().out


def test_the_parameters_are_shown_without_a_run(capsys) -> None:
    assert bench.main(["--cfg", "job", "seed=7", "output=2012"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "seed: 7",
        "replications: 5",
        "scale: 1.0",
        "least_ratio: 100.0",
        "output: '2012'",
    ]


def test_bad_words_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"scale must be >= 1e-05, got 0"):
        bench.main(["scale=0"])
    with pytest.raises(ParameterError, match="threads is not a parameter"):
        bench.main(["threads=2"])
