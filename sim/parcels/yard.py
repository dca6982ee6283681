"""What all carriers' processes share: rows, hubs, outlets, the plan and the records."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import takewhile
from typing import NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.hub import Arrivals, Hubs, Routes, arrive, sort, stamp_unloaded, unload
from sim.kernels.lane import load, vehicles_for
from sim.kernels.outlet import Outlets
from sim.kernels.rows import Chain, empty_queues
from sim.params.parcels import ParcelsParams
from sim.parcels.clock import Turn, at
from sim.parcels.dispatch import Outlook, way_around
from sim.parcels.everyday import no_everyday, room_for, unload_batch, with_a_place
from sim.parcels.last_mile import make_outlets
from sim.parcels.ledger import Ledger
from sim.parcels.plan import Plan
from sim.parcels.record import NOT_A_TRIP, Departure, Load, Trips
from sim.units import HOUR_S


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
    crowded: NDArray[np.bool_]  # [hubs], whether vehicles wait at its gate for room
    held: NDArray[np.bool_]  # [lanes], not served because of a forecast
    routes: Routes  # the plan's, until a forecast or a detour changes them
    closed: NDArray[np.bool_]  # [lanes], on which no truck leaves
    pace: NDArray[np.float64]  # [lanes], share of the trucks' speed
    avoided: NDArray[np.bool_]  # [lanes], which what is sorted goes around
    way_around: Callable[[NDArray[np.bool_]], NDArray[np.int32]]  # lanes to avoid -> next lane between any two hubs
    come: list[list[tuple[int, int, int, int, float]]]  # by carrier, what was unloaded since its hubs were advanced
    batches_come: NDArray[np.int64]  # [hubs], of these the batches of everyday parcels
    advanced_s: list[float]  # by carrier, to when its hubs have been advanced
    docking: int = 0  # rows that are being unloaded
    everyday_docking: int = 0  # parcels, as well
    lost: int = 0
    signed: int = 0
    sent_back: int = 0
    returned: int = 0  # back at their merchants, or on the van there
    in_vans: int = 0
    on_the_road: dict[int, int] = field(default_factory=dict)  # rows by trip, from departure to the gate
    _forecast_lane: NDArray[np.int32] | None = None

    def advance(self, carrier: int) -> None:
        """Let the sorters of a carrier's hubs do everything before now."""
        self.lost += self.sort(carrier)

    def sort(self, carrier: int) -> int:
        """Advance the sorters of a carrier's hubs, and touch nobody else's. Returns the rows found to be lost."""
        now_s, come = self.env.now, self.come[carrier]
        if self.advanced_s[carrier] == now_s and not come:
            return 0
        self.advanced_s[carrier], self.come[carrier] = now_s, []
        hub, first, last, count = np.array([one[:-1] for one in come], np.int64).reshape(-1, 4).T
        arrivals = Arrivals(hub, first, last, count, np.array([one[-1] for one in come], np.float64))
        hubs, ledger = self.plan.hubs[carrier], self.ledger
        self.batches_come[hubs.start : hubs.stop] = 0
        rows, origin = ledger.rows, ledger.orders.origin
        return int(sort(hubs.start, hubs.stop, now_s, self.weight, arrivals, origin, self.routes, rows, self.hubs))

    def stamp(self) -> None:
        """Write down in the rows what is unloaded and not sorted yet, for whoever reads them; all hubs have been advanced."""
        stamp_unloaded(self.routes, self.ledger.rows, self.hubs)

    def follow(self, outlook: Outlook) -> None:
        """Go by a forecast from now on; all hubs have been advanced."""
        self.held = outlook.held
        self._forecast_lane = outlook.next_lane
        self.go_around()

    def go_around(self) -> None:
        """Choose the way of what is sorted from now on: around the lanes to avoid, else as the last forecast said."""
        usual = self.plan.routes.next_lane if self._forecast_lane is None else self._forecast_lane
        self.routes = self.routes._replace(next_lane=self.way_around(self.avoided) if self.avoided.any() else usual)

    def reach_gate(self, hub: int, rows: Chain, vehicles: int, trip: int = NOT_A_TRIP) -> None:
        """Vehicles reach the gate of a hub, which opens them one after the other, first come, first served."""
        self.docking += rows.length
        opened = self._open(hub, rows.length * self.weight)
        opened.callbacks.append(partial(self._opened, hub, rows, vehicles, trip))

    def everyday_reach_gate(self, hub: int, onward: int, here: int, truck_parcels: float) -> None:
        """Vehicles with everyday parcels, for other hubs and for here, reach the gate of a hub."""
        self.everyday_docking += onward + here
        vehicles = int(vehicles_for(onward + here, 1.0, truck_parcels))
        opened = self._open(hub, float(onward + here))
        opened.callbacks.append(partial(self._everyday_opened, hub, Load(0, vehicles, everyday=(onward, here))))

    def _open(self, hub: int, parcels: float) -> simpy.Event:
        begin_s = max(self.env.now, float(self.gate_free_s[hub]))
        self.gate_free_s[hub] = end_s = begin_s + parcels * float(self.plan.gate_s[hub])
        return at(self.env, end_s, Turn.VEHICLE)

    def _opened(self, hub: int, rows: Chain, vehicles: int, trip: int, _: simpy.Event) -> None:
        self.docking -= rows.length
        self.arrive(hub, rows, vehicles, trip)

    def arrive(self, hub: int, rows: Chain, vehicles: int, trip: int = NOT_A_TRIP) -> None:
        """The rows of opened vehicles come in as soon as those before them have, and while there is room.

        Where there is room whatever the sorter has found to be lost by now, it need not be asked: what has come is noted.
        """
        hubs, now_s, carrier = self.hubs, self.env.now, int(self.plan.hub_carrier[hub])
        room_parcels = hubs.storage_parcels[hub] - hubs.everyday.stored[hub]
        if not self.gates[hub] and (hubs.stored[hub] + rows.length) * self.weight <= room_parcels:
            self.come[carrier].append((hub, *rows, now_s))
            hubs.stored[hub] += rows.length
            hubs.arrived[hub] += rows.length
            self._is_empty(trip)
            return
        self.advance(carrier)
        self.gates[hub].append(Load(rows.length, vehicles, trip))
        limit = self._rows_in_front(hub)
        self._clear_gate(hub, arrive(hub, *rows, limit, now_s, self.weight, self.ledger.rows, hubs))

    def _everyday_opened(self, hub: int, load: Load, _: simpy.Event) -> None:
        """Everyday parcels come in as rows do, see `arrive`."""
        parcels, carrier = sum(load.everyday), int(self.plan.hub_carrier[hub])
        self.everyday_docking -= parcels
        if not self.gates[hub] and parcels <= room_for(self.hubs, hub, self.weight):
            self.hubs = with_a_place(self.hubs, hub, int(self.batches_come[hub]))
            self.come[carrier].append((hub, *load.everyday, 0, self.env.now))
            self.batches_come[hub] += 1
            self.hubs.everyday.stored[hub] += parcels
            self.hubs.everyday.arrived[hub] += parcels
            return
        self.advance(carrier)
        self.gates[hub].append(load)
        self.unload(hub)

    def unload(self, hub: int) -> None:
        """Unload at one gate, whose hub has been advanced, while there is room."""
        self._clear_gate(hub, self._unload_rows(hub))

    def _unload_rows(self, hub: int) -> int:
        limit = self._rows_in_front(hub)
        return int(unload(hub, limit, self.env.now, self.weight, self.ledger.rows, self.hubs)) if limit else 0

    def _rows_in_front(self, hub: int) -> int:
        """Rows at a gate that come before any everyday parcels there."""
        return sum(load.rows for load in takewhile(lambda load: load.rows > 0, self.gates[hub]))

    def _clear_gate(self, hub: int, rows: int) -> None:
        """Rows have been unloaded: the vehicles that are empty now may go, and everyday parcels come in in their turn."""
        gate = self.gates[hub]
        while True:
            while gate and gate[0].rows > 0 and rows >= gate[0].rows:
                empty = gate.popleft()
                rows -= empty.rows
                self._is_empty(empty.trip)
            if rows:
                gate[0].rows -= rows
            if not gate or gate[0].rows > 0:
                break
            self.hubs = unload_batch(self.hubs, hub, self.env.now, self.weight, gate[0])
            if sum(gate[0].everyday) > 0:
                break
            gate.popleft()
            rows = self._unload_rows(hub)
        self.crowded[hub] = len(gate) > 0

    def _is_empty(self, trip: int) -> None:
        """The vehicles of a trip have been unloaded."""
        if trip != NOT_A_TRIP:
            self.trips.unloaded_s[trip] = self.env.now
            self.unloaded.pop(trip).succeed()

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
        chain = Chain(first, last, count)
        return (self.depart(way, room, chain, grams) if count else NOT_A_TRIP), chain

    def depart(self, way: Way, room: Room, rows: Chain, grams: int) -> int:
        """Vehicles that have been loaded leave a hub. Returns the number of the trip, which is written down."""
        hub = self.plan.lane_from[way.lane]
        self.hubs.stored[hub] -= rows.length
        self.hubs.departed[hub] += rows.length
        trip = self.trips.depart(
            Departure(
                way.carrier,
                way.vehicle,
                room.vehicles,
                way.lane,
                self.env.now,
                rows.length * self.weight,
                grams / 1000.0,
                room.parcels,
                room.grams / 1000.0,
                way.km,
                way.rmb,
            )
        )
        self.on_the_road[trip] = rows.length
        return trip

    def at_gate(self, lane: int, vehicles: int, trip: int, rows: Chain) -> simpy.Event:
        """A trip gets to its hub; the event is its last row's unloading."""
        self.trips.arrive_s[trip] = self.env.now
        del self.on_the_road[trip]
        self.unloaded[trip] = unloaded = self.env.event()
        self.reach_gate(int(self.plan.lane_to[lane]), rows, vehicles, trip)
        return unloaded


