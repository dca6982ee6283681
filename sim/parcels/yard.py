"""What all carriers' processes share: rows, hubs, outlets, the plan and the records."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import simpy

from sim.draws import stream
from sim.kernels.hub import Hubs, arrive, sort, unload
from sim.kernels.lane import rows_on
from sim.kernels.outlet import Outlets
from sim.kernels.rows import Chain, empty_queues
from sim.params.parcels import ParcelsParams
from sim.parcels.ledger import Ledger
from sim.parcels.plan import Plan
from sim.parcels.record import NOT_A_TRIP, Load, Trips
from sim.units import HOUR_S


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
    lost: int = 0
    signed: int = 0
    in_vans: int = 0
    on_the_road: dict[int, int] = field(default_factory=dict)  # rows by trip, from departure to the gate

    def advance(self, hubs: range) -> None:
        """Let the hubs' sorters do everything before now."""
        self.lost += sort(hubs.start, hubs.stop, self.env.now, self.plan.routes, self.ledger.rows, self.hubs)

    def arrive(self, hub: int, rows: Chain, vehicles: int, trip: int = NOT_A_TRIP) -> None:
        """Vehicles reach the gate of a hub; they unload as soon as those before them have, and while there is room."""
        self.gates[hub].append(Load(rows.length, vehicles, trip))
        lost, unloaded = arrive(hub, *rows, self.env.now, self.plan.routes, self.ledger.rows, self.hubs)
        self.lost += lost
        self._clear_gate(hub, unloaded)

    def unload(self, hub: int) -> None:
        """Unload at one gate while there is room."""
        self._clear_gate(hub, unload(hub, self.env.now, self.plan.routes, self.ledger.rows, self.hubs))

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

    def leave(self, hub: int, rows: int) -> None:
        """Rows have left a hub's storage."""
        self.hubs.stored[hub] -= rows
        self.hubs.departed[hub] += rows


def make_yard(
    env: simpy.Environment, parcels: ParcelsParams, plan: Plan, ledger: Ledger, *, weight: float, seed: int
) -> Yard:
    """An empty yard of a plan."""
    count, outlets = plan.hub_city.size, plan.tour_parcels.size
    hubs = Hubs(
        row_sort_s=weight * HOUR_S / plan.sort_per_h,
        room_rows=np.array([rows_on(1, weight, storage) for storage in plan.storage_parcels.tolist()], np.int64),
        free_s=np.zeros(count),
        stored=np.zeros(count, np.int64),
        arrived=np.zeros(count, np.int64),
        sorted=np.zeros(count, np.int64),
        departed=np.zeros(count, np.int64),
        gate=empty_queues(count),
        unsorted=empty_queues(count),
        lanes=empty_queues(plan.lane_km.size),
        delivery=empty_queues(outlets),
    )
    last_mile = Outlets(
        travel_s=plan.feeder_s.reshape(-1),
        tour_parcels=plan.tour_parcels.reshape(-1),
        credit=np.zeros(outlets),
        waiting=empty_queues(outlets),
        again=empty_queues(outlets),
        tour_s=parcels.last_mile.tour_s,
        success_share=parcels.last_mile.success_share,
        success_key=stream(seed, "parcels.success"),
    )
    gates: list[deque[Load]] = [deque() for _ in range(count)]
    return Yard(env, weight, plan, ledger, hubs, last_mile, gates, {}, Trips())
