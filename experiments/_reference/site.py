"""The site in plain SimPy, a process per shopper: the specification that the kernels have to match bit for bit.

The shoppers are those of `visits.py`; here their pages are worked for by services.
"""

from collections.abc import Generator
from typing import Any, NamedTuple

import simpy

from experiments._reference.protection import WHOLE
from experiments._reference.services import Link, Service
from experiments._reference.station import REJECTED, SERVED, TIMED_OUT, Slots
from experiments._reference.visits import ReferenceVisits
from sim.kernels.calls import call_number, service_time
from sim.kernels.random import bits, uniform
from sim.kernels.visits import retry_delay
from sim.params.festival import FestivalParams
from sim.params.links import CHANNELS
from sim.site.graph import room_of, service_graph, service_times, stations_of, topological_order
from sim.site.shares import cells_at_scale, client_of_cell, link_bit_per_s, slots_of_cells


class Call(NamedTuple):
    """One request at one service, or an answer on its way through an access link, which comes after all services."""

    shopper: int
    step: int
    attempt: int
    service: int
    arrival_s: float
    start_s: float
    end_s: float
    outcome: int


class Browser:
    """What a shopper's browser knows of one request. Its clock stands still while it shows a place in line."""

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.sent_s: float | None = env.now
        self.changed = env.event()

    def show_place_in_line(self) -> None:
        """The request waits to be let in."""
        self._restart(None)

    def wait_again(self) -> None:
        """The request has been let in."""
        self._restart(self.env.now)

    def _restart(self, sent_s: float | None) -> None:
        self.sent_s = sent_s
        changed, self.changed = self.changed, self.env.event()
        changed.succeed()


