"""The site in plain SimPy, a process per shopper: the specification that the kernels have to match bit for bit.

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
from sim.kernels.cell import service_time
from sim.kernels.random import uniform
from sim.kernels.visits import Client, backoff_time, order_value, think_time, wanted_orders
from sim.params.festival import FestivalParams
from sim.site.graph import service_graph, service_times, topological_order
from sim.site.site import cells_at_scale, slots_of_cells, visit_keys
from sim.units import HOUR_S
from tests.reference.station import REJECTED, SERVED, TIMED_OUT, Slots

LEAVE = "leave"


class Call(NamedTuple):
    """One request at one service."""

    shopper: int
    step: int
    attempt: int
    service: int
    arrival_s: float
    start_s: float
    end_s: float
    outcome: int


class Order(NamedTuple):
    """A paid or a lost order."""

    time_s: float
    shopper: int
    number: int
    value_rmb: float


class Service:
    """Slots of one service in one cell."""

    def __init__(self, env: simpy.Environment, slots: int, queue: int, timeout_s: float) -> None:
        self.slots = Slots(env, slots)
        self.queue = queue
        self.timeout_s = timeout_s


class ReferenceSite:
    """Every shopper of a festival's site."""

    def __init__(self, params: FestivalParams) -> None:
        assert params.site is not None
        self.env = simpy.Environment()
        self.params = params
        self.site = params.site
        self.cells = cells_at_scale(self.site, params.scale)
        self.visit = params.demand.visit
        self.pages = list(self.visit.pages)
        self.names = topological_order(service_graph(self.site))
        self.keys = visit_keys(params.seed)
        self.behaviour = behaviour(params.demand)
        self.client = Client(**self.site.client.model_dump())
        self.times = service_times(self.site, self.names)
        self.chances = transitions(self.visit)
        self.services = [self._cells_of(name) for name in self.names]
        self.calls: list[Call] = []
        self.orders: list[Order] = []
        self.lost: list[Order] = []
        curve = arrival_curve(params.demand)
        for shopper in range(params.shoppers):
            self.env.process(self._shopper(shopper, arrival_time(self.keys.arrival, shopper, curve)))
        for change in self.site.changes:
            self.env.process(self._change(change))

    def run(self) -> None:
        """Run to the end of the recording."""
        self.env.run(until=self.params.demand.horizon_h * HOUR_S)

    def _cells_of(self, name: str) -> list[Service]:
        service, scale, cells = self.site.services[name], self.params.scale, self.cells
        slots = slots_of_cells(service.slots * scale, cells)
        queue = slots_of_cells(service.queue * scale, cells)
        return [
            Service(self.env, int(n), int(places), service.timeout_s) for n, places in zip(slots, queue, strict=True)
        ]

    def _change(self, change: Any) -> Generator[Any, Any, None]:
        yield self.env.timeout(change.at_s)
        slots = change.machines * self.site.services[change.service].slots_per_machine * self.params.scale
        cells = self.services[self.names.index(change.service)]
        for service, n in zip(cells, slots_of_cells(slots, self.cells), strict=True):
            service.slots.resize(int(n))

    def _shopper(self, shopper: int, arrival_s: float) -> Generator[Any, Any, None]:
        draws, orders = self.behaviour, 0
        wanted = wanted_orders(self.keys.wanted, shopper, draws.buyer_share, draws.another_order)
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

    def _order(self, shopper: int, number: int) -> Order:
        draws = self.behaviour
        value_rmb = order_value(self.keys.value, shopper, number, draws.value_mu, draws.value_sigma)
        return Order(self.env.now, shopper, number, value_rmb)

    def _next_page(self, shopper: int, step: int, mood: int, here: int) -> str:
        p = uniform(self.keys.next_page, shopper, step)
        cumulative = np.cumsum(self.chances[mood, here])
        return [*self.pages, LEAVE][int(np.searchsorted(cumulative / cumulative[-1], p))]

    def _page(self, shopper: int, page: str, step: int) -> Generator[Any, Any, bool]:
        """Ask for a page until it is answered or the last try has failed."""
        for attempt in range(self.client.retries + 1):
            if attempt > 0:
                yield self.env.timeout(backoff_time(self.keys.backoff, shopper, step, attempt - 1, self.client))
            answered = True
            for name in self._route(shopper, page):
                answered = yield from self._call(shopper, step, attempt, self.names.index(name))
                if not answered:
                    break
            if answered:
                return True
        return False

    def _route(self, shopper: int, page: str) -> tuple[str, ...]:
        p, total = uniform(self.keys.route, shopper, self.pages.index(page)), 0.0
        for route in self.site.pages[page]:
            total += route.share
            if p <= total:
                return route.services
        return self.site.pages[page][-1].services

    def _call(self, shopper: int, step: int, attempt: int, row: int) -> Generator[Any, Any, bool]:
        """One request at one service: wait, be served, be refused or give up."""
        service, arrival_s = self.services[row][shopper % self.cells], self.env.now
        slots = service.slots

        def note(start_s: float, outcome: int) -> bool:
            self.calls.append(Call(shopper, step, attempt, row, arrival_s, start_s, self.env.now, outcome))
            return outcome == SERVED

        if slots.count >= slots.capacity and len(slots.queue) >= service.queue:
            return note(float("nan"), REJECTED)
        with slots.request() as slot:
            yield slot | self.env.timeout(service.timeout_s)
            if not slot.triggered:
                return note(float("nan"), TIMED_OUT)
            start_s = self.env.now
            yield self.env.timeout(service_time(self.keys.service, shopper, step, attempt, row, self.times))
            return note(start_s, SERVED)
