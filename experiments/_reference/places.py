"""What the plain SimPy model of the parcels is made of: parcels, vehicles, hubs and outlets as objects."""

import heapq
from collections import defaultdict, deque
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import simpy

from sim.parcels.clock import Turn

NAN = float("nan")
Process = Generator[simpy.Event, Any, None]


def at(env: simpy.Environment, time_s: float, turn: Turn) -> simpy.Event:
    """An event at exactly a time, not at now + (time - now)."""
    event = simpy.Event(env)
    event._ok, event._value = True, None
    heapq.heappush(env._queue, (time_s, turn, next(env._eid), event))
    return event


@dataclass(eq=False)
class Parcel:
    """One row of the table, and the events that others trigger for it."""

    env: simpy.Environment
    shopper: int
    number: int
    merchant: int
    carrier: int
    destination: int
    orders: int = 1
    attempts: int = 0
    created_s: float = NAN
    packed_s: float = NAN
    picked_up_s: float = NAN
    origin_hub_s: float = NAN
    departed_s: float = NAN
    destination_hub_s: float = NAN
    outlet_s: float = NAN
    out_s: float = NAN
    signed_s: float = NAN
    lost_s: float = NAN
    entered_s: float = NAN
    events: dict[str, simpy.Event] = field(default_factory=dict)

    def wait(self, what: str) -> simpy.Event:
        return self.events.setdefault(what, self.env.event())

    def tell(self, what: str, value: Any = None) -> None:
        self.wait(what).succeed(value)

    def heard(self, what: str) -> None:
        del self.events[what]


@dataclass(eq=False)
class Vehicle:
    """Trucks of one trip, a train or vans, with what is still on board."""

    load: deque[Parcel]
    empty: simpy.Event


class Hub:
    """A gate, a store with a limit and one sorter."""

    def __init__(self, env: simpy.Environment, row_sort_s: float, storage_parcels: float, weight: float) -> None:
        self.env = env
        self.row_sort_s = row_sort_s
        self.storage_parcels = storage_parcels
        self.weight = weight
        self.stored = 0
        self.gate: deque[Vehicle] = deque()
        self.unsorted: deque[Parcel] = deque()
        self.lanes: dict[int, deque[Parcel]] = defaultdict(deque)
        self.delivery: dict[int, list[Parcel]] = defaultdict(list)
        self.work = env.event()
        env.process(self.sorter())

    def arrive(self, vehicle: Vehicle) -> None:
        self.gate.append(vehicle)
        self.unload()

    def unload(self) -> None:
        while self.gate and (self.stored + 1) * self.weight <= self.storage_parcels:
            vehicle = self.gate[0]
            parcel = vehicle.load.popleft()
            self.stored += 1
            self.unsorted.append(parcel)
            parcel.tell("unloaded")
            if not self.work.triggered:
                self.work.succeed()
            if not vehicle.load:
                self.gate.popleft()
                vehicle.empty.succeed()

    def sorter(self) -> Process:
        while True:
            if not self.unsorted:
                self.work = self.env.event()
                yield self.work
            parcel = self.unsorted.popleft()
            yield at(self.env, self.env.now + self.row_sort_s, Turn.ROW)
            parcel.entered_s = self.env.now
            parcel.tell("sorted")


@dataclass(eq=False)
class Outlet:
    """Couriers of one carrier in one city."""

    travel_s: float
    tour_parcels: float
    credit: float = 0.0
    waiting: deque[Parcel] = field(default_factory=deque)
    again: deque[Parcel] = field(default_factory=deque)
