"""The bench: builds all parts of one festival on one SimPy environment and connects their ports.

geography, network --------------------+
demand (curve, behaviour) -> Site -> bring_orders -> ParcelNetwork -> tables
                  observe |  ^ set_machines
                          Cloud <- forecast
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import simpy

from sim.cloud import Cloud, Ports
from sim.cloud.forecast import Forecast
from sim.contingency import Contingency, scopes_of
from sim.contingency import Ports as Levers
from sim.contingency import problems as contingency_problems
from sim.demand.arrivals import arrival_curve
from sim.demand.expected import page_requests_per_s
from sim.demand.visits import behaviour
from sim.machine import check_memory, cores
from sim.own_data import Places, Replay, places, read_orders, with_own_carriers
from sim.params import ParameterError
from sim.params.cloud import PredictiveParams
from sim.params.contingency_kinds import Part
from sim.params.festival import FestivalParams
from sim.params.rehearsal import RehearsalParams
from sim.params.site import SiteParams
from sim.parcels import ParcelNetwork, check_stock
from sim.parcels import check as check_parcels
from sim.progress import Progress, Work
from sim.records import OrderBatch, Tables
from sim.rehearsal import rehearse
from sim.site.graph import service_graph
from sim.site.instant import InstantSite
from sim.site.site import Site
from sim.units import DAY_S, HOUR_S, MINUTE_S


def _check_services(site: SiteParams, rehearsal: RehearsalParams | None) -> None:
    service_graph(site)
    try:
        for case in rehearsal.cases(site) if rehearsal is not None else ():
            service_graph(case.site)
    except ParameterError as error:
        raise ParameterError(f"rehearsal: {problem}" for problem in error.problems) from None


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
        checks.append(lambda: check_memory(params))
    if params.site is not None:
        site, rehearsal = params.site, params.rehearsal
        checks.append(lambda: _check_services(site, rehearsal))
    if where is not None:
        geography = where.geography
        if (parcels := params.parcels) is not None:
            checks.append(lambda: check_parcels(parcels, geography, weight=1 / params.scale))
        if (stock := params.stock) is not None:
            checks.append(lambda: check_stock(stock, params.orders, geography))
        if (contingency := params.contingency) is not None:
            told = contingency_problems(contingency, scopes(params, geography.name.tolist()))
            problems += told
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
    """The site of a festival that has one, with its demand; trace: keep every request's times at every service, for tests."""
    assert params.site is not None
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
        most_machines=_most_machines(params),
        trace=trace,
    )


def _most_machines(params: FestivalParams) -> dict[str, int]:
    """The most machines that the cloud may give each of its services."""
    if params.cloud is None or params.site is None:
        return {}
    start = params.cloud.start_machines(params.site)
    return {name: max(start[name], service.most_machines) for name, service in params.cloud.services.items()}


def scopes(params: FestivalParams, cities: Sequence[str]) -> dict[str, list[str]]:
    """What the faults and plans of a festival may name."""
    assert params.contingency is not None
    return scopes_of(
        params.contingency,
        params.site,
        params.parcels,
        regions=list(params.demand.regions),
        cities=cities,
        places=[] if params.stock is None else list(params.stock.places),
    )


def ports_of(site: Site | InstantSite | Replay, parcels: ParcelNetwork | None) -> dict[Part, Levers]:
    """The levers and gauges of the parts that a festival has."""
    ports: dict[Part, Levers] = {}
    if isinstance(site, Site):
        levers, gauges = site.levers, site.gauges
        ports["site"] = Levers(levers.pull, levers.release, gauges.read, levers.send, step_s=5.0)
    if parcels is not None:
        road = parcels.levers
        ports["road"] = Levers(road.pull, road.release, parcels.gauges.read, _send_nobody, step_s=HOUR_S)
    return ports


def _send_nobody(page: str, per_s: float, from_s: float, until_s: float) -> int:
    """The road has no visitors."""
    return 0


def cloud_of(
    env: simpy.Environment, params: FestivalParams, site: Site, *, state: Mapping[str, Any] | None = None
) -> Cloud | None:
    """The cloud of a festival, connected to its site; None when it is off. state: to go on from, see `Cloud.state`."""
    if params.cloud is None or params.site is None:
        return None
    return Cloud(
        env,
        params.cloud,
        params.site.services,
        params.cloud.start_machines(params.site),
        Ports(site.observe, site.set_machines, site.excess, forecast_of(params)),
        scale=params.scale,
        until_s=site.horizon_s,
        seed=params.seed,
        state=state,
    )


def forecast_of(params: FestivalParams) -> Forecast:
    """What the predictive policies of a festival's cloud know of the day."""
    cloud, site = params.cloud, params.site
    assert cloud is not None
    assert site is not None
    policies = {name: cloud.policy_of(name) for name in cloud.services}
    error_share = {
        name: policy.error_share for name, policy in policies.items() if isinstance(policy, PredictiveParams)
    }
    if not error_share:
        return Forecast({}, {}, params.seed)
    by_page = page_requests_per_s(params.demand)
    expected_per_s = {
        name: np.sum(
            [
                route.share * by_page[page]
                for page, routes in site.pages.items()
                for route in routes
                if name in route.services
            ],
            axis=0,
        )
        for name in error_share
    }
    return Forecast(expected_per_s, error_share, params.seed)


