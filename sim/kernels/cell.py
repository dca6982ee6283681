"""One cell of the site: every visit's page requests on their way through the stations.

    arrivals, calendar -> open bucket -> [ station 0 -> station 1 -> ... ] -> page answered -> think, next page -> calendar
                                              rejected, timed out           -> back off, retry or give up -> calendar

`advance_cell` steps through micro-windows that end with their bucket or with the asked instant. Services form a directed acyclic
graph and their stations are advanced in topological order, so each sees all its arrivals before the window's end; whatever an
answer causes comes at least one bucket later. Hence no result depends on how finely a run is windowed.
"""

import math

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.arrivals import arrival_time
from sim.kernels.calendar import CHUNK, count_records, take_records, time_order
from sim.kernels.cell_state import (
    ARRIVALS,
    BUCKET,
    BUSY,
    DONE,
    EXPONENTIAL,
    FREE_JOBS,
    GAMMA,
    LOGNORMAL,
    MORE_CHUNKS,
    MORE_JOBS,
    MORE_OPENED,
    MORE_ORDERS,
    MORE_TIMERS,
    MORE_TRACE,
    NO_JOB,
    OPENED,
    ORDERS_OUT,
    OUTCOMES,
    QUEUE,
    REQUESTS,
    RETRIES,
    SENT,
    STATIONS_MOST,
    TAKEN,
    TIMERS,
    TRACED,
    VISITORS,
    VISITS_BEGUN,
)
from sim.kernels.heap import before
from sim.kernels.outcomes import answer, finish, give_up, start_timers, tell_in_order
from sim.kernels.protection import take_token
from sim.kernels.random import bits, exponential, lognormal, pick, uniform
from sim.kernels.station import CENTRAL, REJECTED, SERVED, advance_station, next_event_s
from sim.kernels.times import key_of_attempt, standard_gamma
from sim.kernels.visits import ATTEMPTS_MOST, NEW_VISIT, attempt_of, pack, page_of, step_of


@inlined
def call_number(step, attempt, station):
    """Number of a visit's call of a station, for its draws."""
    return (step * ATTEMPTS_MOST + attempt) * STATIONS_MOST + station


@inlined
def service_time(key, shopper, step, attempt, station, times):
    """Service time [s] of one try of one page at one station."""
    draw = call_number(step, attempt, station)
    if times.kind[station] == EXPONENTIAL:
        return exponential(key, shopper, draw, times.mean_s[station])
    if times.kind[station] == LOGNORMAL:
        return lognormal(key, shopper, draw, times.mu[station], times.sigma[station])
    if times.kind[station] == GAMMA:
        shape = times.shape[station]
        return standard_gamma(key_of_attempt(key, draw), shopper, shape) * (times.mean_s[station] / shape)
    return times.mean_s[station]


@inlined
def _enter(job, station, time_s, keys, times, cell):
    """Hand a request to its next station."""
    state = cell.requests.state[job]
    shopper = cell.jobs.key[job]
    step, attempt = step_of(state), attempt_of(state)
    cell.jobs.service_s[job] = service_time(keys.service, shopper, step, attempt, station, times)
    if cell.stations.dispatch[station] != CENTRAL:
        cell.jobs.choice[job] = bits(keys.dispatch, shopper, call_number(step, attempt, station))
    at = cell.boxes.waiting[station]
    cell.boxes.in_s[station, at] = time_s
    cell.boxes.in_job[station, at] = job
    cell.boxes.waiting[station] += 1


@kernel
def _open_bucket(bucket, bucket_s, keys, cell):
    """Bring a bucket's returning shoppers and new arrivals into `opened`, in order. Returns False when there is no room."""
    opened = cell.opened
    begin = cell.arrivals.first[bucket]
    arriving = cell.arrivals.first[bucket + 1] - begin
    n = count_records(bucket, cell.calendar) + arriving
    if n > opened.raw_s.size:
        return False
    for i in range(arriving):
        shopper = cell.arrivals.shopper[begin + i]
        opened.raw_s[i] = arrival_time(keys.arrival, shopper, cell.arrivals.curve)
        opened.raw_shopper[i] = shopper
        opened.raw_state[i] = NEW_VISIT
    take_records(bucket, arriving, cell.calendar, opened)
    time_order(bucket * bucket_s, bucket_s, n, opened.raw_s, opened.raw_shopper, opened.bins, opened.order)
    for i in range(n):
        at = opened.order[i]
        opened.time_s[i] = opened.raw_s[at]
        opened.shopper[i] = opened.raw_shopper[at]
        opened.state[i] = opened.raw_state[at]
    cell.progress.tally[TAKEN] = 0
    cell.progress.tally[OPENED] = n
    return True


