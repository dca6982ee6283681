"""One carrier of the plain SimPy model: its clocks, vans, trucks, trains and couriers. The parcels wait for it to tell them."""

import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from experiments._reference.places import NAN, Parcel, Process, Returning, Vehicle, at
from experiments._reference.road import RESTLESS
from sim.kernels.orders import next_carrier
from sim.kernels.outlet import fate_of, round_s
from sim.kernels.road import Crew, breakdown_km
from sim.kernels.rows import DAMAGED
from sim.params.parcels import TrainParams, TruckParams
from sim.parcels.check import lanes_of
from sim.parcels.clock import Turn
from sim.parcels.last_mile import longest_tours_s, tour_number
from sim.units import DAY_S, seconds

if TYPE_CHECKING:
    from experiments._reference.parcels import Reference

BLOCKS = ("refused", "labelled", "packed")  # the order in which a carrier empties the bays


def fits(parcel: Parcel, rows: int, grams: int, weight: float, room_parcels: float, room_kg: float) -> bool:
    """Whether a row can be added to so many rows and grams on board."""
    return (rows + 1) * weight <= room_parcels and grams + parcel.grams <= 1000 * room_kg


def crew_of(truck: TruckParams) -> Crew:
    """When a truck's drivers rest; of two one sleeps on the way."""
    return Crew(truck.wheel_s, truck.stop_s, truck.shift_s if truck.drivers == 1 else math.inf, truck.sleep_s)


