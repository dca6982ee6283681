"""From parameters to everyday traffic: how many ordinary parcels reach each hub in each hour, and where they go from there."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.everyday import HERE, ONWARD
from sim.kernels.random import uniform_table
from sim.kernels.road import drive_all
from sim.params.parcels import EverydayParams, ParcelsParams
from sim.parcels.fleet import crew_of
from sim.parcels.plan import Plan
from sim.units import HOUR_S, seconds

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DAY_H = 24
_DAYS_BEFORE = 7  # longer than anything was on the road


@dataclass(frozen=True)
class EverydayPlan:
    """Ordinary parcels of the whole country, whole ones. A hub's other hubs are its carrier's, in their order."""

    pickups: (
        Integers  # [hubs, hours, 2], what is brought to each hub at each hour: for other hubs, and for its own area
    )
    elsewhere: Integers  # [days], what carriers that the model does not have pick up
    to: NDArray[np.int32]  # [hubs, others], the other hubs; itself where there are no more
    edges: Floats  # [hubs, others + 1], from 0 to 1, shares of the other hubs in a row
    lag_h: Integers  # [hubs, others], hours on the way, on dry roads
    calm: NDArray[np.bool_]  # [hours], whether no road is slowed before all that leaves then is there
    spread: Floats  # [hubs, hours], in [0, 1): which hub gets what is left of the division
    on_the_road: Integers  # [hubs, hours], what was sent before the run, by the hour at which it gets to each hub


def make_everyday(
    params: EverydayParams, parcels: ParcelsParams, plan: Plan, origins: Floats, destinations: Floats, seed: int
) -> EverydayPlan:
    """The everyday traffic of checked parameters.

    origins, destinations : weights of the cities as senders and receivers, float64[cities]

    Before the run no hub had a backlog: what had reached a hub by then left it an hour later.
    """
    hub_of = plan.routes.hub_of
    hubs, hours = plan.hub_city.size, math.ceil(parcels.horizon_days) * DAY_H + 1
    sent, received = (_of_hubs(weights, hub_of, hubs) for weights in (origins, destinations))
    to, edges, lag_h = _ways(plan, parcels, received)
    stays = params.local_share + (1.0 - params.local_share) * received
    stays[[own.start for own in plan.hubs if len(own) == 1]] = 1.0
    shares = np.array([carrier.everyday_share for carrier in parcels.carriers.values()])
    from_h = -_DAYS_BEFORE * DAY_H
    country = _country_parcels(params, from_h, hours)
    expected = (shares[plan.hub_carrier] * sent)[:, None] * country
    before, after = expected[:, :-from_h], expected[:, -from_h:]
    brought = _whole(after)
    here = np.diff(np.floor(stays[:, None] * np.cumsum(brought, axis=1) + 0.5), axis=1, prepend=0.0).astype(np.int64)
    pickups = np.empty((hubs, hours, 2), np.int64)
    pickups[:, :, HERE] = here
    pickups[:, :, ONWARD] = brought - here
    days = country[-from_h:-1].reshape(-1, DAY_H).sum(axis=1)
    key = stream(seed, "parcels.everyday")
    return EverydayPlan(
        pickups=pickups,
        elsewhere=_whole((1.0 - shares.sum()) * days[None])[0],
        to=to,
        edges=edges,
        lag_h=lag_h,
        calm=_calm(plan.roads.speed_share, hours, int(lag_h.max(initial=0))),
        spread=_spread(key, hubs, hours),
        on_the_road=_whole(_under_way((1.0 - stays)[:, None] * before, to, edges, lag_h)),
    )


def _spread(key: np.uint64, hubs: int, hours: int) -> Floats:
    """`spread` of the plan."""
    drawn = np.empty((hubs, hours))
    uniform_table(key, drawn)
    return drawn


def _country_parcels(params: EverydayParams, from_h: int, end_h: int) -> Floats:
    """What the whole country's carriers bring to hubs at each hour: float64[hours]."""
    hour = np.arange(from_h, end_h)
    clock_s, day = (hour % DAY_H) * HOUR_S, hour // DAY_H
    opens_s, closes_s = seconds(params.opens), seconds(params.closes)
    opened = (clock_s >= opens_s) & (clock_s < closes_s)
    of_day = params.parcels_per_day * np.array(params.week)[day % 7] * np.where(day == 0, 1 - params.displaced_share, 1)
    for number, parcels in enumerate(params.other_sales):
        of_day[day == number] += parcels
    return np.asarray(opened * of_day * HOUR_S / (closes_s - opens_s))


