"""The parcels part in plain SimPy: a process for every parcel, merchant, sorter, truck and carrier's clock. Slow and obvious.

It is the specification of `sim.parcels`: the same draws must give the same timestamps, bit for bit. Set-up (who is where,
how far, how fast) is taken from `sim.parcels.plan` and `sim.parcels.merchants`; everything that happens is done again here.
"""

import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import simpy

from experiments._reference.places import Hub, Outlet, Parcel, Process, Vehicle, at
from sim.draws import stream
from sim.kernels.hub import is_lost
from sim.kernels.orders import attributes, is_virtual, joins_previous
from sim.kernels.outlet import succeeds
from sim.kernels.warehouse import clock_s, worked_s
from sim.params.parcels import TrainParams
from sim.parcels.check import lanes_of
from sim.parcels.clock import Turn
from sim.parcels.merchants import make_merchants
from sim.parcels.plan import make_plan
from sim.units import DAY_S, HOUR_S, seconds
from tests.parcel_case import Case

Trains = list[tuple[int, TrainParams]]


class Reference:
    """One run of a case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.env = simpy.Environment()
        self.plan = make_plan(case.params, case.network, case.destinations, case.seed)
        self.sellers = make_merchants(case.orders, case.params, case.origins, case.destinations, case.seed)
        self.success_key = stream(case.seed, "parcels.success")
        self.parcels: list[Parcel] = []
        self.trips: list[dict[str, Any]] = []
        carriers = range(len(self.plan.carriers))
        self.to_pack = [simpy.Store(self.env) for _ in range(case.orders.merchants)]
        self.doors: list[list[deque[Parcel]]] = [[deque() for _ in carriers] for _ in range(case.orders.merchants)]
        self.hubs = [
            Hub(self.env, case.weight * HOUR_S / rate, storage, case.weight)
            for rate, storage in zip(self.plan.sort_per_h, self.plan.storage_parcels, strict=True)
        ]
        self.outlets = [
            [Outlet(travel_s, tour) for travel_s, tour in zip(*pair, strict=True)]
            for pair in zip(self.plan.feeder_s.tolist(), self.plan.tour_parcels.tolist(), strict=True)
        ]
        self.env.process(self.buyers())
        for merchant in range(case.orders.merchants):
            self.env.process(self.packer(merchant))
        for carrier in carriers:
            self.start_carrier(carrier)

    def run(self) -> "Reference":
        self.env.run(until=self.case.params.horizon_days * DAY_S)
        return self

    def buyers(self) -> Process:
        keys, market = self.sellers.keys, self.sellers.market
        latest: dict[int, Parcel] = {}
        for paid_s, shopper, number, _ in zip(*(column.tolist() for column in self.case.batch), strict=True):
            yield at(self.env, paid_s, Turn.ROW)
            if is_virtual(keys, market, shopper, number):
                continue
            if joins_previous(keys, market, shopper, number):
                latest[shopper].orders += 1
                continue
            merchant, carrier, destination, _ = attributes(keys, market, shopper, number)
            parcel = latest[shopper] = Parcel(self.env, shopper, number, merchant, carrier, destination)
            self.parcels.append(parcel)
            self.env.process(self.parcel(parcel))

    def parcel(self, parcel: Parcel) -> Process:
        env, case = self.env, self.case
        parcel.created_s = env.now
        yield self.to_pack[parcel.merchant].put(parcel)
        yield parcel.wait("packed")
        parcel.packed_s = env.now
        self.doors[parcel.merchant][parcel.carrier].append(parcel)
        yield parcel.wait("picked_up")
        parcel.picked_up_s = env.now

        hub = self.hub_of(parcel.carrier, self.sellers.market.merchant_city[parcel.merchant])
        last_hub = self.hub_of(parcel.carrier, parcel.destination)
        while True:
            yield parcel.wait("unloaded")
            parcel.heard("unloaded")
            if math.isnan(parcel.origin_hub_s):
                parcel.origin_hub_s = env.now
            if hub == last_hub:
                parcel.destination_hub_s = env.now
            yield parcel.wait("sorted")
            parcel.heard("sorted")
            if hub == last_hub:
                break
            lane = int(self.plan.routes.next_lane[hub, last_hub])
            self.hubs[hub].lanes[lane].append(parcel)
            yield parcel.wait("departed")
            parcel.heard("departed")
            if math.isnan(parcel.departed_s):
                parcel.departed_s = env.now
            hub = int(self.plan.lane_to[lane])

        if is_lost(self.plan.routes.lost_key, case.params.lost_share, parcel.shopper, parcel.number):
            parcel.lost_s = env.now
            self.hubs[hub].stored -= 1
            return
        self.hubs[hub].delivery[parcel.destination].append(parcel)
        yield parcel.wait("to_outlet")
        outlet = self.outlets[parcel.carrier][parcel.destination]
        yield at(env, env.now + outlet.travel_s, Turn.ROW)
        parcel.outlet_s = env.now
        outlet.waiting.append(parcel)

        while True:
            place = yield parcel.wait("out")
            parcel.heard("out")
            parcel.out_s = env.now
            parcel.attempts += 1
            if place is not None:
                yield at(env, env.now + case.params.last_mile.tour_s * place, Turn.ROW)
                parcel.signed_s = env.now
                return

    def packer(self, merchant: int) -> Process:
        shift = (self.sellers.shift_start_s, self.sellers.shift_end_s)
        parcel_s, weight = self.sellers.parcel_s[merchant], self.case.weight
        free_work_s = 0.0
        while True:
            parcel = yield self.to_pack[merchant].get()
            before = after = 0.5 * (weight - 1.0)  # parcels of the row on either side of its middle one
            start_work_s = max(free_work_s + before * parcel_s, worked_s(parcel.created_s, *shift))
            free_work_s = start_work_s + (after + 1.0) * parcel_s
            yield at(self.env, clock_s(start_work_s + parcel_s, *shift), Turn.ROW)
            parcel.tell("packed")

    def hub_of(self, carrier: int, city: int) -> int:
        return int(self.plan.routes.hub_of[carrier, city])

    def start_carrier(self, carrier: int) -> None:
        params = self.case.params
        own = list(params.carriers.values())[carrier]
        trucks = {"own truck": own.own_trucks, "hired truck": own.hired_trucks}
        lanes = lanes_of(own)
        trains = [
            (self.plan.lanes[carrier][lanes.index((train.origin, train.destination))], train) for train in own.trains
        ]
        waves = int(params.horizon_days * DAY_S / params.wave_s)
        for times_s, turn, act in (
            (self.daily(params.pickup_clocks), Turn.PICKUP, lambda: self.pick_up(carrier)),
            (
                [i * params.wave_s for i in range(1, waves + 1)],
                Turn.WAVE,
                lambda: self.line_haul(carrier, trucks, trains, full=True),
            ),
            (
                self.daily(params.timetable_clocks),
                Turn.TIMETABLE,
                lambda: self.line_haul(carrier, trucks, trains, full=False),
            ),
            (self.daily(params.outlet_clocks), Turn.OUTLET, lambda: self.deliver(carrier)),
            (self.daily(params.last_mile.tour_clocks), Turn.TOUR, lambda: self.tour(carrier)),
        ):
            self.env.process(self.timed(times_s, turn, act))
        for lane, train in trains:
            self.env.process(self.train(lane, train))

    def daily(self, clocks: tuple[str, ...]) -> list[float]:
        days = math.ceil(self.case.params.horizon_days)
        return [day * DAY_S + seconds(clock) for day in range(days) for clock in clocks]

    def timed(self, times_s: Sequence[float], turn: Turn, act: Callable[[], None]) -> Process:
        for time_s in times_s:
            yield at(self.env, time_s, turn)
            act()

    def pick_up(self, carrier: int) -> None:
        vans: dict[int, deque[Parcel]] = defaultdict(deque)
        for merchant, doors in enumerate(self.doors):
            while doors[carrier]:
                parcel = doors[carrier].popleft()
                parcel.tell("picked_up")
                vans[int(self.sellers.market.merchant_city[merchant])].append(parcel)
        for city in sorted(vans):
            self.env.process(self.van(carrier, city, vans[city]))

    def van(self, carrier: int, city: int, load: deque[Parcel]) -> Process:
        yield self.env.timeout(float(self.plan.feeder_s[carrier, city]))
        self.hubs[self.hub_of(carrier, city)].arrive(Vehicle(load, self.env.event()))

    def line_haul(self, carrier: int, trucks: dict[str, int], trains: Trains, *, full: bool) -> None:
        params, now_s = self.case.params, self.env.now
        kept: dict[int, int] = defaultdict(int)
        for lane, train in trains:
            if (seconds(train.depart_clock) - now_s) % DAY_S <= train.gather_s:
                kept[lane] += self.most_rows(1_000, train.capacity_parcels, 1)
        due = []
        for lane in self.plan.lanes[carrier]:
            queue = self.hubs[self.plan.lane_from[lane]].lanes[lane]
            if queue:
                spared = self.hubs[self.plan.lane_to[lane]].gate and queue[0].entered_s >= now_s - params.hold_s
                if not spared:
                    due.append((queue[0].entered_s, lane, queue))
        for _, lane, queue in sorted(due, key=lambda one: one[:2]):
            rows = len(queue) - kept[lane]
            capacity = params.truck.capacity_parcels
            if full:
                rows = self.rows_of_full_trucks(rows, capacity)
            for fleet in ("own truck", "hired truck"):
                count = self.most_rows(rows, capacity, trucks[fleet])
                if count > 0:
                    self.send(lane, queue, count, fleet, trucks)
                    rows -= count
        self.unload_all(carrier)

    def rows_of_full_trucks(self, rows: int, capacity: float) -> int:
        """Rows in as many trucks as there are whole loads; a row that is heavier than a truck takes its convoy."""
        loads = 0
        while (loads + 1) * capacity <= rows * self.case.weight:
            loads += 1
        return max(1, self.most_rows(rows, capacity, loads)) if loads else 0

    def most_rows(self, rows: int, capacity: float, trucks: int) -> int:
        while rows > 0 and rows * self.case.weight > trucks * capacity:
            rows -= 1
        return rows

    def send(self, lane: int, queue: deque[Parcel], count: int, fleet: str, trucks: dict[str, int]) -> None:
        capacity, vehicles = self.case.params.truck.capacity_parcels, 0
        while vehicles * capacity < count * self.case.weight:
            vehicles += 1
        trucks[fleet] -= vehicles
        self.env.process(self.truck(lane, self.load(lane, queue, count), fleet, vehicles, trucks))

    def load(self, lane: int, queue: deque[Parcel], count: int) -> deque[Parcel]:
        load = deque(queue.popleft() for _ in range(count))
        self.hubs[self.plan.lane_from[lane]].stored -= count
        for parcel in load:
            parcel.tell("departed")
        return load

    def truck(self, lane: int, load: deque[Parcel], fleet: str, vehicles: int, trucks: dict[str, int]) -> Process:
        transit_s = float(self.plan.lane_transit_s[lane])
        yield from self.trip(lane, load, fleet, vehicles, transit_s)
        yield self.env.timeout(transit_s)
        trucks[fleet] += vehicles

    def trip(self, lane: int, load: deque[Parcel], kind: str, vehicles: int, transit_s: float) -> Process:
        env = self.env
        trip = {"vehicle": kind, "vehicles": vehicles, "lane": lane, "depart_s": env.now, "rows": len(load)}
        self.trips.append(trip)
        yield env.timeout(transit_s)
        trip["arrive_s"] = env.now
        vehicle = Vehicle(load, env.event())
        self.hubs[self.plan.lane_to[lane]].arrive(vehicle)
        yield vehicle.empty
        trip["unloaded_s"] = env.now

    def train(self, lane: int, train: TrainParams) -> Process:
        hub = self.hubs[self.plan.lane_from[lane]]
        for time_s in self.daily((train.depart_clock,)):
            yield at(self.env, time_s, Turn.TRAIN)
            in_time = [parcel for parcel in hub.lanes[lane] if parcel.entered_s < time_s - train.cutoff_s]
            count = self.most_rows(len(in_time), train.capacity_parcels, 1)
            if count:
                load = self.load(lane, hub.lanes[lane], count)
                self.env.process(self.trip(lane, load, "train", 1, train.travel_s + train.handling_s))
                hub.unload()

    def deliver(self, carrier: int) -> None:
        for city in range(len(self.outlets[carrier])):
            hub = self.hubs[self.hub_of(carrier, city)]
            for parcel in hub.delivery.pop(city, []):
                hub.stored -= 1
                parcel.tell("to_outlet")
        self.unload_all(carrier)

    def unload_all(self, carrier: int) -> None:
        for hub in self.plan.hubs[carrier]:
            self.hubs[hub].unload()

    def tour(self, carrier: int) -> None:
        weight = self.case.weight
        middle = 0.5 * (weight + 1.0)
        for outlet in self.outlets[carrier]:
            outlet.credit += outlet.tour_parcels
            failed = []
            while outlet.credit >= middle and (outlet.again or outlet.waiting):
                parcel = (outlet.again or outlet.waiting).popleft()
                place = (outlet.tour_parcels - outlet.credit + middle) / outlet.tour_parcels
                outlet.credit -= weight
                share = self.case.params.last_mile.success_share
                if succeeds(self.success_key, share, parcel.shopper, parcel.number, parcel.attempts):
                    parcel.tell("out", place)
                else:
                    parcel.tell("out", None)
                    failed.append(parcel)
            outlet.again.extend(failed)
            if outlet.credit >= middle:
                outlet.credit = min(outlet.credit, 0.0)

    def column(self, name: str) -> np.ndarray:
        return np.array([getattr(parcel, name) for parcel in self.parcels])
