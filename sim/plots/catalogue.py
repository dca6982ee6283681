"""The figures that a run leaves behind, from its tables to finished sheets.

Each figure of `FIGURES` names the tables without which it is not drawn, and says in one sentence what to see in it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sim.metrics import fleets as fleet_metrics
from sim.metrics import hubs as hub_metrics
from sim.metrics import parcels as parcel_metrics
from sim.metrics import sales as sales_metrics
from sim.metrics import site as site_metrics
from sim.metrics.latency import percentiles_by_interval
from sim.metrics.moves import moves as river
from sim.plots import cloud, links, national, rehearsal, shoppers, style
from sim.plots.fleets import DOING_COLORS, plot_fleet
from sim.plots.flows import plot_flows
from sim.plots.hubs import BACKLOG_COLORS, plot_hub_backlog
from sim.plots.latency import label_percentiles, plot_latency, share_limits
from sim.plots.moves import STATION_COLORS, plot_moves
from sim.plots.parcels import STATE_COLORS, plot_lead_times, plot_lead_times_by_distance, plot_states
from sim.plots.requests import plot_orders, plot_requests, plot_visitors
from sim.plots.sales import plot_sales
from sim.plots.services import plot_service_load
from sim.plots.weather import ROAD_COLORS, eventful, plot_held_lanes, plot_road_weather
from sim.units import DAY_S, HOUR_S

Tables = Mapping[str, pd.DataFrame]

MIDNIGHT_S = (-60, 600)
WORST_HUBS = 12
MOVES_DAYS = 8


class FigureSpec(NamedTuple):
    """One figure: file name, what to see in it, the tables it needs and how it is drawn."""

    name: str
    caption: str
    needs: tuple[str, ...]
    draw: Callable[[Tables, float], Figure]


def _midnight(tables: Tables, scale: float) -> Figure:
    return _requests(
        _first_minutes(tables, scale),
        "The first ten minutes",
        "Arrivals, and page requests by how they end, every second",
        scale,
    )


def _window_s(second_s: pd.Series) -> tuple[int, int]:
    """The first minutes of the day, and the last one before it if something was recorded then."""
    start_s, end_s = MIDNIGHT_S
    return (start_s if second_s.min() < 0 else 0), end_s


def _first_minutes(tables: Tables, scale: float) -> pd.DataFrame:
    start_s, end_s = _window_s(tables["demand_seconds"]["second_s"])
    return site_metrics.requests_by_second(tables["demand_seconds"], scale=scale, start_s=start_s, end_s=end_s)


def _day(tables: Tables, scale: float) -> Figure:
    second_s = tables["demand_seconds"]["second_s"]
    start_s = int(second_s.min() // HOUR_S * HOUR_S)
    end_s = int(-(-(min(second_s.max(), DAY_S - 1) + 1) // HOUR_S) * HOUR_S)
    rates = site_metrics.requests_by_hour(tables["demand_seconds"], scale=scale, start_s=start_s, end_s=end_s)
    return _requests(
        rates, "The day, hour by hour", "Arrivals, and page requests by how they end, means of each hour", scale
    )


def _requests(rates: pd.DataFrame, title: str, subtitle: str, scale: float) -> Figure:
    figure, axes = style.sheet(5.2, title, subtitle, style.scale_note(scale), rows=2, height_ratios=(1, 2))
    plot_visitors(rates, axes[0, 0])
    plot_requests(rates, axes[1, 0])
    return figure


def _orders(tables: Tables, scale: float) -> Figure:
    figure, axes = style.sheet(
        3.6, "Orders paid and orders lost", "Every second of the first ten minutes", style.scale_note(scale)
    )
    plot_orders(_first_minutes(tables, scale), axes[0, 0])
    return figure


def _latency(tables: Tables, scale: float) -> Figure:
    del scale  # a latency needs no scaling
    latency = tables["latency"]
    first_hour = percentiles_by_interval(latency[(latency["minute"] >= 0) & (latency["minute"] < 60)], minutes=1)
    day = percentiles_by_interval(latency[(latency["minute"] >= 0) & (latency["minute"] < 1440)], minutes=10)
    figure, axes = style.sheet(
        3.4,
        "How long a page takes",
        "Request sent to page received, all pages: the first hour by minute, the day by ten minutes",
        columns=2,
        sharey=True,
        width_ratios=(1, 1.25),
        right_in=0.62,
        gap_in=(0.5, 0.6),
    )
    plot_latency(first_hour, axes[0, 0])
    plot_latency(day, axes[0, 1])
    share_limits(pd.concat([first_hour, day]), axes[0, 0])
    axes[0, 1].set_ylabel("")
    label_percentiles(day, axes[0, 1])
    return figure


def _sales(tables: Tables, scale: float) -> Figure:
    sales = sales_metrics.cumulative_sales(tables["sales"], scale=scale)
    published = sales_metrics.against_published(sales, tables["milestones"])
    figure, axes = style.sheet(
        4.1,
        "Sales against the published points",
        "Cumulative over 11 November; points: announced on the day",
        style.scale_note(scale),
    )
    plot_sales(sales, published, axes[0, 0])
    return figure


def _services(tables: Tables, scale: float) -> Figure:
    start_s, end_s = _window_s(tables["site_seconds"]["second_s"])
    loads = site_metrics.service_load(
        tables["site_seconds"], tables["site_capacity"], scale=scale, start_s=start_s, end_s=end_s
    )
    columns = 3
    rows = -(-len(loads) // columns)
    figure, axes = style.sheet(
        1.1 + 1.78 * rows,
        "Load of each service around midnight",
        "Requests in service and waiting, by second; linear up to the slots there are, logarithmic above",
        style.scale_note(scale),
        rows=rows,
        columns=columns,
        gap_in=(0.72, 0.62),
    )
    for ax, (service, load) in zip(axes.flat, loads.items(), strict=False):
        plot_service_load(load, ax)
        ax.set_ylabel("")
        ax.set_title(service, loc="left", size=9.5, weight="bold", pad=7)
    _clear_rest(axes, len(loads))
    style.sheet_key(figure, [[("in service", style.BLUE), ("waiting", style.ORANGE), ("slots", style.INK)]])
    return figure


def _hubs(tables: Tables, scale: float) -> Figure:
    del scale  # hubs are in real parcels at every scale
    worst = hub_metrics.hub_table(tables["hub_hours"], tables["hubs"]).head(WORST_HUBS)
    end_s = np.ceil(hub_metrics.busy_end_s(tables["hub_hours"], tables["hubs"]) / DAY_S + 1) * DAY_S
    columns = 3
    rows = -(-len(worst) // columns)
    figure, axes = style.sheet(
        0.8 + 1.6 * rows,
        f"The {len(worst)} fullest hubs",
        "Parcels in the hub and on vehicles at its gate, by hour, as a share of its storage, beside its name; worst first",
        rows=rows,
        columns=columns,
        gap_in=(0.72, 0.55),
    )
    for ax, (_, row) in zip(axes.flat, worst.iterrows(), strict=False):
        backlog = hub_metrics.hub_backlog(tables["hub_hours"], row)
        plot_hub_backlog(backlog[backlog["time_s"] <= end_s], ax)
        ax.set_ylabel("")
        ax.set_title(f"{row['hub']} · {row['carrier']}", loc="left", size=9.5, weight="bold", pad=7)
        ax.set_title(f"of {style.quantity(row['storage_parcels'])}", loc="right", size=7.5, color=style.MUTED, pad=7)
    _clear_rest(axes, len(worst))
    style.sheet_key(figure, [[*BACKLOG_COLORS.items(), ("storage", style.INK)]])
    return figure


def _clear_rest(axes: np.ndarray, used: int) -> None:
    for ax in axes.flat[used:]:
        ax.remove()


def _states(tables: Tables, scale: float) -> Figure:
    del scale  # shares need no scaling
    hours = tables["parcel_hours"]
    at_s = np.arange(0.0, parcel_metrics.settled_s(hours) + HOUR_S, HOUR_S)
    figure, axes = style.sheet(4.3, "Where the parcels are", "By hour, until 99.5 % have arrived")
    plot_states(parcel_metrics.state_shares(hours, at_s), axes[0, 0])
    entries = list(STATE_COLORS.items())
    style.sheet_key(figure, [entries[:4], entries[4:8], entries[8:]])
    return figure


def _lead_times(tables: Tables, scale: float) -> Figure:
    leads = tables["lead_times"]
    histogram = parcel_metrics.lead_time_histogram(leads, scale=scale)
    marks = {
        "half": parcel_metrics.lead_time_percentile_h(leads, 0.5),
        "95 %": parcel_metrics.lead_time_percentile_h(leads, 0.95),
    }
    figure, axes = style.sheet(
        3.5,
        "From order to signature",
        "Signed parcels by lead time, in steps of six hours; marks count all parcels",
        style.scale_note(scale),
        xlabel=True,
    )
    plot_lead_times(histogram, {name: hours for name, hours in marks.items() if hours is not None}, axes[0, 0])
    return figure


def _moves(tables: Tables, scale: float) -> Figure:
    moves = river(tables["parcel_moves"], scale=scale, days=MOVES_DAYS)
    figure, axes = style.sheet(
        4.6,
        "Where the parcels go from day to day",
        "Boxes: where they stand at midnight; ribbons: from there to the next",
        style.scale_note(scale),
    )
    plot_moves(moves, axes[0, 0])
    entries = list(STATION_COLORS.items())
    style.sheet_key(figure, [entries[:3], entries[3:5], entries[5:]])
    return figure


def _distance(tables: Tables, scale: float) -> Figure:
    bands = parcel_metrics.lead_times_by_distance(tables["lead_times"], scale=scale)
    figure, axes = style.sheet(
        3.6,
        "From order to signature, by distance",
        "Box: the middle half of the parcels and the median; line: from the quickest tenth to the slowest; all parcels count",
        style.scale_note(scale),
        left_in=1.25,
        xlabel=True,
    )
    plot_lead_times_by_distance(bands, axes[0, 0])
    return figure


def _fleets(tables: Tables, scale: float) -> Figure:
    del scale  # trips are in real vehicles at every scale
    hours = fleet_metrics.fleet_hours(tables["trips"], fleet_metrics.mostly_back_s(tables["trips"]))
    sizes = fleet_metrics.fleet_sizes(tables["fleets"])
    figure, axes = style.sheet(
        3.3,
        "The fleets at work",
        "Vehicles of all carriers by what they do, every hour; dashed: how many there are",
        columns=len(hours),
        gap_in=(0.5, 0.6),
    )
    for ax, (kind, own) in zip(axes.flat, hours.items(), strict=True):
        plot_fleet(own, sizes.get(kind), ax)
        ax.set_ylabel("")
        ax.set_title(f"{kind}s", loc="left", size=9.5, weight="bold", pad=7)
    style.sheet_key(figure, [list(DOING_COLORS.items())])
    return figure


def _weather(tables: Tables, scale: float) -> Figure:
    del scale  # roads and lanes are real at every scale
    figure, axes = style.sheet(
        4.0, "Weather on the roads", "All roads of the country, every hour; below: lanes that dispatch holds", rows=2
    )
    hours = eventful(tables["road_hours"])
    plot_road_weather(hours, axes[0, 0])
    plot_held_lanes(hours, axes[1, 0])
    style.sheet_key(figure, [list(ROAD_COLORS.items())])
    return figure


def _flows(tables: Tables, scale: float) -> Figure:
    del scale  # trips are in real parcels at every scale
    flows = hub_metrics.flows(tables["trips"], tables["cities"])
    worst = hub_metrics.hub_table(tables["hub_hours"], tables["hubs"])
    figure, axes = style.sheet(
        7.2,
        "The flows between hubs",
        "All carriers, both ways. Width: parcels; colour: hours beyond the lane’s quickest trip; squares: hubs, red: overflowed",
        left_in=0.1,
        right_in=0.1,
    )
    axes[0, 0].set_position((0.01, 0.01, 0.98, 0.9))
    plot_flows(flows, tables["cities"], worst, axes[0, 0])
    return figure


FIGURES: tuple[FigureSpec, ...] = (
    FigureSpec(
        "requests_midnight",
        "The crowd that waited for midnight arrives within seconds; what the site cannot answer comes back as a retry.",
        ("demand_seconds", "site_seconds"),
        _midnight,
    ),
    FigureSpec(
        "orders_midnight",
        "Every order above the green is one that a shopper wanted and gave up on because the site failed.",
        ("demand_seconds", "site_seconds"),
        _orders,
    ),
    FigureSpec(
        "service_load",
        "Where the coloured area reaches the dashed line a service has no free slot left, and requests wait. A waiting room has "
        "no slots: its panel shows the people in line.",
        ("site_seconds", "site_capacity"),
        _services,
    ),
    FigureSpec("cloud", cloud.CAPTION, cloud.NEEDS, cloud.draw_cloud),
    FigureSpec(
        "latency",
        "The middle line is what one request in a hundred exceeds; the axis is logarithmic. A line has a gap where too few pages "
        "were answered to tell.",
        ("latency",),
        _latency,
    ),
    FigureSpec("shoppers", shoppers.CAPTION, shoppers.NEEDS, shoppers.draw_shoppers),
    FigureSpec("links", links.CAPTION, links.NEEDS, links.draw_links),
    FigureSpec(
        "requests_day",
        "The whole day: the night's peak, the trough before dawn, noon and the evening.",
        ("demand_seconds", "site_seconds"),
        _day,
    ),
    FigureSpec("rehearsal", rehearsal.CAPTION, rehearsal.NEEDS, rehearsal.draw_rehearsal),
    FigureSpec(
        "sales",
        "The curve should pass through the points; their labels give both numbers.",
        ("sales",),
        _sales,
    ),
    FigureSpec("national", national.CAPTION, national.NEEDS, national.draw_national),
    FigureSpec(
        "parcel_states",
        "Orange until the line-haul, blue from then on: where a band is thick for days, that stage is the bottleneck.",
        ("parcel_hours",),
        _states,
    ),
    FigureSpec(
        "parcel_moves",
        "A box that stays as tall from day to day is a jam; a ribbon that goes straight on is what stood still for a day.",
        ("parcel_moves",),
        _moves,
    ),
    FigureSpec(
        "lead_times",
        "Half of all parcels lie left of the first mark; one in twenty, beyond the second, waited somewhere on the way.",
        ("lead_times",),
        _lead_times,
    ),
    FigureSpec(
        "lead_times_distance",
        "If the boxes lie below each other, parcels lose their time in hubs and at doors, not on the road.",
        ("lead_times",),
        _distance,
    ),
    FigureSpec(
        "fleets",
        "Where the areas reach the dashed line no truck is free, and parcels wait for one; red ones wait to be unloaded.",
        ("trips", "fleets"),
        _fleets,
    ),
    FigureSpec(
        "hub_backlog",
        "A hub overflows (shaded hours) when its storage is full and vehicles wait at its gate.",
        ("hub_hours", "hubs"),
        _hubs,
    ),
    FigureSpec(
        "road_weather",
        "Dispatch holds a lane while its trucks would stand on closed roads for hours, as far ahead as forecasts reach.",
        ("road_hours",),
        _weather,
    ),
    FigureSpec(
        "flows",
        "Wide lanes carry most parcels; red ones lead to hubs, vermilion squares, that let vehicles wait at their gates.",
        ("trips", "cities", "hubs", "hub_hours"),
        _flows,
    ),
)
