"""First come first served on n slots without a limit, timeout or change: the recursion instead of the events.

    start = max(arrival, the earliest slot to fall free);  departure = start + service

(Kiefer and Wolfowitz 1955, doi:10.1090/S0002-9947-1955-0066587-1; with one slot Lindley 1952,
doi:10.1017/S0305004100027638.) Jobs start in the order of their arrival, so that nothing later can change what is found
for a job: one look at the slots is all that it needs. The same bits as from `sim.kernels.station`, several times as fast.

The slots stand at the leaves of a tournament. Every inner node keeps the loser of its match, the winner of all is the
slot that falls free first. When that slot is taken again only the matches on its own way up are played anew, and which
they are is known beforehand: no jump depends on who wins, which is what a heap spends its time on.
"""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.station_state import FIRST_IN_LINE, Stations

_SLOT_BITS = 32
_SLOT = (1 << _SLOT_BITS) - 1


def suits(stations: Stations, s: int, jobs: int) -> bool:
    """Whether `serve_all` does for so many jobs what `advance_station` does at station s, if nobody changes its slots.

    It does at an idle station with one queue for all, where everyone finds room and waits as long as it takes.
    """
    one_queue = stations.lanes[s] == 1 and stations.head.shape[1] == 1
    endless = stations.limit[s] >= jobs and stations.timer[s] == FIRST_IN_LINE and np.isinf(stations.timeout_s[s])
    return bool(one_queue and endless and stations.busy[s] == 0 and stations.waiting[s] == 0)


def empty_tree(slots: int) -> tuple[np.ndarray, np.ndarray]:
    """Room for the tournament of so many slots: times float64[2 slots], and whose they are, int64[2 slots]."""
    return np.empty(2 * slots), np.empty(2 * slots, np.int64)


@inlined
def _enter(slots, time_s, who, tree_s, tree_who):
    """Play the matches of a slot whose next departure has become known; return the winner of all.

    Of two at one instant either may win: asking for their jobs as well takes four times as long.
    """
    node = ((who & _SLOT) + slots) >> 1
    while node > 0:
        other_s = tree_s[node]
        other = tree_who[node]
        lost = other_s < time_s
        tree_s[node] = time_s if lost else other_s
        tree_who[node] = who if lost else other
        time_s = other_s if lost else time_s
        who = other if lost else who
        node >>= 1
    return time_s, who


@inlined
def _draw_up(slots, tree_s, tree_who):
    """Make the tournament of the leaves [slots, 2 slots): the winners first, from below, then the losers, from above."""
    for node in range(slots - 1, 0, -1):
        best = 2 * node + 1 if tree_s[2 * node + 1] < tree_s[2 * node] else 2 * node
        tree_s[node] = tree_s[best]
        tree_who[node] = tree_who[best]
    first_s = tree_s[1]
    first = tree_who[1]
    for node in range(1, slots):
        loser = 2 * node + 1 if tree_who[2 * node] == tree_who[node] else 2 * node
        tree_s[node] = tree_s[loser]
        tree_who[node] = tree_who[loser]
    return first_s, first


@kernel
def _sort_jobs(first, last, out_job):
    """Put out_job[first:last] in order (Shell 1959, doi:10.1145/368370.368387)."""
    gap = last - first
    while gap > 1:
        gap = max(1, gap * 4 // 9)
        for k in range(first + gap, last):
            job = out_job[k]
            at = k
            while at - gap >= first and out_job[at - gap] > job:
                out_job[at] = out_job[at - gap]
                at -= gap
            out_job[at] = job


@kernel
def serve_all(end_s, arrival_s, service_s, slots, tree_s, tree_who, start_s, out_s, out_job):
    """Serve jobs from an empty station.

    Parameters
    ----------
    end_s : nothing at or after this instant happens; arrivals are before it
    arrival_s, service_s : float64[n], arrivals in order; the job's number decides ties
    slots : places to serve, 1 <= slots <= n
    tree_s, tree_who : float64[2 slots], int64[2 slots], scratch
    start_s : float64[n], start of service of each job; NaN: not before end_s
    out_s, out_job : float64[n], int32[n]: departures in order of (time, job)

    Returns the number of jobs that left.
    """
    n = arrival_s.size
    for i in range(slots):
        start_s[i] = arrival_s[i]
        tree_s[slots + i] = arrival_s[i] + service_s[i]
        tree_who[slots + i] = (i << _SLOT_BITS) | i
    free_s, who = _draw_up(slots, tree_s, tree_who)
    for i in range(slots, n):
        out_s[i - slots] = free_s
        out_job[i - slots] = who >> _SLOT_BITS
        start_s[i] = max(arrival_s[i], free_s)
        who = (i << _SLOT_BITS) | (who & _SLOT)
        free_s, who = _enter(slots, start_s[i] + service_s[i], who, tree_s, tree_who)
    for i in range(n, n + slots):
        out_s[i - slots] = free_s
        out_job[i - slots] = who >> _SLOT_BITS
        who = (i << _SLOT_BITS) | (who & _SLOT)
        free_s, who = _enter(slots, np.inf, who, tree_s, tree_who)
    left = 0
    while left < n and out_s[left] < end_s:
        together = left + 1
        while together < n and out_s[together] == out_s[left]:
            together += 1
        if together > left + 1:
            _sort_jobs(left, together, out_job)
        left = together
    started = n
    while started > 0 and not start_s[started - 1] < end_s:
        started -= 1
        start_s[started] = np.nan
    return left
