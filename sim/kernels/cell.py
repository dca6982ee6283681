"""One cell of the site: every visit's page requests on their way through the stations.

    arrivals, calendar -> open bucket -> [ station 0 -> station 1 -> ... ] -> page answered -> think, next page -> calendar
                                              rejected, timed out           -> back off, retry or give up -> calendar

`advance_cell` steps through micro-windows that end with their bucket or with the asked instant. Services form a directed acyclic
graph and their stations are advanced in topological order, so each sees all its arrivals before the window's end; whatever an
answer causes comes at least one bucket later. Hence no result depends on how finely a run is windowed.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.arrivals import Curve, arrival_time
from sim.kernels.calendar import CHUNK, Calendar, Opened, count_records, push, take_records, time_order
from sim.kernels.heap import before
from sim.kernels.random import exponential, lognormal, pick, uniform
from sim.kernels.station import REJECTED, SERVED, Jobs, Stations, advance_station, next_event_s
from sim.kernels.visits import (
    ATTEMPTS_MOST,
    NEW_VISIT,
    attempt_of,
    backoff_time,
    order_value,
    orders_of,
    pack,
    page_of,
    step_of,
    think_time,
    wanted_orders,
)

# what advance_cell returns
DONE = 0
MORE_OPENED = 1
MORE_JOBS = 2
MORE_CHUNKS = 3
MORE_ORDERS = 4
MORE_TRACE = 5

# kinds of service time
DETERMINISTIC = 0
EXPONENTIAL = 1
LOGNORMAL = 2

# columns of Record.demand
VISITORS = 0
REQUESTS = 1
RETRIES = 2
PAGES_REJECTED = 3
PAGES_TIMED_OUT = 4
PAGES_SERVED = 5
GAVE_UP = 6
ORDERS = 7
ORDERS_LOST = 8
DEMAND_COLUMNS = 9

# columns of Record.site; 1, 2 and 3 are SERVED, REJECTED and TIMED_OUT of the station plus one
ARRIVALS = 0
QUEUE = 4
BUSY = 5
SITE_COLUMNS = 6

# entries of Progress.tally
BUCKET = 0
OPENED = 1  # records of the open bucket, -1 when the next bucket is still to be opened
TAKEN = 2
FREE_JOBS = 3
ORDERS_OUT = 4
TRACED = 5
VISITS_BEGUN = 6
VISITS_ENDED = 7
CUT_OFF = 8
SENT = 9
TALLIES = 10

# The histogram of latencies is log-linear, as in HdrHistogram: each octave from 2**-14 s to 2**10 s in 32 equal buckets.
LATENCY_FLOOR_S = 2.0**-14
LATENCY_BUCKETS_PER_OCTAVE = 32
LATENCY_BUCKETS = 24 * LATENCY_BUCKETS_PER_OCTAVE
_FLOOR_BITS = (1023 - 14) << 5
_S47 = np.uint64(47)


class Routes(NamedTuple):
    """The services that each page calls, one after the other. P pages, at most R alternatives of at most L legs."""

    cumulative: np.ndarray  # float64[P, R], chances of the alternatives
    service: np.ndarray  # int32[P, R, L], rows of the stations
    legs: np.ndarray  # int32[P, R]


class ServiceTimes(NamedTuple):
    """Distribution of the service time of each of S stations."""

    kind: np.ndarray  # int64[S]
    mean_s: np.ndarray  # float64[S]
    mu: np.ndarray  # float64[S], lognormal only
    sigma: np.ndarray  # float64[S], lognormal only


class Requests(NamedTuple):
    """The page requests in flight: J rows, reused, the same rows as those of Jobs."""

    state: np.ndarray  # uint32[J], the visit's packed state
    sent_s: np.ndarray  # float64[J], when the page was asked for
    route: np.ndarray  # int16[J]
    leg: np.ndarray  # int16[J]
    free: np.ndarray  # int32[J], stack of free rows


class Boxes(NamedTuple):
    """Requests between stations within a micro-window, and scratch of their sorting."""

    waiting: np.ndarray  # int64[S], requests in each inbox
    in_s: np.ndarray  # float64[S, J]
    in_job: np.ndarray  # int32[S, J]
    sorted_s: np.ndarray  # float64[J]
    sorted_job: np.ndarray  # int32[J]
    key: np.ndarray  # int64[J]
    order: np.ndarray  # int32[J]
    bins: np.ndarray  # int32[J + 1]
    out_s: np.ndarray  # float64[J]
    out_job: np.ndarray  # int32[J]
    out_kind: np.ndarray  # int8[J]


class Arrivals(NamedTuple):
    """Who comes when. B buckets."""

    curve: Curve
    first: np.ndarray  # int64[B + 1], see index_arrivals
    shopper: np.ndarray  # uint32[shoppers of the cell]


class Record(NamedTuple):
    """Recorders of one cell. T seconds, M minutes."""

    demand: np.ndarray  # int32[T, DEMAND_COLUMNS]
    money_rmb: np.ndarray  # float64[T, 2], paid and lost
    site: np.ndarray  # int32[T, S, SITE_COLUMNS]
    latency: np.ndarray  # int32[M, P, LATENCY_BUCKETS]
    as_float: np.ndarray  # float64[1], scratch of the histogram
    as_bits: np.ndarray  # uint64[1], the same 8 bytes
    order_s: np.ndarray  # float64[O]
    order_shopper: np.ndarray  # int64[O]
    order_number: np.ndarray  # int64[O]
    order_rmb: np.ndarray  # float64[O]
    trace_visit: np.ndarray  # int64[X, 5]: shopper, step, attempt, station, outcome; X = 0: no trace
    trace_s: np.ndarray  # float64[X, 3]: arrival at the station, start of service, end


class Progress(NamedTuple):
    """How far the cell is."""

    clock_s: np.ndarray  # float64[1], every event before it is done
    tally: np.ndarray  # int64[TALLIES]


class Cell(NamedTuple):
    """All state of one cell."""

    arrivals: Arrivals
    calendar: Calendar
    opened: Opened
    stations: Stations
    jobs: Jobs
    requests: Requests
    boxes: Boxes
    record: Record
    progress: Progress


def empty_requests(n: int) -> Requests:
    """Room for n page requests, all free."""
    return Requests(
        np.zeros(n, np.uint32), np.zeros(n), np.zeros(n, np.int16), np.zeros(n, np.int16), np.arange(n, dtype=np.int32)
    )


def empty_boxes(stations: int, n: int) -> Boxes:
    """Empty boxes of so many stations, for n requests."""
    return Boxes(
        waiting=np.zeros(stations, np.int64),
        in_s=np.zeros((stations, n)),
        in_job=np.zeros((stations, n), np.int32),
        sorted_s=np.zeros(n),
        sorted_job=np.zeros(n, np.int32),
        key=np.zeros(n, np.int64),
        order=np.zeros(n, np.int32),
        bins=np.zeros(n + 1, np.int32),
        out_s=np.zeros(n),
        out_job=np.zeros(n, np.int32),
        out_kind=np.zeros(n, np.int8),
    )


def empty_record(*, seconds: int, minutes: int, pages: int, stations: int, orders: int, trace: int) -> Record:
    """Recorders with nothing in them."""
    scratch = np.zeros(1)
    return Record(
        demand=np.zeros((seconds, DEMAND_COLUMNS), np.int32),
        money_rmb=np.zeros((seconds, 2)),
        site=np.zeros((seconds, stations, SITE_COLUMNS), np.int32),
        latency=np.zeros((minutes, pages, LATENCY_BUCKETS), np.int32),
        as_float=scratch,
        as_bits=scratch.view(np.uint64),
        order_s=np.zeros(orders),
        order_shopper=np.zeros(orders, np.int64),
        order_number=np.zeros(orders, np.int64),
        order_rmb=np.zeros(orders),
        trace_visit=np.zeros((trace, 5), np.int64),
        trace_s=np.zeros((trace, 3)),
    )


def begun_progress(jobs: int) -> Progress:
    """A cell at the start of its day, with so many free rows for requests."""
    tally = np.zeros(TALLIES, np.int64)
    tally[OPENED] = -1
    tally[FREE_JOBS] = jobs
    return Progress(np.zeros(1), tally)


@inlined
def service_time(key, shopper, step, attempt, station, times):
    """Service time [s] of one try of one page at one station."""
    draw = (step * ATTEMPTS_MOST + attempt) * 64 + station
    if times.kind[station] == EXPONENTIAL:
        return exponential(key, shopper, draw, times.mean_s[station])
    if times.kind[station] == LOGNORMAL:
        return lognormal(key, shopper, draw, times.mu[station], times.sigma[station])
    return times.mean_s[station]


@inlined
def latency_bucket(latency_s, as_float, as_bits):
    """Row of the histogram of latencies: exponent and first five bits of the mantissa, at most 3.1 % wide.

    as_float, as_bits: float64[1] and uint64[1], two views of the same 8 bytes.
    """
    as_float[0] = latency_s
    bucket = np.int64(as_bits[0] >> _S47) - _FLOOR_BITS
    return min(max(bucket, 0), LATENCY_BUCKETS - 1)


def latency_edges_s() -> np.ndarray:
    """Upper edge [s] of each bucket of the histogram of latencies: float64[LATENCY_BUCKETS]."""
    octave, part = np.divmod(np.arange(LATENCY_BUCKETS), LATENCY_BUCKETS_PER_OCTAVE)
    edges: np.ndarray = LATENCY_FLOOR_S * 2.0**octave * (1 + (part + 1) / LATENCY_BUCKETS_PER_OCTAVE)
    return edges


@inlined
def _schedule(time_s, shopper, state, bucket_s, cell):
    """Put a visit's next request into the calendar; a request after the last bucket is cut off and counted."""
    bucket = np.int64(time_s / bucket_s)
    if bucket >= cell.calendar.end.size:
        cell.progress.tally[CUT_OFF] += 1
        return
    push(bucket, time_s, shopper, state, cell.calendar)


