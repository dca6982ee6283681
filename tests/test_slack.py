"""Short cuts for stations and links that nobody has to wait for: the same events as one at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.link import advance_link, carry, has_lines, idle_links, set_bandwidth, with_transfers
from sim.kernels.station import advance_station, empty_jobs, empty_stations, has_slack, pass_through

PAGES = 3
REQUESTS = 40
INSTANT = st.floats(0, 4, allow_nan=False)


def sent(arrivals: list[tuple[float, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Jobs in order of arrival, their instants [s] and their rows."""
    jobs = empty_jobs(REQUESTS)
    arrivals = sorted(arrivals)
    jobs["key"][: len(arrivals)] = np.arange(len(arrivals))
    jobs["service_s"][: len(arrivals)] = [service_s for _, service_s, _ in arrivals]
    return jobs, np.array([time_s for time_s, _, _ in arrivals]), np.arange(len(arrivals), dtype=np.int32)


def room(n: int = REQUESTS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.zeros(n), np.zeros(n, np.int32), np.zeros(n, np.int8)


def left(n: int, out_s: np.ndarray, out_job: np.ndarray, *_: np.ndarray) -> list[tuple[float, int]]:
    return sorted(zip(out_s[:n].tolist(), out_job[:n].tolist(), strict=True))


ARRIVALS = st.lists(st.tuples(INSTANT, st.floats(0.01, 3), st.integers(0, PAGES - 1)), max_size=REQUESTS)


@settings(max_examples=60)
@given(ARRIVALS, st.integers(1, 12), st.integers(1, 4))
def test_a_station_with_slack_lets_jobs_pass_as_one_after_the_other(
    arrivals: list[tuple[float, float, int]], slots: int, windows: int
) -> None:
    sides = []
    short_cuts = 0
    for quick in (False, True):
        stations = empty_stations(np.array([slots]), np.array([REQUESTS]), np.array([np.inf]))
        jobs, time_s, job = sent(arrivals)
        found = []
        for window in range(windows + 1):
            begin_s, end_s = window * 4.5 / windows, (window + 1) * 4.5 / windows
            new = (time_s >= begin_s) & (time_s < end_s)
            n, in_s, in_job = int(new.sum()), time_s[new], job[new]
            out = room()
            scratch = (np.zeros(REQUESTS + 1, np.int32), np.zeros(REQUESTS, np.int32))
            if quick and has_slack(0, begin_s, end_s, in_s, in_job, n, stations, jobs, *scratch):
                short_cuts += 1
                gone = pass_through(0, end_s, in_s[::-1].copy(), in_job[::-1].copy(), n, stations, jobs, *out)
            else:
                gone = advance_station(0, end_s, in_s, in_job, n, stations, jobs, *out)
            found += left(gone, *out)
        sides.append((found, jobs["start_s"].tolist(), int(stations.busy[0]), int(stations.lane_busy[0])))
    assert str(sides[0]) == str(sides[1])
    if len(arrivals) <= slots:
        assert short_cuts == windows + 1


@settings(max_examples=60)
@given(ARRIVALS, st.floats(0.5, 20), st.integers(1, 4), st.booleans())
def test_a_link_with_lines_enough_carries_as_one_after_the_other(
    arrivals: list[tuple[float, float, int]], lines: float, windows: int, narrowed: bool
) -> None:
    sides = []
    short_cuts = 0
    for quick in (False, True):
        links = idle_links(np.array([100.0 * lines]), np.array([100.0]), np.array([[30.0, 100.0, 250.0]]))
        links = with_transfers(links, REQUESTS)
        jobs, time_s, job = sent(arrivals)
        pages = np.zeros(REQUESTS, [("key", np.int64), ("page", np.int8)])
        pages["key"] = jobs["key"]
        pages["page"][: len(arrivals)] = [page for _, _, page in sorted(arrivals)]
        found = []
        for window in range(windows + 8):
            begin_s, end_s = window * 4.5 / windows, (window + 1) * 4.5 / windows
            if narrowed and window == 1:
                set_bandwidth(0, 80.0 * lines, begin_s, links)
            new = (time_s >= begin_s) & (time_s < end_s)
            n, in_s, in_job = int(new.sum()), time_s[new], job[new]
            out = room()[:2]
            forward = carry if quick and has_lines(0, n, links) else advance_link
            short_cuts += forward is carry
            found += left(forward(0, end_s, in_s, in_job, n, links, pages, *out), *out)
        sides.append((found, int(links.transfers[0])))
    assert sides[0] == sides[1]
    if max(1, len(arrivals)) <= 0.8 * lines:
        assert short_cuts == windows + 8


@pytest.mark.parametrize(("slots", "enough"), [(3, True), (2, True), (1, False)])
def test_slack_is_seen_where_jobs_leave_before_others_come(slots: int, enough: bool) -> None:
    stations = empty_stations(np.array([slots]), np.array([9]), np.array([np.inf]))
    jobs, time_s, job = sent([(0.1, 0.5, 0), (0.2, 0.5, 0), (3.0, 0.5, 0)])
    scratch = (np.zeros(4, np.int32), np.zeros(3, np.int32))
    assert has_slack(0, 0.0, 4.0, time_s, job, 3, stations, jobs, *scratch) == enough
