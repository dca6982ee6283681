"""What was published about the festival day of 2012, with sources: the yardstick of figures and reports."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.units import seconds


class Published(NamedTuple):
    """One published number of the real day."""

    value: float
    unit: str
    source: str


YEAR = 2012

GMV_MILESTONES: tuple[tuple[str, float, str], ...] = (
    ("01:10", 2.00e9, "IBTimes, December 2012"),
    ("02:19", 3.37e9, "Global Times 743707"),
    ("12:00", 8.00e9, "Global Times 743707"),
    ("13:38", 10.0e9, "Global Times 743707"),
    ("24:00", 19.1e9, "Shanghai Daily, 12 November 2012"),
)

FACTS: dict[str, Published] = {
    "visits": Published(
        213e6, "shoppers", "Zhongqi Yingxiao, 25 October 2013 (the site's engineers count 147 M visits)"
    ),
    "visitors_first_minute": Published(10e6, "shoppers", "Ventech, November 2012: more than 10 M"),
    "orders": Published(105.8e6, "orders", "essay on Alipay's festival payments, later compilation"),
    "gmv_rmb": Published(19.1e9, "RMB", "Shanghai Daily, 12 November 2012"),
    "peak_minute_orders_per_s": Published(13_000, "orders/s", "InfoQ, 26 December 2012, peak of order creation"),
    "parcels": Published(72e6, "parcels", "Zhongqi Yingxiao, 25 October 2013"),
    "national_peak_day_parcels": Published(
        35.2e6, "parcels", "State Post Bureau, as growth in Jinghua Times, 19 November 2013, implies"
    ),
    "national_six_days_parcels": Published(200e6, "parcels", "the same, 11 to 16 November"),
    "hubs_first_day_parcels": Published(24.5e6, "parcels", "press of 13 November 2012: 24 to 25 M on the day"),
}


def gmv_milestones() -> pd.DataFrame:
    """Published sales so far: `time_s` [s], `gmv_rmb` [RMB], `share` of the day's total, `clock` and `source`."""
    total_rmb = GMV_MILESTONES[-1][1]
    return pd.DataFrame(
        {
            "time_s": np.array([seconds(label) for label, _, _ in GMV_MILESTONES]),
            "gmv_rmb": np.array([value for _, value, _ in GMV_MILESTONES]),
            "share": np.array([value / total_rmb for _, value, _ in GMV_MILESTONES]),
            "clock": [label for label, _, _ in GMV_MILESTONES],
            "source": [source for _, _, source in GMV_MILESTONES],
        }
    )