@inlined
def _admit(time_s, shopper, state, keys, behaviour, routes, times, bucket_s, cell):
    """Send one page request, to its first service or straight to the answer where a page calls none; returns its row."""
    second = np.int64(time_s)
    demand = cell.record.demand
    if state == NEW_VISIT:
        demand[second, VISITORS] += 1
        cell.progress.tally[VISITS_BEGUN] += 1
        state = pack(behaviour.entry, 0, 0, 1)
    demand[second, REQUESTS] += 1
    cell.progress.tally[SENT] += 1
    if attempt_of(state) > 0:
        demand[second, RETRIES] += 1
    page = page_of(state)
    route = 0
    if routes.cumulative[page, 0] < 1.0:
        route = pick(routes.cumulative[page], uniform(keys.route, shopper, page))
    if routes.legs[page, route] == 0:
        answer(time_s, shopper, state, keys, behaviour, bucket_s, cell)
        return NO_JOB
    cell.progress.tally[FREE_JOBS] -= 1
    job = cell.requests.free[cell.progress.tally[FREE_JOBS]]
    cell.jobs.key[job] = shopper
    cell.requests.state[job] = state
    cell.requests.sent_s[job] = time_s
    cell.requests.route[job] = route
    cell.requests.leg[job] = 0
    cell.requests.gone[job] = False
    cell.requests.serial[job] += np.uint32(1)
    _enter(job, routes.service[page, route, 0], time_s, keys, times, cell)
    return job


@kernel
def _admit_until(end_s, keys, behaviour, routes, times, bucket_s, cell):
    """Send the page requests of the open bucket that come before end_s."""
    opened = cell.opened
    tally = cell.progress.tally
    i = tally[TAKEN]
    while i < tally[OPENED] and opened.time_s[i] < end_s:
        job = _admit(
            opened.time_s[i], opened.shopper[i], opened.state[i], keys, behaviour, routes, times, bucket_s, cell
        )
        cell.timers.new_job[i] = job
        if job != NO_JOB:
            cell.timers.new_serial[i] = cell.requests.serial[job]
        i += 1
    tally[TAKEN] = i


@inlined
def _in_order(n, in_s, in_job, key):
    """Whether n arrivals stand in order of (time, key) already, as they do where all come from one station."""
    i = 1
    while i < n and before(in_s[i - 1], in_job[i - 1], in_s[i], in_job[i], key):
        i += 1
    return i >= n


@inlined
def _sort_inbox(n, begin_s, width_s, in_s, in_job, cell):
    """Put n arrivals in order of (time, key) into `sorted_s` and `sorted_job`."""
    boxes = cell.boxes
    for i in range(n):
        boxes.key[i] = cell.jobs.key[in_job[i]]
    time_order(begin_s, width_s, n, in_s, boxes.key, boxes.bins, boxes.order)
    for i in range(n):
        boxes.sorted_s[i] = in_s[boxes.order[i]]
        boxes.sorted_job[i] = in_job[boxes.order[i]]


@inlined
def _trace(job, station, kind, time_s, cell):
    at = cell.progress.tally[TRACED]
    state = cell.requests.state[job]
    visit = cell.record.trace_visit[at]
    visit[0] = cell.jobs.key[job]
    visit[1] = step_of(state)
    visit[2] = attempt_of(state)
    visit[3] = station
    visit[4] = kind
    cell.record.trace_s[at, 0] = cell.jobs.arrival_s[job]
    cell.record.trace_s[at, 1] = cell.jobs.start_s[job]
    cell.record.trace_s[at, 2] = time_s
    cell.progress.tally[TRACED] += 1


@inlined
def _leave_station(job, station, kind, time_s, keys, behaviour, client, routes, times, bucket_s, cell):
    """Send a request that left a station to its next service, or finish it."""
    cell.record.site[np.int64(time_s), station, kind + 1] += 1
    if cell.record.trace_s.shape[0] > 0:
        _trace(job, station, kind, time_s, cell)
    requests = cell.requests
    if kind == SERVED:
        page = page_of(requests.state[job])
        leg = requests.leg[job] + 1
        route = requests.route[job]
        if leg < routes.legs[page, route]:
            requests.leg[job] = leg
            _enter(job, routes.service[page, route, leg], time_s, keys, times, cell)
            return
    finish(job, kind, time_s, keys, behaviour, client, bucket_s, cell)


@inlined
def _limit_rate(station, n, in_s, in_job, cell):
    """Refuse arrivals that find the token bucket empty.

    Those that pass move to the front of the inbox; the refused go to the end of the outbox, the last refused first.
    Returns how many passed.
    """
    limits, boxes, jobs = cell.limits, cell.boxes, cell.jobs
    rate_per_s, burst = limits.rate_per_s[station], limits.burst[station]
    warm_up_s, cold_share = limits.warm_up_s[station], limits.cold_share[station]
    bucket = limits.bucket[station]
    passed = 0
    for i in range(n):
        time_s, job = in_s[i], in_job[i]
        if take_token(bucket, time_s, rate_per_s, burst, 0.0, warm_up_s, cold_share):
            in_s[passed] = time_s
            in_job[passed] = job
            passed += 1
        else:
            at = boxes.out_s.size - 1 - (i - passed)
            boxes.out_s[at] = time_s
            boxes.out_job[at] = job
            boxes.out_kind[at] = REJECTED
            jobs.arrival_s[job] = time_s
            jobs.start_s[job] = np.nan
    return passed


