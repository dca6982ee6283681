"""Small festivals for the tests of the site."""

from collections.abc import Iterable

import numpy as np
import simpy

from sim.compose import compose
from sim.festival import instant_site_of, site_of
from sim.params import build
from sim.params.festival import FestivalParams
from sim.site.instant import InstantSite
from sim.site.site import Site

# A site on which everything happens: long queues, refusals, timeouts, retries, shoppers who give up, changes of capacity.
SERVICES = ("gateway", "venue", "search", "item", "cart", "inventory", "trade", "payment", "bank")

BUSY_SERVICES = [
    "site.services.venue.service.mean_s=0.5",
    "site.services.venue.queue=1200000",
    "site.services.item.service.mean_s=0.8",
    "site.services.item.queue=400000",
    "site.services.trade.service.mean_s=4",
    "site.services.trade.queue=500000",
    "site.services.trade.timeout_s=3",
    "site.services.bank.service.mean_s=30",
    "site.services.bank.timeout_s=20",
    "site.client.retries=2",
]
BUSY = [
    *BUSY_SERVICES,
    "site.services.trade.machines=50000",
    "site.changes=[{at_s: 40, service: trade, machines: 100000}, {at_s: 400.5, service: trade, machines: 25000}]",
]

# Three slots of each service at scale 0.00001, so that the busy site can be divided into three cells.
THREE_CELLS = [
    *(f"site.services.{name}.machines=300000" for name in SERVICES),
    *(f"site.services.{name}.slots_per_machine=1" for name in SERVICES),
    "site.cells=3",
    *BUSY_SERVICES,
    "site.services.venue.service.mean_s=1.5",
    "site.services.item.service.mean_s=2.4",
    "site.changes=[{at_s: 40, service: trade, machines: 600000}, {at_s: 400.5, service: trade, machines: 1}]",
]


def festival(*overrides: str) -> FestivalParams:
    """Parameters of the default experiment with overrides."""
    config = compose("festival_2012", overrides)
    return build(FestivalParams, {key: value for key, value in config.items() if key != "output"})


def run_site(params: FestivalParams, *, stops_s: Iterable[float] = (), trace: bool = False) -> Site:
    """The site after its whole day, advanced at each of the stops."""
    env = simpy.Environment()
    site = site_of(env, params, trace=trace)
    for stop_s in stops_s:
        env.run(until=stop_s)
        site.bring_orders()
    env.run(until=site.horizon_s + 1)
    site.bring_orders()
    return site


def run_instant_site(params: FestivalParams) -> InstantSite:
    """What stands in place of a site that is off, after its whole day."""
    env = simpy.Environment()
    site = instant_site_of(env, params)
    env.run(until=site.horizon_s + 1)
    site.advance()
    return site


def calls_of(site: Site) -> np.ndarray:
    """Every request at every service, sorted: float64[n, 8], columns as in the reference's Call."""
    visit, time_s = site.traces()
    calls = np.column_stack([visit[:, :4].astype(np.float64), time_s, visit[:, 4].astype(np.float64)])
    return np.asarray(calls[np.lexsort(calls[:, 3::-1].T)])
