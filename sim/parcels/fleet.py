"""One carrier's line-haul trucks: which are free, what they load, and how they drive there and back."""

import math
from collections.abc import Generator

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.lane import SENT, send_trucks
from sim.kernels.road import Crew, breakdown_km, drive
from sim.kernels.rows import Chain
from sim.params.parcels import CarrierParams, TruckParams
from sim.parcels.clock import Turn, at
from sim.parcels.yard import Room, Way, Yard
from sim.units import HOUR_S

Integers = NDArray[np.int64]
Process = Generator[simpy.Event, None, None]


class Fleet:
    """Own and hired trucks of carrier number `number`. A truck is busy from its departure until it is back empty."""

    def __init__(self, yard: Yard, truck: TruckParams, carrier: CarrierParams, number: int, seed: int) -> None:
        self._yard = yard
        self._truck = truck
        self._number = number
        self._free = np.array([carrier.own_trucks, carrier.hired_trucks])  # by OWN, HIRED
        self._usual = self._free.copy()
        self._trucks = self._free.copy()  # that there are at present
        self._rmb_per_km = (truck.own_rmb_per_km, truck.hired_rmb_per_km)
        self._crew = crew_of(truck)
        self._s_per_km = HOUR_S / truck.speed_kmh
        self._per_km = 0.0 if truck.breakdown_km is None else 1.0 / truck.breakdown_km
        self._grams = round(1000 * truck.capacity_kg)  # what a truck may carry
        self._key = stream(seed, "parcels.breakdown")
        self._left = np.zeros(yard.plan.lane_km.size, np.int64)  # trucks that left so far, by lane

    @property
    def free_share(self) -> float:
        """Share of the usual trucks that are free to leave."""
        return float(np.maximum(self._free, 0).sum()) / max(1.0, float(self._usual.sum()))

    def resize(self, fleet: int, factor: float) -> None:
        """So many times the usual trucks of a fleet, OWN or HIRED, from now on; those on the road come back first."""
        trucks = round(float(self._usual[fleet]) * factor)
        self._free[fleet] += trucks - self._trucks[fleet]
        self._trucks[fleet] = trucks

    def load(self, lanes: Integers, kept: Integers, *, only_full: bool) -> NDArray[np.void]:
        """Load trucks on lanes, in their order; trucks leave the kept rows of each. Own trucks go first.

        Touches only what is this carrier's. Returns the departures, `SENT`.
        """
        yard, truck = self._yard, self._truck
        sent = np.empty(np.maximum(self._free, 0).sum(), SENT)
        count = send_trucks(
            lanes,
            kept,
            only_full,
            truck.capacity_parcels,
            self._grams,
            yard.weight,
            yard.env.now,
            self._free,
            yard.ledger.rows,
            yard.hubs.lanes,
            yard.hubs.lane_g,
            sent,
        )
        return sent[:count]

    def send(self, loaded: NDArray[np.void]) -> None:
        """Trucks that have been loaded leave."""
        yard, truck = self._yard, self._truck
        for lane, fleet, vehicles, first, last, rows, grams in loaded.tolist():
            km = float(yard.plan.lane_km[lane])
            room = Room(vehicles, vehicles * truck.capacity_parcels, vehicles * self._grams)
            way = Way(self._number, fleet, lane, km, vehicles * km * self._rmb_per_km[fleet])
            chain = Chain(first, last, rows)
            trip = yard.depart(way, room, chain, grams)
            yard.env.process(self._truck_trip(lane, fleet, vehicles, trip, chain))

    def _truck_trip(self, lane: int, fleet: int, vehicles: int, trip: int, rows: Chain) -> Process:
        """Out, unload, and back empty."""
        yard = self._yard
        number = int(self._left[lane])
        self._left[lane] += 1
        yield at(yard.env, self._arrival_s(lane, 2 * number, back=False), Turn.VEHICLE)
        yield yard.at_gate(lane, vehicles, trip, rows)
        yield at(yard.env, self._arrival_s(lane, 2 * number + 1, back=True), Turn.VEHICLE)
        self._free[fleet] += vehicles
        yard.trips.back_s[trip] = yard.env.now

    def _arrival_s(self, lane: int, draw: int, *, back: bool) -> float:
        fails_km = breakdown_km(self._key, lane, draw, self._per_km)
        end_s = drive(
            self._yard.env.now,
            lane,
            back,
            self._s_per_km / float(self._yard.pace[lane]),
            fails_km,
            self._truck.repair_s,
            self._crew,
            self._yard.plan.roads,
        )
        return float(end_s) + self._truck.handling_s


def crew_of(truck: TruckParams) -> Crew:
    """When a truck's drivers rest; of two one sleeps on the way."""
    alone = truck.drivers == 1
    return Crew(truck.wheel_s, truck.stop_s, truck.shift_s if alone else math.inf, truck.sleep_s)
