"""One carrier at work: SimPy processes that decide when; kernels move the rows.

pickup round -> van -> gate | hub: sort -> lane -> truck or train -> gate | hub: sort -> outlet's van -> tour
"""

from collections.abc import Callable, Generator
from functools import partial

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.lane import all_vehicles, at_most, entered_before, full_vehicles, load, rows_on
from sim.kernels.outlet import deliver, tour
from sim.kernels.rows import Chain, empty_queues
from sim.kernels.warehouse import pick_up
from sim.params.parcels import CarrierParams, ParcelsParams, TrainParams
from sim.parcels.check import lanes_of
from sim.parcels.clock import Turn, at, daily, every
from sim.parcels.record import HIRED, OWN, TRAIN, Departure
from sim.parcels.yard import Yard
from sim.units import DAY_S, seconds

Process = Generator[simpy.Event, None, None]


class Carrier:
    """Starts the processes of carrier number `number` on the yard's environment."""

    def __init__(self, yard: Yard, parcels: ParcelsParams, number: int) -> None:
        self.yard = yard
        self.number = number
        self._parcels = parcels
        self._own: CarrierParams = list(parcels.carriers.values())[number]
        self._hubs = yard.plan.hubs[number]
        self._lanes = yard.plan.lanes[number]
        lanes = lanes_of(self._own)
        self._train_lanes = [
            self._lanes.start + lanes.index((train.origin, train.destination)) for train in self._own.trains
        ]
        self._cities = yard.plan.feeder_s.shape[1]
        self._vans = empty_queues(self._cities)
        self._trucks = {OWN: self._own.own_trucks, HIRED: self._own.hired_trucks}  # those that are free
        self._cost_rmb_per_km = {OWN: parcels.truck.own_rmb_per_km, HIRED: parcels.truck.hired_rmb_per_km}
        self._start()

    def _start(self) -> None:
        env, parcels = self.yard.env, self._parcels
        for clocks, turn, act in (
            (parcels.pickup_clocks, Turn.PICKUP, self._pick_up),
            (parcels.timetable_clocks, Turn.TIMETABLE, self._timetable),
            (parcels.outlet_clocks, Turn.OUTLET, self._deliver),
            (parcels.last_mile.tour_clocks, Turn.TOUR, self._tour),
        ):
            env.process(daily(env, [seconds(clock) for clock in clocks], turn, act))
        env.process(every(env, parcels.wave_s, Turn.WAVE, self._wave))
        for train, lane, km in zip(
            self._own.trains, self._train_lanes, self.yard.plan.train_km[self.number], strict=True
        ):
            env.process(self._train(train, lane, km))

    def _pick_up(self) -> None:
        """Collect what the merchants have packed; one van convoy leaves each city for its hub."""
        ledger = self.yard.ledger
        ledger.take_in()
        carriers = len(self.yard.plan.carriers)
        if pick_up(self.yard.env.now, self.number, carriers, ledger.rows, ledger.packed, self._vans) == 0:
            return
        vans = self._vans
        for city in np.flatnonzero(vans.length).tolist():
            rows = Chain(int(vans.head[city]), int(vans.tail[city]), int(vans.length[city]))
            vans.length[city] = 0
            self.yard.in_vans += rows.length
            arrival = self.yard.env.timeout(float(self.yard.plan.feeder_s[self.number, city]))
            arrival.callbacks.append(partial(self._van_arrives, city, rows))

    def _van_arrives(self, city: int, rows: Chain, _: simpy.Event) -> None:
        self.yard.in_vans -= rows.length
        hub = int(self.yard.plan.routes.hub_of[self.number, city])
        self.yard.arrive(hub, rows, self._vehicles(rows.length))

    def _vehicles(self, rows: int) -> int:
        """Vehicles of a truck's size that rows fill: how vans are counted at a gate."""
        return int(all_vehicles(rows, self.yard.weight, self._parcels.truck.capacity_parcels)[1])

    def _wave(self) -> None:
        """A sort wave: full trucks leave."""
        self._line_haul(only_full=True)

    def _timetable(self) -> None:
        """The timetable's hour: whatever is there leaves."""
        self._line_haul(only_full=False)

    def _line_haul(self, *, only_full: bool) -> None:
        self.yard.advance(self._hubs)
        capacity_parcels = self._parcels.truck.capacity_parcels
        fill: Callable[..., tuple[int, int]] = full_vehicles if only_full else all_vehicles
        least_parcels = capacity_parcels if only_full else self.yard.weight
        for lane, count in self._due(least_parcels):
            rows, vehicles = fill(count, self.yard.weight, capacity_parcels)
            rest = rows - self._send(lane, OWN, rows, vehicles)
            if rest:
                self._send(lane, HIRED, *all_vehicles(rest, self.yard.weight, capacity_parcels))
        self._unload_gates()

    def _due(self, least_parcels: float) -> list[tuple[int, int]]:
        """Lanes with at least so much for trucks, and their rows; the lane that has waited longest first, then by number.

        A hub with vehicles at its gate gets nothing more, until the first row has waited `hold_s` for it.
        """
        yard, block = self.yard, slice(self._lanes.start, self._lanes.stop)
        counts = yard.hubs.lanes.length[block] - self._kept_for_trains()
        lanes = np.flatnonzero((counts > 0) & (counts * yard.weight >= least_parcels))
        since_s = yard.ledger.rows["entered_s"][yard.hubs.lanes.head[block][lanes]]
        free = yard.hubs.gate.length[yard.plan.lane_to[block][lanes]] == 0
        may_go = free | (since_s < yard.env.now - self._parcels.hold_s)
        lanes, since_s = lanes[may_go], since_s[may_go]
        lanes = lanes[np.lexsort((lanes, since_s))]
        return list(zip((self._lanes.start + lanes).tolist(), counts[lanes].tolist(), strict=True))

    def _kept_for_trains(self) -> NDArray[np.int64]:
        """Rows that trucks must leave, on each lane, for a train that departs within its `gather_s`."""
        kept = np.zeros(len(self._lanes), np.int64)
        for train, lane in zip(self._own.trains, self._train_lanes, strict=True):
            if (seconds(train.depart_clock) - self.yard.env.now) % DAY_S <= train.gather_s:
                kept[lane - self._lanes.start] += self._most_rows(train)
        return kept

    def _most_rows(self, train: TrainParams) -> int:
        return int(rows_on(1, self.yard.weight, train.capacity_parcels))

    def _send(self, lane: int, fleet: int, rows: int, vehicles: int) -> int:
        """Send rows on `vehicles` trucks of a fleet, or fewer of both when it has not so many; returns the rows that left."""
        truck, plan = self._parcels.truck, self.yard.plan
        if self._trucks[fleet] < vehicles:
            rows, vehicles = at_most(self._trucks[fleet], self.yard.weight, truck.capacity_parcels)
        if rows == 0:
            return 0
        self._trucks[fleet] -= vehicles
        km = float(plan.lane_km[lane])
        cost_rmb = vehicles * km * self._cost_rmb_per_km[fleet]
        trip, chain = self._load(lane, fleet, rows, vehicles, vehicles * truck.capacity_parcels, km, cost_rmb)
        self.yard.env.process(self._truck(lane, fleet, vehicles, trip, chain))
        return rows

    def _load(
        self, lane: int, vehicle: int, rows: int, vehicles: int, capacity_parcels: float, km: float, cost_rmb: float
    ) -> tuple[int, Chain]:
        """Load rows from a lane and write the trip down."""
        yard, ledger_rows = self.yard, self.yard.ledger.rows
        first, last = load(
            yard.hubs.lanes, lane, rows, yard.env.now, ledger_rows["next_row"], ledger_rows["departed_s"]
        )
        yard.leave(int(yard.plan.lane_from[lane]), rows)
        trip = yard.trips.depart(
            Departure(
                self.number, vehicle, vehicles, lane, yard.env.now, rows * yard.weight, capacity_parcels, km, cost_rmb
            )
        )
        yard.on_the_road[trip] = rows
        return trip, Chain(first, last, rows)

    def _truck(self, lane: int, fleet: int, vehicles: int, trip: int, rows: Chain) -> Process:
        """Out, unload, and back empty."""
        transit_s = float(self.yard.plan.lane_transit_s[lane])
        yield self.yard.env.timeout(transit_s)
        yield self._at_gate(lane, vehicles, trip, rows)
        yield self.yard.env.timeout(transit_s)
        self._trucks[fleet] += vehicles

    def _at_gate(self, lane: int, vehicles: int, trip: int, rows: Chain) -> simpy.Event:
        yard = self.yard
        yard.trips.arrive_s[trip] = yard.env.now
        del yard.on_the_road[trip]
        yard.unloaded[trip] = unloaded = yard.env.event()
        yard.arrive(int(yard.plan.lane_to[lane]), rows, vehicles, trip)
        return unloaded

    def _train(self, train: TrainParams, lane: int, km: float) -> Process:
        """Every day: load what was sorted before the cut-off, first come, first served, up to the train's capacity."""
        yard, plan = self.yard, self.yard.plan
        day = 0
        while True:
            yield at(yard.env, day * DAY_S + seconds(train.depart_clock), Turn.TRAIN)
            day += 1
            yard.advance(self._hubs)
            rows, before_s = yard.ledger.rows, yard.env.now - train.cutoff_s
            count = entered_before(
                yard.hubs.lanes, lane, before_s, self._most_rows(train), rows["entered_s"], rows["next_row"]
            )
            if count == 0:
                continue
            trip, chain = self._load(lane, TRAIN, count, 1, train.capacity_parcels, km, train.trip_rmb)
            yard.env.process(self._rail_trip(lane, train, trip, chain))
            yard.unload(int(plan.lane_from[lane]))

    def _rail_trip(self, lane: int, train: TrainParams, trip: int, rows: Chain) -> Process:
        yield self.yard.env.timeout(train.travel_s + train.handling_s)
        yield self._at_gate(lane, 1, trip, rows)

    def _deliver(self) -> None:
        """The outlets' vans take what is sorted for them out of the hubs."""
        yard = self.yard
        yard.advance(self._hubs)
        first = self.number * self._cities
        hub_of = yard.plan.routes.hub_of.reshape(-1)
        deliver(first, first + self._cities, hub_of, yard.env.now, yard.ledger.rows, yard.hubs, yard.outlets)
        self._unload_gates()

    def _tour(self) -> None:
        """All couriers leave on a tour."""
        yard, first = self.yard, self.number * self._cities
        rows = yard.ledger.rows
        yard.signed += tour(first, first + self._cities, yard.env.now, yard.weight, rows, yard.outlets)

    def _unload_gates(self) -> None:
        gates = self.yard.hubs.gate.length[self._hubs.start : self._hubs.stop]
        for hub in np.flatnonzero(gates).tolist():
            self.yard.unload(self._hubs.start + hub)