class Carrier:
    """Carrier number `number` in the world of a run."""

    def __init__(self, world: "Reference", number: int) -> None:
        self.world, self.number, self.env = world, number, world.env
        self.case, self.plan, self.params = world.case, world.plan, world.case.params
        own = list(self.params.carriers.values())[number]
        self.limit = own.pickup_per_day
        self.picked_up: dict[float, int] = defaultdict(int)  # rows by day
        self.hubs, self.outlets = world.hubs, world.outlets[number]
        self.trucks = {"own truck": own.own_trucks, "hired truck": own.hired_trucks}  # that are free
        self.trucks_left: dict[int, int] = defaultdict(int)  # by lane
        lanes = lanes_of(own)
        self.trains = [
            (self.plan.lanes[number][lanes.index((train.origin, train.destination))], train) for train in own.trains
        ]
        params = self.params
        waves = int(params.horizon_days * DAY_S / params.wave_s)
        for times_s, turn, act in (
            (self.daily(params.pickup_clocks), Turn.PICKUP, self.pick_up),
            ([i * params.wave_s for i in range(1, waves + 1)], Turn.WAVE, lambda: self.line_haul(full=True)),
            (self.daily(params.timetable_clocks), Turn.TIMETABLE, lambda: self.line_haul(full=False)),
            (self.daily(params.outlet_clocks), Turn.OUTLET, self.deliver),
            (self.daily(params.last_mile.tour_clocks), Turn.TOUR, self.tour),
        ):
            self.env.process(self.timed(times_s, turn, act))
        for lane, train in self.trains:
            self.env.process(self.train(lane, train))

    def daily(self, clocks: tuple[str, ...]) -> list[float]:
        days = math.ceil(self.params.horizon_days)
        return [day * DAY_S + seconds(clock) for day in range(days) for clock in clocks]

    def timed(self, times_s: Sequence[float], turn: Turn, act: Callable[[], None]) -> Process:
        for time_s in times_s:
            yield at(self.env, time_s, turn)
            act()

    def pick_up(self) -> None:
        """Collect what is packed, up to the day's limit, and what has waited in the outlets for its way back."""
        vans: dict[int, deque[Parcel]] = defaultdict(deque)
        today = self.env.now // DAY_S
        for bays in itertools.chain(*self.world.bays.values()):
            bay = bays[self.number]
            while bay and (self.limit is None or (self.picked_up[today] + 1) * self.case.weight <= self.limit):
                parcel = bay.popleft()
                parcel.tell("picked_up")
                vans[parcel.origin].append(parcel)
                self.picked_up[today] += 1
        if self.limit is not None:
            self.turn_away()
        for city, outlet in enumerate(self.outlets):
            while outlet.returning and outlet.returning[0].from_s < self.env.now:
                vans[city].append(outlet.returning.popleft().parcel)
        for city in sorted(vans):
            self.env.process(self.van(city, vans[city]))

    def turn_away(self) -> None:
        keys, market = self.world.sellers.keys, self.world.sellers.market
        for block in BLOCKS[1:]:
            for packer, bays in enumerate(self.world.bays[block]):
                while bays[self.number]:
                    parcel = bays[self.number].popleft()
                    parcel.carrier = int(next_carrier(keys, market, self.number, parcel.shopper, parcel.number))
                    self.world.bays["refused"][packer][parcel.carrier].append(parcel)

    def van(self, city: int, load: deque[Parcel]) -> Process:
        rank, feeder = next(self.env._eid), self.params.feeder
        yield from self.world.road.drive(self.feeder_way(city), feeder.speed_kmh, RESTLESS, back=True)
        yield at(self.env, self.env.now + feeder.handling_s, Turn.VEHICLE, rank)
        self.hubs[self.world.hub_of(self.number, city)].arrive(Vehicle(load, self.env.event()))

    def feeder_way(self, city: int) -> int:
        """Number of the way between a city and the hub that serves it."""
        return len(self.plan.lane_km) + self.number * len(self.outlets) + city

    def line_haul(self, *, full: bool) -> None:
        params, now_s = self.params, self.env.now
        kept: dict[int, int] = defaultdict(int)
        for lane, train in self.trains:
            if (seconds(train.depart_clock) - now_s) % DAY_S <= train.gather_s:
                while (kept[lane] + 1) * self.case.weight <= train.wagons * train.wagon_parcels:
                    kept[lane] += 1
        due = []
        for lane in self.plan.lanes[self.number]:
            queue = self.hubs[self.plan.lane_from[lane]].lanes[lane]
            if len(queue) > kept[lane]:
                spared = self.hubs[self.plan.lane_to[lane]].gate and queue[0].entered_s >= now_s - params.hold_s
                if not spared and not self.world.outlook.held[lane]:
                    due.append((queue[0].entered_s, lane, queue))
        for _, lane, queue in sorted(due, key=lambda one: one[:2]):
            while len(queue) > kept[lane]:
                if full and not self.is_truckload(queue, kept[lane]):
                    break
                if not self.send(lane, queue, len(queue) - kept[lane]):
                    break
        self.unload_all()

    def is_truckload(self, queue: deque[Parcel], kept: int) -> bool:
        truck, parcels = self.params.truck, (len(queue) - kept) * self.case.weight
        heavy = kept == 0 and sum(parcel.grams for parcel in queue) >= 1000 * truck.capacity_kg
        return parcels >= truck.capacity_parcels or heavy

    def send(self, lane: int, queue: deque[Parcel], limit: int) -> bool:
        """Send an own truck or else a hired one with the first rows, or a convoy for one that is heavier than a truck."""
        truck, vehicles = self.params.truck, 1
        while not fits(
            queue[0], 0, 0, self.case.weight, vehicles * truck.capacity_parcels, vehicles * truck.capacity_kg
        ):
            vehicles += 1
        for fleet in ("own truck", "hired truck"):
            if self.trucks[fleet] >= vehicles:
                self.trucks[fleet] -= vehicles
                load = self.load(
                    lane, queue, limit, math.inf, vehicles * truck.capacity_parcels, vehicles * truck.capacity_kg
                )
                self.env.process(self.truck(lane, load, fleet, vehicles))
                return True
        return False

    def load(
        self, lane: int, queue: deque[Parcel], limit: int, before_s: float, room_parcels: float, room_kg: float
    ) -> deque[Parcel]:
        load: deque[Parcel] = deque()
        grams = 0
        while queue and len(load) < limit and queue[0].entered_s < before_s:
            if not fits(queue[0], len(load), grams, self.case.weight, room_parcels, room_kg):
                break
            grams += queue[0].grams
            load.append(queue.popleft())
        self.hubs[self.plan.lane_from[lane]].stored -= len(load)
        for parcel in load:
            parcel.tell("departed")
        return load

    def truck(self, lane: int, load: deque[Parcel], fleet: str, vehicles: int) -> Process:
        rank, number = next(self.env._eid), self.trucks_left[lane]
        self.trucks_left[lane] += 1
        trip = self.departs(lane, load, fleet, vehicles)
        yield from self.drive_truck(lane, 2 * number, rank, back=False)
        yield from self.unloads(lane, load, trip)
        rank = next(self.env._eid)
        yield from self.drive_truck(lane, 2 * number + 1, rank, back=True)
        self.trucks[fleet] += vehicles

    def drive_truck(self, lane: int, draw: int, rank: int, *, back: bool) -> Process:
        truck = self.params.truck
        fails_km = breakdown_km(
            self.world.breakdown_key, lane, draw, 1.0 / truck.breakdown_km if truck.breakdown_km else 0.0
        )
        yield from self.world.road.drive(
            lane, truck.speed_kmh, crew_of(truck), back=back, fails_km=fails_km, repair_s=truck.repair_s
        )
        yield at(self.env, self.env.now + truck.handling_s, Turn.VEHICLE, rank)

    def departs(self, lane: int, load: deque[Parcel], kind: str, vehicles: int) -> dict[str, Any]:
        trip = {"vehicle": kind, "vehicles": vehicles, "lane": lane, "depart_s": self.env.now, "rows": len(load)}
        trip |= {"load_kg": sum(parcel.grams for parcel in load) / 1000.0, "arrive_s": NAN, "unloaded_s": NAN}
        self.world.trips.append(trip)
        return trip

    def unloads(self, lane: int, load: deque[Parcel], trip: dict[str, Any]) -> Process:
        trip["arrive_s"] = self.env.now
        vehicle = Vehicle(load, self.env.event())
        self.hubs[self.plan.lane_to[lane]].arrive(vehicle)
        yield vehicle.empty
        trip["unloaded_s"] = self.env.now

    def train(self, lane: int, train: TrainParams) -> Process:
        hub = self.hubs[self.plan.lane_from[lane]]
        for time_s in self.daily((train.depart_clock,)):
            yield at(self.env, time_s, Turn.TRAIN)
            queue = hub.lanes[lane]
            room_parcels, room_kg = train.wagons * train.wagon_parcels, train.wagons * train.wagon_kg
            load = self.load(lane, queue, len(queue), time_s - train.cutoff_s, room_parcels, room_kg)
            if load:
                self.env.process(self.train_trip(lane, load, train))
                hub.unload()

    def train_trip(self, lane: int, load: deque[Parcel], train: TrainParams) -> Process:
        trip = self.departs(lane, load, "train", 1)
        yield at(self.env, self.env.now + train.travel_s + train.handling_s, Turn.VEHICLE)
        yield from self.unloads(lane, load, trip)

    def deliver(self) -> None:
        for city in range(len(self.outlets)):
            hub = self.hubs[self.world.hub_of(self.number, city)]
            if load := hub.delivery.pop(city, []):
                hub.stored -= len(load)
                for parcel in load:
                    if fate_of(self.world.at_doors, parcel.shopper, parcel.number) == DAMAGED and not parcel.goes_back:
                        self.outlets[city].returning.append(Returning(parcel))  # from when the van is there
                self.env.process(self.outlet_van(city, load))
        self.unload_all()

    def outlet_van(self, city: int, load: list[Parcel]) -> Process:
        feeder = self.params.feeder
        yield from self.world.road.drive(self.feeder_way(city), feeder.speed_kmh, RESTLESS, back=False)
        yield at(self.env, self.env.now + feeder.handling_s, Turn.ROW)
        for parcel in load:
            parcel.tell("at_outlet")

    def unload_all(self) -> None:
        for hub in self.plan.hubs[self.number]:
            self.hubs[hub].unload()

    def tour(self) -> None:
        weight, at_doors = self.case.weight, self.world.at_doors
        middle = 0.5 * (weight + 1.0)
        number = tour_number(self.params.last_mile, self.env.now)
        for outlet in self.outlets:
            capacity = outlet.tour_parcels[number]
            outlet.credit += capacity
            out = []
            while outlet.credit >= middle and (parcel := outlet.next_to_go(self.env.now)):
                out.append((parcel, capacity - outlet.credit + middle))
                outlet.credit -= weight
            load = min(capacity, capacity - outlet.credit)
            takes_s = round_s(load, outlet.couriers, outlet.area_km2, at_doors.speed_kmh, at_doors.stop_s)
            takes_s = min(takes_s, longest_tours_s(self.params.last_mile)[number])
            for parcel, place in out:
                parcel.tell("out", takes_s * (place / load))
            if outlet.credit >= middle:
                outlet.credit = min(outlet.credit, 0.0)