@kernel
def _advance_stations(begin_s, end_s, keys, behaviour, client, routes, times, bucket_s, cell):
    """One micro-window of all stations, in topological order."""
    boxes = cell.boxes
    for station in range(cell.stations.busy.size):
        if boxes.waiting[station] == 0 and not next_event_s(station, cell.stations, cell.jobs) < end_s:
            continue
        n = boxes.waiting[station]
        boxes.waiting[station] = 0
        in_s = boxes.in_s[station]
        in_job = boxes.in_job[station]
        if not _in_order(n, in_s, in_job, cell.jobs.key):
            _sort_inbox(n, begin_s, bucket_s, in_s, in_job, cell)
            in_s = boxes.sorted_s
            in_job = boxes.sorted_job
        for i in range(n):
            cell.record.site[np.int64(in_s[i]), station, ARRIVALS] += 1
        passed = n
        if cell.limits.rate_per_s[station] < np.inf:
            passed = _limit_rate(station, n, in_s, in_job, cell)
        left = advance_station(
            station, end_s, in_s, in_job, passed, cell.stations, cell.jobs, boxes.out_s, boxes.out_job, boxes.out_kind
        )
        for i in range(left + n - passed):
            at = i if i < left else boxes.out_s.size - 1 - (i - left)
            _leave_station(
                boxes.out_job[at], station, boxes.out_kind[at], boxes.out_s[at],
                keys, behaviour, client, routes, times, bucket_s, cell,
            )  # fmt: skip


@inlined
def _shortage(end_s, routes, cell):
    """Whether the micro-window up to end_s could run out of room, and of which: a MORE_ code, or DONE."""
    tally = cell.progress.tally
    entering = 0
    while tally[TAKEN] + entering < tally[OPENED] and cell.opened.time_s[tally[TAKEN] + entering] < end_s:
        entering += 1
    in_flight = cell.requests.free.size - tally[FREE_JOBS]
    if entering > tally[FREE_JOBS]:
        return MORE_JOBS
    answers = in_flight + entering
    if answers // CHUNK + min(answers, cell.calendar.end.size) > cell.calendar.free[1]:
        return MORE_CHUNKS
    if answers > cell.record.order_s.size - tally[ORDERS_OUT]:
        return MORE_ORDERS
    if tally[TIMERS] + tally[OPENED] > cell.timers.job.size:
        return MORE_TIMERS
    room = cell.record.trace_s.shape[0]
    if room > 0 and answers * routes.service.shape[2] > room - tally[TRACED]:
        return MORE_TRACE
    return DONE


@inlined
def _sample(second, cell):
    """Record every station's queue and slots in use at the end of a second."""
    for station in range(cell.stations.busy.size):
        cell.record.site[second, station, QUEUE] = cell.stations.waiting[station]
        cell.record.site[second, station, BUSY] = cell.stations.busy[station]


@kernel
def advance_cell(until_s, bucket_s, keys, behaviour, client, routes, times, cell):
    """Work out every event of a cell before until_s, and none at or after it.

    until_s: not beyond the last bucket. bucket_s: a power of two of at most 1 s, no longer than any think or backoff time.

    Returns DONE, or a MORE_ code when an array is too small; the caller enlarges it and calls again.
    """
    tally = cell.progress.tally
    clock_s = cell.progress.clock_s
    while clock_s[0] < until_s:
        bucket = tally[BUCKET]
        if tally[OPENED] < 0 and not _open_bucket(bucket, bucket_s, keys, cell):
            return MORE_OPENED
        bucket_end_s = (bucket + 1) * bucket_s
        end_s = min(bucket_end_s, until_s)
        shortage = _shortage(end_s, routes, cell)
        if shortage != DONE:
            return shortage
        _admit_until(end_s, keys, behaviour, routes, times, bucket_s, cell)
        begin_s = bucket * bucket_s
        _advance_stations(begin_s, end_s, keys, behaviour, client, routes, times, bucket_s, cell)
        if tally[TIMERS] > 0:
            give_up(end_s, keys, behaviour, client, bucket_s, cell)
        if tally[OUTCOMES] > 0:
            tell_in_order(begin_s, keys, behaviour, client, bucket_s, cell)
        clock_s[0] = end_s
        if end_s == bucket_end_s:
            if client.timeout_s < np.inf:
                start_timers(cell)
            tally[BUCKET] += 1
            tally[OPENED] = -1
            if end_s == math.floor(end_s):
                _sample(np.int64(end_s) - 1, cell)
    return DONE
