"""What a cell of the site consists of, in arrays: requests, stations' inboxes, timers, guards, links; see `cell.py`."""

from typing import NamedTuple

import numpy as np

from sim.kernels.arrivals import Curve
from sim.kernels.calendar import Calendar, Opened
from sim.kernels.guards import Guards
from sim.kernels.link import Links
from sim.kernels.recorders import Record
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
EMPIRICAL = 4

# entries of Progress.tally
BUCKET = 0
OPENED = 1  # records of the open window, -1 when the next window is still to be opened
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
WINDOW = 13  # of the open bucket
WINDOWS = 14
TOUCHED = 15  # of no meaning, see `cell._touch`
TALLIES = 16

NO_JOB = -1


class Routes(NamedTuple):
    """The stations that each page calls, one after the other. P pages, at most R alternatives of at most G legs."""

    cumulative: np.ndarray  # float64[P, R], chances of the alternatives
    station: np.ndarray  # int32[P, R, G]
    legs: np.ndarray  # int32[P, R]
    priority: np.ndarray  # int8[P]
    room: np.ndarray  # bool[S], stations that are waiting rooms


class ServiceTimes(NamedTuple):
    """Distribution of the service time of each of S stations, and how often it was for nothing."""

    kind: np.ndarray  # int64[S]
    mean_s: np.ndarray  # float64[S]
    mu: np.ndarray  # float64[S], lognormal only
    sigma: np.ndarray  # float64[S], lognormal only
    shape: np.ndarray  # float64[S], gamma only
    values_s: np.ndarray  # float64[S, V], empirical only
    values: np.ndarray  # int64[S], how many of them
    error_share: np.ndarray  # float64[S], of the answers


class Timers(NamedTuple):
    """Browsers that wait, in order of their deadlines: a ring of Q places."""

    deadline_s: np.ndarray  # float64[Q]
    job: np.ndarray  # int32[Q]
    serial: np.ndarray  # uint32[Q], the timer is void when the request's serial is another
    new_job: np.ndarray  # int32[R], requests of the open window
    new_serial: np.ndarray  # uint32[R]


class Boxes(NamedTuple):
    """Requests between stations and links within a micro-window, and scratch of their sorting. B = S + L boxes."""

    waiting: np.ndarray  # int64[B], requests in each inbox
    in_s: np.ndarray  # float64[B, J]
    in_job: np.ndarray  # int32[B, J]
    sorted_s: np.ndarray  # float64[J]
    sorted_job: np.ndarray  # int32[J]
    key: np.ndarray  # int64[J]
    order: np.ndarray  # int32[J]
    bins: np.ndarray  # int32[J + 1]
    out_s: np.ndarray  # float64[J]
    out_job: np.ndarray  # int32[J]
    out_kind: np.ndarray  # int8[J]


class Outcomes(NamedTuple):
    """What became of page requests within a micro-window."""

    time_s: np.ndarray  # float64[J]
    shopper: np.ndarray  # int64[J]
    state: np.ndarray  # uint32[J]
    segment: np.ndarray  # int16[J]
    kind: np.ndarray  # int8[J]: SERVED, REJECTED or TIMED_OUT
    order: np.ndarray  # int32[J], scratch of their sorting
    bins: np.ndarray  # int32[J + 1]


class Arrivals(NamedTuple):
    """Who comes when. B buckets."""

    curve: Curve
    first: np.ndarray  # int64[B + 1], see index_arrivals
    shopper: np.ndarray  # uint32[shoppers of the cell]


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
    jobs: Jobs  # REQUEST[J]
    free: np.ndarray  # int32[J], stack of their free rows
    timers: Timers
    guards: Guards
    links: Links
    boxes: Boxes
    outcomes: Outcomes
    record: Record
    progress: Progress


REQUEST = np.dtype(
    {
        "names": [
            *("sent_s", "service_s", "arrival_s", "start_s", "key", "state", "serial", "behind", "lane"),
            *("page", "route", "leg", "segment", "priority", "gone", "simple", "error"),
            *("ahead", "place", "choice", "patience_s", "generation"),
        ],
        "formats": [
            *("f8", "f8", "f8", "f8", "i8", "u4", "u4", "i4", "i4"),
            *("i1", "i1", "i1", "i1", "i1", "?", "?", "?"),
            *("i4", "i4", "u8", "f8", "i8"),
        ],
        "offsets": [
            *(0, 8, 16, 24, 32, 40, 44, 48, 52),
            *(56, 57, 58, 59, 60, 61, 62, 63),
            *(64, 68, 72, 80, 88),
        ],
        "itemsize": 128,
    }
)
"""A page request in flight, a job of the stations (see `station_state.JOB`), in two cache lines of 64 bytes, of which every
request needs the first only. Beyond a job's fields:

    sent_s      since when the browser waits [s]; inf while it shows a place in line
    state       the visit's packed state
    serial      how often the row has been used, or its timer been stopped
    page, route, leg, segment    what was asked for, how it is served, how far it is, region and channel of the shopper
    gone        the browser has given it up, the work goes on
    simple      its present station answers in the degraded mode
    error       its present station answers with an error
    generation  of its present station's breaker when it was let in
"""

_LINE = 64  # bytes


def empty_requests(n: int) -> Jobs:
    """Room for n page requests: REQUEST[n], from the beginning of a cache line on."""
    memory = np.zeros(n * REQUEST.itemsize + _LINE, np.uint8)
    first = -memory.ctypes.data % _LINE
    return memory[first : first + n * REQUEST.itemsize].view(REQUEST)


def empty_timers(places: int, records: int) -> Timers:
    """Room for so many timers, and for the requests of a window of so many records."""
    return Timers(
        np.zeros(places),
        np.zeros(places, np.int32),
        np.zeros(places, np.uint32),
        np.zeros(records, np.int32),
        np.zeros(records, np.uint32),
    )


def empty_boxes(boxes: int, n: int) -> Boxes:
    """Empty boxes of so many stations and links, for n requests."""
    return Boxes(
        waiting=np.zeros(boxes, np.int64),
        in_s=np.zeros((boxes, n)),
        in_job=np.zeros((boxes, n), np.int32),
        sorted_s=np.zeros(n),
        sorted_job=np.zeros(n, np.int32),
        key=np.zeros(n, np.int64),
        order=np.zeros(n, np.int32),
        bins=np.zeros(n + 1, np.int32),
        out_s=np.zeros(n),
        out_job=np.zeros(n, np.int32),
        out_kind=np.zeros(n, np.int8),
    )


def empty_outcomes(n: int) -> Outcomes:
    """Room for the outcomes of n page requests."""
    return Outcomes(
        np.zeros(n),
        np.zeros(n, np.int64),
        np.zeros(n, np.uint32),
        np.zeros(n, np.int16),
        np.zeros(n, np.int8),
        np.zeros(n, np.int32),
        np.zeros(n + 1, np.int32),
    )


def begun_progress(jobs: int, budget: float) -> Progress:
    """A cell at the start of its day, with so many free rows for requests and a full retry budget."""
    tally = np.zeros(TALLIES, np.int64)
    tally[OPENED] = -1
    tally[WINDOWS] = 1
    tally[FREE_JOBS] = jobs
    return Progress(np.full(1, budget), np.zeros(1), tally)
