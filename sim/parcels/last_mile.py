"""From parameters to outlets: how many parcels their couriers carry on each tour of the day."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.outlet import Doors, Outlets
from sim.kernels.outlet import most_stops as find_most_stops
from sim.kernels.rows import empty_queues
from sim.params.parcels import LastMileParams, ParcelsParams
from sim.parcels.plan import Plan
from sim.units import DAY_S, seconds


def make_outlets(parcels: ParcelsParams, plan: Plan, seed: int) -> Outlets:
    """Empty outlets of a plan, one for each carrier and city; each carrier's couriers cover the whole city."""
    last_mile, couriers = parcels.last_mile, plan.couriers.reshape(-1)
    area_km2 = np.tile(plan.population / last_mile.people_per_km2, len(plan.carriers))
    return Outlets(
        couriers=couriers,
        area_km2=area_km2,
        tour_parcels=np.array(
            [
                couriers * most_stops(last_mile, area_km2 / couriers, longest_s)
                for longest_s in longest_tours_s(last_mile)
            ]
        ),
        longest_s=np.array(longest_tours_s(last_mile)),
        credit=np.zeros(couriers.size),
        waiting=empty_queues(couriers.size),
        again=empty_queues(couriers.size),
        forwarded=empty_queues(couriers.size),
        returning=empty_queues(couriers.size),
        doors=make_doors(last_mile, seed),
    )


def make_doors(last_mile: LastMileParams, seed: int) -> Doors:
    """What happens at the doors of a run."""
    given: dict[str, Any] = {name: getattr(last_mile, name) for name in Doors._fields if not name.endswith("_key")}
    keys: dict[str, Any] = {
        name: stream(seed, f"parcels.{name.removesuffix('_key')}") for name in Doors._fields if name.endswith("_key")
    }
    return Doors(**given, **keys)


def tour_number(last_mile: LastMileParams, now_s: float) -> int:
    """Which of the day's tours leaves now."""
    return [seconds(clock) for clock in last_mile.tour_clocks].index(now_s % DAY_S)


def longest_tours_s(last_mile: LastMileParams) -> list[float]:
    """How long each of the day's tours may take: until the customers close [s]."""
    return [min(last_mile.tour_s, seconds(last_mile.closes) - seconds(clock)) for clock in last_mile.tour_clocks]


def most_stops(last_mile: LastMileParams, area_km2: NDArray[np.float64], longest_s: float) -> NDArray[np.float64]:
    """Stops that a courier with an area of his own can make in time, at most `tour_parcels` and at least one; float64[n]."""
    stops = np.empty(area_km2.size)
    find_most_stops(last_mile.tour_parcels, last_mile.speed_kmh, last_mile.stop_s, longest_s, area_km2, stops)
    return stops
