"""What all carriers' processes share: rows, hubs, outlets, the plan and the records."""

from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.hub import Hubs, Routes, arrive, sort, unload
from sim.kernels.lane import load, rows_on
from sim.kernels.outlet import Outlets
from sim.kernels.rows import Chain, empty_queues
from sim.params.parcels import ParcelsParams
from sim.parcels.clock import Turn, at
from sim.parcels.dispatch import Outlook
from sim.parcels.last_mile import make_outlets
from sim.parcels.ledger import Ledger
from sim.parcels.plan import Plan
from sim.parcels.record import NOT_A_TRIP, Departure, Load, Trips


class Room(NamedTuple):
    """Vehicles that leave together and what they may carry."""

    vehicles: int
    parcels: float
    grams: int


class Way(NamedTuple):
    """Who goes where, and what it costs."""

    carrier: int
    vehicle: int  # OWN, HIRED, TRAIN
    lane: int
    km: float
    rmb: float


@dataclass
class Yard:
    """State of the parcels part on one environment. Its methods advance the hubs and move vehicles through their gates."""

    env: simpy.Environment
    weight: float
    plan: Plan
    ledger: Ledger
    hubs: Hubs
    outlets: Outlets
    gates: list[deque[Load]]
    unloaded: dict[int, simpy.Event]  # by trip, while its vehicles are loaded
    trips: Trips
    gate_free_s: NDArray[np.float64]  # [hubs], when the gate will have unloaded all that has come
    held: NDArray[np.bool_]  # [lanes], not served because of a forecast
    routes: Routes  # the plan's, until a forecast changes them
    docking: int = 0  # rows that are being unloaded
    lost: int = 0
    signed: int = 0
    sent_back: int = 0
    in_vans: int = 0
    on_the_road: dict[int, int] = field(default_factory=dict)  # rows by trip, from departure to the gate

    def advance(self, hubs: range) -> None:
        """Let the hubs' sorters do everything before now."""
        self.lost += self.sort(hubs)

    def sort(self, hubs: range) -> int:
        """Advance the sorters of some hubs, and of no others at the same time. Returns the rows found to be lost."""
        now_s, rows = self.env.now, self.ledger.rows
        return int(sort(hubs.start, hubs.stop, now_s, self.weight, self.routes, rows, self.hubs))

    def follow(self, outlook: Outlook) -> None:
        """Go by a forecast from now on; all hubs have been advanced."""
        self.held = outlook.held
        self.routes = self.plan.routes._replace(next_lane=outlook.next_lane)

    def reach_gate(self, hub: int, rows: Chain, vehicles: int, trip: int = NOT_A_TRIP) -> None:
        """Vehicles reach the gate of a hub, which opens them one after the other, first come, first served."""
        self.docking += rows.length
        begin_s = max(self.env.now, float(self.gate_free_s[hub]))
        self.gate_free_s[hub] = end_s = begin_s + rows.length * self.weight * float(self.plan.gate_s[hub])
        opened = at(self.env, end_s, Turn.VEHICLE)
        opened.callbacks.append(partial(self._opened, hub, rows, vehicles, trip))

    def _opened(self, hub: int, rows: Chain, vehicles: int, trip: int, _: simpy.Event) -> None:
        self.docking -= rows.length
        self.arrive(hub, rows, vehicles, trip)

    def arrive(self, hub: int, rows: Chain, vehicles: int, trip: int = NOT_A_TRIP) -> None:
        """The rows of opened vehicles come in as soon as those before them have, and while there is room."""
        self.gates[hub].append(Load(rows.length, vehicles, trip))
        lost, unloaded = arrive(hub, *rows, self.env.now, self.weight, self.routes, self.ledger.rows, self.hubs)
        self.lost += lost
        self._clear_gate(hub, unloaded)

    def unload(self, hub: int) -> None:
        """Unload at one gate while there is room."""
        self._clear_gate(hub, unload(hub, self.env.now, self.routes, self.ledger.rows, self.hubs))

    def _clear_gate(self, hub: int, rows: int) -> None:
        """Rows have been unloaded: the vehicles that are empty now may go."""
        gate = self.gates[hub]
        while gate and rows >= gate[0].rows:
            empty = gate.popleft()
            rows -= empty.rows
            if empty.trip != NOT_A_TRIP:
                self.trips.unloaded_s[empty.trip] = self.env.now
                self.unloaded.pop(empty.trip).succeed()
        if rows:
            gate[0].rows -= rows

    def load(self, way: Way, room: Room, limit: int, before_s: float) -> tuple[int, Chain]:
        """Load at most `limit` rows that came to a lane before a time, while there is room on board, and write the trip down.

        Returns the trip's number and its rows; NOT_A_TRIP and none when no row could be loaded.
        """
        first, last, count, grams = load(
            self.hubs.lanes,
            way.lane,
            limit,
            before_s,
            room.parcels,
            room.grams,
            self.weight,
            self.env.now,
            self.ledger.rows,
            self.hubs.lane_g,
        )
        if count == 0:
            return NOT_A_TRIP, Chain(first, last, 0)
        self.leave(int(self.plan.lane_from[way.lane]), count)
        trip = self.trips.depart(
            Departure(
                way.carrier,
                way.vehicle,
                room.vehicles,
                way.lane,
                self.env.now,
                count * self.weight,
                grams / 1000.0,
                room.parcels,
                room.grams / 1000.0,
                way.km,
                way.rmb,
            )
        )
        self.on_the_road[trip] = count
        return trip, Chain(first, last, count)

    def at_gate(self, lane: int, vehicles: int, trip: int, rows: Chain) -> simpy.Event:
        """A trip gets to its hub; the event is its last row's unloading."""
        self.trips.arrive_s[trip] = self.env.now
        del self.on_the_road[trip]
        self.unloaded[trip] = unloaded = self.env.event()
        self.reach_gate(int(self.plan.lane_to[lane]), rows, vehicles, trip)
        return unloaded

    def leave(self, hub: int, rows: int) -> None:
        """Rows have left a hub's storage."""
        self.hubs.stored[hub] -= rows
        self.hubs.departed[hub] += rows


def make_yard(
    env: simpy.Environment, parcels: ParcelsParams, plan: Plan, ledger: Ledger, *, weight: float, seed: int
) -> Yard:
    """An empty yard of a plan."""
    count, outlets = plan.hub_city.size, plan.couriers.size
    hubs = Hubs(
        hour_parcels=plan.hour_parcels,
        room_rows=np.array([rows_on(1, weight, storage) for storage in plan.storage_parcels.tolist()], np.int64),
        free_s=np.zeros(count),
        stored=np.zeros(count, np.int64),
        arrived=np.zeros(count, np.int64),
        sorted=np.zeros(count, np.int64),
        departed=np.zeros(count, np.int64),
        gate=empty_queues(count),
        unsorted=empty_queues(count),
        lanes=empty_queues(plan.lane_km.size),
        lane_g=np.zeros(plan.lane_km.size, np.int64),
        delivery=empty_queues(outlets),
    )
    gates: list[deque[Load]] = [deque() for _ in range(count)]
    return Yard(
        env=env,
        weight=weight,
        plan=plan,
        ledger=ledger,
        hubs=hubs,
        outlets=make_outlets(parcels, plan, seed),
        gates=gates,
        unloaded={},
        trips=Trips(),
        gate_free_s=np.zeros(count),
        held=np.zeros(plan.lane_km.size, np.bool_),
        routes=plan.routes,
    )
