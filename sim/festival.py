"""The bench: builds all parts of one festival on one SimPy environment and connects their ports.

geography, network --------------------+
demand (curve, behaviour) -> Site -> bring_orders -> ParcelNetwork -> tables
"""

import os
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy

from sim.demand.arrivals import arrival_curve
from sim.demand.visits import behaviour
from sim.geography import check as check_geography
from sim.geography import destination_weights, load_geography, origin_weights
from sim.network import build_network
from sim.params import ParameterError
from sim.params.festival import FestivalParams
from sim.parcels import ParcelNetwork
from sim.parcels import check as check_parcels
from sim.site.graph import service_graph
from sim.site.site import Site
from sim.units import DAY_S, HOUR_S, MINUTE_S

if TYPE_CHECKING:
    import pandas as pd


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Peak memory of whole runs with their report, measured at scale 0.001, 0.01 and 0.1 (docs/scale.md) and fitted by a line.
_BASE_BYTES = 430e6
_SITE_BYTES_PER_SHOPPER = 50.0
_PARCELS_BYTES_PER_SHOPPER = 80.0


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
    needed, available = memory_needed_bytes(params), memory_available_bytes()
    if needed > available:
        raise ParameterError(
            [
                f"scale must leave a run that fits into memory: {params.scale:g} needs about {needed / 1e9:.1f} GB, "
                f"{available / 1e9:.1f} GB are available"
            ]
        )


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
    geography = load_geography()
    checks: list[Callable[[], object]] = [
        lambda: arrival_curve(params.demand),
        lambda: check_geography(params.geography, geography),
        lambda: _check_memory(params),
    ]
    if params.site is not None:
        site = params.site
        checks.append(lambda: service_graph(site))
    if params.parcels is not None:
        parcels = params.parcels
        checks.append(lambda: check_parcels(parcels, geography, weight=1 / params.scale))
    problems: list[str] = []
    for one in checks:
        try:
            one()
        except ParameterError as error:
            problems += error.problems
    if problems:
        raise ParameterError(problems)


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
        wireless_share=demand.wireless_share,
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
        self.env = simpy.Environment()
        self._report = progress
        self.site = site_of(self.env, params)
        self.end_s = self.site.horizon_s
        self.parcels: ParcelNetwork | None = None
        if params.parcels is not None:
            geography = load_geography()
            self.end_s = max(self.end_s, params.parcels.horizon_days * DAY_S)
            self.parcels = ParcelNetwork(
                self.env,
                params.parcels,
                params.orders,
                build_network(geography),
                origins=origin_weights(params.geography, geography),
                destinations=destination_weights(params.geography, geography),
                seed=params.seed,
                weight=1 / params.scale,
                shoppers=params.shoppers,
                bring_orders=self.site.bring_orders,
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

    def run(self) -> "dict[str, pd.DataFrame]":
        """Run to the end; the tables of all parts."""
        self.env.run(until=self.end_s)
        self.site.advance()
        if self.parcels is None:
            return self.site.tables()
        self.parcels.finish()
        return self.site.tables() | self.parcels.tables()


def run_festival(
    params: FestivalParams, *, progress: Callable[[Progress], None] | None = None
) -> "dict[str, pd.DataFrame]":
    """Simulate one festival; the tables of `sim.records`.

    Raises
    ------
    ParameterError
        When the parameters do not fit together; nothing has been simulated then.
    """
    return Festival(params, progress=progress).run()
