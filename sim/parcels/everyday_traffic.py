"""Everyday traffic on the road network: every hour it brings ordinary parcels to the hubs and takes away what is sorted.

pickup -> gate | hub: line, sorter -> on the road, as long as the lane takes -> gate | hub: line, sorter -> the outlets' vans
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.kernels.convoys import DOCKING, WAITING
from sim.kernels.everyday import HERE, ONWARD, send_on
from sim.kernels.trips import hours_on_way
from sim.params.parcels import TruckParams
from sim.parcels.clock import Turn, daily, every
from sim.parcels.everyday_plan import DAY_H, EverydayPlan
from sim.parcels.fleet import crew_of
from sim.parcels.yard import Yard
from sim.units import HOUR_S


class EverydayTraffic:
    """Starts the processes of everyday traffic. It has enough trucks and vans of its own, and nothing but weather delays them.

    Parameters
    ----------
    yard : where it loads and unloads
    plan : what comes when
    outlet_clocks_s : when the outlets' vans leave the hubs
    advance : brings all hubs to exactly now
    truck : how its trucks drive and what they hold
    """

    def __init__(
        self,
        yard: Yard,
        plan: EverydayPlan,
        outlet_clocks_s: Sequence[float],
        advance: Callable[[], None],
        truck: TruckParams,
    ) -> None:
        self._yard = yard
        self._plan = plan
        self._advance = advance
        self._truck = truck
        hubs, hours, _ = plan.pickups.shape
        longest_h = int(plan.lag_h.max(initial=0))
        self._due = np.zeros((hubs, hours + longest_h + 1), np.int64)  # by the hour of arrival
        self._due[:, : plan.on_the_road.shape[1]] = plan.on_the_road
        self._began = int(plan.on_the_road.sum())
        self.brought = np.zeros(hours, np.int64)  # to the hubs at each hour, by those who picked them up
        self.delivered = np.zeros(hours, np.int64)  # to the outlets' vans
        yard.env.process(every(yard.env, HOUR_S, Turn.EVERYDAY, self._move, first=0))
        yard.env.process(daily(yard.env, outlet_clocks_s, Turn.EVERYDAY, self._deliver))

    def national_parcels(self, days: int) -> NDArray[np.int64]:
        """Ordinary parcels that all the country's carriers picked up on each day so far: int64[days]."""
        return np.asarray(_by_day(self.brought)[:days] + self._plan.elsewhere[:days])

    def delivered_parcels(self, days: int) -> NDArray[np.float64]:
        """Ordinary parcels that left their last hub on each day so far: float64[days]."""
        return _by_day(self.delivered)[:days].astype(np.float64)

    def whereabouts(self) -> dict[str, int]:
        """Parcels by where they are; all but `began` and `brought`, which they came from, add up to these two."""
        yard, hubs = self._yard, self._yard.hubs.everyday
        return {
            "began": self._began,
            "brought": int(self.brought.sum()),
            "on_the_road": int(self._due.sum()),
            "gate": sum(yard.on_vehicles(state)["everyday"] for state in (DOCKING, WAITING)),
            "hubs": int(hubs.stored.sum()),
            "delivered": int(self.delivered.sum()),
        }

    def _move(self) -> None:
        """The hour's trucks leave, and what has come stands at the gates."""
        yard, hour = self._yard, int(self._yard.env.now // HOUR_S)
        self._advance()
        self._send_on(hour)
        onward, here = self._plan.pickups[:, hour, ONWARD], self._plan.pickups[:, hour, HERE]
        self.brought[hour] = (onward + here).sum()
        here = here + self._due[:, hour]
        self._due[:, hour] = 0
        yard.bring(np.ascontiguousarray(onward), here, self._truck.capacity_parcels)
        self._yard.unload_all()

    def _send_on(self, hour: int) -> None:
        """What is sorted for other hubs leaves."""
        plan, ready = self._plan, self._yard.hubs.everyday.ready
        send_on(hour, plan.edges, plan.spread, plan.to, self._lag_h(hour), ready, self._due)
        self._leave(ONWARD)

    def _lag_h(self, hour: int) -> NDArray[np.int64]:
        """Hours that the trucks of an hour are on the way from each hub to the others, through the weather that they meet."""
        plan, road, truck = self._plan, self._yard.plan, self._truck
        if plan.calm[hour]:
            return plan.lag_h
        lag_h = np.empty_like(plan.lag_h)
        s_per_km = HOUR_S / truck.speed_kmh
        next_lane, crew = road.routes.next_lane, crew_of(truck)
        hours_on_way(hour, plan.to, next_lane, road.lane_to, s_per_km, truck.handling_s, crew, road.roads, lag_h)
        return lag_h

    def _deliver(self) -> None:
        """The outlets' vans leave the hubs."""
        self._advance()
        self.delivered[int(self._yard.env.now // HOUR_S)] += self._yard.hubs.everyday.ready[:, HERE].sum()
        self._leave(HERE)
        self._yard.unload_all()

    def _leave(self, kind: int) -> None:
        everyday = self._yard.hubs.everyday
        everyday.stored[:] -= everyday.ready[:, kind]
        everyday.departed[:] += everyday.ready[:, kind]
        everyday.ready[:, kind] = 0


def _by_day(hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of the days; the last hour begins the day after the run."""
    return np.asarray(hours[:-1].reshape(-1, DAY_H).sum(axis=1))
