"""What can be read off the running road: backlogs, waits and what hubs have sorted, as carriers see them."""

from collections.abc import Callable, Mapping

import numpy as np

from sim.kernels.rows import Queues
from sim.kernels.warehouse import worked_s
from sim.parcels.levers import EVERYBODY, Bench, Levers, hub_names, lane_names
from sim.units import HOUR_S


class Gauges:
    """Reads the state of the road at env.now, a whole hour, before anything else happens in it."""

    def __init__(self, road: Bench, levers: Levers) -> None:
        self._road = road
        self._levers = levers
        self._hubs, self._lanes = hub_names(road), lane_names(road)
        self._sort_per_h = road.yard.hubs.hour_parcels.copy()
        self._storage_parcels = road.yard.hubs.storage_parcels.copy()
        self._day_parcels = road.yard.outlets.tour_parcels.sum(axis=0)
        self._reads: Mapping[str, Callable[[str, float], float]] = {
            "hub_full_share": self._hub_full_share,
            "hub_gate_share": self._hub_gate_share,
            "dock_wait_h": self._dock_wait_h,
            "hub_pace_share": self._hub_pace_share,
            "lane_wait_h": self._lane_wait_h,
            "pickup_wait_h": self._pickup_wait_h,
            "free_trucks_share": self._free_trucks_share,
            "outlet_days": self._outlet_days,
            "courier_share": lambda target, _: levers.courier_share(target),
            "packing_h": self._packing_h,
            "packing_share": lambda _, __: levers.packing_share(),
            "stock_known_share": lambda place, _: levers.stock_known_share(place),
        }

    def targets(self, metric: str) -> list[str]:
        """What a metric can be read of."""
        carriers = list(self._road.params.carriers)
        if metric.startswith(("hub_", "dock_")):
            return list(self._hubs)
        if metric == "lane_wait_h":
            return list(self._lanes)
        if metric in ("outlet_days", "courier_share"):
            return self._levers.targets("couriers")
        if metric == "stock_known_share":
            return self._levers.targets("stock")
        return [EVERYBODY] if metric.startswith("packing_") else carriers

    def read(self, metric: str, target: str, window_s: float) -> float:
        """A metric now; where it counts what was done, over the last window_s seconds, whole hours."""
        self._road.advance()
        return self._reads[metric](target, window_s)

    def _hub_full_share(self, hub: str, _: float) -> float:
        """Share of a hub's usual storage that is taken."""
        row, yard = self._hubs[hub], self._road.yard
        there = float(yard.hubs.stored[row]) * yard.weight + float(yard.hubs.everyday.stored[row])
        return there / float(self._storage_parcels[row])

    def _hub_gate_share(self, hub: str, _: float) -> float:
        """What waits on vehicles at a hub's gate, as a share of its usual storage."""
        row, yard = self._hubs[hub], self._road.yard
        waiting = float(yard.docks.rows[row]) * yard.weight + float(yard.docks.everyday[row])
        return waiting / float(self._storage_parcels[row])

    def _dock_wait_h(self, hub: str, _: float) -> float:
        """How long a vehicle that comes to a hub now stands before its docks until they open it."""
        return max(0.0, float(self._road.yard.docks.free_s[self._hubs[hub]]) - float(self._road.env.now)) / HOUR_S

    def _hub_pace_share(self, hub: str, window_s: float) -> float:
        """What a hub has sorted, as a share of what it can sort usually; 1 when it has nothing left to sort."""
        yard, row = self._road.yard, self._hubs[hub]
        hour, hours = int(self._road.env.now // HOUR_S), max(1, int(window_s // HOUR_S))
        if yard.hubs.unsorted.length[row] + yard.hubs.everyday.batches[row] == 0 or hour < hours:
            return 1.0
        before = self._road.hours.sorted_until(hour - hours, row, yard.weight)
        done = float(yard.hubs.sorted[row]) * yard.weight + float(yard.hubs.everyday.sorted[row])
        can = self._sort_per_h[row, hour - hours : hour].sum()
        return (done - before) / float(can) if can > 0 else 1.0

    def _lane_wait_h(self, lane: str, _: float) -> float:
        """How long the first parcel that is sorted for a lane has waited; 0: none is there."""
        return self._oldest_h(self._road.yard.hubs.lanes, np.array([self._lanes[lane]]))

    def _pickup_wait_h(self, carrier: str, _: float) -> float:
        """How long the first packed parcel has waited for a carrier."""
        bays = self._road.yard.ledger.bays
        number = list(self._road.params.carriers).index(carrier)
        return self._oldest_h(bays.queues, np.arange(number * bays.each, (number + 1) * bays.each))

    def _free_trucks_share(self, carrier: str, _: float) -> float:
        return self._road.carriers[list(self._road.params.carriers).index(carrier)].fleet.free_share

    def _outlet_days(self, target: str, window_s: float) -> float:
        """Days of its couriers' usual tours that lie at a carrier's outlets, everywhere or in one city."""
        name, _, city = target.partition("/")
        cities = self._road.geography.name.tolist()
        first = list(self._road.params.carriers).index(name) * len(cities)
        own = (
            slice(first + cities.index(city), first + cities.index(city) + 1)
            if city
            else slice(first, first + len(cities))
        )
        outlets = self._road.yard.outlets
        rows = outlets.waiting.length[own].sum() + outlets.again.length[own].sum()
        return float(rows * self._road.yard.weight) / float(self._day_parcels[own].sum())

    def _packing_h(self, _: str, __: float) -> float:
        """Work that lies before the merchants' packers, in hours of their work time: the mean by what merchants sell."""
        merchants, ledger = self._road.merchants, self._road.yard.ledger
        behind_s = ledger.free_work_s[: merchants.size_share.size] - worked_s(
            self._road.env.now, merchants.warehouses.shift
        )
        return float(merchants.size_share @ np.maximum(behind_s, 0.0)) / HOUR_S

    def _oldest_h(self, queues: Queues, rows: np.ndarray) -> float:
        """Age of the oldest row at the heads of some queues that has entered them by now."""
        heads = queues.head[rows[queues.length[rows] > 0]]
        if heads.size == 0:
            return 0.0
        since_s = float(self._road.yard.ledger.rows["entered_s"][heads].min())
        return max(0.0, float(self._road.env.now) - since_s) / HOUR_S
