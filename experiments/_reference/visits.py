"""Visits in plain SimPy, a process per shopper, to a site whose pages answer at once: the specification of `sim.site.instant`.

The draws are the kernels' own (each a function of seed, stream, shopper and draw number); what happens with them is spelled
out here once more, as slowly and plainly as can be.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import simpy

from sim.demand.arrivals import arrival_curve
from sim.demand.visits import BROWSING, BUYING, behaviour, transitions
from sim.kernels.arrivals import arrival_time
from sim.kernels.random import uniform
from sim.kernels.visits import order_fen, think_time, wants_order
from sim.params.festival import FestivalParams
from sim.params.links import CHANNELS, Channel
from sim.site.shares import visit_keys
from sim.units import HOUR_S

LEAVE = "leave"


class Order(NamedTuple):
    """A paid or a lost order."""

    time_s: float
    shopper: int
    number: int
    value_rmb: float


class View(NamedTuple):
    """A page that was asked for and answered at the same instant."""

    time_s: float
    shopper: int
    step: int
    region: str
    channel: str


class ReferenceVisits:
    """Every shopper of a festival."""

    def __init__(self, params: FestivalParams) -> None:
        self.env = simpy.Environment()
        self.params = params
        self.visit = params.demand.visit
        self.pages = list(self.visit.pages)
        self.keys = visit_keys(params.seed)
        self.behaviour = behaviour(params.demand)
        self.chances = transitions(self.visit)
        self.orders: list[Order] = []
        self.lost: list[Order] = []
        self.views: list[View] = []
        curve = arrival_curve(params.demand)
        for shopper in range(params.shoppers):
            self.env.process(self._shopper(shopper, arrival_time(self.keys.arrival, shopper, curve)))

    def run(self) -> None:
        """Run to the end of the recording."""
        self.env.run(until=self.params.demand.horizon_h * HOUR_S)

    def _shopper(self, shopper: int, arrival_s: float) -> Generator[Any, Any, None]:
        draws, orders = self.behaviour, 0
        wanted = 0
        while wants_order(self.keys.wanted, shopper, wanted, draws.wants_more):
            wanted += 1
        yield self.env.timeout(arrival_s)
        page, step = self.visit.entry, 1
        while page != LEAVE:
            answered = yield from self._page(shopper, page, step)
            if not answered:
                self.lost += [self._order(shopper, number) for number in range(orders, wanted)]
                return
            if page == self.visit.paid:
                self.orders.append(self._order(shopper, orders))
                orders += 1
            mood = BUYING if orders < wanted else BROWSING
            here = self.pages.index(page)
            page = self._next_page(shopper, step, mood, here)
            if page != LEAVE:
                yield self.env.timeout(think_time(self.keys.think, shopper, step, mood, here, draws))
            step += 1

    def _page(self, shopper: int, page: str, step: int) -> Generator[Any, Any, bool]:
        """Ask for a page; whether it was answered in the end."""
        yield from ()
        self.views.append(View(self.env.now, shopper, step, *self._segment(shopper)))
        return True

    def _segment(self, shopper: int) -> tuple[str, Channel]:
        """Region and channel of a shopper."""
        regions = list(self.params.demand.regions)
        cumulative = np.cumsum(list(self.params.demand.regions.values()))
        cumulative[-1] = 1.0
        region = regions[int(np.searchsorted(cumulative, uniform(self.keys.region, shopper, 0)))]
        wireless = uniform(self.keys.channel, shopper, 0) < self.params.demand.wireless_share
        return region, CHANNELS[1 if wireless else 0]

    def _order(self, shopper: int, number: int) -> Order:
        draws = self.behaviour
        value_rmb = order_fen(self.keys.value, shopper, number, draws.value_mu, draws.value_sigma) / 100
        return Order(self.env.now, shopper, number, value_rmb)

    def _next_page(self, shopper: int, step: int, mood: int, here: int) -> str:
        p = uniform(self.keys.next_page, shopper, step)
        cumulative = np.cumsum(self.chances[mood, here])
        return [*self.pages, LEAVE][int(np.searchsorted(cumulative / cumulative[-1], p))]
