"""The answers that a report begins with: did the night survive, when do parcels arrive, which hubs overflow."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.metrics.hubs import hub_table
from sim.metrics.parcels import lead_time_percentile_h, longest_state, settled_s
from sim.metrics.sales import of_the_day
from sim.plots.latency import duration
from sim.plots.style import quantity
from sim.units import DAY_S, clock

Tables = Mapping[str, pd.DataFrame]

VERDICTS = ((0.001, "Yes"), (0.01, "Yes, with small losses"), (0.05, "Not unharmed"), (1.0, "No"))
"""Share of the wanted orders that was lost, at most -> whether the night survived."""
ROUGH_SHARE = 0.01
"""Share of a minute's requests that failed, from which even a night that lost no orders is called rough."""


class Answer(NamedTuple):
    """A question, its answer in a few words, and what the run says about it."""

    question: str
    verdict: str
    text: str


def answers(tables: Tables, kpis: Mapping[str, Any]) -> list[Answer]:
    """Answers for the parts that were simulated, in the order of the story."""
    given = (_night(tables, kpis), _arrival(tables, kpis), _overflow(tables, kpis))
    return [answer._replace(text=kept_together(answer.text)) for answer in given if answer is not None]


def kept_together(text: str) -> str:
    """The same with spaces between numbers and units that do not break a line."""
    return re.sub(
        r"(\d) (%|(?:M|bn|h|min|ms|s|days|points)\b)", lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), text
    )


def _night(tables: Tables, kpis: Mapping[str, Any]) -> Answer | None:
    if kpis["requests"] is None:
        return None
    scale = kpis["scale"]
    wanted, requests = kpis["orders"] + kpis["orders_lost"], max(kpis["requests"], 1)
    lost_share = kpis["orders_lost"] / wanted if wanted else 0.0
    verdict = next(text for limit, text in VERDICTS if lost_share <= limit)
    day = of_the_day(tables["demand_seconds"])
    peak_s = float(day["second_s"].iloc[int(day["requests"].to_numpy().argmax())]) if len(day) else 0.0
    worst, failing = worst_minute(day)
    if verdict == "Yes" and failing > ROUGH_SHARE:
        verdict = "Yes, after a rough minute"
    sentences = [
        f"The load peaked at {clock(peak_s)[-8:]} with {quantity(kpis['peak_requests_per_s'] / scale)} page requests "
        "a second.",
        f"Of the day’s {quantity(requests / scale)} requests {_percent(kpis['requests_rejected'] / requests)} were answered "
        f"“system busy” and {_percent(kpis['requests_timed_out'] / requests)} timed out; in the worst minute, "
        f"{clock(60.0 * worst)[-8:-3]}, {_percent(failing)} failed.",
        f"{quantity(kpis['orders_lost'] / scale)} orders worth RMB {quantity(kpis['lost_rmb'] / scale)} were lost, "
        f"{_percent(lost_share)} of those wanted; {quantity(kpis['orders'] / scale)} were paid, for RMB "
        f"{quantity(kpis['gmv_rmb'] / scale)}.",
    ]
    if kpis["latency_p50_s"] is not None:
        sentences.append(
            f"Half of the pages came within {duration(kpis['latency_p50_s'])}, "
            f"99 % within {duration(kpis['latency_p99_s'])}."
        )
    return Answer("Did the night survive?", verdict, " ".join(sentences))


def worst_minute(seconds: pd.DataFrame) -> tuple[int, float]:
    """The minute in which the largest share of the requests that ended were refused or timed out, and that share."""
    by_minute = seconds[["served", "rejected", "timed_out"]].groupby(seconds["second_s"] // 60).sum()
    failed = by_minute["rejected"] + by_minute["timed_out"]
    shares = (failed / (failed + by_minute["served"]).clip(lower=1)).to_numpy()
    if not shares.size:
        return 0, 0.0
    return int(by_minute.index[shares.argmax()]), float(shares.max())


def _arrival(tables: Tables, kpis: Mapping[str, Any]) -> Answer | None:
    if not kpis["parcels"]:
        return None
    leads = tables["lead_times"]
    rows, scale = kpis["parcels"], kpis["scale"]
    median_h, p95_h = kpis["lead_time_median_h"], kpis["lead_time_p95_h"]
    verdict = f"Half within {median_h / 24:.1f} days" if median_h is not None else "Fewer than half of them"
    sentences = [f"{quantity(rows / scale)} parcels leave the merchants."]
    if p95_h is not None:
        sentences.append(f"95 % are signed within {p95_h / 24:.1f} days of the order;")
    sentences.append(f"by 18 November 00:00, seven days after midnight, {_percent(kpis['signed_share_day7'])} are.")
    state, mean_h = longest_state(tables["parcel_hours"])
    sentences.append(f"The longest part of the way is “{state}”, {mean_h:.0f} hours of the mean.")
    slow = {
        str(carrier): lead_time_percentile_h(own, 0.95)
        for carrier, own in leads.groupby("carrier", observed=True)
        if len(own)
    }
    if len(slow) > 1 and all(hours is not None for hours in slow.values()):
        order = sorted(slow, key=lambda carrier: (slow[carrier] or 0.0, carrier))
        sentences.append(
            f"{order[0]} is the quickest carrier, {order[-1]} the slowest: 95 % within "
            f"{(slow[order[0]] or 0) / 24:.1f} and "
            f"{(slow[order[-1]] or 0) / 24:.1f} days."
        )
    left = rows - kpis["parcels_signed"] - kpis["parcels_returned"] - kpis["parcels_lost"]
    if left or kpis["parcels_lost"]:
        sentences.append(
            f"At the end of the run {_percent(left / rows)} are still on their way, "
            f"{_percent(kpis['parcels_returned'] / rows)} went back to the merchants and "
            f"{_percent(kpis['parcels_lost'] / rows)} were lost."
        )
    return Answer("When do the parcels arrive?", verdict, " ".join(sentences))


def _overflow(tables: Tables, kpis: Mapping[str, Any]) -> Answer | None:
    if kpis["hub_overflow_h"] is None:
        return None
    hubs = hub_table(tables["hub_hours"], tables["hubs"])
    count = kpis["overflow_hubs"]
    if not count:
        fullest = hubs.sort_values("peak_share", ascending=False, kind="stable").iloc[0]
        share = _percent(fullest["peak_share"])
        text = f"The fullest is {fullest['hub']} ({fullest['carrier']}), at {share} of its storage."
        return Answer("Which hubs overflow?", f"None of {len(hubs)}", text)
    worst = [
        f"{row['hub']} ({row['carrier']}; {row['overflow_h']:,.0f} h, fullest {clock(row['peak_s'])[:-3]})"
        for _, row in hubs[hubs["overflow_h"] > 0].head(3).iterrows()
    ]
    text = (
        f"Vehicles waited at full hubs in {quantity(kpis['hub_overflow_h'])} hub-hours. The worst: {', '.join(worst)}."
    )
    return Answer("Which hubs overflow?", f"{count} of {len(hubs)}", text)


def _percent(share: float) -> str:
    value = 100 * share
    if value == 0 or value >= 99.95:
        return f"{value:.0f} %"
    return f"{value:.1f} %" if value >= 0.1 else "less than 0.1 %"


def day_ends_s(hours: pd.DataFrame) -> np.ndarray:
    """Ends of the days from the festival day until nearly all are signed [s]."""
    return DAY_S * np.arange(1, round(settled_s(hours) / DAY_S) + 1)
