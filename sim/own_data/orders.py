"""Own orders, played back in place of the site's."""

from typing import TYPE_CHECKING

import numpy as np
import simpy

from sim.own_data.read import Field, Table
from sim.params import ParameterError
from sim.params.data import DataParams
from sim.records import OrderBatch, table

if TYPE_CHECKING:
    import pandas as pd

ORDER_FIELDS = (Field("paid", "instant"), Field("shopper", "text"), Field("value_rmb", "number", ">= 0"))
MOST_ORDERS = 256  # of a shopper: they are numbered in 8 bits


def read_orders(data: DataParams, end_s: float) -> OrderBatch:
    """The orders of `data.orders`, in order of payment; shoppers are numbered in the order of their first payment.

    Raises
    ------
    ParameterError
        With a message for each problem of the file, with row and column.
    """
    import pandas as pd

    assert data.orders is not None
    rows = Table("data.orders", data.orders, ORDER_FIELDS, data.day_zero)
    paid_s = rows["paid"]
    early, late = paid_s < 0, paid_s >= end_s
    rows.tell_all(early, "paid", lambda _: f"must not be before data.day_zero {data.day_zero}")
    rows.tell_all(
        late, "paid", lambda _: f"must be before the run's end, {end_s / 86400.0:g} days after {data.day_zero}"
    )
    if not rows.rows:
        rows.problems.append(f"{rows.file} must have at least one row")
    shopper, _ = pd.factorize(rows["shopper"])
    order = np.lexsort((shopper, paid_s))
    shopper = pd.factorize(shopper[order])[0].astype(np.int64)
    number = pd.Series(shopper).groupby(shopper).cumcount().to_numpy().astype(np.int64)
    too_many = np.zeros(rows.rows, bool)
    too_many[order] = number >= MOST_ORDERS
    rows.tell_all(too_many, "shopper", lambda row: f"{rows['shopper'][row]} must have at most {MOST_ORDERS} orders")
    if rows.problems:
        raise ParameterError(rows.problems)
    paid_s = paid_s[order]
    ties = np.lexsort((number, shopper, paid_s))
    return OrderBatch(paid_s[ties], shopper[ties], number[ties], rows["value_rmb"][order][ties])


class Replay:
    """Stands where the site stands: hands over orders that are known beforehand when they have been paid."""

    requests = 0

    def __init__(self, env: simpy.Environment, batch: OrderBatch) -> None:
        self._env = env
        self._batch = batch
        self._next = 0
        self.horizon_s = float(batch.paid_s[-1]) if batch.paid_s.size else 0.0

    @property
    def shoppers(self) -> int:
        """Different shoppers."""
        return int(self._batch.shopper.max()) + 1

    @property
    def orders(self) -> int:
        """All orders, paid or still to come."""
        return int(self._batch.paid_s.size)

    def advance(self) -> None:
        """Nothing: what has happened is in the file."""

    def bring_orders(self) -> OrderBatch:
        """Orders paid before now that have not been fetched yet."""
        first, self._next = self._next, int(np.searchsorted(self._batch.paid_s, self._env.now, side="left"))
        return OrderBatch(*(column[first : self._next] for column in self._batch))

    def tables(self) -> "dict[str, pd.DataFrame]":
        """The table `orders`."""
        columns: dict[str, object] = dict(self._batch._asdict())
        columns["channel"] = np.full(self.orders, "own data", dtype=object)
        return {"orders": table("orders", columns)}