class ReferenceSite(ReferenceVisits):
    """Every shopper of a festival's site."""

    def __init__(self, params: FestivalParams) -> None:
        assert params.site is not None
        super().__init__(params)
        self.site = params.site
        self.cells = cells_at_scale(self.site, params.scale)
        self.names = topological_order(service_graph(self.site))
        self.client = client_of_cell(self.site, params.scale, self.cells)
        self.tokens = [self.client.budget] * self.cells
        self.times = service_times(self.site, self.names, share=params.scale / self.cells)
        self.services = [self._cells_of(name) for name in self.names]
        self.links = [self._links() for _ in range(self.cells)]
        self.calls: list[Call] = []
        self.failed: list[int] = []  # outcomes of page requests that failed
        for change in self.site.changes:
            self.env.process(self._change(change))

    def _cells_of(self, name: str) -> list[Any]:
        """A service, or a waiting room, in every cell."""
        scale, cells = self.params.scale, self.cells
        served = room_of(self.site, name)
        if served is not None:
            room = self.site.services[served].waiting_room
            assert room is not None
            return [Room(self.env, places) for places in slots_of_cells(room.places * scale, cells).tolist()]
        params = self.site.services[name]
        machines, slots, places = (
            slots_of_cells(n * scale, cells).tolist() for n in (params.machines, params.slots, params.queue)
        )
        return [Service(self.env, params, *own, scale / cells) for own in zip(machines, slots, places, strict=True)]

    def _links(self) -> dict[tuple[str, str], Link]:
        """The access links of one cell."""
        links = self.site.links
        if links is None:
            return {}
        share = self.params.scale / self.cells
        return {
            (region, channel): Link(
                self.env, link_bit_per_s(links, region, channel, share), 1e6 * links.line_mbit_per_s[channel]
            )
            for region in self.params.demand.regions
            for channel in CHANNELS
        }

    def _change(self, change: Any) -> Generator[Any, Any, None]:
        yield self.env.timeout(change.at_s)
        per_machine = self.site.services[change.service].slots_per_machine
        machines = slots_of_cells(change.machines * self.params.scale, self.cells).tolist()
        slots = slots_of_cells(change.machines * per_machine * self.params.scale, self.cells).tolist()
        for service, share in zip(self._of(change.service), zip(machines, slots, strict=True), strict=True):
            service.resize(*share)

    def _of(self, name: str) -> list[Service]:
        return self.services[self.names.index(name)]

    def _page(self, shopper: int, page: str, step: int) -> Generator[Any, Any, bool]:
        """Ask for a page until it is answered or the last try has failed."""
        client, cell = self.client, shopper % self.cells
        attempt = 0
        while True:
            browser = Browser(self.env)
            work = self.env.process(self._serve(browser, shopper, page, step, attempt))
            yield from self._wait(browser, work)
            if work.triggered and work.value == SERVED:
                self.tokens[cell] = min(client.budget, self.tokens[cell] + client.budget_gain)
                return True
            self.failed.append(work.value if work.triggered else TIMED_OUT)
            if attempt == client.retries or self.tokens[cell] < WHOLE:
                return False
            self.tokens[cell] = max(0.0, self.tokens[cell] - 1)
            yield self.env.timeout(retry_delay(self.keys.backoff, shopper, step, attempt, client))
            attempt += 1

    def _wait(self, browser: Browser, work: simpy.Process) -> Generator[Any, Any, None]:
        """Wait for the answer, but no longer than the browser does."""
        while not work.triggered:
            changed = browser.changed
            if browser.sent_s is None or self.client.timeout_s == float("inf"):
                yield work | changed
            else:
                yield work | changed | self.env.timeout(self.client.timeout_s)
            if not changed.triggered:
                return

    def _serve(self, browser: Browser, shopper: int, page: str, step: int, attempt: int) -> Generator[Any, Any, int]:
        """The site's work for one request, done whether or not the browser still waits for it."""
        for name in self._route(shopper, page):
            outcome = yield from self._call(browser, shopper, page, step, attempt, name)
            if outcome != SERVED:
                return int(outcome)
        yield from self._transfer(shopper, page, step, attempt)
        return SERVED

    def _route(self, shopper: int, page: str) -> list[str]:
        p, total = uniform(self.keys.route, shopper, self.pages.index(page)), 0.0
        for route in self.site.pages[page]:
            total += route.share
            if p <= total:
                break
        return stations_of(self.site, route)

    def _transfer(self, shopper: int, page: str, step: int, attempt: int) -> Generator[Any, Any, None]:
        """The answer on its way to the shopper."""
        links = self.site.links
        if links is None:
            return
        region, channel = self._segment(shopper)
        start_s = self.env.now
        yield from self.links[shopper % self.cells][region, channel].transfer(
            shopper, round(8e3 * links.page_kbyte[page][channel])
        )
        segment = 2 * list(self.params.demand.regions).index(region) + CHANNELS.index(channel)
        self.calls.append(
            Call(shopper, step, attempt, len(self.names) + segment, start_s, start_s, self.env.now, SERVED)
        )

    def _call(
        self, browser: Browser, shopper: int, page: str, step: int, attempt: int, name: str
    ) -> Generator[Any, Any, int]:
        """One request at one service or waiting room: wait, be served, be refused or give up."""
        row = self.names.index(name)
        service, arrival_s = self.services[row][shopper % self.cells], self.env.now

        def note(start_s: float, outcome: int) -> int:
            self.calls.append(Call(shopper, step, attempt, row, arrival_s, start_s, self.env.now, outcome))
            return outcome

        service_s = service_time(self.keys.service, shopper, step, attempt, row, self.times)
        if isinstance(service, Room):
            browser.show_place_in_line()
            outcome, start_s = yield from service.let_in(service_s, self._patience_s(name))
            if outcome == SERVED:
                browser.wait_again()
            return note(start_s, outcome)
        generation = service.permit() if service.has_place() else None
        if generation is None:
            return note(float("nan"), REJECTED)
        if not service.is_in_time(browser.sent_s):
            service.hear(generation, arrival_s, served=False)
            return note(float("nan"), REJECTED)
        service_s *= service.time_share() or 1.0
        lane = service.lane_for(int(bits(self.keys.dispatch, shopper, call_number(step, attempt, row))))
        if lane.count >= lane.capacity and len(lane.queue) >= service.places:
            service.hear(generation, arrival_s, served=False)
            return note(float("nan"), REJECTED)
        with lane.request(priority=self.site.priorities.get(page, 0)) as slot:
            yield slot | self.env.timeout(service.timeout_s)
            if not slot.triggered:
                service.hear(generation, arrival_s, served=False)
                return note(float("nan"), TIMED_OUT)
            start_s = self.env.now
            yield self.env.timeout(service_s)
        error = self._draws_error(shopper, call_number(step, attempt, row), row)
        service.hear(generation, arrival_s, served=not error)
        return note(start_s, REJECTED if error else SERVED)

    def _draws_error(self, shopper: int, call: int, row: int) -> bool:
        share = float(self.times.error_share[row])
        return share > 0 and uniform(self.keys.error, shopper, call) < share

    def _patience_s(self, name: str) -> float:
        served = room_of(self.site, name)
        assert served is not None
        room = self.site.services[served].waiting_room
        assert room is not None
        return room.patience_s


class Room:
    """A waiting room in one cell: lets in one after the other, and shows the others their place in line."""

    def __init__(self, env: simpy.Environment, places: int) -> None:
        self.env = env
        self.places = places
        self.door = Slots(env, 1)

    def let_in(self, service_s: float, patience_s: float) -> Generator[Any, Any, tuple[int, float]]:
        """Wait in line; the door takes so long for each. Returns the outcome and when the door was reached."""
        if self.door.count and len(self.door.queue) >= self.places:
            return REJECTED, float("nan")
        with self.door.request() as turn:
            yield turn | self.env.timeout(patience_s)
            if not turn.triggered:
                return TIMED_OUT, float("nan")
            start_s = self.env.now
            yield self.env.timeout(service_s)
        return SERVED, start_s
