"""The exact station: jobs wait for one of its slots, with finite queues, timeouts, priorities and a choice of dispatch.

    inbox (sorted arrivals) -> dispatch -> lanes: [ queues, linked through the jobs ] -> [ slots: heap of departures ] -> outbox

A lane is what shares a queue: the whole station under central dispatch, one server with its slots under any other. Nothing
is fixed before its instant: queues and jobs in service are explicit, so that slots and servers may come and go at any
time. Several stations share the arrays; `s` is the row of one of them.

Ties. A change of slots or servers at an instant comes before all events of that instant; then come departures, then
timeouts, then arrivals; of two of a kind the job with the smaller key. So a slot that falls free at the instant of an
arrival, or of a timeout, is there for the waiting job.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.heap import put_in_place, sift_down, sift_up

# what became of a job that left
SERVED = 0
REJECTED = 1
TIMED_OUT = 2

# dispatch: how an arrival finds its lane
CENTRAL = 0
RANDOM = 1
ROUND_ROBIN = 2
TWO_CHOICES = 3  # the shorter of two lanes drawn at random (Mitzenmacher 2001, doi:10.1109/71.963420)
LEAST_CONNECTIONS = 4

# how the next timeout of a station is found
FIRST_IN_LINE = 0  # one queue and one timeout for all: the first in line is the next
BY_DEADLINE = 1  # a heap of deadlines, one timeout for all
OWN_PATIENCE = 2  # a heap of deadlines, each job has its own patience

NOBODY = -1


class Stations(NamedTuple):
    """State of all stations of one cell: S stations with at most H slots each, N lanes in all, P priorities."""

    dispatch: np.ndarray  # int64[S]
    timer: np.ndarray  # int64[S]
    limit: np.ndarray  # int64[S], waiting places of each of its lanes
    timeout_s: np.ndarray  # float64[S], longest wait; inf: none
    first: np.ndarray  # int64[S], its first lane
    lanes: np.ndarray  # int64[S], lanes that take new jobs; may change while jobs are present
    turn: np.ndarray  # int64[S], jobs dispatched so far
    busy: np.ndarray  # int64[S], jobs in service
    waiting: np.ndarray  # int64[S], jobs in queues
    heap_s: np.ndarray  # float64[S, H], departure times as a binary heap
    heap_job: np.ndarray  # int32[S, H], the jobs that belong to them
    deadline_s: np.ndarray  # float64[S, D], deadlines of the waiting jobs as a binary heap; unused with FIRST_IN_LINE
    deadline_job: np.ndarray  # int32[S, D]
    lane_slots: np.ndarray  # int64[N], slots of the lane; may change while jobs are present
    lane_busy: np.ndarray  # int64[N]
    lane_waiting: np.ndarray  # int64[N]
    head: np.ndarray  # int32[N, P], first job of the lane's queue of each priority
    tail: np.ndarray  # int32[N, P], last job of it


class Jobs(NamedTuple):
    """The jobs that stations hold: J rows, reused. The caller sets what is marked before it hands a job over."""

    key: np.ndarray  # int64[J], set: the job's identity, decides ties
    service_s: np.ndarray  # float64[J], set: time that it needs at the present station
    patience_s: np.ndarray  # float64[J], set where a station asks for it: longest wait there
    priority: np.ndarray  # int8[J], set: 0 is served first
    choice: np.ndarray  # uint64[J], set where a station dispatches at random: random bits
    arrival_s: np.ndarray  # float64[J], at the present station
    start_s: np.ndarray  # float64[J], start of service there
    lane: np.ndarray  # int32[J]
    ahead: np.ndarray  # int32[J], the neighbours in its queue
    behind: np.ndarray  # int32[J]
    place: np.ndarray  # int32[J], its place in the heap of deadlines


def empty_stations(
    slots: np.ndarray,
    limit: np.ndarray,
    timeout_s: np.ndarray,
    *,
    servers: np.ndarray | None = None,
    dispatch: np.ndarray | None = None,
    own_patience: np.ndarray | None = None,
    priorities: int = 1,
    jobs: int = 0,
) -> Stations:
    """Idle stations.

    Parameters
    ----------
    slots : int64[S], slots of each lane: of the whole station under central dispatch, else of one server
    limit : int64[S], waiting places of each lane
    timeout_s : float64[S], longest wait, inf: none
    servers : int64[S], lanes; 1 under central dispatch, which is the default
    dispatch : int64[S], default CENTRAL
    own_patience : bool[S], whether jobs bring their own patience; default no
    priorities : number of priority classes
    jobs : most jobs that may wait, for the heaps of deadlines
    """
    n = slots.size
    servers = np.ones(n, np.int64) if servers is None else servers.astype(np.int64)
    dispatch = np.zeros(n, np.int64) if dispatch is None else dispatch.astype(np.int64)
    own = np.zeros(n, np.bool_) if own_patience is None else own_patience
    in_line = (servers == 1) & (priorities == 1)
    lanes = int(servers.sum())
    timer = np.where(own, OWN_PATIENCE, np.where(in_line | np.isinf(timeout_s), FIRST_IN_LINE, BY_DEADLINE))
    deadlines = max(1, jobs) if (timer != FIRST_IN_LINE).any() else 1
    most = max(1, int((slots * servers).max(initial=1)))
    return Stations(
        dispatch=dispatch,
        timer=timer.astype(np.int64),
        limit=limit.astype(np.int64),
        timeout_s=timeout_s.astype(np.float64),
        first=np.concatenate([[0], np.cumsum(servers)[:-1]]).astype(np.int64),
        lanes=servers,
        turn=np.zeros(n, np.int64),
        busy=np.zeros(n, np.int64),
        waiting=np.zeros(n, np.int64),
        heap_s=np.zeros((n, most)),
        heap_job=np.zeros((n, most), np.int32),
        deadline_s=np.zeros((n, deadlines)),
        deadline_job=np.zeros((n, deadlines), np.int32),
        lane_slots=np.repeat(slots.astype(np.int64), servers),
        lane_busy=np.zeros(lanes, np.int64),
        lane_waiting=np.zeros(lanes, np.int64),
        head=np.full((lanes, priorities), NOBODY, np.int32),
        tail=np.full((lanes, priorities), NOBODY, np.int32),
    )


def with_room(stations: Stations, slots: int) -> Stations:
    """The same stations with room for so many jobs in service at each."""
    missing = slots - stations.heap_s.shape[1]
    if missing <= 0:
        return stations
    wider = ((0, 0), (0, missing))
    return stations._replace(heap_s=np.pad(stations.heap_s, wider), heap_job=np.pad(stations.heap_job, wider))


_JOB = np.dtype(
    [
        ("key", np.int64),
        ("service_s", np.float64),
        ("arrival_s", np.float64),
        ("start_s", np.float64),
        ("lane", np.int32),
        ("ahead", np.int32),
        ("behind", np.int32),
        ("place", np.int32),
        ("priority", np.int8),
        ("choice", np.uint64),
        ("patience_s", np.float64),
    ],
    align=True,
)


def empty_jobs(n: int) -> Jobs:
    """Room for n jobs. The columns are views of one array of records, so that a job is one place in memory."""
    record = np.zeros(n, _JOB)
    jobs = Jobs(**{name: record[name] for name in Jobs._fields})
    jobs.patience_s[:] = np.inf
    jobs.start_s[:] = np.nan
    for neighbour in (jobs.ahead, jobs.behind, jobs.place):
        neighbour[:] = NOBODY
    return jobs


@kernel
def _drop_deadline(s, job, stations, jobs):
    """Take a job that no longer waits out of the heap of deadlines; `waiting` still counts it."""
    heap_s = stations.deadline_s[s]
    heap_job = stations.deadline_job[s]
    n = stations.waiting[s] - 1
    at = jobs.place[job]
    if at != n:
        put_in_place(heap_s, heap_job, at, n, heap_s[n], heap_job[n], jobs.key, jobs.place)


@inlined
def _join(s, lane, job, stations, jobs):
    """Put a job at the end of its queue."""
    p = jobs.priority[job]
    last = stations.tail[lane, p]
    jobs.ahead[job] = last
    jobs.behind[job] = NOBODY
    if last == NOBODY:
        stations.head[lane, p] = job
    else:
        jobs.behind[last] = job
    stations.tail[lane, p] = job
    stations.lane_waiting[lane] += 1
    timer = stations.timer[s]
    if timer != FIRST_IN_LINE:
        wait_s = jobs.patience_s[job] if timer == OWN_PATIENCE else stations.timeout_s[s]
        n = stations.waiting[s]
        late_s = jobs.arrival_s[job] + wait_s
        put_in_place(stations.deadline_s[s], stations.deadline_job[s], n, n + 1, late_s, job, jobs.key, jobs.place)
    stations.waiting[s] += 1


@inlined
def _leave(s, job, stations, jobs):
    """Take a waiting job out of its queue, wherever it stands."""
    lane = jobs.lane[job]
    p = jobs.priority[job]
    ahead = jobs.ahead[job]
    behind = jobs.behind[job]
    if ahead == NOBODY:
        stations.head[lane, p] = behind
    else:
        jobs.behind[ahead] = behind
    if behind == NOBODY:
        stations.tail[lane, p] = ahead
    else:
        jobs.ahead[behind] = ahead
    if stations.timer[s] != FIRST_IN_LINE:
        _drop_deadline(s, job, stations, jobs)
    stations.lane_waiting[lane] -= 1
    stations.waiting[s] -= 1


@inlined
def _first_of(lane, stations):
    """The job of a lane that is to be served next; the lane's queues are not all empty."""
    p = 0
    while stations.head[lane, p] == NOBODY:
        p += 1
    return stations.head[lane, p]