def make_yard(
    env: simpy.Environment, parcels: ParcelsParams, plan: Plan, ledger: Ledger, *, weight: float, seed: int
) -> Yard:
    """An empty yard of a plan."""
    count, outlets = plan.hub_city.size, plan.couriers.size
    hubs = Hubs(
        hour_parcels=plan.hour_parcels,
        storage_parcels=plan.storage_parcels.copy(),
        free_s=np.zeros(count),
        came_s=np.zeros(count),
        stored=np.zeros(count, np.int64),
        arrived=np.zeros(count, np.int64),
        sorted=np.zeros(count, np.int64),
        departed=np.zeros(count, np.int64),
        gate=empty_queues(count),
        unsorted=empty_queues(count),
        lanes=empty_queues(plan.lane_km.size),
        lane_g=np.zeros(plan.lane_km.size, np.int64),
        delivery=empty_queues(outlets),
        everyday=no_everyday(count),
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
        crowded=np.zeros(count, np.bool_),
        held=np.zeros(plan.lane_km.size, np.bool_),
        routes=plan.routes,
        closed=np.zeros(plan.lane_km.size, np.bool_),
        pace=np.ones(plan.lane_km.size),
        avoided=np.zeros(plan.lane_km.size, np.bool_),
        way_around=partial(way_around, plan, HOUR_S / parcels.truck.speed_kmh),
        come=[[] for _ in plan.hubs],
        batches_come=np.zeros(count, np.int64),
        advanced_s=[0.0 for _ in plan.hubs],
    )
