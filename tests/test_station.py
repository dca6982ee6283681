"""The kernel of the station against the same station in plain SimPy, job by job and bit by bit."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments._reference import station as reference
from sim.kernels import departures, kernel
from sim.kernels import station as kernels
from tests.station_case import assert_equal_job_by_job, run_kernel

INFINITY = math.inf

add_departure = kernel(lambda *arguments: departures.add_departure(*arguments))
change_departure = kernel(lambda *arguments: departures.change_departure(*arguments))


@st.composite
def stations(draw, whole_numbers: bool):
    """A station and its jobs; with whole numbers nearly everything happens at the same instants."""
    n = draw(st.integers(1, 60))
    if whole_numbers:
        gap, service = st.integers(0, 2).map(float), st.integers(0, 5).map(float)
        timeout = st.integers(0, 6).map(float)
    else:
        gap, service = st.floats(0, 2), st.floats(0, 5)
        timeout = st.floats(0, 6)
    arrival_s = np.cumsum(draw(st.lists(gap, min_size=n, max_size=n)))
    service_s = np.array(draw(st.lists(service, min_size=n, max_size=n)))
    return {
        "arrival_s": arrival_s,
        "service_s": service_s,
        "slots": draw(st.integers(1, 5)),
        "limit": draw(st.one_of(st.integers(0, 6), st.just(10**9))),
        "timeout_s": draw(st.one_of(timeout, st.just(INFINITY))),
        "end_s": draw(st.one_of(st.just(INFINITY), st.integers(1, 60).map(float))),
    }


def changes(least: int, most: int):
    """Instants with what there is from then on."""
    instants = st.dictionaries(st.integers(1, 40).map(float), st.integers(least, most), max_size=6)
    return instants.map(lambda of_instant: tuple(sorted(of_instant.items())))


def before(end_s: float, changes):
    return tuple((instant_s, number) for instant_s, number in changes if instant_s < end_s)


@st.composite
def dispatched_stations(draw):
    """A station with any dispatch, jobs with or without their own patience and priority, and servers that come and go."""
    whole_numbers = draw(st.booleans())
    station = draw(stations(whole_numbers))
    n = len(station["arrival_s"])
    dispatch = draw(st.integers(kernels.CENTRAL, kernels.LEAST_CONNECTIONS))
    servers = 1 if dispatch == kernels.CENTRAL else draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    station |= {
        "servers": servers,
        "dispatch": dispatch,
        "slots": draw(st.integers(0, 3)),
        "slots_from": before(station["end_s"], draw(changes(0, 4))),
        "choice": [int(bits) for bits in rng.integers(0, 2**64, n, dtype=np.uint64, endpoint=False)],
    }
    if dispatch != kernels.CENTRAL:
        station["lanes_from"] = before(station["end_s"], draw(changes(1, servers)))
    if draw(st.booleans()):
        patience_s = rng.integers(0, 7, n) if whole_numbers else rng.exponential(3.0, n)
        station["patience_s"] = np.where(rng.random(n) < 0.2, INFINITY, patience_s)
    if draw(st.booleans()):
        station["priority"] = [int(level) for level in rng.integers(0, 3, n)]
    return station


@settings(max_examples=150, deadline=None)
@given(station=st.booleans().flatmap(lambda whole: stations(whole)))
def test_each_job_starts_and_leaves_at_the_instants_of_the_reference(station) -> None:
    assert_equal_job_by_job(run_kernel(**station), reference.run(**station))


@settings(max_examples=150, deadline=None)
@given(station=st.booleans().flatmap(lambda whole: stations(whole)), slots_from=changes(0, 5))
def test_slots_that_come_and_go_serve_as_in_the_reference(station, slots_from) -> None:
    slots_from = before(station["end_s"], slots_from)
    assert_equal_job_by_job(
        run_kernel(**station, slots_from=slots_from), reference.run(**station, slots_from=slots_from)
    )


@settings(max_examples=250, deadline=None)
@given(station=dispatched_stations(), data=st.data())
def test_dispatch_priorities_patience_and_servers_are_those_of_the_reference(station, data) -> None:
    rows = data.draw(st.permutations(range(len(station["arrival_s"]))))
    assert_equal_job_by_job(run_kernel(**station, rows=rows), reference.run(**station))


@settings(max_examples=150, deadline=None)
@given(station=dispatched_stations(), windows=st.lists(st.floats(0.25, 60), max_size=40))
def test_windows_do_not_change_a_bit(station, windows) -> None:
    whole = run_kernel(**station)
    cut = run_kernel(**station, windows=windows)
    for of_one, of_many in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(of_one, of_many)


@pytest.mark.parametrize(
    ("slots", "limit", "timeout_s"), [(1, 10**9, INFINITY), (8, 10**9, 3.0), (50, 20, INFINITY), (300, 40, 0.2)]
)
def test_three_thousand_jobs_in_thousands_of_windows_equal_the_reference(
    slots: int, limit: int, timeout_s: float
) -> None:
    rng = np.random.default_rng(slots)
    arrival_s = np.cumsum(rng.exponential(1.0, 3000))
    service_s = rng.exponential(1.02 * slots, 3000)
    run: dict[str, Any] = {
        "arrival_s": arrival_s,
        "service_s": service_s,
        "slots": slots,
        "limit": limit,
        "timeout_s": timeout_s,
        "end_s": 3100.0,
    }
    expected = reference.run(**run)
    assert len({job.outcome for job in expected}) >= 2
    assert_equal_job_by_job(run_kernel(**run), expected)
    assert_equal_job_by_job(run_kernel(**run, windows=np.arange(0.5, 3100.0, 0.5)), expected)
    assert_equal_job_by_job(run_kernel(**run, windows=arrival_s), expected)


@pytest.mark.parametrize("dispatch", range(1, 5))
def test_three_thousand_jobs_of_two_classes_over_forty_servers_equal_the_reference(dispatch: int) -> None:
    rng = np.random.default_rng(dispatch)
    arrival_s = np.cumsum(rng.exponential(1.0, 3000))
    run: dict[str, Any] = {
        "arrival_s": arrival_s,
        "service_s": rng.exponential(78.0, 3000),
        "slots": 2,
        "limit": 6,
        "timeout_s": INFINITY,
        "end_s": 3100.0,
        "servers": 40,
        "dispatch": dispatch,
        "lanes_from": ((500.0, 31), (1500.0, 40), (2000.0, 12)),
        "slots_from": ((1200.0, 1), (2100.0, 5)),
        "choice": [int(bits) for bits in rng.integers(0, 2**64, 3000, dtype=np.uint64, endpoint=False)],
        "priority": [int(level) for level in rng.integers(0, 3, 3000)],
        "patience_s": rng.exponential(200.0, 3000),
    }
    expected = reference.run(**run)
    assert {job.outcome for job in expected} == {0, 1, 2, 3}
    assert_equal_job_by_job(run_kernel(**run, rows=rng.permutation(3000)), expected)
    assert_equal_job_by_job(run_kernel(**run, windows=np.arange(0.5, 3100.0, 0.5)), expected)


@settings(max_examples=100, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    growth=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 70)), max_size=4),
    seed=st.integers(0, 2**32),
)
def test_stations_that_share_arrays_know_nothing_of_each_other(sizes, growth, seed: int) -> None:
    rng = np.random.default_rng(seed)
    many = len(sizes)
    n = 60
    arrival_s = np.cumsum(rng.integers(0, 2, (many, n)), axis=1).astype(float)
    service_s = rng.integers(0, 30, (many, n)).astype(float)
    changes = [(8.0 * (k + 1), s % many, slots) for k, (s, slots) in enumerate(growth)]
    stations = kernels.empty_stations(np.array(sizes), np.full(many, 5), np.full(many, 4.0))
    jobs = kernels.empty_jobs(many * n)
    jobs["key"][:] = np.tile(np.arange(n), many)
    jobs["service_s"][:] = service_s.ravel()
    out = np.empty(n), np.empty(n, np.int32), np.empty(n, np.int8)
    left_s = np.full(many * n, np.nan)
    begin_s = 0.0
    for stop_s, changing, slots in [*changes, (INFINITY, 0, 0)]:
        for s in range(many):
            arriving = np.flatnonzero((arrival_s[s] >= begin_s) & (arrival_s[s] < stop_s))
            inbox = arrival_s[s][arriving], (s * n + arriving).astype(np.int32), arriving.size
            count = kernels.advance_station(s, stop_s, *inbox, stations, jobs, *out)
            left_s[out[1][:count]] = out[0][:count]
        if stop_s < INFINITY:
            stations = kernels.with_room(stations, slots, changing)
            kernels.set_slots(changing, slots, stop_s, stations, jobs)
        begin_s = stop_s
    for s, slots in enumerate(sizes):
        own = tuple((instant_s, number) for instant_s, changing, number in changes if changing == s)
        expected = reference.run(arrival_s[s], service_s[s], slots, 5, 4.0, INFINITY, own)
        np.testing.assert_array_equal(left_s[s * n : (s + 1) * n], [job.left_s for job in expected])


def test_a_small_station_does_not_pay_for_a_large_one() -> None:
    stations = kernels.empty_stations(np.array([3, 4000, 1]), np.zeros(3), np.full(3, INFINITY))
    assert list(stations.departures.leaves) == [4, 4096, 1]
    grown = kernels.with_room(stations, 100, 2)
    assert list(grown.departures.leaves) == [4, 4096, 128]
    assert kernels.with_room(grown, 128, 2) is grown


def test_a_thousand_jobs_in_step_leave_in_order_of_their_keys() -> None:
    *_, leavers = run_kernel(
        np.zeros(3000),
        np.ones(3000),
        slots=1000,
        limit=10**9,
        timeout_s=INFINITY,
        end_s=INFINITY,
        rows=range(2999, -1, -1),
    )
    assert leavers == list(range(3000))


@settings(max_examples=200, deadline=None)
@given(
    slots=st.integers(1, 20),
    acts=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 2**16)), max_size=120),
)
def test_the_winner_of_a_tree_is_the_next_to_depart(slots: int, acts) -> None:
    jobs = departures.idle_slots(np.array([7, slots]))
    serving: dict[int, tuple[float, int]] = {}
    key = np.random.default_rng(slots).permutation(1024)
    for at, (act, time_s, which) in enumerate(acts):
        tree = departures.station_tree(1, jobs)
        idle = [leaf for leaf in range(tree.leaves) if leaf not in serving]
        if act == 0 and serving:
            leaf = list(serving)[which % len(serving)]
            del serving[leaf]
            change_departure(leaf, INFINITY, tree, key)
        elif act == 1 and serving:
            leaf = list(serving)[which % len(serving)]
            serving[leaf] = float(time_s), at
            tree.job[leaf] = at
            change_departure(leaf, float(time_s), tree, key)
        elif idle:
            leaf = idle[which % len(idle)]
            serving[leaf] = float(time_s), at
            add_departure(leaf, float(time_s), at, tree, key)
        if act == 3 and which % 8 == 0:
            jobs = departures.with_leaves(jobs, np.array([1, 2 * tree.leaves * (1 + which % 2)]))
            tree = departures.station_tree(1, jobs)
        if serving:
            first = min(serving, key=lambda leaf: (serving[leaf][0], key[serving[leaf][1]]))
            assert (tree.node_s[1], tree.node_leaf[1]) == (serving[first][0], first)
        else:
            assert tree.node_s[1] == INFINITY
        assert sorted(departures.in_service(1, jobs)) == sorted(job for _, job in serving.values())
    assert departures.in_service(0, jobs).size == 0


def test_a_job_of_the_first_class_overtakes_those_that_wait_and_none_in_service() -> None:
    start_s, *_ = run_kernel(
        [0.0, 0.0, 1.0],
        [4.0, 4.0, 4.0],
        slots=1,
        limit=9,
        timeout_s=INFINITY,
        end_s=INFINITY,
        priority=[1, 1, 0],
    )
    np.testing.assert_array_equal(start_s, [0.0, 8.0, 4.0])


def test_a_server_that_closes_finishes_what_it_has() -> None:
    start_s, *_ = run_kernel(
        [0.0, 0.0, 0.0, 0.0, 2.0],
        [3.0] * 5,
        slots=1,
        limit=9,
        timeout_s=INFINITY,
        end_s=INFINITY,
        servers=2,
        dispatch=kernels.ROUND_ROBIN,
        lanes_from=((1.0, 1),),
    )
    np.testing.assert_array_equal(start_s, [0.0, 0.0, 3.0, 3.0, 6.0])


def test_a_slot_that_falls_free_at_the_instant_of_an_arrival_is_there_for_the_waiting_job() -> None:
    start_s, left_s, outcome, _ = run_kernel(
        [0.0, 1.0, 2.0], [2.0, 2.0, 2.0], slots=1, limit=1, timeout_s=INFINITY, end_s=INFINITY
    )
    np.testing.assert_array_equal(start_s, [0.0, 2.0, 4.0])
    np.testing.assert_array_equal(left_s, [2.0, 4.0, 6.0])
    assert list(outcome) == [reference.SERVED] * 3


def test_a_slot_that_falls_free_at_the_instant_of_a_timeout_saves_the_job() -> None:
    _, _, outcome, _ = run_kernel([0.0, 1.0], [2.0, 2.0], slots=1, limit=1, timeout_s=1.0, end_s=INFINITY)
    assert list(outcome) == [reference.SERVED, reference.SERVED]


def test_a_place_that_a_timeout_frees_is_there_for_the_arrival_of_that_instant() -> None:
    _, left_s, outcome, _ = run_kernel(
        [0.0, 1.0, 3.0], [9.0, 1.0, 1.0], slots=1, limit=1, timeout_s=2.0, end_s=INFINITY
    )
    assert list(outcome) == [reference.SERVED, reference.TIMED_OUT, reference.TIMED_OUT]
    np.testing.assert_array_equal(left_s, [9.0, 3.0, 5.0])


def test_jobs_that_depart_at_one_instant_leave_in_order_of_their_keys() -> None:
    *_, leavers = run_kernel(
        [0.0, 0.0, 1.0, 1.0], [3.0, 3.0, 2.0, 2.0], slots=4, limit=0, timeout_s=INFINITY, end_s=INFINITY
    )
    assert leavers == [0, 1, 2, 3]


def test_a_window_stops_short_of_its_end() -> None:
    start_s, left_s, outcome, _ = run_kernel([0.0, 1.0], [2.0, 2.0], slots=1, limit=1, timeout_s=INFINITY, end_s=2.0)
    np.testing.assert_array_equal(left_s, [np.nan, np.nan])
    np.testing.assert_array_equal(start_s, [0.0, np.nan])
    assert list(outcome) == [reference.UNFINISHED] * 2


def test_jobs_in_service_stay_when_slots_are_taken_away() -> None:
    start_s, left_s, _, _ = run_kernel(
        [0.0, 0.0, 0.0], [5.0, 6.0, 1.0], slots=2, limit=9, timeout_s=INFINITY, end_s=INFINITY, slots_from=((1.0, 1),)
    )
    np.testing.assert_array_equal(left_s, [5.0, 6.0, 7.0])
    np.testing.assert_array_equal(start_s, [0.0, 0.0, 6.0])


def test_the_next_event_is_the_earliest_departure_or_timeout() -> None:
    stations = kernels.empty_stations(np.array([1]), np.array([5]), np.array([2.0]))
    jobs = kernels.empty_jobs(2)
    jobs["service_s"][:] = [9.0, 1.0]
    out = np.empty(2), np.empty(2, np.int32), np.empty(2, np.int8)
    assert kernels.next_event_s(0, stations, jobs) == INFINITY
    arrival_s, arriving = np.array([0.0, 1.0]), np.arange(2, dtype=np.int32)
    kernels.advance_station(0, 1.0, arrival_s[:1], arriving[:1], 1, stations, jobs, *out)
    assert kernels.next_event_s(0, stations, jobs) == 9.0
    kernels.advance_station(0, 2.0, arrival_s[1:], arriving[1:], 1, stations, jobs, *out)
    assert kernels.next_event_s(0, stations, jobs) == 3.0
