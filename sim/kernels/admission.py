"""Who comes next: the calendar's returning shoppers and the new ones, bucket by bucket, window by window, request by request."""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.arrivals import arrival_time
from sim.kernels.calendar import count_records, part, take_records, windows_for
from sim.kernels.cell_state import FREE_JOBS, NO_JOB, OPENED, SENT, TAKEN, VISITS_BEGUN, WINDOWS
from sim.kernels.inbox import put
from sim.kernels.outcomes import settle
from sim.kernels.random import pick, uniform
from sim.kernels.recorders import ASKED, OUTSIDE, REQUESTS, RETRIES, VISITORS, minute_of
from sim.kernels.station import SERVED
from sim.kernels.visits import NEW_VISIT, attempt_of, is_shopper, pack, page_of, segment_of


@kernel
def open_bucket(bucket, bucket_s, keys, cell):
    """Bring a bucket's returning shoppers and new arrivals into `opened`, parted into windows; False: there is no room."""
    opened = cell.opened
    begin = cell.arrivals.first[bucket]
    arriving = cell.arrivals.first[bucket + 1] - begin
    n = count_records(bucket, cell.calendar) + arriving
    if n > opened.raw.size:
        return False
    for i in range(arriving):
        shopper = cell.arrivals.shopper[begin + i]
        opened.raw[i].time_s = arrival_time(keys.arrival, shopper, cell.arrivals.curve)
        opened.raw[i].shopper = shopper
        opened.raw[i].state = NEW_VISIT
    take_records(bucket, arriving, cell.calendar, opened)
    windows = windows_for(n)
    part(bucket * bucket_s, bucket_s / windows, n, windows, opened)
    cell.progress.tally[WINDOWS] = windows
    return True


@inlined
def _admit(time_s, shopper, state, keys, behaviour, routes, cell):
    """Send one page request, to its first service or straight to the answer where a page calls none; returns its row."""
    second = np.int64(time_s)
    demand = cell.record.demand
    if state == NEW_VISIT:
        demand[second, VISITORS] += 1
        cell.progress.tally[VISITS_BEGUN] += 1
        state = pack(behaviour.entry, 0, 0, 1)
    cell.progress.tally[SENT] += 1
    page = page_of(state)
    segment = segment_of(shopper, keys, behaviour)
    if is_shopper(state):
        demand[second, REQUESTS] += 1
        if attempt_of(state) > 0:
            demand[second, RETRIES] += 1
        cell.record.seen[minute_of(time_s), segment, ASKED] += 1
    else:
        demand[second, OUTSIDE] += 1
    route = 0
    if routes.cumulative[page, 0] < 1.0:
        route = pick(routes.cumulative[page], uniform(keys.route, shopper, page))
    if routes.legs[page, route] == 0:
        settle(time_s, shopper, state, segment, SERVED, cell.outcomes, cell.progress.tally)
        return NO_JOB
    cell.progress.tally[FREE_JOBS] -= 1
    job = cell.free[cell.progress.tally[FREE_JOBS]]
    row = cell.jobs[job]
    row.key = shopper
    row.state = state
    row.sent_s = time_s
    row.page = page
    row.route = route
    row.leg = 0
    row.segment = segment
    row.priority = routes.priority[page]
    row.gone = False
    row.simple = False
    row.serial += np.uint32(1)
    put(routes.station[page, route, 0], job, time_s, cell.boxes)
    return job


@kernel
def admit_until(end_s, keys, behaviour, routes, cell):
    """Send the page requests of the open window that come before end_s."""
    opened = cell.opened
    tally = cell.progress.tally
    i = tally[TAKEN]
    while i < tally[OPENED] and opened.time_s[i] < end_s:
        job = _admit(opened.time_s[i], opened.shopper[i], opened.state[i], keys, behaviour, routes, cell)
        cell.timers.new_job[i] = job
        if job != NO_JOB:
            cell.timers.new_serial[i] = cell.jobs[job].serial
        i += 1
    tally[TAKEN] = i
