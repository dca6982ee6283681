"""The bench: builds all parts of one festival on one SimPy environment and connects their ports.

geography, network --------------------+
demand (curve, behaviour) -> Site -> bring_orders -> ParcelNetwork -> tables
"""

import os
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import simpy

from sim.demand.arrivals import arrival_curve
from sim.demand.visits import behaviour
from sim.own_data import Places, Replay, places, read_orders, with_own_carriers
from sim.params import ParameterError
from sim.params.festival import FestivalParams
from sim.params.rehearsal import RehearsalParams
from sim.params.site import SiteParams
from sim.parcels import ParcelNetwork, check_stock
from sim.parcels import check as check_parcels
from sim.records import Tables
from sim.rehearsal import rehearse
from sim.site.graph import service_graph
from sim.site.site import Site
from sim.units import DAY_S, HOUR_S, MINUTE_S


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Peak memory of whole runs with their report, measured (docs/scale.md); with parcels 24 GB are too little at scale 1.
_BASE_BYTES = 600e6
_SITE_BYTES_PER_SHOPPER = 38.0
_PARCELS_BYTES_PER_SHOPPER = 85.0


def memory_needed_bytes(params: FestivalParams) -> float:
    """Estimated peak memory [B] of a run."""
    per_shopper = _SITE_BYTES_PER_SHOPPER + (_PARCELS_BYTES_PER_SHOPPER if params.parcels is not None else 0.0)
    return _BASE_BYTES + per_shopper * params.shoppers


def memory_available_bytes() -> float:
    """Memory [B] that can be had without swapping; infinite where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return float("inf")
    return 1024.0 * float(kilobytes)


def _check_memory(params: FestivalParams) -> None:
    available = memory_available_bytes()
    runs = {"scale": params}
    if params.rehearsal is not None and params.site is not None:
        runs["rehearsal.scale"] = params.model_copy(update={"scale": params.rehearsal.scale, "parcels": None})
    problems = [
        f"{name} must leave a run that fits into memory: {run.scale:g} needs about {needed / 1e9:.1f} GB, "
        f"{available / 1e9:.1f} GB are available"
        for name, run in runs.items()
        if (needed := memory_needed_bytes(run)) > available
    ]
    if problems:
        raise ParameterError(problems)


def _check_services(site: SiteParams, rehearsal: RehearsalParams | None) -> None:
    service_graph(site)
    try:
        for case in rehearsal.cases(site) if rehearsal is not None else ():
            service_graph(case.site)
    except ParameterError as error:
        raise ParameterError(f"rehearsal: {problem}" for problem in error.problems) from None


class Progress(NamedTuple):
    """How far a run is: simulated clock, its end, rows done (page requests and signed parcels) and what is going on."""

    clock_s: float
    end_s: float
    rows: int
    phase: str


def check(params: FestivalParams) -> None:
    """Check what no single group can see.

    Raises
    ------
    ParameterError
        With every problem of the service graph, the arrival curve, the geography, the carriers and the memory.
    """
    problems: list[str] = []
    where = None
    try:
        params, where = _with_own_data(params)
    except ParameterError as error:
        problems += error.problems
    checks: list[Callable[[], object]] = [lambda: arrival_curve(params.demand)]
    if params.data.orders is None:
        checks.append(lambda: _check_memory(params))
    if params.site is not None:
        site, rehearsal = params.site, params.rehearsal
        checks.append(lambda: _check_services(site, rehearsal))
    if where is not None:
        geography = where.geography
        if (parcels := params.parcels) is not None:
            checks.append(lambda: check_parcels(parcels, geography, weight=1 / params.scale))
        if (stock := params.stock) is not None:
            checks.append(lambda: check_stock(stock, params.orders, geography))
    for one in checks:
        try:
            one()
        except ParameterError as error:
            problems += error.problems
    if problems:
        raise ParameterError(problems)


def _with_own_data(params: FestivalParams) -> tuple[FestivalParams, Places]:
    """The parameters with the carriers of the user's files, and the places; what is wrong with them all is told at once."""
    problems: list[str] = []
    where, found = None, params
    try:
        where = places(params.data, params.geography)
    except ParameterError as error:
        problems += error.problems
    if (parcels := params.parcels) is not None:
        try:
            found = params.model_copy(update={"parcels": with_own_carriers(parcels, params.data)})
        except ParameterError as error:
            problems += error.problems
        if params.data.orders is not None:
            try:
                read_orders(params.data, parcels.horizon_days * DAY_S)
            except ParameterError as error:
                problems += error.problems
    if problems or where is None:
        raise ParameterError(problems)
    return found, where


