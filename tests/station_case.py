"""One station run by the kernel, stop by stop, for tests against plain SimPy."""

import numpy as np

from experiments._reference import station as reference
from sim.kernels import departures
from sim.kernels import station as kernels


def run_kernel(
    arrival_s,
    service_s,
    slots,
    limit,
    timeout_s,
    end_s,
    slots_from=(),
    windows=(),
    *,
    servers=1,
    dispatch=kernels.CENTRAL,
    lanes_from=(),
    patience_s=None,
    priority=None,
    choice=None,
    rows=None,
):
    """Start, leaving time and outcome of each job, and who left in turn; the kernel stops at windows and changes.

    rows: where each job is kept, which must not matter.
    """
    n = len(arrival_s)
    rows = np.arange(n) if rows is None else np.asarray(rows)
    stations = kernels.empty_stations(
        np.array([slots]),
        np.array([limit]),
        np.array([timeout_s]),
        servers=np.array([servers]),
        dispatch=np.array([dispatch]),
        own_patience=np.array([patience_s is not None]),
        priorities=1 if priority is None else 3,
        jobs=n,
    )
    jobs = kernels.empty_jobs(n)
    jobs["key"][rows] = np.arange(n)
    jobs["service_s"][rows] = service_s
    if patience_s is not None:
        jobs["patience_s"][rows] = patience_s
    if priority is not None:
        jobs["priority"][rows] = priority
    if choice is not None:
        jobs["choice"][rows] = np.array(choice, np.uint64)
    arrival_s = np.asarray(arrival_s, dtype=float)
    left_s, outcome = np.full(n, np.nan), np.full(n, reference.UNFINISHED)
    out_s, out_job, out_kind = np.empty(n), np.empty(n, np.int32), np.empty(n, np.int8)
    slots_at, lanes_at = dict(slots_from), dict(lanes_from)
    done, leavers = 0, []
    for stop_s in sorted({*windows, *slots_at, *lanes_at, end_s} - {0.0}):
        if stop_s > end_s:
            break
        until = int(np.searchsorted(arrival_s, stop_s, side="left"))
        inbox_job = rows[done:until].astype(np.int32)
        count = kernels.advance_station(
            0, stop_s, arrival_s[done:until], inbox_job, until - done, stations, jobs, out_s, out_job, out_kind
        )
        done = until
        left_s[jobs["key"][out_job[:count]]] = out_s[:count]
        outcome[jobs["key"][out_job[:count]]] = out_kind[:count]
        leavers += list(zip(out_s[:count], jobs["key"][out_job[:count]].tolist(), strict=True))
        if stop_s in lanes_at:
            kernels.set_lanes(0, lanes_at[stop_s], stations)
        if stop_s in slots_at:
            stations = kernels.with_room(stations, slots_at[stop_s] * servers)
            kernels.set_slots(0, slots_at[stop_s], stop_s, stations, jobs)
    assert [time_s for time_s, _ in leavers] == sorted(time_s for time_s, _ in leavers)
    assert stations.busy[0] == stations.lane_busy.sum()
    assert stations.waiting[0] == stations.lane_waiting.sum()
    in_service = ~np.isnan(jobs["start_s"][rows]) & np.isnan(left_s)
    assert sorted(departures.in_service(0, stations.departures)) == sorted(rows[in_service])
    return jobs["start_s"][rows], left_s, outcome, [job for _, job in leavers]


def assert_equal_job_by_job(result, expected: list[reference.Job]) -> None:
    start_s, left_s, outcome, _ = result
    np.testing.assert_array_equal(outcome, [job.outcome for job in expected])
    np.testing.assert_array_equal(left_s, [job.left_s for job in expected])
    np.testing.assert_array_equal(start_s, [job.start_s for job in expected])