@inlined
def _next_timeout(s, stations, jobs):
    """The waiting job whose deadline is the earliest, and that deadline; the station's queues are not all empty."""
    if stations.timer[s] == FIRST_IN_LINE:
        job = stations.head[stations.first[s], 0]
        if job == NOBODY:  # several lanes without a timeout
            return job, np.inf
        return job, jobs.arrival_s[job] + stations.timeout_s[s]
    return stations.deadline_job[s, 0], stations.deadline_s[s, 0]


@inlined
def _load(lane, stations):
    return stations.lane_busy[lane] + stations.lane_waiting[lane]


@kernel
def _emptiest(s, stations):
    """The lane with the fewest jobs, of several the first."""
    best = stations.first[s]
    for lane in range(stations.first[s] + 1, stations.first[s] + stations.lanes[s]):
        if _load(lane, stations) < _load(best, stations):
            best = lane
    return best


@inlined
def _lane_for(s, job, stations, jobs):
    """The lane that an arrival is sent to, unless dispatch is central."""
    first = stations.first[s]
    lanes = stations.lanes[s]
    dispatch = stations.dispatch[s]
    if lanes == 1:
        return first
    if dispatch == ROUND_ROBIN:
        stations.turn[s] += 1
        return first + (stations.turn[s] - 1) % lanes
    if dispatch == LEAST_CONNECTIONS:
        return _emptiest(s, stations)
    high = np.int64(jobs.choice[job] >> np.uint64(32))
    one = (high * lanes) >> 32
    if dispatch == RANDOM:
        return first + one
    low = np.int64(jobs.choice[job] & np.uint64(0xFFFFFFFF))
    other = (low * (lanes - 1)) >> 32
    if other >= one:
        other += 1
    return first + (other if _load(first + other, stations) < _load(first + one, stations) else one)


