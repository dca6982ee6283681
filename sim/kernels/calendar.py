"""The calendar of future visit events, bucketed by time, and the sorting that opens a bucket and its windows.

    push(time, shopper, state) -> chunks linked per bucket -> part: one stretch of memory a window -> order: (time, shopper)

Buckets are few and wide, so that the ends of all that are being filled stay in a core's cache although the records of
millions of shoppers who are reading a page do not. An open bucket is parted into windows whose requests fit the cache too.
An event never falls into the bucket that is open: every feedback delay is at least one bucket long.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel

CHUNK = 64  # records
WINDOWS_MOST = 1024  # of a bucket
_RECORDS_OF_WINDOW = 512
RECORD = np.dtype([("time_s", np.float64), ("shopper", np.uint32), ("state", np.uint32)])


class Calendar(NamedTuple):
    """Future events of one cell: B buckets, C chunks."""

    end: np.ndarray  # int64[B], the place behind the bucket's newest record, 0 when it has none
    older: np.ndarray  # int32[C], the next chunk of the same bucket (or of the free list), -1 at the end
    record: np.ndarray  # RECORD[C * CHUNK]
    free: np.ndarray  # int64[2], head of the free list, number of free chunks


class Opened(NamedTuple):
    """The bucket that is open, and the window of it that is worked at. Room for R records."""

    raw: np.ndarray  # RECORD[R], the bucket's records as they come
    parted: np.ndarray  # RECORD[R], the same, window by window
    first: np.ndarray  # int64[WINDOWS_MOST + 2], the place of each window's first record
    time_s: np.ndarray  # float64[R], the window's records in order of (time, shopper)
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
        raw=np.zeros(records, RECORD),
        parted=np.zeros(records, RECORD),
        first=np.zeros(WINDOWS_MOST + 2, np.int64),
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
            opened.raw[n] = calendar.record[at]
            n += 1
        end = (np.int64(calendar.older[chunk]) + 1) * CHUNK
        calendar.older[chunk] = calendar.free[0]
        calendar.free[0] = chunk
        calendar.free[1] += 1
    return n


@inlined
def windows_for(records):
    """Windows that a bucket is parted into: a power of two, so that their limits are exact."""
    windows = 1
    while windows < WINDOWS_MOST and windows * _RECORDS_OF_WINDOW < records:
        windows *= 2
    return windows


@kernel
def part(begin_s, width_s, n, windows, opened):
    """Bring the n raw records of the bucket that begins at begin_s into stretches, one for each window of width_s."""
    first, raw = opened.first, opened.raw
    for window in range(windows + 2):
        first[window] = 0
    for i in range(n):
        first[np.int64((raw[i].time_s - begin_s) / width_s) + 2] += 1
    for window in range(windows):
        first[window + 2] += first[window + 1]
    for i in range(n):
        own = np.int64((raw[i].time_s - begin_s) / width_s) + 1
        opened.parted[first[own]] = raw[i]
        first[own] += 1


@kernel
def open_window(window, begin_s, width_s, opened):
    """Bring the records of a window that begins at begin_s into order; returns their number."""
    first = opened.first[window]
    n = opened.first[window + 1] - first
    records = opened.parted[first : first + n]
    time_order(begin_s, width_s, n, records.time_s, records.shopper, opened.bins, opened.order)
    for i in range(n):
        record = records[opened.order[i]]
        opened.time_s[i] = record.time_s
        opened.shopper[i] = record.shopper
        opened.state[i] = record.state
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
