"""Faults and plans of both parts for the tests, and small runs to let them act on."""

from typing import Any

import pandas as pd
import simpy

from sim.contingency import Contingency, Ports
from sim.festival import site_of
from sim.params import build
from sim.params.contingency import ContingencyParams
from sim.params.contingency_kinds import KINDS
from sim.params.festival import FestivalParams
from sim.parcels import ParcelNetwork
from sim.site.site import Site
from tests.parcel_case import built, small_case
from tests.site_case import festival

TERMS = {"rooms": 4, "attack_per_s": 200_000, "storm_per_s": 100_000}
HOUR_S = 3600.0
COURSE_S = {"step": 0.0, "ramp": 30.0, "heat": 30.0, "decay": 60.0}

WHERE = {  # one of every scope
    "service": "item",
    "gateway": "bank",
    "room": "2",
    "cell": "0",
    "link": "mainland/pc",
    "region": "mainland",
    "page": "item",
    "route": "pay/0",
    "shoppers": "shoppers",
    "hub": "swift/Ash",
    "lane": "swift/Ash-Elm",
    "carrier": "swift",
    "train": "swift/Ash-Fir",
    "outlet": "swift/Fir",
    "merchants": "merchants",
    "place": "Birch",
}


def fault(kind: str, **changes: Any) -> dict[str, Any]:
    """A severe fault of a kind: a minute of the site from 00:05 on, or two days of the road from the first noon on."""
    known = KINDS[kind]
    road = known.part == "road"
    times = {"onset_s": 12 * HOUR_S, "lasts_s": 48 * HOUR_S} if road else {"onset_s": 300.0, "lasts_s": 60.0}
    course_s = COURSE_S[known.course] * (HOUR_S / 10.0 if road else 1.0)
    where = {"kind": kind, "where": WHERE[known.scope], "severity": 0.9, "course": known.course, "course_s": course_s}
    return where | times | changes


def contingency(*faults: dict[str, Any], plans: list[dict[str, Any]] | None = None) -> ContingencyParams:
    """Parameters with these faults and plans."""
    return build(ContingencyParams, {**TERMS, "faults": list(faults), "plans": plans or []}, "contingency")


def site_params(*overrides: str) -> FestivalParams:
    """The default site at a thousandth."""
    return festival("scale=0.001", "rehearsal=off", "parcels=off", "threads=1", "demand.horizon_h=24", *overrides)


def struck_site(
    params: FestivalParams, told: ContingencyParams | None, until_s: float = 600.0
) -> tuple[Site, Contingency | None]:
    """The site at an instant after faults and plans have acted on it."""
    env = simpy.Environment()
    site = site_of(env, params)
    acting = None
    if told is not None:
        ports = Ports(site.levers.pull, site.levers.release, site.gauges.read, site.levers.send, 5.0)
        acting = Contingency(env, told, {"site": ports}, params.site)
    env.run(until=until_s)
    site.advance()
    return site, acting


def struck_road(
    told: ContingencyParams | None, days: float = 8.0, **case: Any
) -> tuple[ParcelNetwork, Contingency | None]:
    """The road of the small country after faults and plans have acted on it."""
    env = simpy.Environment()
    road = built(small_case(1200, stock={}, **case), env)
    acting = None
    if told is not None:
        ports = Ports(road.levers.pull, road.levers.release, road.gauges.read, lambda *_: 0, HOUR_S)
        acting = Contingency(env, told, {"road": ports}, None)
    env.run(until=days * 24 * HOUR_S)
    road.finish()
    return road, acting


def site_tables(site: Site) -> dict[str, pd.DataFrame]:
    """What happened on the site second by second."""
    tables = site.tables()
    return {name: tables[name] for name in ("demand_seconds", "site_seconds", "link_seconds")}
