"""The parcel rows of a run: storage that grows, and the intake of orders."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sim.kernels.orders import make_parcels
from sim.kernels.rows import ROW, Queues, blank_row, empty_queues
from sim.kernels.warehouse import pack
from sim.parcels.merchants import Merchants
from sim.records import OrderBatch

_FIRST_ROWS = 1024


class Ledger:
    """All parcel rows in order of creation; `rows` is replaced when it grows, so never keep it across an event.

    Parameters
    ----------
    merchants : who sells, and how fast it packs
    carriers : number of carriers
    weight : parcels that one row stands for
    shoppers : number of shoppers
    bring_orders : port to the site; the paid orders that have not been fetched, up to now
    """

    def __init__(
        self,
        merchants: Merchants,
        *,
        carriers: int,
        weight: float,
        shoppers: int,
        bring_orders: Callable[[], OrderBatch],
    ) -> None:
        self.rows = np.empty(_FIRST_ROWS, ROW)
        self._blank = blank_row()
        self.created = 0
        self.packed: Queues = empty_queues(merchants.parcel_s.size * carriers)
        self._merchants = merchants
        self._carriers = carriers
        self._weight = weight
        self._bring_orders = bring_orders
        self._last_parcel = np.full(shoppers, -1, np.int32)
        self._free_work_s = np.zeros(merchants.parcel_s.size)

    def take_in(self) -> None:
        """Fetch the orders paid before now, make parcels of them and have their merchants pack them."""
        orders = self._bring_orders()
        if orders.paid_s.size == 0:
            return
        self._make_room(self.created + orders.paid_s.size)
        merchants, first = self._merchants, self.created
        self.created = make_parcels(
            orders.paid_s,
            orders.shopper,
            orders.number,
            merchants.keys,
            merchants.market,
            self._blank,
            first,
            self._last_parcel,
            self.rows,
        )
        pack(
            first,
            self.created,
            self._weight,
            merchants.shift_start_s,
            merchants.shift_end_s,
            merchants.parcel_s,
            self._carriers,
            self.rows,
            self._free_work_s,
            self.packed,
        )

    def column(self, name: str) -> NDArray[np.generic]:
        """One column of the rows that exist."""
        values: NDArray[np.generic] = self.rows[name][: self.created]
        return values

    def _make_room(self, needed: int) -> None:
        size = self.rows.size
        if needed > size:
            grown = np.empty(max(needed, size + size // 2), ROW)
            grown[: self.created] = self.rows[: self.created]
            self.rows = grown
