"""Parcel rows and the queues they stand in.

A row stands in at most one queue at a time, so one `next_row` link a row is enough for first-in-first-out lists of any number of
queues: memory grows with the rows, and to append or to join two lists costs the same however long they are.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels import kernel

NOBODY = -1


TIMES = (
    "created_s",
    "packed_s",
    "picked_up_s",
    "origin_hub_s",
    "departed_s",
    "destination_hub_s",
    "outlet_s",
    "out_s",
    "signed_s",
    "lost_s",
    "entered_s",  # when the row came into its present state: unloaded, sorted
)
ROW = np.dtype(
    [
        *((name, np.float64) for name in TIMES),
        ("shopper", np.int64),
        ("next_row", np.int32),
        ("number", np.int32),  # the shopper's order that created the parcel
        ("merchant", np.int32),
        ("weight_kg", np.float32),
        ("orders", np.int16),
        ("origin", np.int16),  # city
        ("destination", np.int16),  # city
        ("carrier", np.int8),
        ("attempts", np.int8),
    ],
    align=True,
)
"""A parcel row, 120 bytes side by side: rows are met in no order, and each step touches a few fields of one. NaN: not yet."""


def blank_row() -> NDArray[np.void]:
    """One row of which nothing has happened yet: times NaN, the rest 0. ROW[1]."""
    blank = np.zeros(1, ROW)
    for name in TIMES:
        blank[name] = np.nan
    return blank


class Queues(NamedTuple):
    """A family of first-in-first-out queues of rows."""

    head: np.ndarray  # int32[queues], NOBODY when empty
    tail: np.ndarray  # int32[queues]
    length: np.ndarray  # int64[queues], rows


class Chain(NamedTuple):
    """Rows on one vehicle: the list from `first` to `last`."""

    first: int
    last: int
    length: int


def empty_queues(count: int) -> Queues:
    """A family of empty queues."""
    return Queues(np.full(count, NOBODY, np.int32), np.full(count, NOBODY, np.int32), np.zeros(count, np.int64))


@kernel
def push(queues, queue, row, next_row):
    """Append a row to a queue."""
    next_row[row] = NOBODY
    if queues.length[queue] == 0:
        queues.head[queue] = row
    else:
        next_row[queues.tail[queue]] = row
    queues.tail[queue] = row
    queues.length[queue] += 1


@kernel
def pop(queues, queue, next_row):
    """Take the row at the head of a queue that is not empty."""
    row = queues.head[queue]
    queues.head[queue] = next_row[row]
    queues.length[queue] -= 1
    return row


@kernel
def append_chain(queues, queue, first, last, count, next_row):
    """Append a list of rows, `count` > 0 of them from `first` to `last`, to a queue."""
    if queues.length[queue] == 0:
        queues.head[queue] = first
    else:
        next_row[queues.tail[queue]] = first
    next_row[last] = NOBODY
    queues.tail[queue] = last
    queues.length[queue] += count
