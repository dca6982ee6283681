"""What a cell of the site consists of, in arrays: requests, stations' inboxes, timers, limits, recorders; see `cell.py`."""

from typing import NamedTuple

import numpy as np

from sim.kernels.arrivals import Curve
from sim.kernels.calendar import Calendar, Opened
from sim.kernels.station import Jobs, Stations

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
    """Token buckets in front of S stations, see `protection.take_token`."""

    rate_per_s: np.ndarray  # float64[S], inf: no limit
    burst: np.ndarray  # float64[S], tokens that the bucket holds
    warm_up_s: np.ndarray  # float64[S], from t = 0 until the full rate
    cold_share: np.ndarray  # float64[S], of the full rate at t = 0
    bucket: np.ndarray  # float64[S, 2]


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
    return Requests(
        **{name: record[name] for name in Requests._fields if name != "free"}, free=np.arange(n, dtype=np.int32)
    )


def empty_timers(places: int, records: int) -> Timers:
    """Room for so many timers, and for the requests of a bucket of so many records."""
    return Timers(
        np.zeros(places, np.int32),
        np.zeros(places, np.uint32),
        np.zeros(records, np.int32),
        np.zeros(records, np.uint32),
    )


def full_limits(rate_per_s: np.ndarray, burst: np.ndarray, warm_up_s: np.ndarray, cold_share: np.ndarray) -> Limits:
    """Token buckets that are full at t = 0."""
    return Limits(rate_per_s, burst, warm_up_s, cold_share, np.column_stack([burst, np.zeros(burst.size)]))


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


def latency_edges_s() -> np.ndarray:
    """Upper edge [s] of each bucket of the histogram of latencies: float64[LATENCY_BUCKETS]."""
    octave, part = np.divmod(np.arange(LATENCY_BUCKETS), LATENCY_BUCKETS_PER_OCTAVE)
    edges: np.ndarray = LATENCY_FLOOR_S * 2.0**octave * (1 + (part + 1) / LATENCY_BUCKETS_PER_OCTAVE)
    return edges
