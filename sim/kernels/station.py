"""The exact station: jobs wait for one of its slots, with finite queues, timeouts, priorities and a choice of dispatch.

    inbox (sorted arrivals) -> dispatch -> lanes: [ queues, linked through the jobs ] -> [ slots: tree of departures ] -> outbox

A lane is what shares a queue: the whole station under central dispatch, one server with its slots under any other. Nothing
is fixed before its instant: queues and jobs in service are explicit, so that slots and servers may come and go at any
time. Several stations share the arrays; `s` is the row of one of them.

Ties. A change of slots or servers at an instant comes before all events of that instant; then come departures, then
timeouts, then arrivals; of two of a kind the job with the smaller key. So a slot that falls free at the instant of an
arrival, or of a timeout, is there for the waiting job.
"""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.departures import add_departure, change_departure, tree_of
from sim.kernels.dispatch import lane_for
from sim.kernels.queues import first_of, join, leave, next_timeout
from sim.kernels.station_state import (
    BY_DEADLINE,
    CENTRAL,
    FIRST_IN_LINE,
    LEAST_CONNECTIONS,
    NOBODY,
    OWN_PATIENCE,
    RANDOM,
    REJECTED,
    ROUND_ROBIN,
    SERVED,
    TIMED_OUT,
    TWO_CHOICES,
    Jobs,
    Stations,
    empty_jobs,
    empty_stations,
    with_room,
)

__all__ = [
    "BY_DEADLINE",
    "CENTRAL",
    "FIRST_IN_LINE",
    "LEAST_CONNECTIONS",
    "NOBODY",
    "OWN_PATIENCE",
    "RANDOM",
    "REJECTED",
    "ROUND_ROBIN",
    "SERVED",
    "TIMED_OUT",
    "TWO_CHOICES",
    "Jobs",
    "Stations",
    "advance_station",
    "empty_jobs",
    "empty_stations",
    "has_slack",
    "next_event_s",
    "pass_through",
    "set_lanes",
    "set_slots",
    "with_room",
]


@inlined
def next_event_s(s, stations, jobs):
    """Earliest departure or timeout of station s, inf when it is empty."""
    earliest = stations.departures.node_s[2 * stations.departures.first[s] + 1]
    if stations.waiting[s] > 0:
        earliest = min(earliest, next_timeout(s, stations, jobs)[1])
    return earliest


@kernel
def set_slots(s, slots, now_s, stations, jobs):
    """Change the slots of every lane that takes new jobs: jobs in service stay, free slots take waiting jobs at once.

    Every event before now_s has to be done. There must be room for the slots, see `with_room`.
    """
    tree = tree_of(s, stations.departures)
    for lane in range(stations.first[s], stations.first[s] + stations.lanes[s]):
        stations.lane_slots[lane] = slots
        while stations.lane_busy[lane] < slots and stations.lane_waiting[lane] > 0:
            job = first_of(lane, stations)
            leave(s, job, stations, jobs)
            jobs[job].start_s = now_s
            add_departure(tree.idle[stations.busy[s]], now_s + jobs[job].service_s, job, tree, jobs.key)
            stations.busy[s] += 1
            stations.lane_busy[lane] += 1


@kernel
def set_lanes(s, lanes, stations):
    """Change the number of servers that take new jobs; those that close finish what they have.

    Not for central dispatch. Every event before the instant of the change has to be done; rows exist for the lanes.
    """
    stations.lanes[s] = lanes


@kernel
def has_slack(s, begin_s, end_s, in_s, in_job, n, stations, jobs, comes, goes):
    """Whether all n arrivals from begin_s to end_s will surely find a free slot of station s.

    At any instant of a small stretch of time no more are in service than were at its beginning and arrive within it; and those
    in service now may stay. in_s, in_job: as of `advance_station`, in any order; comes, goes: int32[>= n], scratch.
    """
    if stations.dispatch[s] != CENTRAL or stations.waiting[s] > 0:
        return False
    free = stations.lane_slots[stations.first[s]] - stations.busy[s]
    if n <= free:
        return True
    for stretch in range(n):
        comes[stretch] = 0
        goes[stretch] = 0
    per_second = n / (end_s - begin_s)
    for i in range(n):
        departure_s = in_s[i] + jobs[in_job[i]].service_s
        comes[min(np.int64((in_s[i] - begin_s) * per_second), n - 1)] += 1
        if departure_s < end_s:
            goes[min(np.int64((departure_s - begin_s) * per_second), n - 1)] += 1
    present = 0
    for stretch in range(n):
        present += comes[stretch]
        if present > free:
            return False
        present -= goes[stretch]
    return True