@inlined
def next_event_s(s, stations, jobs):
    """Earliest departure or timeout of station s, inf when it is empty."""
    earliest = np.inf
    if stations.busy[s] > 0:
        earliest = stations.heap_s[s, 0]
    if stations.waiting[s] > 0:
        earliest = min(earliest, _next_timeout(s, stations, jobs)[1])
    return earliest


@kernel
def set_slots(s, slots, now_s, stations, jobs):
    """Change the slots of every lane that takes new jobs: jobs in service stay, free slots take waiting jobs at once.

    Every event before now_s has to be done. The heap of departures must have room for the slots.
    """
    for lane in range(stations.first[s], stations.first[s] + stations.lanes[s]):
        stations.lane_slots[lane] = slots
        while stations.lane_busy[lane] < slots and stations.lane_waiting[lane] > 0:
            job = _first_of(lane, stations)
            _leave(s, job, stations, jobs)
            jobs.start_s[job] = now_s
            depart_s = now_s + jobs.service_s[job]
            sift_up(stations.heap_s[s], stations.heap_job[s], stations.busy[s], depart_s, job, jobs.key)
            stations.busy[s] += 1
            stations.lane_busy[lane] += 1


@kernel
def set_lanes(s, lanes, stations):
    """Change the number of servers that take new jobs; those that close finish what they have.

    Not for central dispatch. Every event before the instant of the change has to be done; rows exist for the lanes.
    """
    stations.lanes[s] = lanes