@inlined
def _answer(time_s, shopper, state, keys, behaviour, bucket_s, cell):
    """A page was answered: pay for an order, think, choose the next page or leave."""
    record = cell.record
    second = np.int64(time_s)
    record.demand[second, PAGES_SERVED] += 1
    page = page_of(state)
    orders = orders_of(state)
    step = step_of(state)
    if page == behaviour.paid:
        value_rmb = order_value(keys.value, shopper, orders, behaviour.value_mu, behaviour.value_sigma)
        at = cell.progress.tally[ORDERS_OUT]
        record.order_s[at] = time_s
        record.order_shopper[at] = shopper
        record.order_number[at] = orders
        record.order_rmb[at] = value_rmb
        cell.progress.tally[ORDERS_OUT] += 1
        record.demand[second, ORDERS] += 1
        record.money_rmb[second, 0] += value_rmb
        orders += 1
    wanted = wanted_orders(keys.wanted, shopper, behaviour.buyer_share, behaviour.another_order)
    mood = 1 if orders < wanted else 0
    following = pick(behaviour.next_page[mood, page], uniform(keys.next_page, shopper, step))
    if following == behaviour.think_mean_s.shape[1]:
        cell.progress.tally[VISITS_ENDED] += 1
        return
    click_s = time_s + think_time(keys.think, shopper, step, mood, page, behaviour)
    _schedule(click_s, shopper, pack(following, 0, orders, step + 1), bucket_s, cell)


