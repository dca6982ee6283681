"""One carrier at work: SimPy processes, its trains' and those of `rounds`, decide when; kernels move the rows.

pickup round -> van -> gate | hub: sort -> lane -> truck or train -> gate | hub: sort -> outlet's van -> tour
"""

import math
from functools import partial

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.lane import vehicles_for
from sim.kernels.outlet import deliver, take_back, tour
from sim.kernels.road import Crew, drive_all
from sim.kernels.rows import Chain, empty_queues
from sim.params.parcels import CarrierParams, ParcelsParams
from sim.parcels.check import lanes_of
from sim.parcels.clock import Turn, at
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
        self._lanes = yard.plan.lanes[number]
        self._cities = yard.plan.routes.hub_of.shape[1]
        self._first_way = yard.plan.lane_km.size + number * self._cities  # of its feeders
        self._van_s_per_km = HOUR_S / parcels.feeder.speed_kmh
        self._vans = empty_queues(self._cities)
        self.fleet = Fleet(yard, parcels.truck, own, number, seed)
        self.picks_up = True
        lanes = lanes_of(own)
        self.trains = [
            Train(yard, train, number, self._lanes.start + lanes.index((train.origin, train.destination)), km)
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
        yard, vans = self.yard, self._vans
        cities = np.flatnonzero(vans.length)
        if not cities.size:
            return
        arrival_s = self._feeder_arrivals_s(back=True)
        for city in cities.tolist():
            rows = Chain(int(vans.head[city]), int(vans.tail[city]), int(vans.length[city]))
            vans.length[city] = 0
            yard.in_vans += rows.length
            arrival = at(yard.env, float(arrival_s[city]), Turn.VEHICLE)
            arrival.callbacks.append(partial(self._van_arrives, city, rows))

    def _feeder_arrivals_s(self, *, back: bool) -> NDArray[np.float64]:
        """When a van that leaves now has driven between each city and its hub, float64[cities]; back: to the hub."""
        first, arrival_s = self._first_way, np.empty(self._cities)
        roads = self.yard.plan.roads
        drive_all(self.yard.env.now, first, first + self._cities, back, self._van_s_per_km, _RESTLESS, roads, arrival_s)
        return arrival_s + self._parcels.feeder.handling_s

    def _van_arrives(self, city: int, rows: Chain, _: simpy.Event) -> None:
        self.yard.in_vans -= rows.length
        hub = int(self.yard.plan.routes.hub_of[self.number, city])
        trucks = int(vehicles_for(rows.length, self.yard.weight, self._parcels.truck.capacity_parcels))
        self.yard.reach_gate(hub, rows, trucks)  # vans are counted by the trucks that they would fill

    def load_trucks(self, *, only_full: bool) -> NDArray[np.void]:
        """Load what may leave now; its hubs have been advanced. Returns the departures for `send_trucks`."""
        lanes, kept = self._due()
        return self.fleet.load(lanes, kept, only_full=only_full)

    def send_trucks(self, loaded: NDArray[np.void]) -> None:
        """Loaded trucks leave, and what stands at the gates comes in while there is room."""
        self.fleet.send(loaded)
        self.unload_gates()

    def _due(self) -> tuple[Integers, Integers]:
        """Lanes with something for trucks, and the rows kept for trains; the lane that has waited longest first, then by number.

        A hub with vehicles at its gate gets nothing more, until the first row has waited `hold_s` for it. A lane that the
        forecast bars, or that is closed, gets nothing at all.
        """
        yard, block = self.yard, slice(self._lanes.start, self._lanes.stop)
        kept = self._kept_for_trains()
        lanes = np.flatnonzero(yard.hubs.lanes.length[block] > kept)
        since_s = yard.ledger.rows["entered_s"][yard.hubs.lanes.head[block][lanes]]
        free = ~yard.crowded[yard.plan.lane_to[block][lanes]]
        may_go = free | (since_s < yard.env.now - self._parcels.hold_s)
        may_go &= ~(yard.held[block][lanes] | yard.closed[block][lanes])
        lanes, since_s = lanes[may_go], since_s[may_go]
        lanes = lanes[np.lexsort((lanes, since_s))]
        return self._lanes.start + lanes, kept[lanes]

    def _kept_for_trains(self) -> Integers:
        """Rows that trucks must leave on each lane."""
        kept = np.zeros(len(self._lanes), np.int64)
        for train in self.trains:
            kept[train.lane - self._lanes.start] += train.kept_rows()
        return kept

    def deliver(self) -> tuple[int, int]:
        """The outlets' vans take what is sorted for them out of the hubs, which are advanced.

        Returns the rows that are sent back, and those that get back to their merchants.
        """
        yard, first = self.yard, self.number * self._cities
        arrival_s = self._feeder_arrivals_s(back=False)
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

    def unload_gates(self) -> None:
        """Unload at the gates of its hubs while there is room."""
        for hub in np.flatnonzero(self.yard.crowded[self.hubs.start : self.hubs.stop]).tolist():
            self.yard.unload(self.hubs.start + hub)
