"""The exact station: first come first served on n slots, a finite queue and a timeout on the wait.

    inbox (sorted arrivals) -> [ queue, linked through the jobs ] -> [ slots: heap of departures ] -> outbox (in order of time)

Nothing is fixed before its instant: the queue and the jobs in service are explicit, so that slots may be added or
taken away at any time. Several stations share the arrays; `s` is the row of one of them.

Ties. Of events at the same instant departures come first, then timeouts, then arrivals; of two departures or arrivals
the job with the smaller key. So a slot that falls free at the instant of an arrival, or of a timeout, is there for the
waiting job.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel

SERVED = 0
REJECTED = 1
TIMED_OUT = 2


class Stations(NamedTuple):
    """State of all stations of one cell. S stations, at most H slots each."""

    slots: np.ndarray  # int64[S], slots in service; may change while jobs are present
    limit: np.ndarray  # int64[S], waiting places
    timeout_s: np.ndarray  # float64[S], longest wait; inf: none
    busy: np.ndarray  # int64[S], jobs in service
    waiting: np.ndarray  # int64[S], jobs in the queue
    head: np.ndarray  # int32[S], first job of the queue, -1 when empty
    tail: np.ndarray  # int32[S], last job of the queue
    heap_s: np.ndarray  # float64[S, H], departure times as a binary heap
    heap_job: np.ndarray  # int32[S, H], the jobs that belong to them


class Jobs(NamedTuple):
    """The jobs that stations hold: J rows, reused."""

    key: np.ndarray  # int64[J], the job's identity, decides ties
    arrival_s: np.ndarray  # float64[J], at the present station
    service_s: np.ndarray  # float64[J], time that it needs there
    start_s: np.ndarray  # float64[J], start of service there
    behind: np.ndarray  # int32[J], the next job of the same queue, -1 at the end


def empty_stations(slots: np.ndarray, limit: np.ndarray, timeout_s: np.ndarray) -> Stations:
    """Idle stations. slots, limit: int64[S]; timeout_s: float64[S]."""
    n = slots.size
    most = max(1, int(slots.max(initial=1)))
    return Stations(
        slots=slots.astype(np.int64),
        limit=limit.astype(np.int64),
        timeout_s=timeout_s.astype(np.float64),
        busy=np.zeros(n, np.int64),
        waiting=np.zeros(n, np.int64),
        head=np.full(n, -1, np.int32),
        tail=np.full(n, -1, np.int32),
        heap_s=np.zeros((n, most)),
        heap_job=np.zeros((n, most), np.int32),
    )


def empty_jobs(n: int) -> Jobs:
    """Room for n jobs."""
    return Jobs(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.full(n, np.nan), np.full(n, -1, np.int32))


@inlined
def _before(time_a, job_a, time_b, job_b, key):
    return time_a < time_b or (time_a == time_b and key[job_a] < key[job_b])


@inlined
def _sift_up(heap_s, heap_job, at, time_s, job, key):
    while at > 0:
        parent = (at - 1) >> 1
        if not _before(time_s, job, heap_s[parent], heap_job[parent], key):
            break
        heap_s[at] = heap_s[parent]
        heap_job[at] = heap_job[parent]
        at = parent
    heap_s[at] = time_s
    heap_job[at] = job


@inlined
def _sift_down(heap_s, heap_job, n, time_s, job, key):
    """Put (time_s, job) into a heap of n places whose root is free."""
    at = 0
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and _before(heap_s[child + 1], heap_job[child + 1], heap_s[child], heap_job[child], key):
            child += 1
        if not _before(heap_s[child], heap_job[child], time_s, job, key):
            break
        heap_s[at] = heap_s[child]
        heap_job[at] = heap_job[child]
        at = child
    heap_s[at] = time_s
    heap_job[at] = job


@inlined
def _take_first(s, stations, jobs):
    """Remove the first job of a queue that is not empty, and return it."""
    job = stations.head[s]
    stations.head[s] = jobs.behind[job]
    if stations.head[s] < 0:
        stations.tail[s] = -1
    stations.waiting[s] -= 1
    return job


@inlined
def next_event_s(s, stations, jobs):
    """Earliest departure or timeout of station s, inf when it is empty."""
    earliest = np.inf
    if stations.busy[s] > 0:
        earliest = stations.heap_s[s, 0]
    head = stations.head[s]
    if head >= 0:
        earliest = min(earliest, jobs.arrival_s[head] + stations.timeout_s[s])
    return earliest


@kernel
def set_slots(s, slots, now_s, stations, jobs):
    """Change the number of slots at now_s: jobs in service stay, free slots take waiting jobs at once.

    Every event before now_s has to be done. The heap must have room for the slots.
    """
    stations.slots[s] = slots
    while stations.busy[s] < slots and stations.head[s] >= 0:
        job = _take_first(s, stations, jobs)
        jobs.start_s[job] = now_s
        _sift_up(stations.heap_s[s], stations.heap_job[s], stations.busy[s], now_s + jobs.service_s[job], job, jobs.key)
        stations.busy[s] += 1


@inlined
def advance_station(s, end_s, inbox_s, inbox_job, n, stations, jobs, out_s, out_job, out_kind):
    """Work out every event of station s before end_s, and none at or after it.

    Parameters
    ----------
    s : row of the station
    end_s : the instant to stop at
    inbox_s, inbox_job : float64[>=n], int32[>=n]: arrivals before end_s, in order of (time, key); service_s of the jobs is set
    n : number of arrivals
    stations, jobs : state, changed in place
    out_s, out_job, out_kind : float64[], int32[], int8[]: jobs that left, in order of time, with SERVED, REJECTED or TIMED_OUT;
        room for all jobs that are present or arrive

    Returns the number of jobs that left.
    """
    heap_s = stations.heap_s[s]
    heap_job = stations.heap_job[s]
    timeout_s = stations.timeout_s[s]
    slots = stations.slots[s]
    limit = stations.limit[s]
    busy = stations.busy[s]
    i = 0
    left = 0
    while True:
        departure_s = heap_s[0] if busy > 0 else np.inf
        arrival_s = inbox_s[i] if i < n else np.inf
        head = stations.head[s]
        timeout_at_s = jobs.arrival_s[head] + timeout_s if head >= 0 else np.inf
        if departure_s <= arrival_s and departure_s <= timeout_at_s:
            if not departure_s < end_s:
                break
            job = heap_job[0]
            if head >= 0 and busy <= slots:
                follower = _take_first(s, stations, jobs)
                jobs.start_s[follower] = departure_s
                _sift_down(heap_s, heap_job, busy, departure_s + jobs.service_s[follower], follower, jobs.key)
            else:
                busy -= 1
                if busy > 0:
                    _sift_down(heap_s, heap_job, busy, heap_s[busy], heap_job[busy], jobs.key)
            out_s[left] = departure_s
            out_job[left] = job
            out_kind[left] = SERVED
            left += 1
        elif timeout_at_s <= arrival_s:
            if not timeout_at_s < end_s:
                break
            out_s[left] = timeout_at_s
            out_job[left] = _take_first(s, stations, jobs)
            out_kind[left] = TIMED_OUT
            left += 1
        else:
            if i >= n:
                break
            job = inbox_job[i]
            i += 1
            jobs.arrival_s[job] = arrival_s
            if busy < slots:
                jobs.start_s[job] = arrival_s
                _sift_up(heap_s, heap_job, busy, arrival_s + jobs.service_s[job], job, jobs.key)
                busy += 1
            elif stations.waiting[s] < limit:
                jobs.start_s[job] = np.nan
                jobs.behind[job] = -1
                if head < 0:
                    stations.head[s] = job
                else:
                    jobs.behind[stations.tail[s]] = job
                stations.tail[s] = job
                stations.waiting[s] += 1
            else:
                jobs.start_s[job] = np.nan
                out_s[left] = arrival_s
                out_job[left] = job
                out_kind[left] = REJECTED
                left += 1
    stations.busy[s] = busy
    return left
