"""The rows of the report's tables, as text."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.metrics.hubs import hub_table
from sim.metrics.latency import by_page
from sim.metrics.parcels import STATES, carriers, states
from sim.metrics.published import FACTS, YEAR, gmv_milestones
from sim.metrics.site import service_table
from sim.plots.latency import duration
from sim.plots.style import quantity
from sim.report.answers import day_ends_s
from sim.units import DAY_S, clock, day_label

Tables = Mapping[str, pd.DataFrame]
HUB_ROWS = 25
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
    KeyFigure("latency_p50_s", "Page latency, median", "latency"),
    KeyFigure("latency_p99_s", "Page latency, 99 %", "latency"),
    KeyFigure("latency_p9999_s", "Page latency, 99.99 %", "latency"),
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
    KeyFigure("signed_share_day7", "Signed by 18 November 00:00", "share"),
    KeyFigure("lead_time_median_h", "Order to signature, median", "hours"),
    KeyFigure("lead_time_p95_h", "Order to signature, 95 %", "hours"),
    KeyFigure("parcels_lost", "Parcels lost", "count"),
    KeyFigure("overflow_hubs", "Hubs that overflowed", "real"),
    KeyFigure("hub_overflow_h", "Hours of overflow, all hubs", "real"),
    KeyFigure("truck_trips", "Truck trips", "real"),
    KeyFigure("train_trips", "Train trips", "real"),
    KeyFigure("cost_rmb", "Cost of all trips, RMB", "real"),
)


def key_figures(kpis: Mapping[str, Any]) -> Table:
    """Simulated and published, scaled up to the real day; figures of parts that were off are left out."""
    milestones = gmv_milestones()
    shares = {f"gmv_share_{row.clock.replace(':', '')}": (row.share, row.source) for row in milestones.itertuples()}
    facts = {name: (fact.value, fact.source) for name, fact in FACTS.items()} | shares
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
    return Table("Key figures", ("", "simulated", f"published {YEAR}", "difference", "source"), rows)


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


def services(tables: Tables, params: Mapping[str, Any], scale: float) -> Table | None:
    """Capacity of each service, what rounding to whole slots did to it, and how it fared."""
    if not _have(tables, "site_seconds", "site_capacity"):
        return None
    described = ((params.get("site") or {}).get("services") or {}) if params else {}
    rows = []
    for row in service_table(tables["site_seconds"], tables["site_capacity"], scale=scale).itertuples():
        per_machine = described.get(row.service, {}).get("slots_per_machine")
        exact = None if per_machine is None else row.machines_run * per_machine
        rows.append(
            (
                str(row.service),
                quantity(row.machines),
                NONE if exact is None else f"{exact:,.4g}",
                f"{row.slots:,.0f}",
                NONE if not exact else f"{100 * (row.slots / exact - 1):+.1f} %".replace("-", "−"),
                quantity(row.peak_arrivals_per_s),
                _share(row.busy_share),
                quantity(row.peak_queue),
                _share(row.rejected_share),
                _share(row.timed_out_share),
            )
        )
    header = (
        "",
        "machines",
        "slots in the run, exact",
        "rounded",
        "effect",
        "arrivals/s, peak",
        "busy, worst minute",
        "queue, peak",
        "rejected",
        "timed out",
    )
    note = (
        "Machines, arrivals and queues are scaled up to the real day. A run at a small scale has few slots, and they "
        "come whole: a rounded-up service is that much larger than the real one, a rounded-down one smaller, and its "
        "tail shorter or longer."
    )
    return Table("Services", header, rows, note if scale < 1 else "")


def pages(tables: Tables, scale: float) -> Table | None:
    """Latency of each page over the run."""
    if not _have(tables, "latency"):
        return None
    table = by_page(tables["latency"], (0.5, 0.99, 0.999))
    rows = [
        (page, quantity(answered / scale), *(duration(value) for value in latencies_s))
        for page, answered, *latencies_s in table.itertuples(index=False, name=None)
    ]
    return Table("Pages", ("", "answered", "median", "99 %", "99.9 %"), rows)


def parcels_by_day(tables: Tables, scale: float) -> Table | None:
    """Parcels in each state at the end of each day."""
    if not _have(tables, "parcels"):
        return None
    parcels = tables["parcels"]
    counts = states(parcels, day_ends_s(parcels))
    rows = []
    for time_s, *values in counts[["time_s", *STATES]].itertuples(index=False, name=None):
        day = day_label(round(time_s / DAY_S) - 1)
        rows.append((f"{day} 24:00", *(quantity(value / scale) if value else NONE for value in values)))
    return Table("Parcels at the end of each day", ("", *STATES), rows)


def carrier_rows(tables: Tables, scale: float) -> Table | None:
    """How each carrier did."""
    if not _have(tables, "parcels"):
        return None
    rows = [
        (
            str(row.carrier),
            quantity(row.parcels),
            _share(row.picked_up_early),
            _share(row.signed_early),
            _share(row.picked_up),
            _share(row.in_transit),
            _share(row.signed),
            _share(row.exception),
            _days(row.median_h),
            _days(row.p95_h),
        )
        for row in carriers(tables["parcels"], scale=scale).itertuples()
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
        "Shares are of all parcels of the carrier; the last six columns at the end of the run. Exceptions: lost, or not "
        "signed at the first attempt."
    )
    return Table("Carriers", header, rows, note)


def hub_rows(tables: Tables) -> Table | None:
    """The hubs, worst first."""
    if not _have(tables, "hub_hours", "hubs"):
        return None
    table = hub_table(tables["hub_hours"], tables["hubs"])
    rows = [
        (
            f"{row.hub} · {row.carrier}",
            quantity(row.storage_parcels),
            quantity(row.sort_per_h),
            quantity(row.peak_parcels),
            _share(row.peak_share),
            NONE if np.isnan(row.peak_s) else clock(row.peak_s)[:-3],
            f"{row.overflow_h:,.0f}" if row.overflow_h else NONE,
            f"{row.gate_vehicles:,.0f}" if row.gate_vehicles else NONE,
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
    )
    note = "Most parcels there: in the hub and on vehicles at its gate."
    if len(table) > len(rows):
        note += f" {len(table) - len(rows)} more hubs did better than these."
    return Table("Hubs, worst first", header, rows, note)


def _have(tables: Tables, *names: str) -> bool:
    return all(name in tables and len(tables[name]) for name in names)


def _share(value: float) -> str:
    if not np.isfinite(value):
        return NONE
    return "0 %" if value == 0 else f"{100 * value:.1f} %" if value >= 0.0005 else "< 0.1 %"


def _days(hours: float) -> str:
    return f"{hours / 24:.1f} days" if np.isfinite(hours) else NONE
