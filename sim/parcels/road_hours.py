"""What weather does to the roads of the country and to dispatch, hour by hour."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.parcels.plan import Plan
from sim.records import table


def road_hours_table(plan: Plan, held: Sequence[tuple[int, int]], hours: int) -> pd.DataFrame:
    """Table `road_hours`: one row for each of the first `hours` hours; empty on dry roads.

    held : (hour, lanes that dispatch holds from then on), ascending
    """
    share, km = plan.roads.speed_share[:, :hours], plan.roads.link_km
    hours = share.shape[1]
    lanes = np.zeros(hours, np.int32)
    for hour, count in held:
        lanes[hour:] = count
    return table(
        "road_hours",
        {
            "hour": np.arange(hours),
            "slow_km": km @ ((share > 0.0) & (share < 1.0)),
            "closed_km": km @ (share == 0.0),
            "held_lanes": lanes,
        },
    )
