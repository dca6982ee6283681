"""One carrier at work: SimPy processes, its trains' and those of `rounds`, decide when; kernels move the rows.

pickup round -> van -> gate | hub: sort -> lane -> truck or train -> gate | hub: sort -> outlet's van -> tour
"""

import math

import numpy as np
from numpy.typing import NDArray

from sim.kernels.outlet import deliver, take_back, tour
from sim.kernels.road import Crew, drive_all
from sim.kernels.rows import empty_queues
from sim.kernels.trips import send_vans
from sim.params.parcels import CarrierParams, ParcelsParams
from sim.parcels.check import lanes_of
from sim.parcels.fleet import Fleet
from sim.parcels.last_mile import tour_number
from sim.parcels.rail import Train
from sim.parcels.yard import Yard
from sim.units import HOUR_S

Integers = NDArray[np.int64]

_RESTLESS = Crew(math.inf, 0.0, math.inf, 0.0)  # vans are never long on the road


class Carrier:
    """Carrier number `number`. Starts its trains on the yard's environment."""

    def __init__(self, yard: Yard, parcels: ParcelsParams, number: int, seed: int) -> None:
        self.yard = yard
        self.number = number
        self._parcels = parcels
        own: CarrierParams = list(parcels.carriers.values())[number]
        self.hubs = yard.plan.hubs[number]
        lanes = yard.plan.lanes[number]
        self._cities = yard.plan.routes.hub_of.shape[1]
        self._first_way = yard.plan.lane_km.size + number * self._cities  # of its feeders
        self._van_s_per_km = HOUR_S / parcels.feeder.speed_kmh
        self._vans = empty_queues(self._cities)
        self.fleet = Fleet(yard, parcels, own, number, seed)
        yard.turn_back.append(self.fleet.turn_back)
        self.picks_up = True
        pairs = lanes_of(own)
        self._first_lane, self._kept = lanes.start, np.zeros(len(lanes), np.int64)
        self.trains = [
            Train(yard, train, number, lanes.start + pairs.index((train.origin, train.destination)), km)
            for train, km in zip(own.trains, yard.plan.train_km[number], strict=True)
        ]
        for train in self.trains:
            yard.env.process(train.run())

    def pick_up(self) -> int:
        """Collect what the merchants have packed and what goes back to them, a queue of rows for each city's van.

        Returns how many there are.
        """
        if not self.picks_up:
            return 0
        yard, now_s, first = self.yard, self.yard.env.now, self.number * self._cities
        count = yard.ledger.pick_up(now_s, self.number, self._vans)
        return count + int(take_back(now_s, first, first + self._cities, self._vans, yard.ledger.rows, yard.outlets))

    def send_vans(self) -> None:
        """One van convoy leaves each city with what was collected for its hub."""
        yard = self.yard
        vans = int(np.count_nonzero(self._vans.length))
        if vans:
            yard.make_room(vans)
            send_vans(
                yard.env.now,
                self._first_way,
                self._van_s_per_km,
                self._parcels.feeder.handling_s,
                yard.weight,
                self._parcels.truck.capacity_parcels,
                yard.plan.routes.hub_of[self.number],
                _RESTLESS,
                yard.plan.roads,
                self._vans,
                yard.docks,
                yard.convoys[self.number],
            )

    def load_trucks(self, *, only_full: bool) -> NDArray[np.void]:
        """Load what may leave now; its hubs have been advanced. Returns the departures for `fleet.send`."""
        return self.fleet.load(self._kept_for_trains(), only_full=only_full)

    def _kept_for_trains(self) -> Integers:
        """Rows that trucks must leave on each lane."""
        kept = self._kept
        for train in self.trains:
            kept[train.lane - self._first_lane] = 0
        for train in self.trains:
            kept[train.lane - self._first_lane] += train.kept_rows()
        return kept

    def deliver(self) -> tuple[int, int]:
        """The outlets' vans take what is sorted for them out of the hubs, which are advanced.

        Returns the rows that are sent back, and those that get back to their merchants.
        """
        yard, first = self.yard, self.number * self._cities
        arrival_s = self._van_arrivals_s()
        hub_of = yard.plan.routes.hub_of.reshape(-1)
        sent_back, returned = deliver(
            first, first + self._cities, hub_of, arrival_s, yard.ledger.rows, yard.hubs, yard.outlets
        )
        return int(sent_back), int(returned)

    def tour(self) -> tuple[int, int]:
        """All couriers leave on a tour. Returns the rows that are signed on it and those sent back."""
        yard, first = self.yard, self.number * self._cities
        rows, now_s = yard.ledger.rows, yard.env.now
        number = tour_number(self._parcels.last_mile, now_s)
        signed, sent_back = tour(number, first, first + self._cities, now_s, yard.weight, rows, yard.outlets)
        return int(signed), int(sent_back)

    def _van_arrivals_s(self) -> NDArray[np.float64]:
        """When a van that leaves now has driven from its hub to each city, float64[cities]."""
        first, arrival_s = self._first_way, np.empty(self._cities)
        roads, s_per_km = self.yard.plan.roads, self._van_s_per_km
        drive_all(self.yard.env.now, first, first + self._cities, False, s_per_km, _RESTLESS, roads, arrival_s)
        return arrival_s + self._parcels.feeder.handling_s
