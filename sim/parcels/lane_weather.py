"""What weather does to each lane, hour by hour: what carriers tell the merchants."""

import numpy as np
import pandas as pd

from sim.geography import Geography
from sim.parcels.plan import Plan
from sim.records import table


def lane_weather_table(plan: Plan, geography: Geography) -> pd.DataFrame:
    """Table `lane_weather`: the hours in which weather slows or closes a lane's roads; empty on dry roads."""
    roads, lanes = plan.roads, plan.lane_km.size
    share = np.ones((lanes, roads.speed_share.shape[1]))
    for way in range(lanes):
        links = roads.way_link[roads.way_first[way] : roads.way_first[way + 1]]
        km, slowed = roads.link_km[links], roads.speed_share[links]
        with np.errstate(divide="ignore"):
            share[way] = km.sum() / (km @ (1.0 / slowed))
    lane, hour = np.nonzero(share < 1.0 - 1e-12)
    cities = pd.Index(geography.name.tolist())
    origin, destination = plan.lane_from[lane], plan.lane_to[lane]
    return table(
        "lane_weather",
        {
            "hour": hour,
            "carrier": pd.Categorical.from_codes(plan.hub_carrier[origin], pd.Index(plan.carriers)),
            "origin": pd.Categorical.from_codes(plan.hub_city[origin], cities),
            "destination": pd.Categorical.from_codes(plan.hub_city[destination], cities),
            "speed_share": share[lane, hour],
        },
    )
