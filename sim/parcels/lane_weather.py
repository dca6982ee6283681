"""What weather does to the way between each two hubs of a carrier, hour by hour: what carriers tell the merchants."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.geography import Geography
from sim.parcels.plan import Plan
from sim.records import table

Floats = NDArray[np.float64]


def lane_weather_table(plan: Plan, geography: Geography) -> pd.DataFrame:
    """Table `lane_weather`: the hours in which weather slows or closes roads between two hubs; empty on dry roads.

    The way is the usual one, lane by lane where there is no direct lane; the slowest of its lanes counts.
    """
    of_lane = _lane_shares(plan)
    slowed = of_lane.min(axis=1, initial=1.0) < 1.0 - 1e-12
    origins, ends, hours, shares = [], [], [], []
    for hubs in plan.hubs:
        for origin in hubs:
            for end in hubs:
                lanes = [lane for lane in _lanes_between(plan, origin, end) if slowed[lane]]
                if lanes:
                    share = of_lane[lanes].min(axis=0)
                    hour = np.flatnonzero(share < 1.0 - 1e-12)
                    origins.append(np.full(hour.size, origin))
                    ends.append(np.full(hour.size, end))
                    hours.append(hour)
                    shares.append(share[hour])
    origin_hub, end_hub, hour_of = (
        np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64) for parts in (origins, ends, hours)
    )
    cities = pd.Index(geography.name.tolist())
    return table(
        "lane_weather",
        {
            "hour": hour_of,
            "carrier": pd.Categorical.from_codes(plan.hub_carrier[origin_hub], pd.Index(plan.carriers)),
            "origin": pd.Categorical.from_codes(plan.hub_city[origin_hub], cities),
            "destination": pd.Categorical.from_codes(plan.hub_city[end_hub], cities),
            "speed_share": np.concatenate([*shares, np.empty(0)]),
        },
    )


def _lane_shares(plan: Plan) -> Floats:
    """Speed over the whole of each lane, of that on dry roads: float64[lanes, hours]."""
    roads, lanes = plan.roads, plan.lane_km.size
    share = np.ones((lanes, roads.speed_share.shape[1]))
    for way in range(lanes):
        links = roads.way_link[roads.way_first[way] : roads.way_first[way + 1]]
        km, slowed = roads.link_km[links], roads.speed_share[links]
        with np.errstate(divide="ignore"):
            share[way] = km.sum() / (km @ (1.0 / slowed))
    return share


def _lanes_between(plan: Plan, origin: int, end: int) -> list[int]:
    """Lanes of the usual way from one hub to another."""
    lanes = []
    while origin != end:
        lanes.append(int(plan.routes.next_lane[origin, end]))
        origin = int(plan.lane_to[lanes[-1]])
    return lanes
