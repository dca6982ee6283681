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
from sim.kernels.random import bits, exponential, lognormal, pick, uniform
from sim.kernels.station import (
    CENTRAL,
    REJECTED,
    SERVED,
    TIMED_OUT,
    Jobs,
    Stations,
    advance_station,
    next_event_s,
)
from sim.kernels.times import key_of_attempt, standard_gamma
from sim.kernels.visits import (
    ATTEMPTS_MOST,
    NEW_VISIT,
    attempt_of,
    order_value,
    orders_of,
    pack,
    page_of,
    retry_delay,
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
MORE_TIMERS = 6

STATIONS_MOST = 64

# kinds of service time
DETERMINISTIC = 0
EXPONENTIAL = 1
LOGNORMAL = 2
GAMMA = 3

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
FIRST_TIMER = 10
TIMERS = 11
OUTCOMES = 12  # of page requests, within one micro-window
TALLIES = 13

NO_JOB = -1

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
    shape: np.ndarray  # float64[S], gamma only


class Limits(NamedTuple):
    """Token buckets in front of S stations."""

    rate_per_s: np.ndarray  # float64[S], inf: no limit
    burst: np.ndarray  # float64[S], tokens that the bucket holds
    tokens: np.ndarray  # float64[S], at the last arrival
    last_s: np.ndarray  # float64[S], that arrival


class Requests(NamedTuple):
    """The page requests in flight: J rows, reused, the same rows as those of Jobs."""

    state: np.ndarray  # uint32[J], the visit's packed state
    sent_s: np.ndarray  # float64[J], when the page was asked for
    route: np.ndarray  # int16[J]
    leg: np.ndarray  # int16[J]
    gone: np.ndarray  # bool[J], the browser has given it up, the work goes on
    serial: np.ndarray  # uint32[J], how often the row has been used
    free: np.ndarray  # int32[J], stack of free rows


class Timers(NamedTuple):
    """Browsers that wait since an earlier bucket, in order of their deadlines: a ring of Q places."""

    job: np.ndarray  # int32[Q]
    serial: np.ndarray  # uint32[Q], the timer is void when the job's row has been used again
    new_job: np.ndarray  # int32[R], requests of the open bucket
    new_serial: np.ndarray  # uint32[R]


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
    outcome_s: np.ndarray  # float64[J], what became of page requests
    outcome_shopper: np.ndarray  # int64[J]
    outcome_state: np.ndarray  # uint32[J]
    outcome: np.ndarray  # int8[J]


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

    tokens: np.ndarray  # float64[1], of the retry budget
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
    timers: Timers
    limits: Limits
    boxes: Boxes
    record: Record
    progress: Progress


_REQUEST = np.dtype(
    [
        ("sent_s", np.float64),
        ("state", np.uint32),
        ("serial", np.uint32),
        ("route", np.int16),
        ("leg", np.int16),
        ("gone", np.bool_),
    ],
    align=True,
)


def empty_requests(n: int) -> Requests:
    """Room for n page requests, all free. The columns are views of one array of records."""
    record = np.zeros(n, _REQUEST)
    return Requests(**{name: record[name] for name in _REQUEST.names}, free=np.arange(n, dtype=np.int32))


def empty_timers(places: int, records: int) -> Timers:
    """Room for so many timers, and for the requests of a bucket of so many records."""
    return Timers(
        np.zeros(places, np.int32),
        np.zeros(places, np.uint32),
        np.zeros(records, np.int32),
        np.zeros(records, np.uint32),
    )


def full_limits(rate_per_s: np.ndarray, burst: np.ndarray) -> Limits:
    """Token buckets that are full at t = 0."""
    return Limits(rate_per_s, burst, burst.copy(), np.zeros(burst.size))


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
        outcome_s=np.zeros(n),
        outcome_shopper=np.zeros(n, np.int64),
        outcome_state=np.zeros(n, np.uint32),
        outcome=np.zeros(n, np.int8),
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


def begun_progress(jobs: int, budget: float) -> Progress:
    """A cell at the start of its day, with so many free rows for requests and a full retry budget."""
    tally = np.zeros(TALLIES, np.int64)
    tally[OPENED] = -1
    tally[FREE_JOBS] = jobs
    return Progress(np.full(1, budget), np.zeros(1), tally)


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
    if attempt < client.retries and cell.progress.tokens[0] >= 1.0:
        cell.progress.tokens[0] -= 1.0
        retry_s = time_s + retry_delay(keys.backoff, shopper, step, attempt, client)
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
        _answer(time_s, shopper, state, keys, behaviour, bucket_s, cell)
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
def _tell(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell):
    """The shopper learns what became of a page request."""
    if outcome == SERVED:
        cell.progress.tokens[0] = min(client.budget, cell.progress.tokens[0] + client.budget_gain)
        _answer(time_s, shopper, state, keys, behaviour, bucket_s, cell)
    else:
        cell.record.demand[np.int64(time_s), PAGES_REJECTED if outcome == REJECTED else PAGES_TIMED_OUT] += 1
        _fail(time_s, shopper, state, keys, behaviour, client, bucket_s, cell)


@inlined
def _settle(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell):
    """Tell the shopper at once, or, where all share a retry budget, when the micro-window's outcomes are in order."""
    if client.budget == np.inf:
        _tell(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell)
        return
    boxes = cell.boxes
    at = cell.progress.tally[OUTCOMES]
    boxes.outcome_s[at] = time_s
    boxes.outcome_shopper[at] = shopper
    boxes.outcome_state[at] = state
    boxes.outcome[at] = outcome
    cell.progress.tally[OUTCOMES] += 1


@inlined
def _finish(job, outcome, time_s, keys, behaviour, client, bucket_s, cell):
    """A page request is through with the site: free its row, and settle it if its browser still waits."""
    requests = cell.requests
    requests.free[cell.progress.tally[FREE_JOBS]] = job
    cell.progress.tally[FREE_JOBS] += 1
    requests.serial[job] += np.uint32(1)
    if requests.gone[job]:
        return
    shopper = cell.jobs.key[job]
    state = requests.state[job]
    deadline_s = requests.sent_s[job] + client.timeout_s
    if time_s > deadline_s:
        _settle(deadline_s, shopper, state, TIMED_OUT, keys, behaviour, client, bucket_s, cell)
        return
    if outcome == SERVED:
        record = cell.record
        bucket = latency_bucket(time_s - requests.sent_s[job], record.as_float, record.as_bits)
        record.latency[np.int64(time_s / 60.0), page_of(state), bucket] += 1
    _settle(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell)


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
    _finish(job, kind, time_s, keys, behaviour, client, bucket_s, cell)


@kernel
def _limit_rate(station, n, in_s, in_job, keys, behaviour, client, routes, times, bucket_s, cell):
    """Refuse arrivals that find the token bucket empty; returns how many passed, moved to the front of the inbox."""
    limits = cell.limits
    rate_per_s, burst = limits.rate_per_s[station], limits.burst[station]
    tokens, last_s = limits.tokens[station], limits.last_s[station]
    passed = 0
    for i in range(n):
        time_s, job = in_s[i], in_job[i]
        tokens = min(burst, tokens + (time_s - last_s) * rate_per_s)
        last_s = time_s
        if tokens >= 1.0:
            tokens -= 1.0
            in_s[passed] = time_s
            in_job[passed] = job
            passed += 1
        else:
            cell.jobs.arrival_s[job] = time_s
            cell.jobs.start_s[job] = np.nan
            _leave_station(job, station, REJECTED, time_s, keys, behaviour, client, routes, times, bucket_s, cell)
    limits.tokens[station], limits.last_s[station] = tokens, last_s
    return passed


@kernel
def _give_up(end_s, keys, behaviour, client, bucket_s, cell):
    """Browsers whose deadline is before end_s give their requests up; the work goes on."""
    timers, requests, tally = cell.timers, cell.requests, cell.progress.tally
    places = timers.job.size
    while tally[TIMERS] > 0:
        at = tally[FIRST_TIMER]
        job = timers.job[at]
        if requests.serial[job] == timers.serial[at]:
            deadline_s = requests.sent_s[job] + client.timeout_s
            if not deadline_s < end_s:
                return
            requests.gone[job] = True
            shopper = cell.jobs.key[job]
            _settle(deadline_s, shopper, requests.state[job], TIMED_OUT, keys, behaviour, client, bucket_s, cell)
        tally[FIRST_TIMER] = (at + 1) % places
        tally[TIMERS] -= 1


@inlined
def _start_timers(cell):
    """At the end of a bucket: a timer for each of its requests that is still in flight."""
    timers, tally = cell.timers, cell.progress.tally
    places = timers.job.size
    for i in range(tally[OPENED]):
        job = timers.new_job[i]
        if job != NO_JOB and cell.requests.serial[job] == timers.new_serial[i]:
            at = (tally[FIRST_TIMER] + tally[TIMERS]) % places
            timers.job[at] = job
            timers.serial[at] = timers.new_serial[i]
            tally[TIMERS] += 1


@kernel
def _tell_in_order(begin_s, keys, behaviour, client, bucket_s, cell):
    """Tell the shoppers of a micro-window what became of their requests, in order of (time, shopper)."""
    boxes, tally = cell.boxes, cell.progress.tally
    n = tally[OUTCOMES]
    tally[OUTCOMES] = 0
    time_order(begin_s, bucket_s, n, boxes.outcome_s, boxes.outcome_shopper, boxes.bins, boxes.order)
    for i in range(n):
        at = boxes.order[i]
        _tell(
            boxes.outcome_s[at], boxes.outcome_shopper[at], boxes.outcome_state[at], boxes.outcome[at],
            keys, behaviour, client, bucket_s, cell,
        )  # fmt: skip


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
        if cell.limits.rate_per_s[station] < np.inf:
            n = _limit_rate(station, n, in_s, in_job, keys, behaviour, client, routes, times, bucket_s, cell)
        left = advance_station(
            station, end_s, in_s, in_job, n, cell.stations, cell.jobs, boxes.out_s, boxes.out_job, boxes.out_kind
        )
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
            _give_up(end_s, keys, behaviour, client, bucket_s, cell)
        if tally[OUTCOMES] > 0:
            _tell_in_order(begin_s, keys, behaviour, client, bucket_s, cell)
        clock_s[0] = end_s
        if end_s == bucket_end_s:
            if client.timeout_s < np.inf:
                _start_timers(cell)
            tally[BUCKET] += 1
            tally[OPENED] = -1
            if end_s == math.floor(end_s):
                _sample(np.int64(end_s) - 1, cell)
    return DONE
