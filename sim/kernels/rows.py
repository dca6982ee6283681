"""Parcel rows and the queues they stand in.

A row stands in at most one queue at a time, so one `next_row` link a row is enough for first-in-first-out lists of any number of
queues: memory grows with the rows, and to append or to join two lists costs the same however long they are.

A row keeps one exact time, `entered_s`: when it came into its present state. It is the only one that decisions read. What
happened before is history, stamped in whole ticks of 1/1024 s that had passed: four bytes each reach 48 days.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels import inlined, kernel

NOBODY = -1

TICKS_PER_S = 1024.0
NOT_YET = np.uint32(0xFFFFFFFF)
_LAST_TICK = 4294967294.0  # also stands for all that comes later, which no run lives to see

STAMPS = (
    "created",
    "packed",
    "picked_up",
    "origin_hub",
    "departed",
    "destination_hub",
    "outlet",
    "out",
    "signed",
    "returned",
    "exception",
)
"""What a row has a stamp of, in the field `<name>_tick`; tables show it as the column `<name>_s`."""

EXCEPTIONS = ("none", "not at home", "wrong address", "refused", "damaged", "lost")
NOTHING_WRONG, NOT_AT_HOME, WRONG_ADDRESS, REFUSED, DAMAGED, LOST = range(6)
"""What can go wrong with a parcel, the graver the larger; the stamp `exception` is of the gravest."""

ROW = np.dtype(
    [
        ("entered_s", np.float64),  # when it came into its present state: ordered, packed, unloaded, sorted, ..
        ("next_row", np.int32),
        ("shopper", np.uint32),
        ("destination", np.int16),  # city
        ("carrier", np.int8),
        ("number", np.uint8),  # the shopper's order that created the parcel
        *((f"{name}_tick", np.uint32) for name in STAMPS),
        ("weight_kg", np.float32),
        ("merchant", np.uint16),
        ("origin", np.int16),  # city
        ("orders", np.uint8),
        ("passes", np.uint8),  # through sorters so far
        ("attempts", np.uint8),
        ("items", np.uint8),
        ("exception", np.uint8),  # the gravest that has happened
    ],
    align=True,
)
"""A parcel row, 80 bytes side by side: rows are met in no order, and each step touches a few fields of one."""


def blank_row() -> NDArray[np.void]:
    """One row of which nothing has happened yet: stamps NOT_YET, the rest 0. ROW[1]."""
    blank = np.zeros(1, ROW)
    for name in STAMPS:
        blank[f"{name}_tick"] = NOT_YET
    return blank


_TIMES = frozenset(f"{name}_s" for name in STAMPS)
COLUMNS = frozenset((*(ROW.names or ()), *_TIMES, "lost_s"))
"""Names that `column` knows: the fields, and each stamp as a time."""


def column(rows: NDArray[np.void], name: str) -> NDArray[np.generic]:
    """One column of rows; a stamp as a time [s], NaN where it has not happened yet."""
    if name == "lost_s":
        return np.where(rows["exception"] == LOST, column(rows, "exception_s"), np.nan)
    if name not in _TIMES:
        values: NDArray[np.generic] = rows[name]
        return values
    ticks = rows[f"{name.removesuffix('_s')}_tick"]
    return np.where(ticks == NOT_YET, np.nan, ticks / TICKS_PER_S)


@inlined
def tick(time_s):
    """The stamp of a time >= 0 [s]: whole ticks that had passed."""
    return np.uint32(min(time_s * TICKS_PER_S, _LAST_TICK))


@inlined
def grams_of(weight_kg, weight):
    """Whole grams of a row of `weight` parcels of weight_kg each: sums of them do not depend on their order."""
    return np.int64(np.float64(weight_kg) * 1000.0 * weight + 0.5)


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
