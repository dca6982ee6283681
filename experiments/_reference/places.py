"""What the plain SimPy model of the parcels is made of: parcels, vehicles, hubs and outlets as objects."""

import heapq
import math
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from sim.kernels.rows import LOST, NOTHING_WRONG
from sim.parcels.clock import Turn
from sim.units import HOUR_S

NAN = float("nan")
Process = Generator[simpy.Event, Any, None]


def at(env: simpy.Environment, time_s: float, turn: int, rank: int | None = None) -> simpy.Event:
    """An event at exactly a time, not at now + (time - now). The smaller rank comes first; without one it is the latest."""
    event = simpy.Event(env)
    event._ok, event._value = True, None
    heapq.heappush(env._queue, (time_s, turn, next(env._eid) if rank is None else rank, event))
    return event


@dataclass(eq=False)
class Parcel:
    """One row of the table, and the events that others trigger for it."""

    env: simpy.Environment
    shopper: int
    number: int
    merchant: int
    packer: int
    carrier: int
    origin: int
    destination: int
    items: int
    weight_kg: np.float32
    row_parcels: float
    orders: int = 1
    passes: int = 0
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
    returned_s: float = NAN
    exception: int = NOTHING_WRONG
    exception_s: float = NAN
    entered_s: float = NAN
    goes_back: bool = False
    events: dict[str, simpy.Event] = field(default_factory=dict)
    ordered_items: int = field(init=False)  # by the order that made the parcel

    def __post_init__(self) -> None:
        self.ordered_items = self.items

    @property
    def grams(self) -> int:
        return int(float(self.weight_kg) * 1000.0 * self.row_parcels + 0.5)

    @property
    def lost_s(self) -> float:
        return self.exception_s if self.exception == LOST else NAN

    def goes_wrong(self, kind: int) -> None:
        """Write it down, unless something graver has happened."""
        if kind > self.exception:
            self.exception, self.exception_s = kind, self.env.now

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
    everyday: list[int] = field(default_factory=lambda: [0, 0])  # parcels for other hubs, and for here


@dataclass(eq=False)
class Batch:
    """Everyday parcels that were unloaded together: for other hubs, and for here."""

    parcels: tuple[int, int]


@dataclass(eq=False)
class Returning:
    """A parcel that will go back, and when it may leave its outlet."""

    parcel: Parcel
    from_s: float = math.inf


class Hub:
    """A gate, a store with a limit and one sorter; first come, first served, be it a parcel or a batch of everyday ones."""

    def __init__(
        self,
        env: simpy.Environment,
        hour_parcels: Sequence[float],
        gate_s: float,
        storage_parcels: float,
        weight: float,
        passes_again: Callable[[Parcel], bool],
    ) -> None:
        self.env = env
        self.hour_parcels = hour_parcels
        self.gate_s = gate_s
        self.storage_parcels = storage_parcels
        self.weight = weight
        self.passes_again = passes_again
        self.dock = simpy.Resource(env)
        self.stored = 0
        self.everyday_stored = 0
        self.everyday_sorted = [0, 0]  # and still there: for other hubs, and for here
        self.gate: deque[Vehicle] = deque()
        self.unsorted: deque[Parcel | Batch] = deque()
        self.lanes: dict[int, deque[Parcel]] = defaultdict(deque)
        self.delivery: dict[int, list[Parcel]] = defaultdict(list)
        self.work = env.event()
        env.process(self.sorter())

    def arrive(self, vehicle: Vehicle) -> None:
        self.env.process(self.open(vehicle))

    def open(self, vehicle: Vehicle) -> Process:
        with self.dock.request() as turn:
            yield turn
            parcels = len(vehicle.load) * self.weight + sum(vehicle.everyday)
            yield at(self.env, self.env.now + parcels * self.gate_s, Turn.VEHICLE)
        self.gate.append(vehicle)
        self.unload()

    def unload(self) -> None:
        while self.gate:
            vehicle = self.gate[0]
            if vehicle.load:
                if (self.stored + 1) * self.weight > self.storage_parcels - self.everyday_stored:
                    return
                self.unload_parcel(vehicle.load.popleft())
            else:
                self.unload_everyday(vehicle)
                if sum(vehicle.everyday) > 0:
                    return
            if not vehicle.load:
                self.gate.popleft()
                vehicle.empty.succeed()

    def unload_parcel(self, parcel: Parcel) -> None:
        self.stored += 1
        parcel.entered_s = self.env.now
        parcel.tell("unloaded")
        self.stand_in_line(parcel)

    def unload_everyday(self, vehicle: Vehicle) -> None:
        room = math.floor(self.storage_parcels - self.stored * self.weight - self.everyday_stored)
        onward = min(vehicle.everyday[0], room)
        here = min(vehicle.everyday[1], room - onward)
        if onward + here > 0:
            vehicle.everyday = [vehicle.everyday[0] - onward, vehicle.everyday[1] - here]
            self.everyday_stored += onward + here
            self.stand_in_line(Batch((onward, here)))

    def stand_in_line(self, one: Parcel | Batch) -> None:
        self.unsorted.append(one)
        if not self.work.triggered:
            self.work.succeed()

    def sorter(self) -> Process:
        while True:
            if not self.unsorted:
                self.work = self.env.event()
                yield self.work
            one = self.unsorted.popleft()
            left_parcels = float(sum(one.parcels)) if isinstance(one, Batch) else self.weight
            while left_parcels > 0.0:
                hour = int(self.env.now // HOUR_S)
                hour_end_s, rate_per_s = (hour + 1.0) * HOUR_S, self.hour_parcels[hour] / HOUR_S
                can_parcels = rate_per_s * (hour_end_s - self.env.now)
                done = can_parcels >= left_parcels
                yield at(self.env, self.env.now + left_parcels / rate_per_s if done else hour_end_s, Turn.ROW)
                left_parcels = 0.0 if done else left_parcels - can_parcels
            if isinstance(one, Batch):
                self.everyday_sorted = [
                    there + more for there, more in zip(self.everyday_sorted, one.parcels, strict=True)
                ]
            else:
                self.is_sorted(one)

    def is_sorted(self, parcel: Parcel) -> None:
        parcel.entered_s = self.env.now
        again = self.passes_again(parcel)
        parcel.passes += 1
        if again:
            self.unsorted.append(parcel)
        else:
            parcel.tell("sorted")

    def everyday_leaves(self, kind: int) -> int:
        """The everyday parcels that are sorted for other hubs (0) or for here (1) leave; returns how many."""
        parcels, self.everyday_sorted[kind] = self.everyday_sorted[kind], 0
        self.everyday_stored -= parcels
        return parcels


@dataclass(eq=False)
class Outlet:
    """Couriers of one carrier in one city."""

    couriers: float
    area_km2: float
    tour_parcels: list[float]  # on each tour of the day
    credit: float = 0.0
    waiting: deque[Parcel] = field(default_factory=deque)
    again: deque[Parcel] = field(default_factory=deque)
    forwarded: deque[tuple[float, Parcel]] = field(
        default_factory=deque
    )  # with the time when they are at their right address
    returning: deque[Returning] = field(default_factory=deque)

    def next_to_go(self, now_s: float) -> Parcel | None:
        if self.again:
            return self.again.popleft()
        if self.forwarded and self.forwarded[0][0] < now_s:
            return self.forwarded.popleft()[1]
        return self.waiting.popleft() if self.waiting else None
