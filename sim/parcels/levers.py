"""The levers of the road: what faults break and plans set on hubs, lanes, fleets, trains, pickups, couriers and warehouses.

fault, plan -> pull(who, lever, target, value) -> all pulls of one lever and target together -> the part, from env.now on

Factors of several pullers multiply. Hubs sort by the hour, so faults and plans on the road act at whole hours. Nothing that has
left is called back: a truck under way arrives, a parcel that a packer has begun is packed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import simpy

from sim.geography import Geography
from sim.kernels.lane import HIRED, OWN
from sim.params.parcels import ParcelsParams
from sim.parcels.carrier import Carrier
from sim.parcels.merchants import Merchants
from sim.parcels.record import HubHours
from sim.parcels.stock import Placement
from sim.parcels.yard import Yard
from sim.pulls import FACTOR, Pulls
from sim.units import HOUR_S

EVERYBODY = "merchants"
_LEAST = 1e-3  # of speeds, which cannot be 0
_FLEETS = {"own": OWN, "hired": HIRED}

LEVERS: Mapping[str, str] = {  # lever: what it does; all are factors
    "sorting": "what a hub sorts in an hour",
    "storage": "what a hub has room for; what lies there already stays",
    "docks": "how fast a hub's gate unloads",
    "lane": "0: no truck leaves on the lane",
    "speed": "speed of trucks that leave on the lane from then on",
    "detour": "0: what is sorted from then on goes around the lane where there is another way",
    "trucks": "own or hired trucks of a carrier",
    "wagons": "wagons of a train; 0: it does not run",
    "pickup": "0: a carrier picks nothing up",
    "couriers": "what a carrier's couriers carry, everywhere or in one city",
    "packing": "how fast merchants pack what is ordered from then on",
    "labels": "share of the sorters' passes that succeed, of the usual",
    "stock": "share of a regional warehouse's stock that its books know of",
}


class Bench(NamedTuple):
    """The road as its levers see it."""

    env: simpy.Environment
    params: ParcelsParams
    geography: Geography
    yard: Yard
    carriers: Sequence[Carrier]
    hours: HubHours
    merchants: Merchants
    placement: Placement | None
    advance: Callable[[], None]


class Levers:
    """The levers of one road. Every pull advances it to env.now first."""

    def __init__(self, road: Bench) -> None:
        self._road = road
        self._pulls = Pulls(dict.fromkeys(LEVERS, FACTOR))
        self._hubs, self._lane_of, self._train_of = hub_names(road), lane_names(road), train_names(road)
        yard, warehouses = road.yard, road.merchants.warehouses
        self._hour_parcels = yard.hubs.hour_parcels.copy()
        self._storage_parcels = yard.hubs.storage_parcels.copy()
        self._gate_s = yard.plan.gate_s.copy()
        self._tour_parcels = yard.outlets.tour_parcels.copy()
        self._work_s = [array.copy() for array in (warehouses.pick_s, warehouses.pack_s, warehouses.label_s)]
        self._again_share = yard.routes.again_share
        self._hidden: dict[str, np.ndarray] = {}  # items of a place that its books have lost
        self._acts: dict[str, Callable[[str, float], None]] = {
            "sorting": self._sorting,
            "storage": self._storage,
            "docks": self._docks,
            "lane": self._lane,
            "speed": self._speed,
            "detour": self._detour,
            "trucks": self._trucks,
            "wagons": self._wagons,
            "pickup": self._pickup,
            "couriers": self._couriers,
            "packing": self._packing,
            "labels": self._labels,
            "stock": self._stock,
        }

    def targets(self, lever: str) -> list[str]:
        """What a lever can be pulled on."""
        names = list(self._road.params.carriers)
        if lever in ("sorting", "storage", "docks"):
            return list(self._hubs)
        if lever in ("lane", "speed", "detour"):
            return list(self._lane_of)
        if lever == "trucks":
            return [f"{name}/{fleet}" for name in names for fleet in _FLEETS]
        if lever == "wagons":
            return list(self._train_of)
        if lever == "pickup":
            return names
        if lever == "couriers":
            return names + [f"{name}/{city}" for name in names for city in self._road.geography.name.tolist()]
        if lever == "stock":
            return [] if self._road.placement is None else list(self._road.placement.outlook.places)
        return [EVERYBODY]

    def pull(self, who: str, lever: str, target: str, value: float) -> None:
        """Pull a lever, or pull it further, from env.now on, which is a whole hour."""
        self._pulls.pull(who, lever, target, value)
        self._apply(lever, target)

    def release(self, who: str) -> None:
        """Let go of every lever that somebody has pulled."""
        for lever, target in self._pulls.release(who):
            self._apply(lever, target)

    def _apply(self, lever: str, target: str) -> None:
        self._road.advance()
        self._acts[lever](target, self._pulls.factor(lever, target))

    def _sorting(self, hub: str, factor: float) -> None:
        row, hour = self._hubs[hub], math.ceil(self._road.env.now / HOUR_S)
        hours = self._hour_parcels.shape[1]
        self._road.yard.hubs.hour_parcels[row, min(hour, hours - 1) :] = (
            self._hour_parcels[row, min(hour, hours - 1) :] * factor
        )

    def _storage(self, hub: str, factor: float) -> None:
        row, hubs = self._hubs[hub], self._road.yard.hubs
        there = float(hubs.stored[row]) * self._road.yard.weight + float(hubs.everyday.stored[row])
        hubs.storage_parcels[row] = max(self._storage_parcels[row] * factor, there)
        self._road.yard.unload(row, row + 1)

    def _docks(self, hub: str, factor: float) -> None:
        row = self._hubs[hub]
        self._road.yard.plan.gate_s[row] = self._gate_s[row] / max(factor, _LEAST)

    def _lane(self, lane: str, factor: float) -> None:
        self._road.yard.closed[self._lane_of[lane]] = factor <= 0.0

    def _speed(self, lane: str, factor: float) -> None:
        self._road.yard.pace[self._lane_of[lane]] = max(factor, _LEAST)

    def _detour(self, lane: str, factor: float) -> None:
        self._road.yard.avoided[self._lane_of[lane]] = factor <= 0.0
        self._road.yard.go_around()

    def _trucks(self, target: str, factor: float) -> None:
        name, _, fleet = target.partition("/")
        self._carrier(name).fleet.resize(_FLEETS[fleet], factor)

    def _wagons(self, train: str, factor: float) -> None:
        carrier, number = self._train_of[train]
        self._road.carriers[carrier].trains[number].set_wagons(factor)

    def _pickup(self, name: str, factor: float) -> None:
        self._carrier(name).picks_up = factor > 0.0

    def _couriers(self, target: str, factor: float) -> None:
        name, _, city = target.partition("/")
        number, cities = list(self._road.params.carriers).index(name), self._road.geography.name.tolist()
        first = number * len(cities)
        everywhere = self._pulls.factor("couriers", name)
        for place in [cities.index(city)] if city else range(len(cities)):
            here = everywhere * self._pulls.factor("couriers", f"{name}/{cities[place]}")
            outlet = first + place
            self._road.yard.outlets.tour_parcels[:, outlet] = self._tour_parcels[:, outlet] * here

    def _packing(self, _: str, factor: float) -> None:
        warehouses = self._road.merchants.warehouses
        for array, usual in zip((warehouses.pick_s, warehouses.pack_s, warehouses.label_s), self._work_s, strict=True):
            array[:] = usual / max(factor, _LEAST)

    def _labels(self, _: str, factor: float) -> None:
        yard = self._road.yard
        read = (1.0 - self._again_share) * max(factor, _LEAST)
        yard.routes = yard.routes._replace(again_share=self._again_share if factor == 1.0 else max(0.0, 1.0 - read))

    def _stock(self, place: str, factor: float) -> None:
        assert self._road.placement is not None
        column = self._road.placement.outlook.places.index(place)
        left = self._road.placement.stock.left
        left[:, column] += self._hidden.pop(place, 0.0)
        if factor < 1.0:
            self._hidden[place] = left[:, column] * (1.0 - factor)
            left[:, column] -= self._hidden[place]

    def packing_share(self) -> float:
        """Speed at which the merchants' own hands pack at present, as a share of the usual."""
        return max(self._pulls.left("packing", EVERYBODY), _LEAST)

    def courier_share(self, target: str) -> float:
        """Share of their usual own couriers that a carrier's outlets have, everywhere or in one city."""
        name, _, city = target.partition("/")
        everywhere = self._pulls.left("couriers", name)
        return everywhere * self._pulls.left("couriers", target) if city else everywhere

    def stock_known_share(self, place: str) -> float:
        """Share of what lies in a regional warehouse that its books know of; 1 when it is empty."""
        assert self._road.placement is not None
        known = float(self._road.placement.stock.left[:, self._road.placement.outlook.places.index(place)].sum())
        hidden = float(np.sum(self._hidden.get(place, 0.0)))
        return known / (known + hidden) if hidden > 0.0 else 1.0

    def _carrier(self, name: str) -> Carrier:
        return self._road.carriers[list(self._road.params.carriers).index(name)]


def hub_names(road: Bench) -> dict[str, int]:
    """Numbers of the hubs by "CARRIER/City"."""
    names = [f"{name}/{hub}" for name, carrier in road.params.carriers.items() for hub in carrier.hubs]
    return {name: number for number, name in enumerate(names)}


def lane_names(road: Bench) -> dict[str, int]:
    """Numbers of the lanes by "CARRIER/From-To"."""
    plan, cities = road.yard.plan, road.geography.name
    return {
        f"{plan.carriers[plan.hub_carrier[plan.lane_from[lane]]]}/"
        f"{cities[plan.hub_city[plan.lane_from[lane]]]}-{cities[plan.hub_city[plan.lane_to[lane]]]}": lane
        for lane in range(plan.lane_km.size)
    }


def train_names(road: Bench) -> dict[str, tuple[int, int]]:
    """Carrier's number and place among its trains of each "CARRIER/From-To"."""
    return {
        f"{name}/{train.origin}-{train.destination}": (number, place)
        for number, (name, carrier) in enumerate(road.params.carriers.items())
        for place, train in enumerate(carrier.trains)
    }
