"""The jobs that wait at a station: a queue for each lane and priority, linked through the jobs, and a heap of deadlines.

The heap is there only where the first in line is not always the first to lose patience.
"""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.heap import put_in_place
from sim.kernels.station_state import FIRST_IN_LINE, NOBODY, OWN_PATIENCE


@kernel
def _drop_deadline(s, job, stations, jobs):
    """Take a job that no longer waits out of the heap of deadlines; `waiting` still counts it."""
    heap_s = stations.deadline_s[s]
    heap_job = stations.deadline_job[s]
    n = stations.waiting[s] - 1
    at = jobs[job].place
    if at != n:
        put_in_place(heap_s, heap_job, at, n, heap_s[n], heap_job[n], jobs.key, jobs.place)


@inlined
def join(s, lane, job, stations, jobs):
    """Put a job at the end of its queue."""
    p = jobs[job].priority
    last = stations.tail[lane, p]
    jobs[job].ahead = last
    jobs[job].behind = NOBODY
    if last == NOBODY:
        stations.head[lane, p] = job
    else:
        jobs[last].behind = job
    stations.tail[lane, p] = job
    stations.lane_waiting[lane] += 1
    timer = stations.timer[s]
    if timer != FIRST_IN_LINE:
        wait_s = jobs[job].patience_s if timer == OWN_PATIENCE else stations.timeout_s[s]
        n = stations.waiting[s]
        late_s = jobs[job].arrival_s + wait_s
        put_in_place(stations.deadline_s[s], stations.deadline_job[s], n, n + 1, late_s, job, jobs.key, jobs.place)
    stations.waiting[s] += 1


@inlined
def leave(s, job, stations, jobs):
    """Take a waiting job out of its queue, wherever it stands."""
    lane = jobs[job].lane
    p = jobs[job].priority
    ahead = jobs[job].ahead
    behind = jobs[job].behind
    if ahead == NOBODY:
        stations.head[lane, p] = behind
    else:
        jobs[ahead].behind = behind
    if behind == NOBODY:
        stations.tail[lane, p] = ahead
    else:
        jobs[behind].ahead = ahead
    if stations.timer[s] != FIRST_IN_LINE:
        _drop_deadline(s, job, stations, jobs)
    stations.lane_waiting[lane] -= 1
    stations.waiting[s] -= 1


@inlined
def first_of(lane, stations):
    """The job of a lane that is to be served next; the lane's queues are not all empty."""
    p = 0
    while stations.head[lane, p] == NOBODY:
        p += 1
    return stations.head[lane, p]


@inlined
def next_timeout(s, stations, jobs):
    """The waiting job whose deadline is the earliest, and that deadline; the station's queues are not all empty."""
    if stations.timer[s] == FIRST_IN_LINE:
        job = stations.head[stations.first[s], 0]
        if job == NOBODY:  # several lanes without a timeout
            return job, np.inf
        return job, jobs[job].arrival_s + stations.timeout_s[s]
    return stations.deadline_job[s, 0], stations.deadline_s[s, 0]
