"""The site in plain SimPy, a process per shopper: the specification that the kernels have to match bit for bit.

The draws are the kernels' own (each a function of seed, stream, shopper and draw number); what happens with them is spelled
out here once more, as slowly and plainly as can be.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

import numpy as np
import simpy

from experiments._reference.station import REJECTED, SERVED, TIMED_OUT, Slots
from sim.demand.arrivals import arrival_curve
from sim.demand.visits import BROWSING, BUYING, behaviour, transitions
from sim.kernels.arrivals import arrival_time
from sim.kernels.cell import call_number, service_time
from sim.kernels.protection import take_token
from sim.kernels.random import bits, uniform
from sim.kernels.visits import order_value, retry_delay, think_time, wanted_orders
from sim.params.festival import FestivalParams
from sim.params.site import ServiceParams
from sim.site.graph import service_graph, service_times, topological_order
from sim.site.site import cells_at_scale, client_of_cell, slots_of_cells, visit_keys
from sim.units import HOUR_S

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
    """One service in one cell: its lanes, and the token bucket in front of them."""

    def __init__(self, env: simpy.Environment, params: ServiceParams, machines: int, slots: int, places: int) -> None:
        self.env = env
        self.dispatch = params.dispatch
        self.timeout_s = params.timeout_s
        self.central = params.dispatch == "central"
        self.lanes = [Slots(env, slots)] if self.central else [self._machine(params) for _ in range(machines)]
        self.slots_per_machine = params.slots_per_machine
        self.open = len(self.lanes)
        self.places = places if self.central else max(places // machines, int(params.queue > 0))
        self.turn = 0
        self.limit = params.rate_limit
        self.rate_per_s = self.burst = 0.0
        self.bucket = np.zeros(2)

    def _machine(self, params: ServiceParams) -> Slots:
        return Slots(self.env, params.slots_per_machine)

    def resize(self, machines: int, slots: int) -> None:
        """Have this many slots, or under any dispatch but central this many machines."""
        if self.central:
            self.lanes[0].resize(slots)
            return
        while len(self.lanes) < machines:
            self.lanes.append(Slots(self.env, self.slots_per_machine))
        self.open = machines

    def limited(self) -> bool:
        """Whether the token bucket is empty; takes a token when it is not."""
        if self.limit is None:
            return False
        rule = (self.rate_per_s, self.burst, 0.0, self.limit.warm_up_s, self.limit.cold_share)
        return not take_token(self.bucket, self.env.now, *rule)

    def lane_for(self, choice: int) -> Slots:
        """The lane that an arrival is sent to; choice: 64 random bits."""
        if self.open == 1:
            return self.lanes[0]
        lanes = self.lanes[: self.open]
        if self.dispatch == "round_robin":
            self.turn += 1
            return lanes[(self.turn - 1) % len(lanes)]
        if self.dispatch == "least_connections":
            return min(lanes, key=_load)
        one = (choice >> 32) * len(lanes) >> 32
        if self.dispatch == "random":
            return lanes[one]
        other = (choice & 0xFFFFFFFF) * (len(lanes) - 1) >> 32
        other += other >= one
        return min(lanes[one], lanes[other], key=_load)


def _load(lane: Slots) -> int:
    return int(lane.count) + len(lane.queue)


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
        self.client = client_of_cell(self.site, params.scale, self.cells)
        self.tokens = [self.client.budget] * self.cells
        self.times = service_times(self.site, self.names)
        self.chances = transitions(self.visit)
        self.services = [self._cells_of(name) for name in self.names]
        self.calls: list[Call] = []
        self.orders: list[Order] = []
        self.lost: list[Order] = []
        self.failed: list[int] = []  # outcomes of page requests that failed
        curve = arrival_curve(params.demand)
        for shopper in range(params.shoppers):
            self.env.process(self._shopper(shopper, arrival_time(self.keys.arrival, shopper, curve)))
        for change in self.site.changes:
            self.env.process(self._change(change))

    def run(self) -> None:
        """Run to the end of the recording."""
        self.env.run(until=self.params.demand.horizon_h * HOUR_S)

    def _cells_of(self, name: str) -> list[Service]:
        params, scale, cells = self.site.services[name], self.params.scale, self.cells
        machines, slots, places = (
            slots_of_cells(n * scale, cells).tolist() for n in (params.machines, params.slots, params.queue)
        )
        services = [Service(self.env, params, *share) for share in zip(machines, slots, places, strict=True)]
        if params.rate_limit is not None:
            for service in services:
                service.rate_per_s = params.rate_limit.rate_per_s * scale / cells
                service.burst = service.bucket[0] = max(1.0, params.rate_limit.burst * scale / cells)
        return services

    def _change(self, change: Any) -> Generator[Any, Any, None]:
        yield self.env.timeout(change.at_s)
        per_machine = self.site.services[change.service].slots_per_machine
        machines = slots_of_cells(change.machines * self.params.scale, self.cells).tolist()
        slots = slots_of_cells(change.machines * per_machine * self.params.scale, self.cells).tolist()
        for service, share in zip(self._of(change.service), zip(machines, slots, strict=True), strict=True):
            service.resize(*share)

    def _of(self, name: str) -> list[Service]:
        return self.services[self.names.index(name)]

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
        client, cell = self.client, shopper % self.cells
        attempt = 0
        while True:
            work = self.env.process(self._serve(shopper, page, step, attempt))
            if client.timeout_s < float("inf"):
                yield work | self.env.timeout(client.timeout_s)
            else:
                yield work
            if work.triggered and work.value == SERVED:
                self.tokens[cell] = min(client.budget, self.tokens[cell] + client.budget_gain)
                return True
            self.failed.append(work.value if work.triggered else TIMED_OUT)
            if attempt == client.retries or self.tokens[cell] < 1:
                return False
            self.tokens[cell] -= 1
            yield self.env.timeout(retry_delay(self.keys.backoff, shopper, step, attempt, client))
            attempt += 1

    def _serve(self, shopper: int, page: str, step: int, attempt: int) -> Generator[Any, Any, int]:
        """The site's work for one request, done whether or not the browser still waits for it."""
        for name in self._route(shopper, page):
            outcome = yield from self._call(shopper, step, attempt, self.names.index(name))
            if outcome != SERVED:
                return int(outcome)
        return SERVED

    def _route(self, shopper: int, page: str) -> tuple[str, ...]:
        p, total = uniform(self.keys.route, shopper, self.pages.index(page)), 0.0
        for route in self.site.pages[page]:
            total += route.share
            if p <= total:
                return route.services
        return self.site.pages[page][-1].services

    def _call(self, shopper: int, step: int, attempt: int, row: int) -> Generator[Any, Any, int]:
        """One request at one service: wait, be served, be refused or give up."""
        service, arrival_s = self.services[row][shopper % self.cells], self.env.now

        def note(start_s: float, outcome: int) -> int:
            self.calls.append(Call(shopper, step, attempt, row, arrival_s, start_s, self.env.now, outcome))
            return outcome

        if service.limited():
            return note(float("nan"), REJECTED)
        lane = service.lane_for(int(bits(self.keys.dispatch, shopper, call_number(step, attempt, row))))
        if lane.count >= lane.capacity and len(lane.queue) >= service.places:
            return note(float("nan"), REJECTED)
        with lane.request() as slot:
            yield slot | self.env.timeout(service.timeout_s)
            if not slot.triggered:
                return note(float("nan"), TIMED_OUT)
            start_s = self.env.now
            yield self.env.timeout(service_time(self.keys.service, shopper, step, attempt, row, self.times))
            return note(start_s, SERVED)
