"""The rows of the report's tables, as text."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.metrics.hubs import hub_table
from sim.metrics.parcels import carriers, states
from sim.metrics.published import YEAR, facts_of, gmv_milestones
from sim.metrics.stages import STATES
from sim.metrics.tracking import COUNTS, rates
from sim.plots.latency import duration
from sim.plots.style import quantity
from sim.report.answers import day_ends_s
from sim.units import DAY_S, clock, day_label

Tables = Mapping[str, pd.DataFrame]
HUB_ROWS = 25
TRACKED_ROWS = 8
NONE = "–"


class Table(NamedTuple):
    """A table of text: heading, header, rows, and a note below; the first column is of words, the others of numbers."""

    heading: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str = ""


class KeyFigure(NamedTuple):
    """How a key figure is shown: `kind` is count (scaled up), real (real at every scale), share, latency or hours."""

    name: str
    label: str
    kind: str


KEY_FIGURES = (
    KeyFigure("visits", "Shoppers who visited", "count"),
    KeyFigure("visitors_first_minute", "Shoppers in the first minute", "count"),
    KeyFigure("requests", "Page requests", "count"),
    KeyFigure("peak_requests_per_s", "Page requests in the busiest second", "count"),
    KeyFigure("requests_rejected", "Requests answered “system busy”", "count"),
    KeyFigure("requests_timed_out", "Requests timed out", "count"),
    KeyFigure("error_rate", "Share of the requests that failed", "share"),
    KeyFigure("error_rate_first_hour", "Share of the requests that failed, first hour", "share"),
    KeyFigure("error_rate_busiest_minute", "Share of the requests that failed, busiest minute", "share"),
    KeyFigure("page_time_mean_s", "Page time, mean", "latency"),
    KeyFigure("page_time_first_hour_s", "Page time, mean, first hour", "latency"),
    KeyFigure("page_time_wireless_s", "Page time, mean, first hour, wireless", "latency"),
    KeyFigure("page_time_outside_s", "Page time, mean, first hour, outside the mainland", "latency"),
    KeyFigure("latency_p50_s", "Page time, median", "latency"),
    KeyFigure("latency_p99_s", "Page time, 99 %", "latency"),
    KeyFigure("latency_p9999_s", "Page time, 99.99 %", "latency"),
    KeyFigure("peak_machines", "Machines, at most", "count"),
    KeyFigure("orders", "Orders", "count"),
    KeyFigure("peak_minute_orders_per_s", "Orders per second in the busiest minute", "count"),
    KeyFigure("orders_lost", "Orders lost to a failing site", "count"),
    KeyFigure("gmv_rmb", "Sales, RMB", "count"),
    KeyFigure("gmv_share_0219", "Share of the sales made by 02:19", "share"),
    KeyFigure("gmv_share_1200", "Share of the sales made by 12:00", "share"),
    KeyFigure("gmv_share_1338", "Share of the sales made by 13:38", "share"),
    KeyFigure("parcels", "Parcels", "count"),
    KeyFigure("hubs_first_day_parcels", "Parcels that entered hubs on the day", "count"),
    KeyFigure("national_peak_day_parcels", "Parcels of the whole country, busiest day", "count"),
    KeyFigure("national_six_days_parcels", "Parcels of the whole country, 11-16 November", "count"),
    KeyFigure("signed_share_day7", "Signed by 18 November 00:00", "share"),
    KeyFigure("signed_share_1118_1500", "Signed by 18 November 15:00", "share"),
    KeyFigure("lead_time_median_h", "Order to signature, median", "hours"),
    KeyFigure("lead_time_p95_h", "Order to signature, 95 %", "hours"),
    KeyFigure("parcels_lost", "Parcels lost", "count"),
    KeyFigure("parcels_returned", "Parcels sent back to the merchants", "count"),
    KeyFigure("parcels_damaged", "Parcels damaged", "count"),
    KeyFigure("overflow_hubs", "Hubs that overflowed", "real"),
    KeyFigure("hub_overflow_h", "Hours of overflow, all hubs", "real"),
    KeyFigure("truck_trips", "Truck trips", "real"),
    KeyFigure("train_trips", "Train trips", "real"),
    KeyFigure("machine_cost_rmb", "Cost of the cloud’s machines, RMB", "real"),
    KeyFigure("cost_rmb", "Cost of all trips, and of the cloud’s machines, RMB", "real"),
    KeyFigure("promise_kept_share", "Handed to the carrier as promised", "share"),
    KeyFigure("postage_rmb", "Postage, RMB", "real"),
)


def key_figures(kpis: Mapping[str, Any], year: int | None = YEAR) -> Table:
    """Simulated and published in a year, scaled up to the real day; figures of parts that were off are left out."""
    milestones = gmv_milestones(year)
    shares = {f"gmv_share_{row.clock.replace(':', '')}": (row.share, row.source) for row in milestones.itertuples()}
    facts = {name: (fact.value, fact.source) for name, fact in facts_of(year).items()} | shares
    rows = []
    for figure in KEY_FIGURES:
        value = kpis.get(figure.name)
        if value is None:
            continue
        real = value / kpis["scale"] if figure.kind == "count" else value
        known, source = facts.get(figure.name, (None, ""))
        rows.append(
            (
                figure.label,
                shown(real, figure.kind),
                NONE if known is None else shown(known, figure.kind),
                "" if known is None else _difference(real, known, figure.kind),
                source,
            )
        )
    return Table("Key figures", ("", "simulated", f"published {year or ''}".strip(), "difference", "source"), rows)


def shown(value: float, kind: str) -> str:
    """A key figure for people."""
    if kind == "share":
        return f"{100 * value:.1f} %"
    if kind == "latency":
        return duration(value)
    return f"{value / 24:.1f} days" if kind == "hours" else quantity(value, 4)


def _difference(value: float, known: float, kind: str) -> str:
    text = f"{100 * (value - known):+.1f} points" if kind == "share" else f"{100 * (value / known - 1):+.1f} %"
    return text.replace("-", "−")


def parcels_by_day(tables: Tables, scale: float) -> Table | None:
    """Parcels in each state at the end of each day."""
    if not have(tables, "parcel_hours"):
        return None
    hours = tables["parcel_hours"]
    counts = states(hours, day_ends_s(hours))
    rows = []
    for time_s, *values in counts[["time_s", *STATES]].itertuples(index=False, name=None):
        day = day_label(round(time_s / DAY_S) - 1)
        rows.append((f"{day} 24:00", *(quantity(value / scale) if value else NONE for value in values)))
    return Table("Parcels at the end of each day", ("", *STATES), rows)


def carrier_rows(tables: Tables, scale: float) -> Table | None:
    """How each carrier did."""
    if not have(tables, "parcel_hours", "lead_times", "tracking"):
        return None
    found = carriers(tables["parcel_hours"], tables["lead_times"], tables["tracking"], scale=scale)
    rows = [
        (
            str(row.carrier),
            quantity(row.parcels),
            as_share(row.picked_up_early),
            as_share(row.signed_early),
            as_share(row.picked_up),
            as_share(row.in_transit),
            as_share(row.signed),
            as_share(row.exception),
            _days(row.median_h),
            _days(row.p95_h),
        )
        for row in found.itertuples()
    ]
    header = (
        "",
        "parcels",
        "picked up by 14 Nov 00:00",
        "signed by then",
        "picked up",
        "in transit",
        "signed",
        "exceptions",
        "median",
        "95 %",
    )
    note = (
        "Shares are of all parcels of the carrier; the last six columns at the end of the run. Exceptions: not "
        "at home, wrong address, refused, damaged or lost."
    )
    return Table("Carriers", header, rows, note)


def tracking_rows(tables: Tables, scale: float) -> list[Table]:
    """How far the parcels were on the first morning of the crowd, by province, lane and merchant: the largest of each."""
    if not have(tables, "tracking"):
        return []
    tracking = tables["tracking"]
    first = tracking[tracking["time_s"] == tracking["time_s"].min()]
    found = []
    for by, label in (("province", "province"), ("lane", "lane of a carrier"), ("merchant", "merchant, by rank")):
        if not len(own := first[first["by"] == by]):
            continue
        rows = [
            (str(group), quantity(parcels / scale), *(as_share(share) for share in shares))
            for group, parcels, *shares in rates(own).head(TRACKED_ROWS).itertuples(index=False, name=None)
        ]
        heading = f"As of {clock(first['time_s'].iloc[0])[:-3]}, by {label}"
        found.append(Table(heading, ("", *(name.replace("_", " ") for name in COUNTS)), rows))
    if found:
        note = (
            "Shares of all parcels ordered by then. Not shipped: ordered more than three days before; long in transit: picked up "
            "more than four days before; just signed: in the last 24 hours. For other instants, all groups and the care lists: "
            "peakday track."
        )
        found[-1] = found[-1]._replace(note=note)
    return found


def hub_rows(tables: Tables) -> Table | None:
    """The hubs, worst first."""
    if not have(tables, "hub_hours", "hubs"):
        return None
    table = hub_table(tables["hub_hours"], tables["hubs"])
    rows = [
        (
            f"{row.hub} · {row.carrier}",
            quantity(row.storage_parcels),
            quantity(row.sort_per_h),
            quantity(row.peak_parcels),
            as_share(row.peak_share),
            NONE if np.isnan(row.peak_s) else clock(row.peak_s)[:-3],
            f"{row.overflow_h:,.0f}" if row.overflow_h else NONE,
            f"{row.gate_vehicles:,.0f}" if row.gate_vehicles else NONE,
            as_share(row.everyday_parcels / row.arrived_parcels) if row.arrived_parcels else NONE,
        )
        for row in table.head(HUB_ROWS).itertuples()
    ]
    header = (
        "",
        "storage",
        "sorts per hour",
        "most parcels there",
        "of storage",
        "when",
        "overflow, h",
        "vehicles at the gate, most",
        "everyday",
    )
    note = "Most parcels there: in the hub and on vehicles at its gate. Everyday: share of all that arrived in the run."
    if len(table) > len(rows):
        note += f" {len(table) - len(rows)} more hubs did better than these."
    return Table("Hubs, worst first", header, rows, note)


def have(tables: Tables, *names: str) -> bool:
    """Whether all of these tables are there and have rows."""
    return all(name in tables and len(tables[name]) for name in names)


def as_share(value: float) -> str:
    """A share of one for people."""
    if not np.isfinite(value):
        return NONE
    return "0 %" if value == 0 else f"{100 * value:.1f} %" if value >= 0.0005 else "< 0.1 %"


def _days(hours: float) -> str:
    return f"{hours / 24:.1f} days" if np.isfinite(hours) else NONE
