"""Everyday traffic in plain SimPy: counts of ordinary parcels that stand in the same lines as the festival's."""

import math
from collections import deque
from typing import TYPE_CHECKING

from experiments._reference.carriers import crew_of
from experiments._reference.places import Process, Vehicle, at
from sim.parcels.clock import Turn
from sim.parcels.everyday_plan import make_everyday
from sim.units import DAY_S, HOUR_S, seconds

if TYPE_CHECKING:
    from experiments._reference.parcels import Reference

ONWARD, HERE = range(2)


class EverydayTraffic:
    """Brings ordinary parcels to the hubs every hour, and takes away what is sorted."""

    def __init__(self, world: "Reference") -> None:
        case = world.case
        assert case.params.everyday is not None
        self.world, self.env, self.hubs = world, world.env, world.hubs
        self.plan = make_everyday(
            case.params.everyday, case.params, world.plan, case.origins, case.destinations, case.seed
        )
        self.come = [0] * len(self.hubs)  # from other hubs, since the last hour
        self.brought = self.delivered = 0
        for hub, hours in enumerate(self.plan.on_the_road.tolist()):
            for hour, parcels in enumerate(hours):
                self.env.process(self.trucks(hub, hour, parcels))
        self.env.process(self.every_hour())
        self.env.process(self.outlet_vans())

    def every_hour(self) -> Process:
        for hour in range(self.plan.pickups.shape[1]):
            yield at(self.env, hour * HOUR_S, Turn.EVERYDAY)
            for number, hub in enumerate(self.hubs):
                self.send_on(number, hour, hub.everyday_leaves(ONWARD))
            for number, hub in enumerate(self.hubs):
                onward, here = self.plan.pickups[number, hour].tolist()
                self.brought += onward + here
                here += self.come[number]
                self.come[number] = 0
                if onward + here > 0:
                    hub.arrive(Vehicle(deque(), self.env.event(), [onward, here]))
            self.unload()

    def send_on(self, hub: int, hour: int, parcels: int) -> None:
        """Divide what leaves by the other hubs' shares; the hour's draw says who gets what is left of the division."""
        edges = [math.floor(parcels * edge + self.plan.spread[hub, hour]) for edge in self.plan.edges[hub].tolist()]
        for place, other in enumerate(self.plan.to[hub].tolist()):
            part = edges[place + 1] - edges[place]
            if self.plan.calm[hour]:
                self.env.process(self.trucks(other, hour + int(self.plan.lag_h[hub, place]), part))
            else:
                self.env.process(self.trucks_in_weather(hub, other, part))

    def trucks(self, hub: int, there_h: int, parcels: int) -> Process:
        if parcels > 0:
            yield at(self.env, there_h * HOUR_S, Turn.FORECAST)  # before this hour's trucks leave
            self.come[hub] += parcels

    def trucks_in_weather(self, hub: int, end: int, parcels: int) -> Process:
        """Lane by lane to another hub, where they count from the next full hour on."""
        truck, plan = self.world.case.params.truck, self.world.plan
        while parcels > 0 and hub != end:
            lane = int(plan.routes.next_lane[hub, end])
            yield from self.world.road.drive(lane, truck.speed_kmh, crew_of(truck), back=False)
            yield at(self.env, self.env.now + truck.handling_s, Turn.VEHICLE)
            hub = int(plan.lane_to[lane])
        yield from self.trucks(end, math.ceil(self.env.now / HOUR_S), parcels)

    def outlet_vans(self) -> Process:
        for day in range(math.ceil(self.world.case.params.horizon_days)):
            for clock in self.world.case.params.outlet_clocks:
                yield at(self.env, day * DAY_S + seconds(clock), Turn.EVERYDAY)
                self.delivered += sum(hub.everyday_leaves(HERE) for hub in self.hubs)
                self.unload()

    def unload(self) -> None:
        for hub in self.hubs:
            hub.unload()
