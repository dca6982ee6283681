"""One carrier's line-haul trucks: which are free, what they load, and how they drive there and back."""

import math
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.lane import SENT, TRAIN, Hold, Trucks, send_trucks
from sim.kernels.road import Crew
from sim.kernels.trips import Driving, send_out, turn_back
from sim.params.parcels import CarrierParams, ParcelsParams, TruckParams
from sim.parcels.yard import Yard
from sim.units import HOUR_S

Integers = NDArray[np.int64]


class Fleet:
    """Own and hired trucks of carrier number `number`. A truck is busy from its departure until it is back empty."""

    def __init__(self, yard: Yard, parcels: ParcelsParams, carrier: CarrierParams, number: int, seed: int) -> None:
        truck = parcels.truck
        self._yard = yard
        self._number = number
        self._lanes = yard.plan.lanes[number]
        self._free = np.array([carrier.own_trucks, carrier.hired_trucks])  # by OWN, HIRED
        self._usual = self._free.copy()
        self._there_are = self._free.copy()  # at present
        self._kind = Trucks(
            number,
            truck.capacity_parcels,
            round(1000 * truck.capacity_kg),
            truck.own_rmb_per_km,
            truck.hired_rmb_per_km,
        )
        self._crew = crew_of(truck)
        self._driving = Driving(
            HOUR_S / truck.speed_kmh,
            truck.handling_s,
            0.0 if truck.breakdown_km is None else 1.0 / truck.breakdown_km,
            truck.repair_s,
            stream(seed, "parcels.breakdown"),
        )
        self._hold_s = parcels.hold_s
        self._due = np.empty(len(self._lanes), np.int64)  # work space
        self._away: list[tuple[float, int, int]] = []  # on the way back: when they are there, OWN or HIRED, vehicles
        self._sent = np.empty(0, SENT)  # work space
        self._left = np.zeros(yard.plan.lane_km.size, np.int64)  # trucks that left so far, by lane

    @property
    def free_share(self) -> float:
        """Share of the usual trucks that are free to leave."""
        return sum(max(trucks, 0) for trucks in self._free_now()) / max(1.0, float(self._usual.sum()))

    def resize(self, fleet: int, factor: float) -> None:
        """So many times the usual trucks of a fleet, OWN or HIRED, from now on; those on the road come back first."""
        trucks = round(float(self._usual[fleet]) * factor)
        self._free[fleet] += trucks - self._there_are[fleet]
        self._there_are[fleet] = trucks

    def load(self, kept: Integers, *, only_full: bool) -> NDArray[np.void]:
        """Load trucks on the lanes that are due; they leave the kept rows of each, int64[lanes of the carrier].

        Touches only what is this carrier's. Returns the departures for `send`, in room that the next ones take again.
        """
        yard, plan, now_s = self._yard, self._yard.plan, self._yard.env.now
        if not yard.hubs.lanes.length[self._lanes.start : self._lanes.stop].any():
            return self._sent[:0]
        free = sum(max(trucks, 0) for trucks in self._free_now())
        if free > self._sent.size:
            self._sent = np.empty(free, SENT)
        count = send_trucks(
            self._lanes.start,
            kept,
            only_full,
            now_s,
            yard.weight,
            self._kind,
            Hold(yard.held, yard.closed, plan.lane_to, yard.docks.crowded, now_s - self._hold_s),
            plan.lane_from,
            plan.lane_km,
            self._free,
            yard.ledger.rows,
            yard.hubs.lanes,
            yard.hubs.lane_g,
            yard.hubs.stored,
            yard.hubs.departed,
            self._due,
            self._sent,
        )
        return self._sent[:count]

    def send(self, loaded: NDArray[np.void]) -> None:
        """Trucks that have been loaded leave."""
        if loaded.size == 0:
            return
        yard, plan = self._yard, self._yard.plan
        trip = yard.trips.depart(loaded)
        yard.make_room(loaded.size)
        send_out(
            yard.trips.rows[trip:],
            trip,
            self._left,
            plan.lane_to,
            yard.pace,
            self._driving,
            self._crew,
            plan.roads,
            yard.docks,
            yard.convoys[self._number],
        )

    def turn_back(self, emptied: NDArray[np.void]) -> None:
        """Vehicles have been unloaded, EMPTIED[n]: trucks drive back empty, and are free again when they are there."""
        yard = self._yard
        turn_back(yard.pace, self._driving, self._crew, yard.plan.roads, emptied, yard.trips.rows)
        for *_, back_s, kind, vehicles in emptied.tolist():
            if kind != TRAIN:
                heappush(self._away, (back_s, kind, vehicles))

    def _free_now(self) -> list[int]:
        """Trucks that are there by OWN and HIRED, with those that come back at this instant; negative: too many are out.

        The hubs have been advanced, so all that have been unloaded have turned back.
        """
        now_s = self._yard.env.now
        while self._away and self._away[0][0] <= now_s:
            _, kind, vehicles = heappop(self._away)
            self._free[kind] += vehicles
        free: list[int] = self._free.tolist()
        return free


def crew_of(truck: TruckParams) -> Crew:
    """When a truck's drivers rest; of two one sleeps on the way."""
    alone = truck.drivers == 1
    return Crew(truck.wheel_s, truck.stop_s, truck.shift_s if alone else math.inf, truck.sleep_s)