@inlined
def _fail(time_s, shopper, state, keys, behaviour, client, bucket_s, cell):
    """A page request failed: back off and try again, or give up, leave and lose the orders still wanted."""
    record = cell.record
    attempt = attempt_of(state)
    orders = orders_of(state)
    step = step_of(state)
    if attempt < client.retries:
        retry_s = time_s + backoff_time(keys.backoff, shopper, step, attempt, client)
        _schedule(retry_s, shopper, pack(page_of(state), attempt + 1, orders, step), bucket_s, cell)
        return
    second = np.int64(time_s)
    record.demand[second, GAVE_UP] += 1
    wanted = wanted_orders(keys.wanted, shopper, behaviour.buyer_share, behaviour.another_order)
    for number in range(orders, wanted):
        record.demand[second, ORDERS_LOST] += 1
        record.money_rmb[second, 1] += order_value(
            keys.value, shopper, number, behaviour.value_mu, behaviour.value_sigma
        )
    cell.progress.tally[VISITS_ENDED] += 1


@inlined
def _enter(job, station, time_s, keys, times, cell):
    """Hand a request to its next station."""
    state = cell.requests.state[job]
    cell.jobs.service_s[job] = service_time(
        keys.service, cell.jobs.key[job], step_of(state), attempt_of(state), station, times
    )
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
    """Send one page request: to its first service, or straight to the answer where a page calls none."""
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
        _answer(time_s, shopper, state, keys, behaviour, bucket_s, cell)
        return
    cell.progress.tally[FREE_JOBS] -= 1
    job = cell.requests.free[cell.progress.tally[FREE_JOBS]]
    cell.jobs.key[job] = shopper
    cell.requests.state[job] = state
    cell.requests.sent_s[job] = time_s
    cell.requests.route[job] = route
    cell.requests.leg[job] = 0
    _enter(job, routes.service[page, route, 0], time_s, keys, times, cell)


