"""The parcels part in plain SimPy: a process for every parcel, merchant, sorter, truck and carrier's clock. Slow and obvious.

It is the specification of `sim.parcels`: the same draws must give the same timestamps, bit for bit. Set-up (who is where,
how far, how fast) is taken from `sim.parcels.plan` and `sim.parcels.merchants`; everything that happens is done again here.
"""

import itertools
import math
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from experiments._reference.places import NAN, Hub, Outlet, Parcel, Process, Vehicle, at
from experiments._reference.road import RESTLESS, Road
from experiments._reference.stock import Store
from sim.draws import stream
from sim.kernels.hub import is_lost, passes_again
from sim.kernels.orders import (
    carrier_of,
    contents,
    destination_of,
    is_virtual,
    merchant_of,
    next_carrier,
    same_merchant,
)
from sim.kernels.outlet import collected_s, fate_of, round_s, succeeds
from sim.kernels.road import Crew, breakdown_km
from sim.kernels.rows import DAMAGED, LOST, NOT_AT_HOME, REFUSED, WRONG_ADDRESS
from sim.kernels.warehouse import clock_s, due_s, is_prepacked
from sim.params.parcels import TrainParams
from sim.params.weather import ForecastParams
from sim.parcels.check import lanes_of
from sim.parcels.clock import Turn
from sim.parcels.dispatch import Outlook, outlook
from sim.parcels.last_mile import longest_tours_s, make_doors, most_stops, tour_number
from sim.parcels.merchants import make_merchants
from sim.parcels.plan import make_plan
from sim.units import DAY_S, HOUR_S, seconds

if TYPE_CHECKING:
    from tests.parcel_case import Case

Trains = list[tuple[int, TrainParams]]
BLOCKS = ("refused", "labelled", "packed")  # the order in which a carrier empties the bays
AFTER_PACKING = Turn.ROW + 1  # a parcel that is packed when an order is paid is closed


def fits(parcel: Parcel, rows: int, grams: int, weight: float, room_parcels: float, room_kg: float) -> bool:
    """Whether a row can be added to so many rows and grams on board."""
    return (rows + 1) * weight <= room_parcels and grams + parcel.grams <= 1000 * room_kg


