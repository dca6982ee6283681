"""The levers of a running site: what faults break and plans set, each by name, target and who pulls it.

fault, plan -> pull(who, lever, target, value) -> all pulls of one lever and target together -> cells, from env.now on

A lever stays pulled until it is released. Factors of several pullers multiply; of several limits the tightest holds. Values
are of the whole site at full scale.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from sim.kernels.guards import NO_LIMIT
from sim.params.links import CHANNELS
from sim.params.site import SiteParams
from sim.pulls import FACTOR, LIMIT, Pulls
from sim.site import adjust
from sim.site.cell import Cell
from sim.site.shares import slots_of_cells

EVERYBODY = "shoppers"


class Lever(NamedTuple):
    """Kind of lever: how several pulls come together, and what it is pulled on."""

    combines: str
    targets: str  # service, cell, link, route, page or shoppers
    meaning: str


LEVERS: Mapping[str, Lever] = {
    "capacity": Lever(FACTOR, "service", "share of a service's machines that work; above 1: with borrowed ones"),
    "cell": Lever(FACTOR, "cell", "share of all machines of a cell that work"),
    "pace": Lever(FACTOR, "service", "service times of a service; below 1: simpler answers"),
    "answers": Lever(FACTOR, "service", "share of a service's answers that are no errors"),
    "bandwidth": Lever(FACTOR, "link", "share of a link's bandwidth"),
    "queue": Lever(LIMIT, "service", "waiting places of a service"),
    "rate": Lever(LIMIT, "service", "requests that a service takes in a second"),
    "concurrency": Lever(LIMIT, "service", "requests in a service, waiting and served"),
    "deadline": Lever(LIMIT, "service", "seconds from the page's request in which a service must be able to answer"),
    "route": Lever(FACTOR, "route", "chance of one of a page's routes, beside the others"),
    "retries": Lever(LIMIT, EVERYBODY, "retries after a page's first try"),
    "backoff": Lever(FACTOR, EVERYBODY, "waits before retries"),
    "visitors": Lever(FACTOR, "page", "share of the visitors from outside that are let through, see `send`"),
}


class Bench(NamedTuple):
    """The site as its levers see it."""

    params: SiteParams | None
    cells: list[Cell]
    services: list[str]
    pages: list[str]
    regions: list[str]
    scale: float
    shoppers: int  # of the run
    now_s: Callable[[], float]
    advance: Callable[[], None]
    set_working: Callable[[str, np.ndarray], None]
    working: Callable[[str], float]  # share of a service's machines


class Levers:
    """The levers of one site. Every pull advances the site to env.now first."""

    def __init__(self, site: Bench) -> None:
        self._site = site
        self._pulls = Pulls({name: lever.combines for name, lever in LEVERS.items()})
        self._usual = _Usual(site)
        self._sent: dict[str, float] = {}  # visitors from outside so far, by page, fractions of one included
        self._visitors = 0
        self._acts: dict[str, Callable[[str, float | None], None]] = {
            "capacity": lambda target, _: self._work([target]),
            "cell": lambda target, _: self._work(site.params.services if site.params else ()),
            "pace": self._pace,
            "answers": self._answers,
            "bandwidth": self._bandwidth,
            "queue": self._queue,
            "rate": self._rate,
            "concurrency": self._concurrency,
            "deadline": self._deadline,
            "route": self._route,
            "retries": self._client,
            "backoff": self._client,
        }

    def targets(self, lever: str) -> list[str]:
        """What a lever can be pulled on."""
        site, params = self._site, self._site.params
        if params is None:
            return []
        kind = LEVERS[lever].targets
        if kind == "service":
            return list(params.services)
        if kind == "cell":
            return [str(cell) for cell in range(params.cells)]
        if kind == "link":
            return list(self._usual.links) if params.links is not None else []
        if kind == "route":
            return [f"{page}/{way}" for page, ways in params.pages.items() for way in range(len(ways)) if len(ways) > 1]
        return list(site.pages) if kind == "page" else [EVERYBODY]

    def pull(self, who: str, lever: str, target: str, value: float) -> None:
        """Pull a lever, or pull it further, from env.now on."""
        self._pulls.pull(who, lever, target, value)
        self._apply(lever, target)

    def release(self, who: str) -> None:
        """Let go of every lever that somebody has pulled."""
        for lever, target in self._pulls.release(who):
            self._apply(lever, target)

    def send(self, page: str, per_s: float, from_s: float, until_s: float) -> int:
        """Visitors from outside ask for a page at a steady rate, and browse on; they order nothing. Returns how many.

        from_s : at least a bucket of the calendar after env.now
        """
        site = self._site
        site.advance()
        before = self._sent.get(page, 0.0)
        through = self._pulls.factor("visitors", page)
        self._sent[page] = after = before + through * per_s * site.scale * (until_s - from_s)
        n = math.floor(after) - math.floor(before)
        time_s = from_s + (until_s - from_s) * (np.arange(n) + 0.5) / max(n, 1)
        visitor = (site.shoppers + self._visitors + np.arange(n)).astype(np.uint32)
        self._visitors += n
        for index, cell in enumerate(site.cells):
            own = visitor % len(site.cells) == index
            adjust.send_visitors(cell, time_s[own], visitor[own], site.pages.index(page))
        return n

    def state(self) -> dict[str, Any]:
        """What is pulled, as plain data."""
        return {"pulls": self._pulls.state(), "sent": dict(self._sent), "visitors": self._visitors}

    def put_back(self, state: Mapping[str, Any]) -> None:
        """Remember what is pulled; the cells have it in their own state already."""
        self._pulls.put_back(state["pulls"])
        self._sent, self._visitors = dict(state["sent"]), state["visitors"]

    def _apply(self, lever: str, target: str) -> None:
        self._site.advance()
        if lever in self._acts:
            self._acts[lever](target, self._pulls.value(lever, target))

    def _work(self, services: Iterable[str]) -> None:
        """Share of the machines that work, by cell; a cell that a small run does not have is its part of all the others."""
        site = self._site
        assert site.params is not None
        of_cells = np.array([self._pulls.factor("cell", str(cell)) for cell in range(site.params.cells)])
        whole = of_cells if len(site.cells) == of_cells.size else np.full(len(site.cells), of_cells.mean())
        for service in services:
            site.set_working(service, whole * self._pulls.factor("capacity", service))

    def _pace(self, service: str, value: float | None) -> None:
        for cell in self._site.cells:
            cell.set_pace("levers", self._row(service), 1.0 if value is None else value)

    def _answers(self, service: str, value: float | None) -> None:
        assert self._site.params is not None
        usual = self._site.params.services[service].error_share
        share = usual if value is None else max(0.0, 1.0 - (1.0 - usual) * value)
        for cell in self._site.cells:
            cell.model.times.error_share[self._row(service)] = share

    def _bandwidth(self, target: str, value: float | None) -> None:
        link = self._usual.links[target]
        for cell, usual in zip(self._site.cells, self._usual.bandwidth, strict=True):
            adjust.set_bandwidth(cell, link, usual[link] * (1.0 if value is None else value), self._site.now_s())

    def _queue(self, service: str, value: float | None) -> None:
        row, cells = self._row(service), self._site.cells
        for index, cell in enumerate(cells):
            places = int(self._usual.places[index][row])
            if value is not None:
                wanted = int(slots_of_cells(value * self._site.scale, len(cells))[index])
                places = min(places, max(1, wanted // int(cell.state.stations.lanes[row])))
            adjust.set_places(cell, row, places)

    def _rate(self, service: str, value: float | None) -> None:
        row = self._row(service)
        for cell, usual in zip(self._site.cells, self._usual.guards, strict=True):
            cap = math.inf if value is None else value * self._site.scale / len(self._site.cells)
            adjust.set_rate(cell, row, min(float(usual.rate_per_s[row]), cap), self._site.now_s())

    def _concurrency(self, service: str, value: float | None) -> None:
        row = self._row(service)
        for cell, usual in zip(self._site.cells, self._usual.guards, strict=True):
            cap = NO_LIMIT if value is None else max(1, round(value * self._site.scale / len(self._site.cells)))
            adjust.set_concurrency(cell, row, min(int(usual.most[row]), cap))

    def _deadline(self, service: str, value: float | None) -> None:
        row = self._row(service)
        for cell, usual in zip(self._site.cells, self._usual.guards, strict=True):
            adjust.set_deadline(cell, row, min(float(usual.deadline_s[row]), math.inf if value is None else value))

    def _route(self, target: str, _: float | None) -> None:
        page = target.rpartition("/")[0]
        assert self._site.params is not None
        ways = self._site.params.pages[page]
        weight = np.array([way.share * self._pulls.factor("route", f"{page}/{i}") for i, way in enumerate(ways)])
        if weight.sum() <= 0.0:  # nowhere to go: as usual
            weight = np.array([way.share for way in ways])
        for cell in self._site.cells:
            adjust.set_routes(cell, self._site.pages.index(page), weight / weight.sum())

    def _client(self, target: str, _: float | None) -> None:
        retries, factor = self._pulls.value("retries", target), self._pulls.factor("backoff", target)
        for cell, usual in zip(self._site.cells, self._usual.clients, strict=True):
            client = usual._replace(base_s=usual.base_s * factor, cap_s=usual.cap_s * factor)
            adjust.set_client(
                cell, client if retries is None else client._replace(retries=min(usual.retries, int(retries)))
            )

    def _row(self, service: str) -> int:
        return self._site.services.index(service)


class _Usual:
    """What the levers change, as it is when nobody pulls; read from a site at its start."""

    def __init__(self, site: Bench) -> None:
        segments = [f"{region}/{channel}" for region in site.regions for channel in CHANNELS]
        self.links = {name: row for row, name in enumerate(segments)}
        self.bandwidth = [cell.state.links.bandwidth.copy() for cell in site.cells]
        self.places = [cell.state.stations.limit.copy() for cell in site.cells]
        self.guards = [
            type(cell.state.guards)(*(np.array(column) for column in cell.state.guards)) for cell in site.cells
        ]
        self.clients = [cell.model.client for cell in site.cells]
