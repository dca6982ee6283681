"""Requests between the stations of a cell within one micro-window: each station and each link has an inbox."""

from sim.kernels import inlined
from sim.kernels.calendar import time_order
from sim.kernels.cell_state import TOUCHED
from sim.kernels.heap import before


@inlined
def put(box, job, time_s, boxes):
    """Put a request into the inbox of a station or a link."""
    at = boxes.waiting[box]
    boxes.in_s[box, at] = time_s
    boxes.in_job[box, at] = job
    boxes.waiting[box] += 1


@inlined
def _is_in_order(n, in_s, in_job, key):
    """Whether n arrivals stand in order of (time, key) already, as they do where all come from one station."""
    i = 1
    while i < n and before(in_s[i - 1], in_job[i - 1], in_s[i], in_job[i], key):
        i += 1
    return i >= n


@inlined
def _sort(n, begin_s, width_s, in_s, in_job, jobs, boxes):
    """Put n arrivals in order of (time, key) into `sorted_s` and `sorted_job`."""
    for i in range(n):
        boxes.key[i] = jobs[in_job[i]].key
    time_order(begin_s, width_s, n, in_s, boxes.key, boxes.bins, boxes.order)
    for i in range(n):
        boxes.sorted_s[i] = in_s[boxes.order[i]]
        boxes.sorted_job[i] = in_job[boxes.order[i]]


@inlined
def in_order(n, in_s, in_job, begin_s, width_s, jobs, boxes):
    """The times and jobs of n arrivals in order of (time, key)."""
    if not _is_in_order(n, in_s, in_job, jobs.key):
        _sort(n, begin_s, width_s, in_s, in_job, jobs, boxes)
        in_s, in_job = boxes.sorted_s, boxes.sorted_job
    return in_s, in_job


@inlined
def touch(n, rows, jobs, tally):
    """Load n rows into the cache: loads that do not depend on one another overlap, as they would not one request at a time."""
    total = 0
    for i in range(n):
        total += jobs[rows[i]].leg
    tally[TOUCHED] = total
