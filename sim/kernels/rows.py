"""Parcel rows and the queues they stand in.

A row stands in at most one queue at a time, so one `next_row` link a row is enough for first-in-first-out lists of any number of
queues: memory grows with the rows, and to append or to join two lists costs the same however long they are.

Rows of a queue lie anywhere in memory, and each takes one line of the cache, which is what a processor loads at once. To wait
for it takes longer than to do what is to be done with the row. So each row also knows one that stands some places behind it,
`later_row`, whose line is asked for in time (jump pointers; C.-K. Luk, T. C. Mowry, 1996, doi:10.1145/237090.237190). It is
a hint: where it is wrong, because queues were joined or split, nothing but time is lost.

A row keeps one exact time, `entered_s`: when it came into its present state. It is the only one that decisions read. What
happened before is history, stamped in whole ticks of 1/1024 s that had passed: four bytes each reach 48 days.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels import inlined, kernel
from sim.kernels.prefetch import prefetch

NOBODY = -1
AHEAD = 8
"""Places from a row to its `later_row`: in the time that they take memory answers."""

TICKS_PER_S = 1024.0
NOT_YET = np.uint32(0xFFFFFFFF)
_LAST_TICK = 4294967294.0  # also stands for all that comes later, which no run lives to see

STAMPS = ("picked_up", "origin_hub", "departed", "destination_hub", "outlet", "out", "end", "exception")
"""What a row has a stamp of, in the field `<name>_tick`; `end` is of the signature or, what is sent back, of the return."""

EXCEPTIONS = ("none", "not at home", "wrong address", "refused", "damaged", "lost")
NOTHING_WRONG, NOT_AT_HOME, WRONG_ADDRESS, REFUSED, DAMAGED, LOST = range(6)
"""What can go wrong with a parcel, the graver the larger; the stamp `exception` is of the gravest."""

LINE_BYTES = 64

ROW = np.dtype(
    [
        ("entered_s", np.float64),  # when it came into its present state: ordered, packed, unloaded, sorted, ..
        ("next_row", np.int32),
        ("later_row", np.int32),
        ("shopper", np.uint32),
        ("weight_kg", np.float32),
        *((f"{name}_tick", np.uint32) for name in STAMPS),
        ("destination", np.int16),  # city
        ("carrier", np.int8),
        ("number", np.uint8),  # the shopper's order that created the parcel
        ("passes", np.uint8),  # through sorters so far
        ("attempts", np.uint8),
        ("exception", np.uint8),  # the gravest that has happened
        ("arrival", np.uint8),  # how its unloading is known, see `sim.kernels.hub`
    ],
    align=True,
)
"""What changes on a parcel's way: a line of the cache, as rows are met in no order."""


class Orders(NamedTuple):
    """What is ordered, by row; only the intake of orders writes it. 14 bytes a row."""

    created_tick: np.ndarray  # uint32[rows]
    packed_tick: np.ndarray  # uint32[rows]
    merchant: np.ndarray  # uint16[rows]
    origin: np.ndarray  # int16[rows], city
    orders: np.ndarray  # uint8[rows]
    items: np.ndarray  # uint8[rows]


def empty_rows(count: int) -> NDArray[np.void]:
    """Room for rows that begin with lines of the cache. ROW[count], not set."""
    room = np.empty((count + 1) * LINE_BYTES, np.uint8)
    first = -room.ctypes.data % LINE_BYTES
    return room[first : first + count * LINE_BYTES].view(ROW)


def empty_orders(count: int) -> Orders:
    """Room for what is ordered, not set."""
    kinds = (np.uint32, np.uint32, np.uint16, np.int16, np.uint8, np.uint8)
    return Orders(*(np.empty(count, kind) for kind in kinds))


def blank_row() -> NDArray[np.void]:
    """One row of which nothing has happened yet: stamps NOT_YET, the rest 0. ROW[1]."""
    blank = np.zeros(1, ROW)
    for name in STAMPS:
        blank[f"{name}_tick"] = NOT_YET
    return blank


_TIMES = frozenset(f"{name}_s" for name in (*STAMPS, "created", "packed"))
_ENDS = ("signed_s", "returned_s", "lost_s")
COLUMNS = frozenset((*(ROW.names or ()), *Orders._fields, *_TIMES, *_ENDS))
"""Names that `column` knows: the fields, and each stamp as a time."""


def column(rows: NDArray[np.void], orders: Orders, name: str) -> NDArray[np.generic]:
    """One column of rows and of what is ordered with them; a stamp as a time [s], NaN where it has not happened yet."""
    if name in _ENDS:
        exception = rows["exception"]
        sent_back = (exception == REFUSED) | (exception == DAMAGED)
        of = {"signed_s": ~sent_back, "returned_s": sent_back, "lost_s": exception == LOST}[name]
        return np.where(of, column(rows, orders, "exception_s" if name == "lost_s" else "end_s"), np.nan)
    field = f"{name.removesuffix('_s')}_tick" if name in _TIMES else name
    values: NDArray[Any] = getattr(orders, field) if field in Orders._fields else rows[field]
    return np.where(values == NOT_YET, np.nan, values / TICKS_PER_S) if name in _TIMES else values


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
    latest: np.ndarray  # int32[queues, AHEAD], rows pushed last, each place in turn
    turn: np.ndarray  # uint8[queues], whose turn is next


class Chain(NamedTuple):
    """Rows on one vehicle: the list from `first` to `last`."""

    first: int
    last: int
    length: int


def empty_queues(count: int) -> Queues:
    """A family of empty queues."""
    return Queues(
        head=np.full(count, NOBODY, np.int32),
        tail=np.full(count, NOBODY, np.int32),
        length=np.zeros(count, np.int64),
        latest=np.full((count, AHEAD), NOBODY, np.int32),
        turn=np.zeros(count, np.uint8),
    )


@inlined
def fetch_later(row, rows):
    """Have the line of a row that stands some places behind this one loaded."""
    prefetch(rows, rows["later_row"][row])


@inlined
def push(queues, queue, row, rows):
    """Append a row to a queue."""
    rows["next_row"][row] = NOBODY
    if queues.length[queue] == 0:
        queues.head[queue] = row
    else:
        rows["next_row"][queues.tail[queue]] = row
    queues.tail[queue] = row
    queues.length[queue] += 1
    turn = queues.turn[queue]
    earlier = queues.latest[queue, turn]
    if earlier != NOBODY:
        rows["later_row"][earlier] = row
    queues.latest[queue, turn] = row
    queues.turn[queue] = (turn + 1) % AHEAD


@inlined
def pop(queues, queue, rows):
    """Take the row at the head of a queue that is not empty."""
    row = queues.head[queue]
    queues.head[queue] = rows["next_row"][row]
    queues.length[queue] -= 1
    return row


@kernel
def append_chain(queues, queue, first, last, count, rows):
    """Append a list of rows, `count` > 0 of them from `first` to `last`, to a queue."""
    if queues.length[queue] == 0:
        queues.head[queue] = first
    else:
        rows["next_row"][queues.tail[queue]] = first
    rows["next_row"][last] = NOBODY
    queues.tail[queue] = last
    queues.length[queue] += count
