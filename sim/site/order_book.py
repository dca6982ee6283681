"""The orders of a whole day, known beforehand: kept by part of the shoppers and minute, put in order when they are asked for."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.kernels.browse import Sold, order_values
from sim.kernels.calendar import time_order
from sim.kernels.visits import Behaviour
from sim.records import OrderBatch, no_orders
from sim.units import MINUTE_S


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
        self._latest = (-1, no_orders())  # a minute and its orders

    @property
    def orders(self) -> int:
        """All orders of the day."""
        return int(self._first[-1])

    def before(self, time_s: float) -> int:
        """Number of orders paid before an instant."""
        minute = int(time_s // MINUTE_S)
        if minute + 1 >= self._first.size:
            return self.orders
        return int(self._first[minute]) + int(np.searchsorted(self._minute(minute).paid_s, time_s, side="left"))

    def rows(self, first: int, end: int) -> OrderBatch:
        """The orders with the places `first` to `end` - 1; shopper is uint32 and number uint8."""
        if first >= end:
            return no_orders()
        from_minute = int(np.searchsorted(self._first, first, side="right")) - 1
        until_minute = int(np.searchsorted(self._first, end, side="left"))
        batches = [self._minute(minute) for minute in range(from_minute, until_minute)]
        own = slice(first - int(self._first[from_minute]), end - int(self._first[from_minute]))
        return OrderBatch(*(np.concatenate(column)[own] for column in zip(*batches, strict=True)))

    def _minute(self, minute: int) -> OrderBatch:
        """The orders of a minute in order of time."""
        if self._latest[0] == minute:
            return self._latest[1]
        pieces = [[column[part.first[minute] : part.first[minute + 1]] for column in part.sold] for part in self._parts]
        sold = Sold(*(np.concatenate(column) for column in zip(*pieces, strict=True)))
        n = sold.paid_s.size
        order = np.empty(n, np.int32)
        if n:
            time_order(minute * MINUTE_S, MINUTE_S, n, sold.paid_s, sold.shopper, np.empty(n + 1, np.int32), order)
        sold = Sold(*(column[order] for column in sold))
        value_rmb = np.empty(n)
        order_values(self._value_key, self._behaviour, sold, value_rmb)
        batch = OrderBatch(sold.paid_s, sold.shopper, sold.number, value_rmb)
        self._latest = (minute, batch)
        return batch
