"""A station of the lab: what its table holds, its laws, and what it refuses."""

import doctest
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments._reference import station as reference
from sim import lab
from sim.draws import stream
from sim.lab.distributions import Hyperexponential, Lognormal
from sim.lab.station_params import StationParams
from sim.params import ParameterError

MM1: dict[str, Any] = {"arrival": lab.poisson(0.9), "service": lab.exponential(1.0)}
CROWDED: dict[str, Any] = {
    "arrival": lab.poisson(2.2),
    "service": lab.exponential(1.0),
    "servers": 2,
    "capacity": 5,
    "timeout_s": 1.0,
}


def problems(**arguments) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        lab.station(**arguments)
    return caught.value.problems


def test_the_examples_of_the_lab_give_what_they_show() -> None:
    assert doctest.testmod(lab) == (0, 6)


def test_the_table_has_one_row_a_job_in_order_of_arrival() -> None:
    jobs = lab.station(**MM1, jobs=500)
    assert list(jobs.columns) == [
        "job",
        "priority",
        "arrival_s",
        "start_s",
        "finished_s",
        "departure_s",
        "wait_s",
        "sojourn_s",
        "outcome",
        "attempts",
        "backoff_s",
        "outside_s",
        "place",
        "degraded",
    ]
    assert list(jobs["job"]) == list(range(500))
    assert jobs["arrival_s"].is_monotonic_increasing
    assert (jobs["outcome"] == "served").all()
    assert list(jobs["outcome"].cat.categories) == ["served", "rejected", "timed_out", "unfinished", "failed"]


def test_the_jobs_of_a_run_are_those_of_the_reference_bit_for_bit() -> None:
    jobs = lab.station(**CROWDED, horizon_s=400.0, seed=5)
    key = stream(5, "lab.service")
    params = StationParams(**CROWDED, horizon_s=400.0, seed=5)
    service_s = params.service.draw(key, len(jobs))
    expected = reference.run(list(jobs["arrival_s"]), list(service_s), slots=2, limit=3, timeout_s=1.0, end_s=400.0)
    assert set(jobs["outcome"]) == {"served", "rejected", "timed_out", "unfinished"}
    np.testing.assert_array_equal(jobs["start_s"], [job.start_s for job in expected])
    np.testing.assert_array_equal(jobs["departure_s"], [job.left_s for job in expected])
    np.testing.assert_array_equal(jobs["outcome"].cat.codes, [job.outcome for job in expected])


def test_waits_and_sojourns_are_told_for_the_jobs_that_have_them() -> None:
    jobs = lab.station(**CROWDED, horizon_s=400.0, seed=5).set_index("outcome")
    assert jobs.loc["rejected", ["start_s", "wait_s", "sojourn_s"]].isna().all(axis=None)
    assert (jobs.loc["rejected", "departure_s"] == jobs.loc["rejected", "arrival_s"]).all()
    assert jobs.loc["timed_out", "start_s"].isna().all()
    np.testing.assert_allclose(jobs.loc["timed_out", "wait_s"], 1.0, rtol=1e-12)
    assert (jobs.loc["served", "wait_s"] <= 1.0).all()
    assert (jobs.loc["served", "sojourn_s"] >= jobs.loc["served", "wait_s"]).all()
    assert jobs.loc[["unfinished"], ["departure_s", "sojourn_s"]].isna().all(axis=None)


def test_an_early_horizon_shows_the_beginning_of_a_longer_run() -> None:
    long = lab.station(**CROWDED, horizon_s=400.0)
    short = lab.station(**CROWDED, horizon_s=100.0)
    same = long[long["arrival_s"] < 100.0]
    np.testing.assert_array_equal(short["arrival_s"], same["arrival_s"])
    np.testing.assert_array_equal(short["start_s"], same["start_s"].where(same["start_s"] < 100.0))
    np.testing.assert_array_equal(short["departure_s"], same["departure_s"].where(same["departure_s"] < 100.0))


def test_jobs_and_horizon_together_end_the_run_at_whichever_comes_first() -> None:
    assert len(lab.station(**MM1, jobs=50, horizon_s=1e6)) == 50
    assert lab.station(**MM1, jobs=10_000, horizon_s=100.0)["arrival_s"].max() < 100.0


def test_a_horizon_before_the_first_arrival_gives_an_empty_table() -> None:
    jobs = lab.station(arrival=lab.deterministic(5.0), service=lab.deterministic(1.0), horizon_s=5.0)
    assert len(jobs) == 0
    assert len(lab.station(arrival=lab.deterministic(5.0), service=lab.deterministic(1.0), horizon_s=5.001)) == 1


def test_equal_seeds_give_equal_jobs_whatever_serves_them() -> None:
    few, many = (lab.station(**MM1, servers=servers, jobs=200, seed=3) for servers in (1, 4))
    other = lab.station(**MM1, jobs=200, seed=4)
    np.testing.assert_array_equal(few["arrival_s"], many["arrival_s"])
    np.testing.assert_allclose(few["departure_s"] - few["start_s"], many["departure_s"] - many["start_s"], rtol=1e-9)
    assert not np.isin(other["arrival_s"], few["arrival_s"]).any()


def test_servers_with_slots_serve_as_that_many_servers() -> None:
    pd.testing.assert_frame_equal(
        lab.station(arrival=lab.poisson(5.0), service=lab.exponential(1.0), servers=2, slots=3, jobs=300),
        lab.station(arrival=lab.poisson(5.0), service=lab.exponential(1.0), servers=6, jobs=300),
    )


