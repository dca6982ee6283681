"""A site whose pages answer at once: orders straight from the demand.

demand (curve, behaviour) -> browse (kernels), a part of the shoppers at a time -> OrderBook -> bring_orders, table `orders`
                                      '-> counts by second and minute -> the other tables

Shoppers do not meet here, so no visit depends on the clock: the whole day is worked out when its first instant has passed, and
from then on the clock only tells which orders have been paid.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
import simpy

from sim.kernels import recorders
from sim.kernels.arrivals import Curve
from sim.kernels.browse import Counts, browse, file_orders, no_counts, room_for
from sim.kernels.visits import Behaviour
from sim.records import LargeTable, OrderBatch, Tables
from sim.site import tables
from sim.site.order_book import Filed, OrderBook
from sim.site.shares import visit_keys

_PART = 2**20  # shoppers whose visits a thread follows at a time


class _Day(NamedTuple):
    """What all shoppers do."""

    counts: Counts
    book: OrderBook


class InstantSite:
    """Stands where the site stands when that is switched off.

    Parameters
    ----------
    env : the clock
    curve, behaviour : the demand, see sim.demand
    shoppers : shoppers of this run, ids 0 to shoppers - 1
    horizon_s : how long visits are followed
    regions : where shoppers come from, in the order of `behaviour`
    seed, threads : of the run
    followed : told now and then how many visits are followed to their end
    """

    def __init__(
        self,
        env: simpy.Environment,
        *,
        curve: Curve,
        behaviour: Behaviour,
        shoppers: int,
        horizon_s: float,
        regions: list[str],
        seed: int,
        threads: int = 1,
        followed: Callable[[int], None] | None = None,
    ) -> None:
        self._env = env
        self._curve = curve
        self._behaviour = behaviour
        self._shoppers = shoppers
        self._regions = regions
        self._keys = visit_keys(seed)
        self._threads = threads
        self._followed = followed
        self._brought = 0  # orders that were handed over
        self.horizon_s = horizon_s

    @cached_property
    def _day(self) -> _Day:
        """All visits, followed part by part on threads; sums are of whole numbers, so no result depends on the parts."""
        counts, parts = self._no_counts(), []
        begins = range(0, self._shoppers, _PART)
        with ThreadPoolExecutor(min(self._threads, len(begins))) as pool:
            for own, filed in pool.map(self._follow, begins):
                parts.append(filed)
                for total, more in zip(counts, own, strict=True):
                    total += more
                if self._followed is not None:
                    self._followed(min(len(parts) * _PART, self._shoppers))
        return _Day(counts, OrderBook(parts, self._keys.value, self._behaviour))

    def _follow(self, begin: int) -> tuple[Counts, Filed]:
        """The visits of one part of the shoppers."""
        end = min(begin + _PART, self._shoppers)
        orders_each = float(self._behaviour.wants_more.sum())
        room = 1000 + int(1.5 * orders_each * (end - begin))
        while True:
            counts, sold = self._no_counts(), room_for(room)
            n = browse(begin, end, self.horizon_s, self._keys, self._behaviour, self._curve, counts, sold)
            if n <= sold.paid_s.size:
                break
            room = n
        first, filed = np.zeros(len(counts.pages_seen) + 1, np.int64), room_for(n)
        file_orders(n, sold, first, filed)
        return counts, Filed(first, filed)

    def _no_counts(self) -> Counts:
        return no_counts(self.horizon_s, 2 * len(self._regions))

    def advance(self) -> None:
        """Work the day out when some of it has passed."""
        if self._env.now > 0:
            _ = self._day

    def bring_orders(self) -> OrderBatch:
        """The orders paid before env.now that were not returned before."""
        first, self._brought = self._brought, self._day.book.before(self._env.now)
        return self._day.book.rows(first, self._brought)

    @property
    def requests(self) -> int:
        """Pages asked for before env.now, in whole seconds."""
        return int(self._day.counts.pages[: int(self._env.now)].sum()) if self._env.now > 0 else 0

    @property
    def cut_off(self) -> int:
        """Visits that the horizon ends."""
        return int(self._day.counts.cut_off[0])

    def tables(self) -> Tables:
        """Tables `demand_seconds`, `shopper_minutes` and `orders` of the whole day; `orders` is made when it is asked for."""
        counts, book = self._day
        recorded, names = self._recorded(counts), tables.Names([], [], self._regions)
        channel_key, wireless_share = self._keys.channel, self._behaviour.wireless_share

        def orders(first: int, end: int) -> pd.DataFrame:
            return tables.orders(book.rows(first, end), channel_key, wireless_share)

        ready = {
            "demand_seconds": tables.demand_seconds(recorded),
            "shopper_minutes": tables.shopper_minutes(recorded, names),
        }
        return Tables(ready, {"orders": LargeTable(book.orders, orders)})

    def _recorded(self, counts: Counts) -> recorders.Record:
        """The counts as a site's recorders have them: every page is answered."""
        record = recorders.empty_record(
            horizon_s=self.horizon_s, pages=0, stations=0, segments=2 * len(self._regions), links=0, orders=0, trace=0
        )
        record.demand[:, recorders.VISITORS] = counts.visitors
        record.demand[:, recorders.REQUESTS] = counts.pages
        record.demand[:, recorders.PAGES_SERVED] = counts.pages
        record.demand[:, recorders.ORDERS] = counts.orders
        record.money_fen[:, 0] = counts.paid_fen
        record.seen[:, :, recorders.ASKED] = counts.pages_seen
        record.seen[:, :, recorders.ANSWERED] = counts.pages_seen
        record.seen[:, :, recorders.BOUGHT] = counts.orders_seen
        return record
