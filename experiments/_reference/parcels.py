"""The parcels part in plain SimPy: a process for every parcel, merchant, sorter, truck and carrier's clock. Slow and obvious.

It is the specification of `sim.parcels`: the same draws must give the same timestamps, bit for bit. Set-up (who is where, how
far, how fast) is taken from `sim.parcels.plan`, `.merchants` and `.everyday_plan`; everything that happens is done again here.

parcels.py: the world, and a parcel's way from the order to the signature or back; carriers.py: what a carrier does with it;
places.py: hubs, outlets and vehicles; everyday.py: ordinary parcels; stock.py, road.py: forward stock, driving in weather.
"""

import math
from collections import deque
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy

from experiments._reference.carriers import BLOCKS, Carrier, crew_of
from experiments._reference.everyday import EverydayTraffic
from experiments._reference.places import Hub, Outlet, Parcel, Process, Returning, at
from experiments._reference.road import Road
from experiments._reference.stock import Store
from sim.draws import stream
from sim.kernels.hub import is_lost, passes_again
from sim.kernels.orders import (
    carrier_of,
    contents,
    destination_of,
    is_virtual,
    merchant_of,
    same_merchant,
)
from sim.kernels.outlet import collected_s, fate_of, succeeds
from sim.kernels.rows import DAMAGED, LOST, NOT_AT_HOME, REFUSED, WRONG_ADDRESS
from sim.kernels.warehouse import clock_s, due_s, is_prepacked
from sim.params.weather import ForecastParams
from sim.parcels.clock import Turn
from sim.parcels.dispatch import Outlook, outlook
from sim.parcels.last_mile import longest_tours_s, make_doors, most_stops
from sim.parcels.merchants import make_merchants
from sim.parcels.plan import make_plan
from sim.units import DAY_S, HOUR_S

if TYPE_CHECKING:
    from tests.parcel_case import Case

AFTER_PACKING = Turn.ROW + 1  # a parcel that is packed when an order is paid is closed


class Reference:
    """One run of a case."""

    def __init__(self, case: "Case") -> None:
        self.case = case
        self.env = simpy.Environment()
        self.plan = make_plan(case.params, case.network, case.destinations, case.seed, case.weather)
        self.road = Road(self.env, self.plan.roads)
        self.breakdown_key = stream(case.seed, "parcels.breakdown")
        places = case.stock.places if case.stock else {}
        self.sellers = make_merchants(
            case.orders, case.params, case.origins, case.destinations, case.seed, places.values()
        )
        self.store = Store(self.env, case, self.sellers)
        self.at_doors = make_doors(case.params.last_mile, case.seed)
        self.parcels: list[Parcel] = []
        self.trips: list[dict[str, Any]] = []
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
        for number in carriers:
            Carrier(self, number)
        if case.params.everyday is not None:
            self.everyday = EverydayTraffic(self)
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

        hub = yield from self.travel(parcel, parcel.origin, parcel.destination)
        if is_lost(self.plan.routes.lost_key, case.params.lost_share, parcel.shopper, parcel.number):
            parcel.goes_wrong(LOST)
            self.hubs[hub].stored -= 1
            return
        yield from self.to_outlet(parcel, hub, parcel.destination)
        parcel.outlet_s = env.now
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
            is_refused = fate == REFUSED and not wrong_address and in_locker_s < 0 and at_home
            if is_refused:
                outlet.returning.append(Returning(parcel))
                self.leaves_outlet(parcel, out_s + way_s)
            yield at(env, out_s + way_s, Turn.ROW)
            if wrong_address:
                parcel.goes_wrong(WRONG_ADDRESS)
            elif in_locker_s >= 0:
                yield at(env, env.now + in_locker_s, Turn.ROW)
                parcel.signed_s = env.now
                return
            elif not at_home:
                parcel.goes_wrong(NOT_AT_HOME)
            elif is_refused:
                yield from self.send_back(parcel, REFUSED)
                return
            else:
                parcel.signed_s = env.now
                return

    def travel(self, parcel: Parcel, start: int, end: int) -> Generator[simpy.Event, Any, int]:
        """From the van that brings a parcel to the hub of one city until it is sorted in the hub of another; returns that."""
        hub, last_hub = self.hub_of(parcel.carrier, start), self.hub_of(parcel.carrier, end)
        while True:
            yield parcel.wait("unloaded")
            parcel.heard("unloaded")
            if math.isnan(parcel.origin_hub_s):
                parcel.origin_hub_s = self.env.now
            if hub == last_hub and not parcel.goes_back:
                parcel.destination_hub_s = self.env.now
            yield parcel.wait("sorted")
            parcel.heard("sorted")
            if hub == last_hub:
                return hub
            lane = int(self.outlook.next_lane[hub, last_hub])
            self.hubs[hub].lanes[lane].append(parcel)
            yield parcel.wait("departed")
            parcel.heard("departed")
            if math.isnan(parcel.departed_s):
                parcel.departed_s = self.env.now
            hub = int(self.plan.lane_to[lane])

    def to_outlet(self, parcel: Parcel, hub: int, city: int) -> Process:
        """From a hub to a city's outlet."""
        self.hubs[hub].delivery[city].append(parcel)
        yield parcel.wait("at_outlet")
        parcel.heard("at_outlet")
        parcel.entered_s = self.env.now

    def leaves_outlet(self, parcel: Parcel, noticed_s: float) -> None:
        """A parcel that stands among those that go back may do so some time after something was noticed."""
        parcel.entered_s = noticed_s + self.case.params.last_mile.return_wait_s
        returning = self.outlets[parcel.carrier][parcel.destination].returning
        next(one for one in returning if one.parcel is parcel).from_s = parcel.entered_s

    def send_back(self, parcel: Parcel, kind: int) -> Process:
        """Back through the network, from the outlet to the merchant's."""
        parcel.goes_wrong(kind)
        parcel.goes_back = True
        if kind == DAMAGED:
            self.leaves_outlet(parcel, self.env.now)
        hub = yield from self.travel(parcel, parcel.destination, parcel.origin)
        yield from self.to_outlet(parcel, hub, parcel.origin)
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
            self.outlook = outlook(self.plan, forecast, crew_of(truck), s_per_km, issue_h, self.case.seed)
            issue_h += forecast.issue_h

    def hub_of(self, carrier: int, city: int) -> int:
        return int(self.plan.routes.hub_of[carrier, city])

    def passes_again(self, parcel: Parcel) -> bool:
        routes = self.plan.routes
        return bool(
            passes_again(routes.again_key, routes.again_share, parcel.shopper, parcel.number, parcel.passes % 256)
        )

    def column(self, name: str) -> np.ndarray:
        """Values of an attribute of all parcels; times but the exact `entered_s` in whole 1/1024 s, as stamps are kept."""
        values = np.array([getattr(parcel, name) for parcel in self.parcels])
        return np.floor(values * 1024.0) / 1024.0 if name.endswith("_s") and name != "entered_s" else values