@kernel
def pass_through(s, end_s, inbox_s, inbox_job, n, stations, jobs, out_s, out_job, out_kind):
    """What `advance_station` does, for a station that has slack: nobody waits, so that jobs do not see one another.

    Arrivals may come, and jobs leave, in any order. Parameters and result are otherwise those of `advance_station`.
    """
    tree = tree_of(s, stations.departures)
    busy = stations.busy[s]
    left = 0
    while tree.node_s[1] < end_s:
        leaf = np.int64(tree.node_leaf[1])
        out_s[left] = tree.node_s[1]
        out_job[left] = tree.job[leaf]
        out_kind[left] = SERVED
        left += 1
        busy -= 1
        tree.idle[busy] = leaf
        change_departure(leaf, np.inf, tree, jobs.key)
    for i in range(n):
        job, arrival_s = inbox_job[i], inbox_s[i]
        row = jobs[job]
        row.arrival_s = arrival_s
        row.start_s = arrival_s
        departure_s = arrival_s + row.service_s
        if departure_s < end_s:
            out_s[left] = departure_s
            out_job[left] = job
            out_kind[left] = SERVED
            left += 1
        else:
            add_departure(tree.idle[busy], departure_s, job, tree, jobs.key)
            busy += 1
    stations.busy[s] = busy
    stations.lane_busy[stations.first[s]] = busy
    return left


@kernel
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
    tree = tree_of(s, stations.departures)
    busy = stations.busy[s]
    limit = stations.limit[s]
    central = stations.dispatch[s] == CENTRAL  # then the station's only lane has all its jobs
    lane = stations.first[s]
    lane_slots = stations.lane_slots[lane]
    i = 0
    left = 0
    while True:
        departure_s = tree.node_s[1]
        arrival_s = inbox_s[i] if i < n else np.inf
        timeout_at_s = np.inf
        late = np.int32(NOBODY)
        if stations.waiting[s] > 0:
            late, timeout_at_s = next_timeout(s, stations, jobs)
        if departure_s <= arrival_s and departure_s <= timeout_at_s:
            if not departure_s < end_s:
                break
            leaf = np.int64(tree.node_leaf[1])
            job = tree.job[leaf]
            out_s[left] = departure_s
            out_job[left] = job
            out_kind[left] = SERVED
            left += 1
            lane_busy = busy
            if not central:
                lane = jobs[job].lane
                lane_slots = stations.lane_slots[lane]
                lane_busy = stations.lane_busy[lane]
            next_s = np.inf
            if stations.lane_waiting[lane] > 0 and lane_busy <= lane_slots:
                follower = first_of(lane, stations)
                leave(s, follower, stations, jobs)
                jobs[follower].start_s = departure_s
                tree.job[leaf] = follower
                next_s = departure_s + jobs[follower].service_s
            else:
                busy -= 1
                tree.idle[busy] = leaf
                if not central:
                    stations.lane_busy[lane] -= 1
            change_departure(leaf, next_s, tree, jobs.key)
        elif timeout_at_s <= arrival_s:
            if not timeout_at_s < end_s:
                break
            leave(s, late, stations, jobs)
            out_s[left] = timeout_at_s
            out_job[left] = late
            out_kind[left] = TIMED_OUT
            left += 1
        else:
            if i >= n:
                break
            job = inbox_job[i]
            i += 1
            jobs[job].arrival_s = arrival_s
            lane_busy = busy
            if not central:
                lane = lane_for(s, job, stations, jobs)
                lane_slots = stations.lane_slots[lane]
                lane_busy = stations.lane_busy[lane]
                jobs[job].lane = lane
            if lane_busy < lane_slots:
                jobs[job].start_s = arrival_s
                add_departure(tree.idle[busy], arrival_s + jobs[job].service_s, job, tree, jobs.key)
                busy += 1
                if not central:
                    stations.lane_busy[lane] += 1
                continue
            jobs[job].start_s = np.nan
            if stations.lane_waiting[lane] < limit:
                jobs[job].lane = lane
                join(s, lane, job, stations, jobs)
            else:
                out_s[left] = arrival_s
                out_job[left] = job
                out_kind[left] = REJECTED
                left += 1
    stations.busy[s] = busy
    if central:
        stations.lane_busy[lane] = busy
    return left
