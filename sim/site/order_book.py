"""The orders of a whole day, known beforehand: kept by part of the shoppers and minute, put in order when they are asked for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sim.kernels.browse import Sold, order_values
from sim.kernels.calendar import time_order
from sim.kernels.visits import Behaviour
from sim.records import OrderBatch, no_orders
from sim.units import MINUTE_S

_SPAN = 2**16  # orders


class Filed(NamedTuple):
    """Orders of a part of the shoppers, those of minute m from first[m] to before first[m + 1]."""

    first: np.ndarray  # int64[M + 1]
    sold: Sold


class OrderBook:
    """Orders by their place in the order of (paid_s, shopper). Thirteen bytes an order; values are drawn when they are asked for.

    Parameters
    ----------
    parts : each with other shoppers, in order of their ids
    value_key : of the stream of order values
    behaviour : of the shoppers
    """

    def __init__(self, parts: Sequence[Filed], value_key: np.uint64, behaviour: Behaviour) -> None:
        self._parts = parts
        self._value_key = value_key
        self._behaviour = behaviour
        self._first: np.ndarray = np.sum([part.first for part in parts], axis=0)
        self._latest = ((0, 0), no_orders())  # minutes and their orders

    @property
    def orders(self) -> int:
        """All orders of the day."""
        return int(self._first[-1])

    def before(self, time_s: float) -> int:
        """Number of orders paid before an instant."""
        minute = int(time_s // MINUTE_S)
        if minute + 1 >= self._first.size:
            return self.orders
        before = int(self._first[minute])
        if time_s > minute * MINUTE_S:
            before += int(np.searchsorted(self._in_order(minute, minute + 1).paid_s, time_s, side="left"))
        return before

    def rows(self, first: int, end: int) -> OrderBatch:
        """The orders with the places `first` to `end` - 1; shopper is uint32 and number uint8."""
        if first >= end:
            return no_orders()
        from_minute = int(np.searchsorted(self._first, first, side="right")) - 1
        until_minute = int(np.searchsorted(self._first, end, side="left"))
        batches = [self._in_order(*minutes) for minutes in self._spans(from_minute, until_minute)]
        own = slice(first - int(self._first[from_minute]), end - int(self._first[from_minute]))
        return OrderBatch(*(np.concatenate(column)[own] for column in zip(*batches, strict=True)))

    def _spans(self, from_minute: int, until_minute: int) -> Iterator[tuple[int, int]]:
        """The same minutes in spans of as few orders as are put in order quickly, or of one minute."""
        begin = from_minute
        while begin < until_minute:
            full = int(np.searchsorted(self._first, self._first[begin] + _SPAN, side="right")) - 1
            end = min(max(full, begin + 1), until_minute)
            yield begin, end
            begin = end

    def _in_order(self, begin: int, end: int) -> OrderBatch:
        """The orders of the minutes `begin` to before `end` in order of time."""
        if self._latest[0] == (begin, end):
            return self._latest[1]
        pieces = [[column[part.first[begin] : part.first[end]] for column in part.sold] for part in self._parts]
        sold = Sold(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
        n = sold.paid_s.size
        order = np.empty(n, np.int32)
        if n:
            begin_s, width_s = begin * MINUTE_S, (end - begin) * MINUTE_S
            time_order(begin_s, width_s, n, sold.paid_s, sold.shopper, np.empty(n + 1, np.int32), order)
        sold = Sold(*(column[order] for column in sold))
        value_rmb = np.empty(n)
        order_values(self._value_key, self._behaviour, sold, value_rmb)
        batch = OrderBatch(sold.paid_s, sold.shopper, sold.number, value_rmb)
        self._latest = ((begin, end), batch)
        return batch
