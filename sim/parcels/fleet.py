"""One carrier's line-haul trucks: which are free, what they load, and how they drive there and back."""

import math
from collections.abc import Generator

import numpy as np
import simpy

from sim.draws import stream
from sim.kernels.lane import vehicles_of_head
from sim.kernels.road import Crew, breakdown_km, drive
from sim.kernels.rows import Chain
from sim.params.parcels import CarrierParams, TruckParams
from sim.parcels.clock import Turn, at
from sim.parcels.record import HIRED, OWN
from sim.parcels.yard import Room, Way, Yard
from sim.units import HOUR_S

Process = Generator[simpy.Event, None, None]


class Fleet:
    """Own and hired trucks of carrier number `number`. A truck is busy from its departure until it is back empty."""

    def __init__(self, yard: Yard, truck: TruckParams, carrier: CarrierParams, number: int, seed: int) -> None:
        self._yard = yard
        self._truck = truck
        self._number = number
        self._free = {OWN: carrier.own_trucks, HIRED: carrier.hired_trucks}
        self._rmb_per_km = {OWN: truck.own_rmb_per_km, HIRED: truck.hired_rmb_per_km}
        self._crew = crew_of(truck)
        self._s_per_km = HOUR_S / truck.speed_kmh
        self._per_km = 0.0 if truck.breakdown_km is None else 1.0 / truck.breakdown_km
        self.grams = round(1000 * truck.capacity_kg)  # what a truck may carry
        self._key = stream(seed, "parcels.breakdown")
        self._left = np.zeros(yard.plan.lane_km.size, np.int64)  # trucks that left so far, by lane

    def send(self, lane: int, limit: int) -> int:
        """Send a truck, an own one first, with the first rows of a lane; a row heavier than a truck takes a convoy.

        Returns the rows that left: 0 when no fleet has trucks enough.
        """
        yard, parcels, grams = self._yard, self._truck.capacity_parcels, self.grams
        vehicles = int(vehicles_of_head(yard.hubs.lanes, lane, yard.weight, parcels, grams, yard.ledger.rows))
        fleet = next((kind for kind, free in self._free.items() if free >= vehicles), None)
        if fleet is None:
            return 0
        self._free[fleet] -= vehicles
        km = float(yard.plan.lane_km[lane])
        room = Room(vehicles, vehicles * parcels, vehicles * grams)
        way = Way(self._number, fleet, lane, km, vehicles * km * self._rmb_per_km[fleet])
        trip, chain = yard.load(way, room, limit, math.inf)
        yard.env.process(self._truck_trip(lane, fleet, vehicles, trip, chain))
        return chain.length

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
            self._s_per_km,
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
