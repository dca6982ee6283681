"""What a cell of the site writes down: counts by second, latencies in log-linear buckets, orders, and for tests every call."""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined

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
OUTSIDE = 9  # requests of visitors from outside; all others are of shoppers alone
DEMAND_COLUMNS = 10

# columns of Record.site; 1, 2 and 3 are SERVED, REJECTED and TIMED_OUT of the station plus one
ARRIVALS = 0
QUEUE = 4
BUSY = 5
RETRIED = 6
SIMPLE = 7
SITE_COLUMNS = 8

# columns of Record.seen
ASKED = 0
ANSWERED = 1
FAILED = 2
LEFT = 3
BOUGHT = 4
LOST = 5
SEEN_COLUMNS = 6

# columns of Record.link
STARTED = 0
DELIVERED = 1
UNDER_WAY = 2
LINK_COLUMNS = 3

_MINUTE = 60  # seconds
_HOUR = 3600

# The histograms of latencies are log-linear, as in HdrHistogram: each octave from 2**-14 s to 2**10 s in 32 equal buckets.
LATENCY_FLOOR_S = 2.0**-14
LATENCY_BUCKETS_PER_OCTAVE = 32
LATENCY_BUCKETS = 24 * LATENCY_BUCKETS_PER_OCTAVE
_FLOOR_BITS = (1023 - 14) << 5
_S47 = np.uint64(47)


class Record(NamedTuple):
    """Recorders of one cell: T seconds, M minutes, H hours, P pages, S stations, K segments of shoppers, L links."""

    demand: np.ndarray  # int32[T, DEMAND_COLUMNS]
    money_fen: np.ndarray  # int64[T, 2], paid and lost
    site: np.ndarray  # int32[T, S, SITE_COLUMNS]
    link: np.ndarray  # int32[T, L, LINK_COLUMNS]
    link_bit: np.ndarray  # int64[T, L], delivered
    seen: np.ndarray  # int32[M, K, SEEN_COLUMNS], what shoppers see of the site
    seen_ns: np.ndarray  # int64[M, K], their waiting for pages that were answered [ns]
    latency: np.ndarray  # int32[M, P, LATENCY_BUCKETS], of pages
    page_latency: np.ndarray  # int32[H, P, K, LATENCY_BUCKETS]
    service_latency: np.ndarray  # int32[H, S, K, LATENCY_BUCKETS], from arrival at a station to the end of its service
    service_ns: np.ndarray  # int64[T, S], service times of requests that were served [ns]
    as_float: np.ndarray  # float64[1], scratch of the histograms
    as_bits: np.ndarray  # uint64[1], the same 8 bytes
    order_s: np.ndarray  # float64[O]
    order_shopper: np.ndarray  # int64[O]
    order_number: np.ndarray  # int64[O]
    order_rmb: np.ndarray  # float64[O]
    trace_visit: np.ndarray  # int64[X, 5]: shopper, step, attempt, station (S + l: link l), outcome; X = 0: no trace
    trace_s: np.ndarray  # float64[X, 3]: arrival at the station, start of service, end


def empty_record(
    *, horizon_s: float, pages: int, stations: int, segments: int, links: int, orders: int, trace: int
) -> Record:
    """Recorders with nothing in them."""
    seconds, minutes, hours = (int(np.ceil(horizon_s / unit_s)) for unit_s in (1, _MINUTE, _HOUR))
    scratch = np.zeros(1)
    return Record(
        demand=np.zeros((seconds, DEMAND_COLUMNS), np.int32),
        money_fen=np.zeros((seconds, 2), np.int64),
        site=np.zeros((seconds, stations, SITE_COLUMNS), np.int32),
        link=np.zeros((seconds, links, LINK_COLUMNS), np.int32),
        link_bit=np.zeros((seconds, links), np.int64),
        seen=np.zeros((minutes, segments, SEEN_COLUMNS), np.int32),
        seen_ns=np.zeros((minutes, segments), np.int64),
        latency=np.zeros((minutes, pages, LATENCY_BUCKETS), np.int32),
        page_latency=np.zeros((hours, pages, segments, LATENCY_BUCKETS), np.int32),
        service_latency=np.zeros((hours, stations, segments, LATENCY_BUCKETS), np.int32),
        service_ns=np.zeros((seconds, stations), np.int64),
        as_float=scratch,
        as_bits=scratch.view(np.uint64),
        order_s=np.zeros(orders),
        order_shopper=np.zeros(orders, np.int64),
        order_number=np.zeros(orders, np.int64),
        order_rmb=np.zeros(orders),
        trace_visit=np.zeros((trace, 5), np.int64),
        trace_s=np.zeros((trace, 3)),
    )


def latency_edges_s() -> np.ndarray:
    """Upper edge [s] of each bucket of the histograms of latencies: float64[LATENCY_BUCKETS]."""
    octave, part = np.divmod(np.arange(LATENCY_BUCKETS), LATENCY_BUCKETS_PER_OCTAVE)
    edges: np.ndarray = LATENCY_FLOOR_S * 2.0**octave * (1 + (part + 1) / LATENCY_BUCKETS_PER_OCTAVE)
    return edges


@inlined
def minute_of(time_s):
    """Number of the minute."""
    return np.int64(time_s) // _MINUTE


@inlined
def hour_of(time_s):
    """Number of the hour."""
    return np.int64(time_s) // _HOUR


@inlined
def latency_bucket(latency_s, as_float, as_bits):
    """Row of a histogram of latencies: exponent and first five bits of the mantissa, at most 3.1 % wide.

    as_float, as_bits: float64[1] and uint64[1], two views of the same 8 bytes.
    """
    as_float[0] = latency_s
    bucket = np.int64(as_bits[0] >> _S47) - _FLOOR_BITS
    return min(max(bucket, 0), LATENCY_BUCKETS - 1)


@inlined
def record_page(time_s, latency_s, page, segment, record):
    """Count a page that was answered after latency_s."""
    bucket = latency_bucket(latency_s, record.as_float, record.as_bits)
    minute, hour = minute_of(time_s), hour_of(time_s)
    record.latency[minute, page, bucket] += 1
    record.page_latency[hour, page, segment, bucket] += 1
    record.seen_ns[minute, segment] += np.int64(1e9 * latency_s + 0.5)


@inlined
def record_service(time_s, latency_s, service_s, station, segment, record):
    """Count a request that a station finished latency_s after its arrival, service_s of which it was served."""
    bucket = latency_bucket(latency_s, record.as_float, record.as_bits)
    record.service_latency[hour_of(time_s), station, segment, bucket] += 1
    record.service_ns[np.int64(time_s), station] += np.int64(1e9 * service_s + 0.5)