@kernel
def _admit_until(end_s, keys, behaviour, routes, times, bucket_s, cell):
    """Send the page requests of the open bucket that come before end_s."""
    opened = cell.opened
    tally = cell.progress.tally
    i = tally[TAKEN]
    while i < tally[OPENED] and opened.time_s[i] < end_s:
        _admit(opened.time_s[i], opened.shopper[i], opened.state[i], keys, behaviour, routes, times, bucket_s, cell)
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
    """Send a request that left a station on: to its next service, to the answered page, or to the client's retry."""
    record = cell.record
    record.site[np.int64(time_s), station, kind + 1] += 1
    if record.trace_s.shape[0] > 0:
        _trace(job, station, kind, time_s, cell)
    requests = cell.requests
    state = requests.state[job]
    page = page_of(state)
    if kind == SERVED:
        leg = requests.leg[job] + 1
        route = requests.route[job]
        if leg < routes.legs[page, route]:
            requests.leg[job] = leg
            _enter(job, routes.service[page, route, leg], time_s, keys, times, cell)
            return
    requests.free[cell.progress.tally[FREE_JOBS]] = job
    cell.progress.tally[FREE_JOBS] += 1
    shopper = cell.jobs.key[job]
    if kind == SERVED:
        record.latency[
            np.int64(time_s / 60.0),
            page,
            latency_bucket(time_s - requests.sent_s[job], record.as_float, record.as_bits),
        ] += 1
        _answer(time_s, shopper, state, keys, behaviour, bucket_s, cell)
    else:
        record.demand[np.int64(time_s), PAGES_REJECTED if kind == REJECTED else PAGES_TIMED_OUT] += 1
        _fail(time_s, shopper, state, keys, behaviour, client, bucket_s, cell)


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
        left = advance_station(
            station, end_s, in_s,
            in_job,
            n, cell.stations, cell.jobs,
            boxes.out_s, boxes.out_job, boxes.out_kind,
        )  # fmt: skip
        for i in range(left):
            _leave_station(
                boxes.out_job[i], station, boxes.out_kind[i], boxes.out_s[i],
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
        _advance_stations(bucket * bucket_s, end_s, keys, behaviour, client, routes, times, bucket_s, cell)
        clock_s[0] = end_s
        if end_s == bucket_end_s:
            tally[BUCKET] += 1
            tally[OPENED] = -1
            if end_s == math.floor(end_s):
                _sample(np.int64(end_s) - 1, cell)
    return DONE