def instant_site_of(
    env: simpy.Environment, params: FestivalParams, *, followed: Callable[[int], None] | None = None
) -> InstantSite:
    """What takes the site's place when it is switched off: pages that answer at once; followed: told how many visits are."""
    demand = params.demand
    return InstantSite(
        env,
        curve=arrival_curve(demand),
        behaviour=behaviour(demand),
        shoppers=params.shoppers,
        horizon_s=demand.horizon_h * HOUR_S,
        regions=list(demand.regions),
        seed=params.seed,
        threads=params.threads or cores(),
        followed=followed,
    )


class Past(NamedTuple):
    """What a run's site, its cloud and its plans have been until an instant, see `sim.saves`."""

    clock_s: float
    orders: OrderBatch  # paid before, by (instant, shopper)
    cloud: Mapping[str, Any] | None
    contingency: Mapping[str, Any] | None


class Festival:
    """All parts of one run on one environment.

    A site that goes on from a state begins in the middle. The road does not: it does again what it has done with the orders paid
    until then, for all that happens on it follows from them.

    Parameters
    ----------
    params : checked parameters
    progress : called once a simulated minute while the site is open, then once an hour
    past : of the site, whose state is put back afterwards; None: it begins at t = 0

    Raises
    ------
    ParameterError
        When the parts do not fit together.
    """

    def __init__(
        self,
        params: FestivalParams,
        *,
        progress: Callable[[Progress], None] | None = None,
        past: Past | None = None,
    ) -> None:
        check(params)
        params, where = _with_own_data(params)
        self.env = simpy.Environment(0.0 if past is None or params.parcels is not None else past.clock_s)
        self._report = progress
        orders = params.orders
        self.site: Site | InstantSite | Replay
        self.cloud: Cloud | None = None
        if params.data.orders is not None and params.parcels is not None:
            self.site = Replay(self.env, read_orders(params.data, params.parcels.horizon_days * DAY_S))
            orders = orders.model_copy(update={"expected_parcels": self.site.orders / params.scale})
        elif params.site is None:
            self.site = instant_site_of(self.env, params, followed=self._tell_visits)
        elif past is not None:
            self.site = Replay(self.env, past.orders)
        else:
            self.site = site_of(self.env, params)
            self.cloud = cloud_of(self.env, params, self.site)
        self.end_s = self.site.horizon_s if past is None else params.demand.horizon_h * HOUR_S
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
                bring_orders=lambda: self.site.bring_orders(),
                stock=params.stock,
                weather=params.weather,
                threads=params.threads or cores(),
            )
        self.contingency: Contingency | None = None
        if params.contingency is not None:
            self.contingency = Contingency(self.env, params.contingency, ports_of(self.site, self.parcels), params.site)
        self._shoppers = params.shoppers
        self._work = None if progress is None else Work(params, self.end_s)
        if past is not None:
            self._go_on(params, past)
        self.env.process(self._watch())

    def _go_on(self, params: FestivalParams, past: Past) -> None:
        """Let the road do again what it has done, and build the site in the middle of its day."""
        if self.parcels is not None and past.clock_s > 0.0:
            self.env.run(until=past.clock_s)
            self.parcels.advance()
        self.site = site_of(self.env, params)
        self.cloud = cloud_of(self.env, params, self.site, state=past.cloud)
        if self.contingency is not None:
            self.contingency.begin("site", ports_of(self.site, None)["site"], past.contingency)

    def _watch(self) -> Generator[simpy.Event, Any, None]:
        """Keep the site and its watcher up to date."""
        while True:
            site_open = self.env.now < self.site.horizon_s
            if site_open:
                self.site.advance()
            if self._report is not None and self._work is not None:
                phase = "site and parcels" if site_open and self.parcels else "site" if site_open else "parcels"
                rows = self.site.requests + (self.parcels.rows_done if self.parcels else 0)
                self._report(Progress(self.env.now, self.end_s, rows, phase, self._work.share(self.env.now)))
            yield self.env.timeout(MINUTE_S if site_open else HOUR_S)

    def _tell_visits(self, followed: int) -> None:
        """Tell how many visits are followed to their end, where that is done before all else."""
        if self._report is not None and self._work is not None:
            share = self._work.share(self.env.now, visits=followed / self._shoppers)
            self._report(Progress(self.env.now, self.end_s, 0, "visits", share))

    def run(self) -> Tables:
        """Run to the end; the tables of all parts."""
        self.env.run(until=self.end_s)
        self.site.advance()
        tables = Tables({}) | self.site.tables()
        if self.cloud is not None:
            tables |= {"machines": self.cloud.table()}
        if self.contingency is not None:
            tables |= {"contingency": self.contingency.table()}
        if self.parcels is None:
            return tables
        self.parcels.finish()
        return tables | self.parcels.tables()


def run_festival(
    params: FestivalParams, *, progress: Callable[[Progress], None] | None = None, begun: Festival | None = None
) -> Tables:
    """Simulate one festival, or go on with one that has begun; the tables of `sim.records`.

    Raises
    ------
    ParameterError
        When the parameters do not fit together; nothing has been simulated then.
    """
    festival = Festival(params, progress=progress) if begun is None else begun
    if progress is not None and params.rehearsal is not None and params.site is not None:
        progress(Progress(0.0, festival.end_s, 0, "rehearsal", 0.0))
    return Tables(rehearse(params, site_of)) | festival.run()