def _calm(speed_share: Floats, hours: int, longest_h: int) -> NDArray[np.bool_]:
    """`calm` of the plan, for ways of `longest_h` hours. speed_share: float64[links, hours]."""
    slowed = np.zeros(hours + longest_h, np.bool_)
    known = min(slowed.size, speed_share.shape[1])
    slowed[:known] = (speed_share[:, :known] < 1.0).any(axis=0)
    return np.array([not slowed[hour : hour + longest_h].any() for hour in range(hours)])


def _of_hubs(weights: Floats, hub_of: NDArray[np.int32], hubs: int) -> Floats:
    """Share of each hub's area in its carrier's whole: float64[hubs]."""
    share = np.tile(weights / weights.sum(), hub_of.shape[0])
    return np.bincount(hub_of.reshape(-1), weights=share, minlength=hubs).astype(np.float64)


def _ways(plan: Plan, parcels: ParcelsParams, received: Floats) -> tuple[NDArray[np.int32], Floats, Integers]:
    """`to`, `edges` and `lag_h` of the plan, on the carriers' usual ways, where the roads are dry and trucks always ready."""
    truck, lanes, hubs = parcels.truck, plan.lane_km.size, plan.hub_city.size
    lane_s, dry = np.empty(lanes), plan.roads._replace(speed_share=np.empty((plan.roads.link_km.size, 0)))
    drive_all(0.0, 0, lanes, False, HOUR_S / truck.speed_kmh, crew_of(truck), dry, lane_s)
    lane_s += truck.handling_s
    most = max(len(own) for own in plan.hubs) - 1
    to = np.tile(np.arange(hubs, dtype=np.int32)[:, None], most)
    edges, lag_h = np.ones((hubs, most + 1)), np.ones((hubs, most), np.int64)
    edges[:, 0] = 0.0
    for own in plan.hubs:
        for hub in own:
            others = [other for other in own if other != hub]
            weights = received[others]
            to[hub, : len(others)] = others
            edges[hub, 1 : len(others)] = (np.cumsum(weights) / weights.sum())[:-1] if others else []
            lag_h[hub, : len(others)] = [math.ceil(_way_s(plan, lane_s, hub, other) / HOUR_S) for other in others]
    return to, edges, lag_h


def _way_s(plan: Plan, lane_s: Floats, hub: int, end: int) -> float:
    """Time from one hub to another, lane by lane [s]."""
    time_s = 0.0
    while hub != end:
        lane = int(plan.routes.next_lane[hub, end])
        time_s += float(lane_s[lane])
        hub = int(plan.lane_to[lane])
    return time_s


def _under_way(onward: Floats, to: NDArray[np.int32], edges: Floats, lag_h: Integers) -> Floats:
    """What was sent on in the hours before t = 0 and arrives from then on: float64[hubs, hours].

    onward : what reached each hub in each of the hours before t = 0, float64[hubs, hours before]
    """
    hubs, before = onward.shape
    arriving = np.zeros((hubs, int(lag_h.max(initial=0)) + 1))
    share = np.diff(edges, axis=1)
    for other in range(to.shape[1]):
        for hour in range(-min(before, arriving.shape[1]), 0):
            there_h = hour + 1 + lag_h[:, other]
            due = there_h >= 0
            np.add.at(arriving, (to[due, other], there_h[due]), (share[:, other] * onward[:, before + hour])[due])
    return arriving


def _whole(expected: Floats) -> Integers:
    """Whole numbers whose sums along each row differ from those of `expected` by a half at the most: int64[rows, n]."""
    return np.diff(np.floor(np.cumsum(expected, axis=1) + 0.5), axis=1, prepend=0.0).astype(np.int64)