@settings(max_examples=30, deadline=None)
@given(
    servers=st.integers(1, 4),
    room=st.one_of(st.none(), st.integers(0, 6)),
    timeout_s=st.one_of(st.none(), st.floats(0.0, 4.0)),
    horizon_s=st.floats(5.0, 300.0),
    seed=st.integers(0, 2**40),
)
def test_littles_law_holds_exactly_with_unfinished_jobs_counted(servers, room, timeout_s, horizon_s, seed) -> None:
    capacity = None if room is None else servers + room
    jobs = lab.station(
        arrival=lab.poisson(1.1 * servers),
        service=lab.lognormal(1.0, 2.0),
        servers=servers,
        capacity=capacity,
        timeout_s=timeout_s,
        horizon_s=horizon_s,
        seed=seed,
    )
    let_in = jobs[jobs["outcome"] != "rejected"]
    left_s = let_in["departure_s"].fillna(horizon_s)
    times_s = np.concatenate([left_s, let_in["arrival_s"], [horizon_s]])
    steps = np.concatenate([-np.ones(len(let_in)), np.ones(len(let_in)), [0.0]])
    in_order = np.argsort(times_s, kind="stable")
    present = np.cumsum(steps[in_order])
    integral = float(present[:-1] @ np.diff(times_s[in_order]))
    assert integral == pytest.approx((left_s - let_in["arrival_s"]).sum(), rel=1e-9, abs=1e-9)
    assert present.max(initial=0.0) <= (capacity or math.inf)
    assert ((jobs["outcome"] == "unfinished") == jobs["departure_s"].isna()).all()


@pytest.mark.parametrize(
    ("specification", "mean_s", "cv"),
    [
        (lab.exponential(3.0), 3.0, 1.0),
        (lab.deterministic(3.0), 3.0, 0.0),
        (lab.lognormal(3.0, 0.5), 3.0, 0.5),
        (lab.hyperexponential(3.0, 2.0), 3.0, 2.0),
        (lab.hyperexponential(3.0, 1.0), 3.0, 1.0),
    ],
)
def test_service_times_have_the_stated_mean_and_variation(specification, mean_s: float, cv: float) -> None:
    n = 400_000
    jobs = lab.station(arrival=lab.deterministic(100.0), service=specification, servers=1000, jobs=n)
    service_s = (jobs["departure_s"] - jobs["start_s"]).to_numpy()
    assert service_s.mean() == pytest.approx(mean_s, rel=5 * max(cv, 1e-9) / math.sqrt(n) + 1e-9)
    assert service_s.std() / service_s.mean() == pytest.approx(cv, rel=0.03, abs=1e-6)


def test_poisson_arrivals_come_at_their_rate_with_exponential_gaps() -> None:
    arrival_s = lab.station(arrival=lab.poisson(4.0), service=lab.deterministic(1e-3), jobs=200_000)["arrival_s"]
    gaps = np.diff(arrival_s)
    assert gaps.mean() == pytest.approx(0.25, rel=0.012)
    assert np.mean(gaps > 0.25) == pytest.approx(math.exp(-1.0), abs=0.006)


def test_each_kind_draws_a_job_from_its_number_alone() -> None:
    key = stream(1, "anything")
    for kind in (
        Lognormal(kind="lognormal", mean_s=2.0, cv=0.7),
        Hyperexponential(kind="hyperexponential", mean_s=2.0, cv=3.0),
    ):
        np.testing.assert_array_equal(kind.draw(key, 10), kind.draw(key, 1000)[:10])


def test_all_that_is_wrong_is_told_at_once_with_name_rule_and_value() -> None:
    told = problems(
        arrival=lab.poisson(-1.0),
        service=lab.exponential(0.0),
        servers=0,
        slots=-1,
        timeout_s=-2.0,
        jobs=0,
        horizon_s=-5.0,
    )
    assert told == [
        "arrival.rate_per_s must be > 0 [1/s], got -1.0",
        "service.mean_s must be > 0 [s], got 0.0",
        "servers must be >= 1, got 0",
        "slots must be >= 1, got -1",
        "timeout_s must be >= 0 [s], got -2.0",
        "jobs must be >= 1, got 0",
        "horizon_s must be > 0 [s], got -5.0",
    ]


def test_a_capacity_below_the_slots_and_a_run_without_end_are_refused() -> None:
    told = problems(**MM1, servers=4, slots=3, capacity=11)
    assert told == [
        "capacity must be >= servers x slots = 12, got 11",
        "jobs or horizon_s must be given: nothing ends the run",
    ]


def test_a_horizon_with_more_jobs_than_can_be_numbered_is_refused() -> None:
    assert problems(arrival=lab.poisson(1e9), service=lab.exponential(1.0), horizon_s=1e6) == [
        "horizon_s must bring fewer than 2,147,483,647 arrivals, got 1e+06"
    ]


def test_a_distribution_that_does_not_exist_is_refused() -> None:
    (told,) = problems(arrival=lab.poisson(1.0), service={"kind": "weibull", "mean_s": 1.0}, jobs=5)
    assert told.startswith("service")
    assert "lognormal" in told
    (told,) = problems(arrival=lab.poisson(1.0), service=lab.hyperexponential(1.0, 0.5), jobs=5)
    assert told == "service.cv must be >= 1, got 0.5"


@pytest.mark.parametrize("name", ["dispach", "patience_s", "retries", "server"])
def test_a_parameter_that_is_not_there_is_refused_by_name(name: str) -> None:
    with pytest.raises(TypeError, match=name):
        lab.station(**MM1 | {"jobs": 5, name: 1})


def test_numpy_numbers_are_numbers() -> None:
    numbers: dict[str, Any] = {"servers": np.int64(1), "jobs": np.int64(20)}
    jobs = lab.station(arrival=lab.poisson(np.float64(0.9)), service=lab.exponential(1.0), **numbers)
    pd.testing.assert_frame_equal(jobs, lab.station(**MM1, jobs=20))