@inlined
def advance_station(s, end_s, inbox_s, inbox_job, n, stations, jobs, out_s, out_job, out_kind):
    """Work out every event of station s before end_s, and none at or after it.

    Parameters
    ----------
    s : row of the station
    end_s : the instant to stop at
    inbox_s, inbox_job : float64[>=n], int32[>=n]: arrivals before end_s, in order of (time, key)
    n : number of arrivals
    stations, jobs : state, changed in place
    out_s, out_job, out_kind : float64[], int32[], int8[]: jobs that left, in order of time, with SERVED, REJECTED or
        TIMED_OUT; room for all jobs that are present or arrive

    Returns the number of jobs that left.
    """
    heap_s = stations.heap_s[s]
    heap_job = stations.heap_job[s]
    busy = stations.busy[s]
    limit = stations.limit[s]
    central = stations.dispatch[s] == CENTRAL  # then the station's only lane has all its jobs
    lane = stations.first[s]
    lane_slots = stations.lane_slots[lane]
    i = 0
    left = 0
    while True:
        departure_s = heap_s[0] if busy > 0 else np.inf
        arrival_s = inbox_s[i] if i < n else np.inf
        timeout_at_s = np.inf
        late = np.int32(NOBODY)
        if stations.waiting[s] > 0:
            late, timeout_at_s = _next_timeout(s, stations, jobs)
        if departure_s <= arrival_s and departure_s <= timeout_at_s:
            if not departure_s < end_s:
                break
            job = heap_job[0]
            out_s[left] = departure_s
            out_job[left] = job
            out_kind[left] = SERVED
            left += 1
            lane_busy = busy
            if not central:
                lane = jobs.lane[job]
                lane_slots = stations.lane_slots[lane]
                lane_busy = stations.lane_busy[lane]
            if stations.lane_waiting[lane] > 0 and lane_busy <= lane_slots:
                follower = _first_of(lane, stations)
                _leave(s, follower, stations, jobs)
                jobs.start_s[follower] = departure_s
                sift_down(heap_s, heap_job, busy, departure_s + jobs.service_s[follower], follower, jobs.key)
                continue
            busy -= 1
            if not central:
                stations.lane_busy[lane] -= 1
            if busy > 0:
                sift_down(heap_s, heap_job, busy, heap_s[busy], heap_job[busy], jobs.key)
        elif timeout_at_s <= arrival_s:
            if not timeout_at_s < end_s:
                break
            _leave(s, late, stations, jobs)
            out_s[left] = timeout_at_s
            out_job[left] = late
            out_kind[left] = TIMED_OUT
            left += 1
        else:
            if i >= n:
                break
            job = inbox_job[i]
            i += 1
            jobs.arrival_s[job] = arrival_s
            lane_busy = busy
            if not central:
                lane = _lane_for(s, job, stations, jobs)
                lane_slots = stations.lane_slots[lane]
                lane_busy = stations.lane_busy[lane]
                jobs.lane[job] = lane
            if lane_busy < lane_slots:
                jobs.start_s[job] = arrival_s
                sift_up(heap_s, heap_job, busy, arrival_s + jobs.service_s[job], job, jobs.key)
                busy += 1
                if not central:
                    stations.lane_busy[lane] += 1
                continue
            jobs.start_s[job] = np.nan
            if stations.lane_waiting[lane] < limit:
                jobs.lane[job] = lane
                _join(s, lane, job, stations, jobs)
            else:
                out_s[left] = arrival_s
                out_job[left] = job
                out_kind[left] = REJECTED
                left += 1
    stations.busy[s] = busy
    if central:
        stations.lane_busy[lane] = busy
    return left