class Reference:
    """One run of a case."""

    def __init__(self, case: "Case") -> None:
        self.case = case
        self.env = simpy.Environment()
        self.plan = make_plan(case.params, case.network, case.destinations, case.seed, case.weather)
        self.road = Road(self.env, self.plan.roads)
        self.breakdown_key = stream(case.seed, "parcels.breakdown")
        self.trucks_left: dict[int, int] = defaultdict(int)  # by lane
        places = case.stock.places if case.stock else {}
        self.sellers = make_merchants(
            case.orders, case.params, case.origins, case.destinations, case.seed, places.values()
        )
        self.store = Store(self.env, case, self.sellers)
        self.at_doors = make_doors(case.params.last_mile, case.seed)
        self.parcels: list[Parcel] = []
        self.trips: list[dict[str, Any]] = []
        self.picked_up: dict[tuple[int, float], int] = defaultdict(int)  # rows by carrier and day
        carriers = range(len(self.plan.carriers))
        packers = range(self.sellers.warehouses.pack_s.size)
        self.bays: dict[str, list[list[deque[Parcel]]]] = {
            block: [[deque() for _ in carriers] for _ in packers] for block in BLOCKS
        }
        self.lines = {line: [simpy.Store(self.env) for _ in packers] for line in ("labelled", "packed")}
        self.hubs = [
            Hub(self.env, hours, gate_s, storage, case.weight, self.passes_again)
            for hours, gate_s, storage in zip(
                self.plan.hour_parcels.tolist(),
                self.plan.gate_s.tolist(),
                self.plan.storage_parcels.tolist(),
                strict=True,
            )
        ]
        self.outlets = [[self.outlet(*place) for place in enumerate(own)] for own in self.plan.couriers.tolist()]
        self.env.process(self.buyers())
        for packer in packers:
            for line in self.lines:
                self.env.process(self.work(packer, line))
        for carrier in carriers:
            self.start_carrier(carrier)
        self.outlook = Outlook(np.zeros(len(self.plan.lane_km), bool), self.plan.routes.next_lane)
        if case.weather is not None and case.weather.forecast is not None:
            self.env.process(self.dispatcher(case.weather.forecast))

    def outlet(self, city: int, couriers: float) -> Outlet:
        last_mile = self.case.params.last_mile
        area_km2 = float(self.plan.population[city]) / last_mile.people_per_km2
        own_km2 = np.array([area_km2 / couriers])
        tours = [
            couriers * float(most_stops(last_mile, own_km2, longest_s)[0]) for longest_s in longest_tours_s(last_mile)
        ]
        return Outlet(couriers, area_km2, tours)

    def run(self) -> "Reference":
        self.env.run(until=self.case.params.horizon_days * DAY_S)
        return self

    def buyers(self) -> Process:
        keys, market = self.sellers.keys, self.sellers.market
        latest: dict[int, Parcel] = {}
        for paid_s, shopper, number, _ in zip(*(column.tolist() for column in self.case.batch), strict=True):
            yield at(self.env, paid_s, AFTER_PACKING)
            if is_virtual(keys, market, shopper, number):
                continue
            before = latest[shopper] if same_merchant(keys, market, shopper, number) else None
            merchant = before.merchant if before else merchant_of(keys, market, shopper, number)
            category = int(market.merchant_category[merchant])
            items, order_kg = contents(keys, market, category, shopper, number)
            destination = int(destination_of(keys, market, shopper))
            packer, origin = self.store.sender(merchant, destination, items * self.case.weight)
            if before and before.origin == origin and math.isnan(before.packed_s):
                before.orders += 1
                before.items = min(before.items + int(items), 255)
                before.weight_kg = np.float32(float(before.weight_kg) + order_kg)
                continue
            parcel = latest[shopper] = Parcel(
                self.env,
                shopper,
                number,
                merchant,
                packer=packer,
                carrier=int(carrier_of(keys, market, merchant, shopper, number)),
                origin=origin,
                destination=destination,
                items=int(items),
                row_parcels=self.case.weight,
                weight_kg=np.float32(order_kg),
            )
            self.parcels.append(parcel)
            self.env.process(self.parcel(parcel))

    def parcel(self, parcel: Parcel) -> Process:
        env, case = self.env, self.case
        parcel.created_s = parcel.entered_s = env.now
        keys, warehouses = self.sellers.keys, self.sellers.warehouses
        prepacked = is_prepacked(keys.prepacked, warehouses, parcel.packer, parcel.shopper, parcel.number)
        line = "labelled" if prepacked else "packed"
        yield self.lines[line][parcel.packer].put(parcel)
        yield parcel.wait("packed")
        parcel.packed_s = parcel.entered_s = env.now
        self.bays[line][parcel.packer][parcel.carrier].append(parcel)
        yield parcel.wait("picked_up")
        parcel.picked_up_s = env.now

        hub = self.hub_of(parcel.carrier, parcel.origin)
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
            lane = int(self.outlook.next_lane[hub, last_hub])
            self.hubs[hub].lanes[lane].append(parcel)
            yield parcel.wait("departed")
            parcel.heard("departed")
            if math.isnan(parcel.departed_s):
                parcel.departed_s = env.now
            hub = int(self.plan.lane_to[lane])

        if is_lost(self.plan.routes.lost_key, case.params.lost_share, parcel.shopper, parcel.number):
            parcel.goes_wrong(LOST)
            self.hubs[hub].stored -= 1
            return
        self.hubs[hub].delivery[parcel.destination].append(parcel)
        yield parcel.wait("at_outlet")
        parcel.outlet_s = parcel.entered_s = env.now
        outlet = self.outlets[parcel.carrier][parcel.destination]
        fate = fate_of(self.at_doors, parcel.shopper, parcel.number)
        if fate == DAMAGED:
            yield from self.send_back(parcel, DAMAGED)
            return
        outlet.waiting.append(parcel)

        while True:
            way_s = yield parcel.wait("out")
            parcel.heard("out")
            out_s = parcel.out_s = env.now
            attempt = parcel.attempts
            parcel.attempts += 1
            wrong_address = fate == WRONG_ADDRESS and attempt == 0
            if wrong_address:
                parcel.entered_s = out_s + case.params.last_mile.forward_s
                outlet.forwarded.append((parcel.entered_s, parcel))
            in_locker_s = collected_s(self.at_doors, parcel.shopper, parcel.number)
            at_home = succeeds(
                self.at_doors.success_key, self.at_doors.success_share, parcel.shopper, parcel.number, attempt
            )
            if not wrong_address and in_locker_s < 0 and not at_home:
                outlet.again.append(parcel)
            yield at(env, out_s + way_s, Turn.ROW)
            if wrong_address:
                parcel.goes_wrong(WRONG_ADDRESS)
            elif in_locker_s >= 0:
                yield at(env, env.now + in_locker_s, Turn.ROW)
                parcel.signed_s = env.now
                return
            elif not at_home:
                parcel.goes_wrong(NOT_AT_HOME)
            elif fate == REFUSED:
                yield from self.send_back(parcel, REFUSED)
                return
            else:
                parcel.signed_s = env.now
                return

    def send_back(self, parcel: Parcel, kind: int) -> Process:
        parcel.goes_wrong(kind)
        yield at(self.env, self.env.now + self.case.params.last_mile.return_s, Turn.ROW)
        parcel.returned_s = self.env.now

    def work(self, packer: int, line: str) -> Process:
        warehouses, weight = self.sellers.warehouses, self.case.weight
        free_work_s = 0.0
        while True:
            parcel = yield self.lines[line][packer].get()
            if line == "labelled":
                parcel_s = warehouses.label_s[packer]
            else:
                parcel_s = parcel.ordered_items * warehouses.pick_s[packer] + warehouses.pack_s[packer]
            before = after = 0.5 * (weight - 1.0)  # parcels of the row on either side of its middle one
            start_work_s = max(free_work_s + before * parcel_s, due_s(parcel.created_s, warehouses.shift))
            free_work_s = start_work_s + (after + 1.0) * parcel_s
            yield at(self.env, clock_s(start_work_s + parcel_s, warehouses.shift), Turn.ROW)
            parcel.tell("packed")

    def dispatcher(self, forecast: ForecastParams) -> Process:
        truck, issue_h = self.case.params.truck, 0
        while True:
            yield at(self.env, issue_h * HOUR_S, Turn.FORECAST)
            s_per_km = HOUR_S / truck.speed_kmh
            self.outlook = outlook(self.plan, forecast, self.crew(), s_per_km, issue_h, self.case.seed)
            issue_h += forecast.issue_h

    def crew(self) -> Crew:
        truck = self.case.params.truck
        return Crew(truck.wheel_s, truck.stop_s, truck.shift_s if truck.drivers == 1 else math.inf, truck.sleep_s)

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
        limit = list(self.case.params.carriers.values())[carrier].pickup_per_day
        today = carrier, self.env.now // DAY_S
        for bays in itertools.chain(*self.bays.values()):
            while bays[carrier] and (limit is None or (self.picked_up[today] + 1) * self.case.weight <= limit):
                parcel = bays[carrier].popleft()
                parcel.tell("picked_up")
                vans[parcel.origin].append(parcel)
                self.picked_up[today] += 1
        if limit is not None:
            self.turn_away(carrier)
        for city in sorted(vans):
            self.env.process(self.van(carrier, city, vans[city]))

    def turn_away(self, carrier: int) -> None:
        keys, market = self.sellers.keys, self.sellers.market
        for block in BLOCKS[1:]:
            for packer, bays in enumerate(self.bays[block]):
                while bays[carrier]:
                    parcel = bays[carrier].popleft()
                    parcel.carrier = int(next_carrier(keys, market, carrier, parcel.shopper, parcel.number))
                    self.bays["refused"][packer][parcel.carrier].append(parcel)

    def van(self, carrier: int, city: int, load: deque[Parcel]) -> Process:
        rank, feeder = next(self.env._eid), self.case.params.feeder
        yield from self.road.drive(self.feeder_way(carrier, city), feeder.speed_kmh, RESTLESS, back=True)
        yield at(self.env, self.env.now + feeder.handling_s, Turn.VEHICLE, rank)
        self.hubs[self.hub_of(carrier, city)].arrive(Vehicle(load, self.env.event()))

    def feeder_way(self, carrier: int, city: int) -> int:
        """Number of the way between a city and the hub that serves it."""
        return len(self.plan.lane_km) + carrier * len(self.outlets[carrier]) + city

    def passes_again(self, parcel: Parcel) -> bool:
        routes = self.plan.routes
        return bool(
            passes_again(routes.again_key, routes.again_share, parcel.shopper, parcel.number, parcel.passes % 256)
        )

    def line_haul(self, carrier: int, trucks: dict[str, int], trains: Trains, *, full: bool) -> None:
        params, now_s = self.case.params, self.env.now
        kept: dict[int, int] = defaultdict(int)
        for lane, train in trains:
            if (seconds(train.depart_clock) - now_s) % DAY_S <= train.gather_s:
                while (kept[lane] + 1) * self.case.weight <= train.wagons * train.wagon_parcels:
                    kept[lane] += 1
        due = []
        for lane in self.plan.lanes[carrier]:
            queue = self.hubs[self.plan.lane_from[lane]].lanes[lane]
            if len(queue) > kept[lane]:
                spared = self.hubs[self.plan.lane_to[lane]].gate and queue[0].entered_s >= now_s - params.hold_s
                if not spared and not self.outlook.held[lane]:
                    due.append((queue[0].entered_s, lane, queue))
        for _, lane, queue in sorted(due, key=lambda one: one[:2]):
            while len(queue) > kept[lane]:
                if full and not self.is_truckload(queue, kept[lane]):
                    break
                if not self.send(lane, queue, len(queue) - kept[lane], trucks):
                    break
        self.unload_all(carrier)

    def is_truckload(self, queue: deque[Parcel], kept: int) -> bool:
        truck, parcels = self.case.params.truck, (len(queue) - kept) * self.case.weight
        heavy = kept == 0 and sum(parcel.grams for parcel in queue) >= 1000 * truck.capacity_kg
        return parcels >= truck.capacity_parcels or heavy

    def send(self, lane: int, queue: deque[Parcel], limit: int, trucks: dict[str, int]) -> bool:
        """Send an own truck or else a hired one with the first rows, or a convoy for one that is heavier than a truck."""
        truck, vehicles = self.case.params.truck, 1
        while not fits(
            queue[0], 0, 0, self.case.weight, vehicles * truck.capacity_parcels, vehicles * truck.capacity_kg
        ):
            vehicles += 1
        for fleet in ("own truck", "hired truck"):
            if trucks[fleet] >= vehicles:
                trucks[fleet] -= vehicles
                load = self.load(
                    lane, queue, limit, math.inf, vehicles * truck.capacity_parcels, vehicles * truck.capacity_kg
                )
                self.env.process(self.truck(lane, load, fleet, vehicles, trucks))
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

    def truck(self, lane: int, load: deque[Parcel], fleet: str, vehicles: int, trucks: dict[str, int]) -> Process:
        rank, number = next(self.env._eid), self.trucks_left[lane]
        self.trucks_left[lane] += 1
        trip = self.departs(lane, load, fleet, vehicles)
        yield from self.drive_truck(lane, 2 * number, rank, back=False)
        yield from self.unloads(lane, load, trip)
        rank = next(self.env._eid)
        yield from self.drive_truck(lane, 2 * number + 1, rank, back=True)
        trucks[fleet] += vehicles

    def drive_truck(self, lane: int, draw: int, rank: int, *, back: bool) -> Process:
        truck = self.case.params.truck
        fails_km = breakdown_km(self.breakdown_key, lane, draw, 1.0 / truck.breakdown_km if truck.breakdown_km else 0.0)
        yield from self.road.drive(
            lane, truck.speed_kmh, self.crew(), back=back, fails_km=fails_km, repair_s=truck.repair_s
        )
        yield at(self.env, self.env.now + truck.handling_s, Turn.VEHICLE, rank)

    def departs(self, lane: int, load: deque[Parcel], kind: str, vehicles: int) -> dict[str, Any]:
        trip = {"vehicle": kind, "vehicles": vehicles, "lane": lane, "depart_s": self.env.now, "rows": len(load)}
        trip |= {"load_kg": sum(parcel.grams for parcel in load) / 1000.0, "arrive_s": NAN, "unloaded_s": NAN}
        self.trips.append(trip)
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

    def deliver(self, carrier: int) -> None:
        for city in range(len(self.outlets[carrier])):
            hub = self.hubs[self.hub_of(carrier, city)]
            if load := hub.delivery.pop(city, []):
                hub.stored -= len(load)
                self.env.process(self.outlet_van(carrier, city, load))
        self.unload_all(carrier)

    def outlet_van(self, carrier: int, city: int, load: list[Parcel]) -> Process:
        feeder = self.case.params.feeder
        yield from self.road.drive(self.feeder_way(carrier, city), feeder.speed_kmh, RESTLESS, back=False)
        yield at(self.env, self.env.now + feeder.handling_s, Turn.ROW)
        for parcel in load:
            parcel.tell("at_outlet")

    def unload_all(self, carrier: int) -> None:
        for hub in self.plan.hubs[carrier]:
            self.hubs[hub].unload()

    def tour(self, carrier: int) -> None:
        weight = self.case.weight
        middle = 0.5 * (weight + 1.0)
        number = tour_number(self.case.params.last_mile, self.env.now)
        for outlet in self.outlets[carrier]:
            capacity = outlet.tour_parcels[number]
            outlet.credit += capacity
            out = []
            while outlet.credit >= middle and (parcel := outlet.next_to_go(self.env.now)):
                out.append((parcel, capacity - outlet.credit + middle))
                outlet.credit -= weight
            load = min(capacity, capacity - outlet.credit)
            takes_s = round_s(load, outlet.couriers, outlet.area_km2, self.at_doors.speed_kmh, self.at_doors.stop_s)
            takes_s = min(takes_s, longest_tours_s(self.case.params.last_mile)[number])
            for parcel, place in out:
                parcel.tell("out", takes_s * (place / load))
            if outlet.credit >= middle:
                outlet.credit = min(outlet.credit, 0.0)

    def column(self, name: str) -> np.ndarray:
        """Values of an attribute of all parcels; times but the exact `entered_s` in whole 1/1024 s, as stamps are kept."""
        values = np.array([getattr(parcel, name) for parcel in self.parcels])
        return np.floor(values * 1024.0) / 1024.0 if name.endswith("_s") and name != "entered_s" else values
