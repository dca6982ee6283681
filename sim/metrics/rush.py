"""What shoppers see when it matters: in the busiest minute, and in the first hour by channel and outside the largest region."""

from collections.abc import Mapping

import pandas as pd

from sim.metrics.site import has_site
from sim.units import DAY_S, HOUR_S, MINUTE_S

NAMES = ("error_rate_busiest_minute", "page_time_first_hour_s", "page_time_wireless_s", "page_time_outside_s")


def rush_kpis(tables: Mapping[str, pd.DataFrame]) -> dict[str, float | None]:
    """Key figures of the rush; None without a site, and where no page was answered.

    `error_rate_busiest_minute`: share of the page requests that failed, of those that ended in the minute of the day with the
    most requests. The others are mean times from request to page received, in the first hour [s]: of all shoppers, of the
    wireless ones, and of those in all regions but the one with the most requests.
    """
    minutes = tables.get("shopper_minutes")
    if minutes is None or minutes.empty or not has_site(tables):
        return dict.fromkeys(NAMES)
    day = minutes[(minutes["minute"] >= 0) & (minutes["minute"] < DAY_S / MINUTE_S)]
    by_minute = day.groupby("minute")[["requests", "answered", "failed"]].sum()
    hour = day[day["minute"] < HOUR_S / MINUTE_S]
    largest = day.groupby("region", observed=True)["requests"].sum().idxmax() if len(day) else None
    values = (
        _failed(by_minute.loc[by_minute["requests"].idxmax()]) if len(by_minute) else None,
        _page_time(hour),
        _page_time(hour[hour["channel"] == "wireless"]),
        _page_time(hour[hour["region"] != largest]),
    )
    return dict(zip(NAMES, values, strict=True))


def _failed(minute: pd.Series) -> float | None:
    ended = float(minute["answered"] + minute["failed"])
    return float(minute["failed"]) / ended if ended else None


def _page_time(rows: pd.DataFrame) -> float | None:
    answered = int(rows["answered"].sum())
    return float(rows["page_s"].sum()) / answered if answered else None
