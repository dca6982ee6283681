"""What was published about the festival days of 2012 and 2013, with sources: the yardstick of figures and reports."""

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
"""The year that is meant where none is named."""

GMV_MILESTONES: dict[int, tuple[tuple[str, float, str], ...]] = {
    2012: (
        ("01:10", 2.00e9, "IBTimes, December 2012"),
        ("02:19", 3.37e9, "Global Times 743707"),
        ("12:00", 8.00e9, "Global Times 743707"),
        ("13:38", 10.0e9, "Global Times 743707"),
        ("24:00", 19.1e9, "Shanghai Daily, 12 November 2012"),
    ),
    2013: (
        ("00:20", 3.021e9, "Tech in Asia, 11 November 2013"),
        ("01:00", 6.70e9, "ce.cn, 12 November 2013"),
        ("05:49", 10.0e9, "ce.cn, 12 November 2013"),
        ("08:42", 12.1e9, "People's Daily, November 2013"),
        ("13:39", 20.0e9, "ZOL, November 2015"),
        ("17:31", 25.0e9, "ZOL, November 2015"),
        ("21:20", 30.0e9, "jsw.com.cn, 12 November 2013"),
        ("24:00", 35.019e9, "People's Daily, November 2013"),
    ),
}

FACTS: dict[int, dict[str, Published]] = {
    2012: {
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
    },
    2013: {
        "visits": Published(402e6, "shoppers", "Alizila release, 12 November 2013"),
        "visitors_first_minute": Published(13.7e6, "shoppers", "zhanzhang360.cn, November 2013"),
        "orders": Published(171.4e6, "orders", "Alizila release, 12 November 2013"),
        "gmv_rmb": Published(35.019e9, "RMB", "People's Daily, November 2013; as announced at midnight"),
        "parcels": Published(152e6, "parcels", "Jinghua Times, 19 November 2013"),
        "signed_share_1118_1500": Published(0.79, "share", "Jinghua Times, 19 November 2013"),
        "national_peak_day_parcels": Published(
            65.17e6, "parcels", "State Post Bureau, Jinghua Times, 19 November 2013"
        ),
        "national_six_days_parcels": Published(346e6, "parcels", "the same, 11 to 16 November"),
    },
}


def facts_of(year: int | None) -> dict[str, Published]:
    """Published numbers of a year by the names of the key figures; none for other years and ordinary days."""
    return {} if year is None else FACTS.get(year, {})


def gmv_milestones(year: int | None = YEAR) -> pd.DataFrame:
    """Published sales so far: `time_s` [s], `gmv_rmb` [RMB], `share` of the total, `clock`, `source`; no rows for other years."""
    milestones = () if year is None else GMV_MILESTONES.get(year, ())
    total_rmb = milestones[-1][1] if milestones else 1.0
    return pd.DataFrame(
        {
            "time_s": np.array([seconds(label) for label, _, _ in milestones]),
            "gmv_rmb": np.array([value for _, value, _ in milestones]),
            "share": np.array([value / total_rmb for _, value, _ in milestones]),
            "clock": [label for label, _, _ in milestones],
            "source": [source for _, _, source in milestones],
        }
    )
