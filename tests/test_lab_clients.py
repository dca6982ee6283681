"""A station of the lab with classes, dispatch, patience, deadlines, failures and retries."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim import lab
from sim.draws import stream
from sim.lab.distributions import Gamma
from sim.params import ParameterError

DISPATCHES = ("central", "random", "round_robin", "two_choices", "least_connections")
CROWDED: dict[str, Any] = {"arrival": lab.poisson(4.6), "service": lab.exponential(1.0), "servers": 4}


def problems(**arguments) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        lab.station(**CROWDED | arguments)
    return caught.value.problems


@settings(max_examples=60, deadline=None)
@given(
    dispatch=st.sampled_from(DISPATCHES),
    slots=st.integers(1, 2),
    room=st.one_of(st.none(), st.integers(0, 3)),
    timeout_s=st.one_of(st.none(), st.floats(0.0, 2.0)),
    patience=st.one_of(st.none(), st.just(lab.exponential(2.0))),
    priority=st.one_of(st.none(), st.just((0.2, 0.5, 0.3))),
    horizon_s=st.one_of(st.none(), st.floats(5.0, 60.0)),
    seed=st.integers(0, 2**40),
)
def test_clients_without_a_retry_are_the_jobs_of_the_plain_station(dispatch, slots, room, **arguments) -> None:
    places = slots * (4 if dispatch == "central" else 1)
    capacity = None if room is None else places + room
    station = CROWDED | {"dispatch": dispatch, "slots": slots, "capacity": capacity, "jobs": 200} | arguments
    pd.testing.assert_frame_equal(lab.station(**station), lab.station(**station, retry=lab.retry(0)))


def test_jobs_fall_into_the_classes_by_their_shares_and_the_first_waits_least() -> None:
    jobs = lab.station(arrival=lab.poisson(0.9), service=lab.exponential(1.0), priority=(1, 3), jobs=40_000)
    assert np.mean(jobs["priority"] == 1) == pytest.approx(0.75, abs=0.01)
    waits = jobs.groupby("priority")["wait_s"].mean()
    assert waits[0] < waits[1] / 4


def test_a_class_changes_nobodys_arrival_or_service() -> None:
    plain, classes = (lab.station(**CROWDED, jobs=300, priority=priority) for priority in (None, (1.0, 1.0)))
    np.testing.assert_array_equal(plain["arrival_s"], classes["arrival_s"])
    np.testing.assert_allclose(
        plain["departure_s"] - plain["start_s"], classes["departure_s"] - classes["start_s"], rtol=1e-9
    )


def test_a_client_whose_work_is_not_cancelled_leaves_at_the_deadline_and_the_work_goes_on() -> None:
    jobs = lab.station(
        arrival=lab.deterministic(1.0), service=lab.deterministic(2.0), timeout_s=4.0, cancel=False, jobs=5
    )
    np.testing.assert_array_equal(jobs["start_s"], [1.0, 3.0, 5.0, 7.0, 9.0])
    np.testing.assert_array_equal(jobs["finished_s"], [3.0, 5.0, 7.0, 9.0, 11.0])
    np.testing.assert_array_equal(jobs["departure_s"], [3.0, 5.0, 7.0, 8.0, 9.0])
    np.testing.assert_array_equal(jobs["wait_s"], [0.0, 1.0, 2.0, 3.0, 4.0])
    assert list(jobs["outcome"]) == ["served"] * 3 + ["timed_out"] * 2


def test_work_that_is_cancelled_leaves_its_place_to_others() -> None:
    late: dict[str, Any] = {
        "arrival": lab.deterministic(1.0),
        "service": lab.deterministic(2.0),
        "timeout_s": 1.5,
        "jobs": 50,
    }
    kept, cancelled = (lab.station(**late | {"timeout_s": 2.5, "cancel": cancel}) for cancel in (False, True))
    assert (kept["outcome"] == "served").sum() == 1
    assert (cancelled["outcome"] == "served").sum() > 20


def test_patience_is_each_jobs_own() -> None:
    jobs = lab.station(**CROWDED, patience=lab.exponential(0.5), jobs=5000)
    waits_s = jobs.loc[jobs["outcome"] == "timed_out", "wait_s"]
    assert waits_s.nunique() == len(waits_s) > 500
    longest = lab.station(**CROWDED, patience=lab.exponential(0.5), timeout_s=0.3, jobs=5000)
    assert longest.loc[longest["outcome"] == "timed_out", "wait_s"].max() <= 0.3 + 1e-9


def test_every_attempt_and_the_waits_between_them_are_counted() -> None:
    jobs = lab.station(
        arrival=lab.deterministic(10.0),
        service=lab.deterministic(1.0),
        failure_share=1.0,
        retry=lab.retry(2, backoff="exponential", base_s=0.5),
        jobs=3,
    )
    assert list(jobs["outcome"]) == ["failed"] * 3
    assert list(jobs["attempts"]) == [3] * 3
    np.testing.assert_array_equal(jobs["backoff_s"], [1.5] * 3)
    np.testing.assert_allclose(jobs["sojourn_s"], 3 * 1.0 + 1.5)


def test_clients_in_orbit_at_the_end_are_unfinished() -> None:
    jobs = lab.station(
        arrival=lab.deterministic(1.0),
        service=lab.deterministic(100.0),
        capacity=1,
        retry=lab.retry(None, backoff="fixed", base_s=7.0),
        horizon_s=20.0,
    )
    assert (jobs["outcome"] == "unfinished").all()
    assert list(jobs["attempts"]) == [1] + [1 + int((19 - k) // 7) for k in range(2, 20)]


@pytest.mark.parametrize("cv", [0.3, 0.8, 1.0, 1.7])
def test_gamma_times_have_the_gamma_distribution_whatever_its_shape(cv: float) -> None:
    times_s = Gamma(kind="gamma", mean_s=2.0, cv=cv).draw(stream(1, "gamma"), 100_000)
    shape = 1.0 / cv**2
    assert stats.kstest(times_s, stats.gamma(shape, scale=2.0 / shape).cdf).pvalue > 0.001
    assert abs(np.corrcoef(times_s[:-1], times_s[1:])[0, 1]) < 0.015
    assert times_s.mean() == pytest.approx(2.0, rel=5 * cv / math.sqrt(times_s.size))


def test_empirical_times_are_the_given_ones_by_their_weights() -> None:
    station: dict[str, Any] = {"arrival": lab.deterministic(100.0), "jobs": 40_000}
    jobs = lab.station(**station, service=lab.empirical([1.0, 2.0, 5.0], [3.0, 0.0, 1.0]))
    service_s = (jobs["departure_s"] - jobs["start_s"]).round(9)
    assert set(service_s) == {1.0, 5.0}
    assert np.mean(service_s == 5.0) == pytest.approx(0.25, abs=0.01)
    equal = lab.station(**station, service=lab.empirical(np.array([1.0, 3.0])))  # type: ignore[arg-type]
    assert np.mean((equal["departure_s"] - equal["start_s"]).round(9) == 3.0) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize(
    ("arrival", "expected"),
    [
        (
            lab.steps((0, 0.0), (10, 50.0), (20, 0.0), (30, 100.0)),
            lambda t: np.interp(t, [0, 10, 20, 30, 40], [0, 0, 500, 500, 1500]),
        ),
        (
            lab.sinusoid(100.0, 1.0, 20.0),
            lambda t: 100 * (t + 20 / (2 * np.pi) * (1 - np.cos(2 * np.pi * t / 20))),
        ),
    ],
)
def test_arrivals_whose_rate_changes_are_poisson_by_a_clock_of_their_own(arrival, expected) -> None:
    counts, gaps = [], []
    for seed in range(20):
        arrival_s = lab.station(arrival=arrival, service=lab.deterministic(1e-9), horizon_s=40.0, seed=seed)[
            "arrival_s"
        ]
        counts.append(len(arrival_s))
        gaps.append(np.diff(expected(arrival_s.to_numpy())))
    mean = float(expected(40.0))
    assert np.mean(counts) == pytest.approx(mean, abs=4 * math.sqrt(mean / 20))
    assert stats.kstest(np.concatenate(gaps), stats.expon.cdf).pvalue > 0.001


def test_a_client_cannot_be_told_nonsense() -> None:
    assert problems(jobs=5, dispatch="fastest") == [
        "dispatch must be 'central', 'random', 'round_robin', 'two_choices' or 'least_connections', got 'fastest'"
    ]
    assert problems(jobs=5, cancel=False) == [
        "timeout_s is missing [s]: cancel=False says what becomes of work that timed out"
    ]
    assert problems(jobs=5, cancel=False, timeout_s=0.5, service=lab.deterministic(1.0)) == [
        "timeout_s must be >= the shortest service = 1 [s], got 0.5"
    ]
    assert problems(jobs=5, retry=lab.retry(-1)) == ["retry.retries must be >= 0, got -1"]
    assert problems(jobs=5, retry=lab.retry(None)) == [
        "retry.retries must have an end where backoff is none: retries for ever at one instant"
    ]
    assert problems(jobs=5, retry=lab.retry(backoff="fixed", jitter="decorrelated")) == [
        "retry.base_s is missing [s]: backoff fixed waits that long before the first retry",
        "retry.jitter must not be decorrelated where backoff is fixed: its waits grow",
    ]
    assert problems(jobs=5, retry=lab.retry(None, backoff="fixed", base_s=1.0), failure_share=1.0) == [
        "horizon_s must be given: every attempt fails and is tried again for ever"
    ]
    assert problems(jobs=5, capacity=1, slots=2, dispatch="random") == ["capacity must be >= slots = 2, got 1"]
    assert problems(jobs=5, priority=(0.0,)) == ["priority must have a share > 0"]
    assert problems(jobs=5, service=lab.empirical([1.0, 2.0], [1.0])) == [
        "service.weights must be one a value, 2 of them, got 1"
    ]
    assert problems(jobs=5, arrival=lab.steps((1, 2.0), (1, 0.0))) == [
        "arrival.rate_per_s must be > 0 [1/s] in the last step, got 0",
        "arrival.from_s must begin with 0 [s], got 1",
        "arrival.from_s must increase, got [1.0, 1.0]",
    ]
