"""The report's tables of the site: its services, what shoppers saw of it, how long pages took, and the access links."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.metrics.latency import BEYOND_S, FINE_SHARES, least_answers, percentiles_by
from sim.metrics.links import fullest
from sim.metrics.shoppers import SEGMENT, seen
from sim.metrics.site import service_table, waiting_rooms
from sim.plots.latency import duration
from sim.plots.links import bandwidth_text
from sim.plots.style import quantity, segment_name
from sim.report.rows import NONE, Table, as_share, have
from sim.units import clock

Tables = Mapping[str, pd.DataFrame]
FIRST_MIN = 10
_LATENCY_HEADER = ("median", "90 %", "99 %", "99.9 %", "99.99 %")


def services(tables: Tables, params: Mapping[str, Any], scale: float) -> Table | None:
    """Capacity of each service, what rounding to whole slots did to it, and how it fared."""
    if not have(tables, "site_seconds", "site_capacity"):
        return None
    described = ((params.get("site") or {}).get("services") or {}) if params else {}
    found = service_table(tables["site_seconds"], tables["site_capacity"], scale=scale)
    degrades = bool((found["degraded_share"] > 0).any())
    rows = []
    for row in found.itertuples():
        per_machine = described.get(row.service, {}).get("slots_per_machine")
        exact = None if per_machine is None else row.machines_run * per_machine
        cells = [
            str(row.service),
            _or_none(row.machines),
            NONE if exact is None else f"{exact:,.4g}",
            _or_none(row.slots),
            NONE if not exact else f"{100 * (row.slots / exact - 1):+.1f} %".replace("-", "−"),
            quantity(row.peak_arrivals_per_s),
            as_share(row.busy_share),
            quantity(row.peak_queue),
            as_share(row.retried_share),
            as_share(row.rejected_share),
            as_share(row.timed_out_share),
        ]
        rows.append((*cells, as_share(row.degraded_share)) if degrades else tuple(cells))
    header = (
        "",
        "machines",
        "slots in the run, exact",
        "rounded",
        "effect",
        "arrivals/s, peak",
        "busy, worst minute",
        "queue, peak",
        "retried",
        "rejected",
        "timed out",
    )
    notes = []
    if scale < 1:
        notes.append(
            "Machines, arrivals and queues are scaled up to the real day. A run at a small scale has few slots, and they "
            "come whole: a rounded-up service is that much larger than the real one, a rounded-down one smaller, and its "
            "tail shorter or longer."
        )
    if found["machines"].isna().any():
        notes.append(
            "A waiting room has no machines; its queue are the people in line, and those timed out lost patience."
        )
    return Table("Services", (*header, "degraded") if degrades else header, rows, " ".join(notes))


def shoppers(tables: Tables, scale: float) -> Table | None:
    """What shoppers of each region and channel saw of the site: in the first minutes, and over the day."""
    if not have(tables, "shopper_minutes", "site_seconds", "site_capacity"):
        return None
    minutes = tables["shopper_minutes"]
    day = seen(minutes, SEGMENT, scale=scale)
    first = seen(minutes, SEGMENT, scale=scale, end_min=FIRST_MIN).set_index(list(SEGMENT))
    rows = []
    for row in day.itertuples():
        there = (row.region, row.channel) in first.index
        early = first.loc[row.region, row.channel] if there else None
        rows.append(
            (
                segment_name(row.region, row.channel),
                quantity(row.requests),
                _time(early["page_time_s"]) if early is not None else NONE,
                _time(row.page_time_s),
                as_share(early["error_rate"]) if early is not None else NONE,
                as_share(row.error_rate),
                quantity(row.orders),
                quantity(row.orders_lost),
                as_share(row.lost_share),
            )
        )
    header = (
        "",
        "requests",
        f"page time, first {FIRST_MIN} min",
        "page time, day",
        f"failed, first {FIRST_MIN} min",
        "failed, day",
        "orders paid",
        "orders lost",
        "of those wanted",
    )
    note = "Page time: mean from the request until the page is there"
    note += (
        ", the way over the access link included." if have(tables, "link_seconds") else "; there are no access links."
    )
    if waiting_rooms(tables["site_capacity"]):
        note += " Waits in a waiting room are not in it; they are shown as the time in that room below."
    return Table("What shoppers saw", header, rows, note)


def latencies(tables: Tables, scale: float) -> list[Table]:
    """Percentiles to 99.99 of the time until a page is there, by page and by region and channel, and of that in each service."""
    wanted = (
        ("Page times by page", "page_latency", ("page",)),
        ("Page times by region and channel", "page_latency", SEGMENT),
        ("Time in each service", "service_latency", ("service",)),
    )
    found = [
        Table(heading, ("", "answered", *_LATENCY_HEADER), _latency_rows(tables[name], by, scale))
        for heading, name, by in wanted
        if have(tables, name)
    ]
    if found:
        counted = f"{least_answers(FINE_SHARES[-1]):,}"
        note = (
            "From histograms whose buckets are 3 % wide; each number is its bucket’s upper edge. Time in a service: its queue "
            f"and its work, of the requests that it finished. {NONE}: too few to tell; 99.99 % takes {counted} of the run."
        )
        found[-1] = found[-1]._replace(note=note)
    return found


def _latency_rows(histogram: pd.DataFrame, by: Sequence[str], scale: float) -> list[tuple[str, ...]]:
    return [
        (
            segment_name(*row[:2]) if by == SEGMENT else str(row[0]),
            quantity(row[len(by)] / scale),
            *(_time(time_s) for time_s in row[len(by) + 1 :]),
        )
        for row in percentiles_by(histogram, by, FINE_SHARES).itertuples(index=False, name=None)
    ]


def links(tables: Tables, scale: float) -> Table | None:
    """The busiest minute of each access link."""
    if not have(tables, "link_seconds"):
        return None
    rows = [
        (
            segment_name(row.region, row.channel),
            bandwidth_text(row.bandwidth_gbit_per_s),
            as_share(row.peak_load),
            clock(row.peak_s)[-8:-3],
            f"{row.under_way:,.0f}",
        )
        for row in fullest(tables["link_seconds"]).itertuples()
    ]
    header = ("", "bandwidth", "used, busiest minute", "when", "pages at once, most")
    note = (
        f"At the run’s scale, {scale:g}. A link is scaled down like everything else, but still carries one line at full speed: "
        "where it would be narrower than that, it is wider than the real one’s share, and jams less."
    )
    return Table("Access links", header, rows, note if scale < 1 else "")


def _or_none(value: float) -> str:
    return quantity(value, 4) if np.isfinite(value) else NONE


def _time(time_s: float) -> str:
    if np.isnan(time_s):
        return NONE
    return duration(time_s) if np.isfinite(time_s) else f"> {BEYOND_S:,.0f} s"
