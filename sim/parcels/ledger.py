"""The parcel rows of a run: storage that grows, the intake of orders, and what the carriers fetch at the packers' bays."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.kernels.intake import take_in
from sim.kernels.lane import rows_on
from sim.kernels.pickup import pick_up, turn_away
from sim.kernels.rows import ROW, Queues, blank_row, column, empty_queues
from sim.kernels.stock import Stock
from sim.kernels.warehouse import Bays, Warehouses
from sim.parcels.merchants import Merchants
from sim.records import OrderBatch
from sim.units import DAY_S

_SPARE = 1.05  # room over the planned rows before the first growth


class Ledger:
    """All parcel rows in order of creation; `rows` moves in memory when it grows, so never keep it across an event.

    Room is taken for the planned rows at once: pages that no row has touched cost nothing, and nothing is ever copied.

    Parameters
    ----------
    merchants : who sells, and how fast it packs
    stock : what lies in regional warehouses
    weight : parcels that one row stands for
    shoppers : number of shoppers
    planned_rows : about how many rows there will be; more of them cost a growth
    pickups_per_day : of each carrier, parcels that it picks up in a day at most; None: no limit
    bring_orders : port to the site; the paid orders that have not been fetched, up to now
    """

    def __init__(
        self,
        merchants: Merchants,
        stock: Stock,
        *,
        weight: float,
        shoppers: int,
        planned_rows: float,
        pickups_per_day: Sequence[float | None],
        bring_orders: Callable[[], OrderBatch],
    ) -> None:
        self.rows = np.empty(math.ceil(_SPARE * planned_rows), ROW)
        self._blank = blank_row()
        self.created = 0
        self.merchants = merchants
        self.stock = stock
        self._weight = weight
        self._bring_orders = bring_orders
        self._last_parcel = np.empty(shoppers, np.int32)  # read only where it has been written
        lines = merchants.warehouses
        self._free_work_s = np.zeros(lines.pack_s.size)
        self._free_label_s = np.zeros(lines.label_s.size)
        self._day_rows = [None if limit is None else int(rows_on(1, weight, limit)) for limit in pickups_per_day]
        self._day = -1
        self._today = np.zeros(len(pickups_per_day), np.int64)  # rows picked up so far
        self.refused = np.zeros(len(pickups_per_day), np.int64)  # rows, by carrier
        self.switched = np.zeros(len(pickups_per_day), np.int64)  # of these, handed to another
        self.bays = _bays(lines, len(pickups_per_day), limited=any(limit is not None for limit in pickups_per_day))

    @property
    def packed(self) -> Queues:
        """Rows that are at their packers, packed or not."""
        return self.bays.queues

    def take_in(self) -> None:
        """Fetch the orders paid before now, make parcels of them and have their merchants pack them."""
        orders = self._bring_orders()
        if orders.paid_s.size == 0:
            return
        self._make_room(self.created + orders.paid_s.size)
        merchants = self.merchants
        self.created = take_in(
            orders.paid_s,
            orders.shopper,
            orders.number,
            merchants.keys,
            merchants.market,
            merchants.warehouses,
            self.stock,
            self._weight,
            self._blank,
            self.created,
            self._last_parcel,
            self.rows,
            self._free_work_s,
            self._free_label_s,
            self.bays,
        )

    def pick_up(self, now_s: float, carrier: int, vans: Queues) -> int:
        """Put on the vans, a queue a city, what was packed for a carrier before now. Returns the number of rows.

        A carrier with a limit takes no more in a day. It refuses what is left then: a share of it changes the carrier.
        """
        most_rows = self._day_rows[carrier]
        if most_rows is None:
            return int(pick_up(now_s, carrier, self.created, self.rows, self.bays, vans))
        if self._day != now_s // DAY_S:
            self._day = int(now_s // DAY_S)
            self._today[:] = 0
        count = int(pick_up(now_s, carrier, most_rows - self._today[carrier], self.rows, self.bays, vans))
        self._today[carrier] += count
        keys, market = self.merchants.keys, self.merchants.market
        refused, switched = turn_away(now_s, carrier, keys, market, self.rows, self.bays)
        self.refused[carrier] += refused
        self.switched[carrier] += switched
        return count

    def column(self, name: str) -> NDArray[np.generic]:
        """One column of the rows that exist; names as in `sim.kernels.rows.COLUMNS`."""
        return column(self.rows[: self.created], name)

    def _make_room(self, needed: int) -> None:
        size = self.rows.size
        if needed > size:
            self.rows.resize(max(needed, size + size // 8), refcheck=False)


def _bays(lines: Warehouses, carriers: int, *, limited: bool) -> Bays:
    """Empty bays; the block of what was refused is there only when a carrier has a limit."""
    packers, labelling = lines.pack_s.size * carriers, lines.label_s.size * carriers
    refused = packers if limited else 0
    return Bays(empty_queues(refused + labelling + packers), refused, refused + labelling, carriers)
