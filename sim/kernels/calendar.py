"""The calendar of future visit events, bucketed by time, and the sorting that opens a bucket.

    push(time, shopper, state) -> chunks linked per bucket (unordered) -> open_bucket -> arrays in order of (time, shopper)

Records are kept whole in chunks of neighbouring memory, so that the millions of shoppers who are reading a page cost no
cache miss each. An event never falls into the bucket that is open: every feedback delay is at least one bucket long.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel

CHUNK = 32  # records
RECORD = np.dtype([("time_s", np.float64), ("shopper", np.uint32), ("state", np.uint32)])


class Calendar(NamedTuple):
    """Future events of one cell: B buckets, C chunks."""

    end: np.ndarray  # int64[B], the place behind the bucket's newest record, 0 when it has none
    older: np.ndarray  # int32[C], the next chunk of the same bucket (or of the free list), -1 at the end
    record: np.ndarray  # RECORD[C * CHUNK]
    free: np.ndarray  # int64[2], head of the free list, number of free chunks


class Opened(NamedTuple):
    """The bucket that is open. Room for R records."""

    raw_s: np.ndarray  # float64[R], the records as they come
    raw_shopper: np.ndarray  # uint32[R]
    raw_state: np.ndarray  # uint32[R]
    time_s: np.ndarray  # float64[R], the records in order of (time, shopper)
    shopper: np.ndarray  # uint32[R]
    state: np.ndarray  # uint32[R]
    order: np.ndarray  # int32[R], scratch of the sort
    bins: np.ndarray  # int32[R + 1], scratch of the sort


def empty_calendar(buckets: int, chunks: int) -> Calendar:
    """A calendar without events."""
    older = np.arange(1, chunks + 1, dtype=np.int32)
    older[-1] = -1
    return Calendar(
        end=np.zeros(buckets, np.int64),
        older=older,
        record=np.zeros(chunks * CHUNK, RECORD),
        free=np.array([0, chunks], np.int64),
    )


def grown_calendar(calendar: Calendar) -> Calendar:
    """The same calendar with twice as many chunks."""
    n = calendar.older.size
    older = np.concatenate([calendar.older, np.arange(n + 1, 2 * n + 1, dtype=np.int32)])
    older[-1] = calendar.free[0]
    return calendar._replace(
        older=older,
        record=np.concatenate([calendar.record, np.zeros(n * CHUNK, RECORD)]),
        free=np.array([n, calendar.free[1] + n], np.int64),
    )


def empty_opened(records: int) -> Opened:
    """Room for an open bucket of so many records."""
    return Opened(
        raw_s=np.zeros(records),
        raw_shopper=np.zeros(records, np.uint32),
        raw_state=np.zeros(records, np.uint32),
        time_s=np.zeros(records),
        shopper=np.zeros(records, np.uint32),
        state=np.zeros(records, np.uint32),
        order=np.zeros(records, np.int32),
        bins=np.zeros(records + 1, np.int32),
    )


@inlined
def push(bucket, time_s, shopper, state, calendar):
    """Add an event to a bucket. The calendar has a free chunk."""
    at = calendar.end[bucket]
    if at % CHUNK == 0:  # the bucket is empty, or its newest chunk is full
        chunk = calendar.free[0]
        calendar.free[0] = calendar.older[chunk]
        calendar.free[1] -= 1
        calendar.older[chunk] = (at - 1) // CHUNK
        at = chunk * CHUNK
    record = calendar.record[at]
    record.time_s = time_s
    record.shopper = shopper
    record.state = state
    calendar.end[bucket] = at + 1


@inlined
def count_records(bucket, calendar):
    """Number of events in a bucket."""
    end = calendar.end[bucket]
    if end == 0:
        return 0
    chunk = (end - 1) // CHUNK
    n = end - chunk * CHUNK
    chunk = np.int64(calendar.older[chunk])
    while chunk >= 0:
        n += CHUNK
        chunk = np.int64(calendar.older[chunk])
    return n


@inlined
def take_records(bucket, n, calendar, opened):
    """Append a bucket's events to the n raw records of `opened`, free its chunks, and return the new number."""
    end = calendar.end[bucket]
    calendar.end[bucket] = 0
    while end > 0:
        chunk = (end - 1) // CHUNK
        for at in range(chunk * CHUNK, end):
            record = calendar.record[at]
            opened.raw_s[n] = record.time_s
            opened.raw_shopper[n] = record.shopper
            opened.raw_state[n] = record.state
            n += 1
        end = (np.int64(calendar.older[chunk]) + 1) * CHUNK
        calendar.older[chunk] = calendar.free[0]
        calendar.free[0] = chunk
        calendar.free[1] += 1
    return n


@kernel
def time_order(start_s, width_s, n, time_s, key, bins, order):
    """Order of n events of one window by (time, key).

    One pass of counting into n equal bins, which is nearly an order when times are spread, and an insertion sort.

    start_s, width_s: the window; time_s, key: float64[n], integers[n]; bins: int32[>= n + 1], scratch;
    order: int32[>= n], the result.
    """
    for i in range(n + 1):
        bins[i] = 0
    per_second = n / width_s
    for i in range(n):
        bins[min(np.int64((time_s[i] - start_s) * per_second), n - 1) + 1] += 1
    for i in range(n):
        bins[i + 1] += bins[i]
    for i in range(n):
        b = min(np.int64((time_s[i] - start_s) * per_second), n - 1)
        order[bins[b]] = i
        bins[b] += 1
    for i in range(1, n):
        event = order[i]
        j = i - 1
        while j >= 0 and (
            time_s[order[j]] > time_s[event] or (time_s[order[j]] == time_s[event] and key[order[j]] > key[event])
        ):
            order[j + 1] = order[j]
            j -= 1
        order[j + 1] = event