def site_of(env: simpy.Environment, params: FestivalParams, *, trace: bool = False) -> Site:
    """The site of a festival with its demand; trace: keep every request's times at every service, for tests."""
    demand = params.demand
    return Site(
        env,
        params.site,
        pages=list(demand.visit.pages),
        curve=arrival_curve(demand),
        behaviour=behaviour(demand),
        shoppers=params.shoppers,
        scale=params.scale,
        bucket_s=demand.visit.bucket_s,
        horizon_s=demand.horizon_h * HOUR_S,
        regions=list(demand.regions),
        seed=params.seed,
        threads=params.threads or cores(),
        trace=trace,
    )


class Festival:
    """All parts of one run on one environment.

    Parameters
    ----------
    params : checked parameters
    progress : called once a simulated minute while the site is open, then once an hour

    Raises
    ------
    ParameterError
        When the parts do not fit together.
    """

    def __init__(self, params: FestivalParams, *, progress: Callable[[Progress], None] | None = None) -> None:
        check(params)
        params, where = _with_own_data(params)
        self.env = simpy.Environment()
        self._report = progress
        orders, shoppers = params.orders, params.shoppers
        self.site: Site | Replay
        if params.data.orders is not None and params.parcels is not None:
            self.site = Replay(self.env, read_orders(params.data, params.parcels.horizon_days * DAY_S))
            orders = orders.model_copy(update={"expected_parcels": self.site.orders / params.scale})
            shoppers = self.site.shoppers
        else:
            self.site = site_of(self.env, params)
        self.end_s = self.site.horizon_s
        self.parcels: ParcelNetwork | None = None
        if params.parcels is not None:
            self.end_s = max(self.end_s, params.parcels.horizon_days * DAY_S)
            self.parcels = ParcelNetwork(
                self.env,
                params.parcels,
                orders,
                where.network,
                origins=where.sends,
                destinations=where.receives,
                seed=params.seed,
                weight=1 / params.scale,
                shoppers=shoppers,
                bring_orders=self.site.bring_orders,
                stock=params.stock,
                weather=params.weather,
                threads=params.threads or cores(),
            )
        self.env.process(self._watch())

    def _watch(self) -> Generator[simpy.Event, Any, None]:
        """Keep the site and its watcher up to date."""
        while True:
            site_open = self.env.now < self.site.horizon_s
            if site_open:
                self.site.advance()
            if self._report is not None:
                phase = "site and parcels" if site_open and self.parcels else "site" if site_open else "parcels"
                rows = self.site.requests + (self.parcels.rows_done if self.parcels else 0)
                self._report(Progress(self.env.now, self.end_s, rows, phase))
            yield self.env.timeout(MINUTE_S if site_open else HOUR_S)

    def run(self) -> Tables:
        """Run to the end; the tables of all parts."""
        self.env.run(until=self.end_s)
        self.site.advance()
        if self.parcels is None:
            return Tables(self.site.tables())
        self.parcels.finish()
        return Tables(self.site.tables()) | self.parcels.tables()


def run_festival(params: FestivalParams, *, progress: Callable[[Progress], None] | None = None) -> Tables:
    """Simulate one festival; the tables of `sim.records`.

    Raises
    ------
    ParameterError
        When the parameters do not fit together; nothing has been simulated then.
    """
    festival = Festival(params, progress=progress)
    if progress is not None and params.rehearsal is not None and params.site is not None:
        progress(Progress(0.0, festival.end_s, 0, "rehearsal"))
    return Tables(rehearse(params, site_of)) | festival.run()
