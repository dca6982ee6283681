"""The recursion against the kernel that works event by event: the same bits, ties and the end of the run included."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels import recursion, station

NO_LIMIT = np.iinfo(np.int64).max


def by_recursion(arrival_s: np.ndarray, service_s: np.ndarray, slots: int, end_s: float) -> tuple[np.ndarray, ...]:
    """Starts of all jobs, departures in order, and whose they are."""
    n = arrival_s.size
    slots = min(slots, n)
    start_s, out_s, out_job = np.empty(n), np.empty(n), np.empty(n, np.int32)
    tree = recursion.empty_tree(slots)
    left = recursion.serve_all(end_s, arrival_s, service_s, slots, *tree, start_s, out_s, out_job)
    return start_s, out_s[:left], out_job[:left]


def by_events(arrival_s: np.ndarray, service_s: np.ndarray, slots: int, end_s: float) -> tuple[np.ndarray, ...]:
    """The same from the kernel of all stations."""
    n = arrival_s.size
    stations = station.empty_stations(np.array([min(slots, n)]), np.array([NO_LIMIT]), np.array([math.inf]))
    jobs = station.empty_jobs(n)
    jobs["key"][:] = np.arange(n)
    jobs["service_s"][:] = service_s
    out_s, out_job, out_kind = np.empty(n), np.empty(n, np.int32), np.empty(n, np.int8)
    inbox_job = np.arange(n, dtype=np.int32)
    left = station.advance_station(0, end_s, arrival_s, inbox_job, n, stations, jobs, out_s, out_job, out_kind)
    assert (out_kind[:left] == station.SERVED).all()
    return jobs["start_s"], out_s[:left], out_job[:left]


def assert_same(arrival_s: np.ndarray, service_s: np.ndarray, slots: int, end_s: float = math.inf) -> None:
    before = arrival_s < end_s
    arrival_s, service_s = arrival_s[before], service_s[before]
    for got, expected in zip(
        by_recursion(arrival_s, service_s, slots, end_s), by_events(arrival_s, service_s, slots, end_s), strict=True
    ):
        np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("slots", [1, 2, 3, 7, 50, 1000, 5000])
@pytest.mark.parametrize("load", [0.3, 0.95, 1.2])
def test_random_jobs_start_and_leave_at_the_same_instants(slots: int, load: float) -> None:
    draws = np.random.default_rng(slots)
    arrival_s = np.cumsum(draws.exponential(1.0 / (slots * load), 3000))
    service_s = draws.exponential(1.0, 3000)
    assert_same(arrival_s, service_s, slots)
    assert_same(arrival_s, service_s, slots, end_s=float(arrival_s[2000]))


@settings(max_examples=200, deadline=None)
@given(
    jobs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), min_size=1, max_size=60),
    slots=st.integers(1, 12),
    end_s=st.sampled_from([math.inf, 1.0, 7.0, 20.0]),
)
def test_jobs_that_leave_at_one_instant_leave_in_their_order(
    jobs: list[tuple[int, int]], slots: int, end_s: float
) -> None:
    times = np.array(jobs, dtype=np.float64)
    arrival_s = np.cumsum(times[:, 0])
    if arrival_s[0] < end_s:
        assert_same(arrival_s, times[:, 1].copy(), slots, end_s)


def test_a_thousand_jobs_in_step() -> None:
    assert_same(np.zeros(3000), np.ones(3000), 1000)


def test_what_happens_at_the_end_does_not_happen_any_more() -> None:
    start_s, out_s, out_job = by_recursion(np.array([0.0, 0.0, 1.0]), np.array([2.0, 3.0, 1.0]), 1, 5.0)
    np.testing.assert_array_equal(start_s, [0.0, 2.0, np.nan])
    np.testing.assert_array_equal(out_s, [2.0])
    np.testing.assert_array_equal(out_job, [0])


def idle(**changes: object) -> station.Stations:
    given = {"slots": np.array([3]), "limit": np.array([NO_LIMIT]), "timeout_s": np.array([math.inf]), "jobs": 10}
    return station.empty_stations(**(given | changes))  # type: ignore[arg-type]


def test_the_recursion_suits_stations_where_nothing_is_limited() -> None:
    assert recursion.suits(idle(), 0, 10)
    assert recursion.suits(idle(limit=np.array([10])), 0, 10)
    assert recursion.suits(idle(dispatch=np.array([station.RANDOM])), 0, 10)


@pytest.mark.parametrize(
    "changes",
    [
        {"limit": np.array([9])},
        {"timeout_s": np.array([1.0])},
        {"own_patience": np.array([True])},
        {"priorities": 2},
        {"servers": np.array([2]), "dispatch": np.array([station.ROUND_ROBIN])},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_recursion_suits_no_station_with_a_limit_or_more_queues_than_one(changes: dict[str, object]) -> None:
    assert not recursion.suits(idle(**changes), 0, 10)


def test_the_recursion_suits_no_station_that_is_not_idle() -> None:
    stations = idle()
    stations.busy[0] = 1
    assert not recursion.suits(stations, 0, 10)
    stations = idle()
    stations.waiting[0] = 1
    assert not recursion.suits(stations, 0, 10)
