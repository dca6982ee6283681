"""The parcel rows of a run: storage that grows, the intake of orders, and what the carriers fetch at the packers' bays."""

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.kernels.intake import Drawn, draw_orders, no_draws, take_in
from sim.kernels.lane import rows_on
from sim.kernels.latest import no_latest, with_room_for
from sim.kernels.pickup import pick_up, turn_away
from sim.kernels.rows import Orders, Queues, blank_row, column, empty_orders, empty_queues, empty_rows
from sim.kernels.stock import Stock
from sim.kernels.warehouse import Bays, Warehouses
from sim.parcels.merchants import Merchants
from sim.records import OrderBatch, no_orders
from sim.units import DAY_S

_SPARE = 1.05  # room over the planned rows before the first growth
_LEAST_ROOM = 4096  # rows; with less there is a growth
_PIECE = 2**17  # orders that are taken in while it is drawn about the next ones
_ROWS_A_PLACE = 2.0  # in the table of the shoppers' latest parcels


class Ledger:
    """All parcel rows in order of creation; `rows` and `orders` move in memory when they grow: never keep them across an event.

    Room is taken for the planned rows at once: pages that no row has touched cost nothing, and nothing is ever copied.

    Parameters
    ----------
    merchants : who sells, and how fast it packs
    stock : what lies in regional warehouses
    weight : parcels that one row stands for
    planned_rows : about how many rows there will be; more of them cost a growth
    pickups_per_day : of each carrier, parcels that it picks up in a day at most; None: no limit
    bring_orders : port to the site; the paid orders that have not been fetched, up to now
    threads : with more than one, draws about orders are made ahead of their intake; no result depends on it
    """

    def __init__(
        self,
        merchants: Merchants,
        stock: Stock,
        *,
        weight: float,
        planned_rows: float,
        pickups_per_day: Sequence[float | None],
        bring_orders: Callable[[], OrderBatch],
        threads: int = 1,
    ) -> None:
        self.rows = empty_rows(math.ceil(_SPARE * planned_rows))
        self.orders = empty_orders(self.rows.size)
        self._blank = blank_row()
        self.created = 0
        self.merchants = merchants
        self.stock = stock
        self._packer_city = np.r_[merchants.market.merchant_city, stock.place_city]
        self._weight = weight
        self._bring_orders = bring_orders
        self._ahead = ThreadPoolExecutor(1) if threads > 1 else None
        self._latest = no_latest(math.ceil(planned_rows / _ROWS_A_PLACE))
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
    def free_work_s(self) -> NDArray[np.float64]:
        """When each packer's line is free, in work time: float64[packers]."""
        return self._free_work_s

    @property
    def packed(self) -> Queues:
        """Rows that are at their packers, packed or not."""
        return self.bays.queues

    def take_in(self) -> None:
        """Fetch the orders paid before now, make parcels of them and have their merchants pack them."""
        orders = self._bring_orders()
        first, end = 0, orders.paid_s.size
        while first < end:  # as many at a time as make parcels for which there is room, whatever they are
            if self.rows.size - self.created < min(end - first, _LEAST_ROOM):
                self._grow()
            until = min(end, first + self.rows.size - self.created)
            for piece, drawn in self._drawn(_part(orders, first, until)):
                self._take_in(piece, drawn)
            first = until

    def _drawn(self, orders: OrderBatch) -> Iterator[tuple[OrderBatch, Drawn]]:
        """Orders in pieces and what is drawn about them; it is drawn about a piece while the one before is taken in."""
        pieces = [_part(orders, begin, begin + _PIECE) for begin in range(0, orders.paid_s.size, _PIECE)]
        if self._ahead is None or len(pieces) == 1:
            yield from zip(pieces, map(self._draw, pieces), strict=True)
            return
        coming = self._ahead.submit(self._draw, pieces[0])
        for number, piece in enumerate(pieces, 1):
            drawn = coming.result()
            if number < len(pieces):
                coming = self._ahead.submit(self._draw, pieces[number])
            yield piece, drawn

    def _draw(self, orders: OrderBatch) -> Drawn:
        drawn = no_draws(orders.paid_s.size)
        draw_orders(orders.shopper, orders.number, self.merchants.keys, self.merchants.market, drawn)
        return drawn

    def _take_in(self, orders: OrderBatch, drawn: Drawn) -> None:
        merchants, self._latest = self.merchants, with_room_for(self._latest, orders.paid_s.size)
        self.created = take_in(
            orders.paid_s,
            orders.shopper,
            orders.number,
            drawn,
            merchants.keys.prepacked,
            merchants.market,
            merchants.warehouses,
            self.stock,
            self._weight,
            self._blank,
            self.created,
            self._latest,
            self.rows,
            self.orders,
            self._free_work_s,
            self._free_label_s,
            self.bays,
        )

    def close(self) -> None:
        """Take in no more orders from now on, and give back the memory that only this needs."""
        self._bring_orders = no_orders
        self._latest = no_latest(0)

    def pick_up(self, now_s: float, carrier: int, vans: Queues) -> int:
        """Put on the vans, a queue a city, what was packed for a carrier before now. Returns the number of rows.

        A carrier with a limit takes no more in a day. It refuses what is left then: a share of it changes the carrier.
        """
        most_rows = self._day_rows[carrier]
        if most_rows is None:
            return int(pick_up(now_s, carrier, self.created, self._packer_city, self.rows, self.bays, vans))
        if self._day != now_s // DAY_S:
            self._day = int(now_s // DAY_S)
            self._today[:] = 0
        most_rows -= int(self._today[carrier])
        count = int(pick_up(now_s, carrier, most_rows, self._packer_city, self.rows, self.bays, vans))
        self._today[carrier] += count
        keys, market = self.merchants.keys, self.merchants.market
        refused, switched = turn_away(now_s, carrier, keys, market, self.rows, self.bays)
        self.refused[carrier] += refused
        self.switched[carrier] += switched
        return count

    @property
    def is_limited(self) -> bool:
        """Whether some carrier picks up no more than so much in a day, so that what one does changes what another finds."""
        return any(rows is not None for rows in self._day_rows)

    def piece(self, first: int, end: int) -> tuple[NDArray[np.void], Orders]:
        """Rows `first` to before `end`, and what is ordered with them."""
        return self.rows[first:end], Orders(*(values[first:end] for values in self.orders))

    def column(self, name: str) -> NDArray[np.generic]:
        """One column of the rows that exist; names as in `sim.kernels.rows.COLUMNS`."""
        return column(*self.piece(0, self.created), name)

    def _grow(self) -> None:
        size = max(self.rows.size + self.rows.size // 8, self.created + _LEAST_ROOM)
        self.rows = _longer(self.rows, empty_rows(size))
        self.orders = Orders(*map(_longer, self.orders, empty_orders(size)))


def _part(orders: OrderBatch, first: int, end: int) -> OrderBatch:
    """Some of the orders, with ids and numbers in the types that the kernels are compiled for."""
    paid_s, shopper, number, value_rmb = (column[first:end] for column in orders)
    return OrderBatch(paid_s, shopper.astype(np.uint32, copy=False), number.astype(np.uint8, copy=False), value_rmb)


def _longer(values: NDArray[Any], room: NDArray[Any]) -> NDArray[Any]:
    room[: values.size] = values
    return room


def _bays(lines: Warehouses, carriers: int, *, limited: bool) -> Bays:
    """Empty bays; the block of what was refused is there only when a carrier has a limit."""
    refused = lines.pack_s.size if limited else 0
    packed = refused + lines.label_s.size
    each = packed + lines.pack_s.size
    return Bays(empty_queues(each * carriers), each, refused, packed)
