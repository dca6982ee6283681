"""The access links in the first hour: what arrives over them against their bandwidth."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.metrics.links import link_load
from sim.plots import style
from sim.units import HOUR_S, MINUTE_S

CAPTION = (
    "Where the blue reaches the dashed line the link is full: pages still arrive, but each of them slowly. A page counts when it "
    "is whole, so that right after a jam a minute may show more than the bandwidth."
)
NEEDS = ("link_seconds",)
MOST_LINKS = 16


def draw_links(tables: Mapping[str, pd.DataFrame], scale: float) -> Figure:
    """The sheet: one panel a link, two in a row."""
    loads = link_load(tables["link_seconds"], start_s=0, end_s=int(HOUR_S), step_s=int(MINUTE_S))
    shown = sorted(loads, key=lambda link: -float(loads[link]["load"].max()))[:MOST_LINKS]
    columns = 2 if len(shown) > 1 else 1
    rows = -(-len(shown) // columns)
    note = f"At scale {scale:g}, where a link still carries one line at full speed." if scale < 1 else ""
    if len(shown) < len(loads):
        note += f" Shown are the {len(shown)} fullest of {len(loads)} links."
    figure, axes = style.sheet(
        0.9 + 1.42 * rows,
        "Access links in the first hour",
        "Pages delivered each minute as a share of the link’s bandwidth",
        note.strip(),
        rows=rows,
        columns=columns,
        gap_in=(0.66, 0.62),
    )
    for ax, link in zip(axes.flat, (link for link in loads if link in shown), strict=False):
        plot_link_load(loads[link], ax)
        ax.set_ylabel("")
        ax.set_title(style.segment_name(*link), loc="left", size=9.5, weight="bold", pad=7)
    for ax in axes.flat[len(shown) :]:
        ax.remove()
    return figure


def plot_link_load(load: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One link, from `metrics.links.link_load`: delivered against the bandwidth, and the most pages under way at once."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "share of the bandwidth")
    if load.empty:
        style.say_empty(ax, "no pages")
        return ax
    time_s, share, under_way = (load[name].to_numpy() for name in ("time_s", "load", "under_way"))
    step_s = float(time_s[1] - time_s[0]) if time_s.size > 1 else MINUTE_S
    style.area(ax, np.append(time_s, time_s[-1] + step_s), share, style.BLUE)
    ax.axhline(1.0, color=style.INK, linewidth=1.0, linestyle=(0, (4, 2)))
    ax.set_ylim(0, max(1.25, 1.08 * share.max()))
    style.percent_axis(ax, ticks=3)
    style.time_axis(ax, float(time_s[0]), float(time_s[-1] + step_s), most=7)
    ax.annotate(
        f"{bandwidth_text(load['bandwidth_gbit_per_s'].iloc[0])} · most pages at once: {style.quantity(under_way.max())}",
        (1.0, 1.0),
        xycoords=("axes fraction", "data"),
        xytext=(0, -4),
        textcoords="offset points",
        size=7.5,
        color=style.MUTED,
        ha="right",
        va="top",
    )
    return ax


def bandwidth_text(gbit_per_s: float) -> str:
    """A bandwidth for people: 0.018 -> "18 Mbit/s"."""
    for factor, unit in ((1.0, "Gbit/s"), (1e3, "Mbit/s")):
        if gbit_per_s * factor >= 1:
            return f"{style.quantity(gbit_per_s * factor)} {unit}"
    return f"{style.quantity(gbit_per_s * 1e6)} kbit/s"
