"""Backlog of the hubs against their storage."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.plots import style
from sim.units import HOUR_S

BACKLOG_COLORS = {"everyday": style.FAINT, "festival’s, in the hub": style.BLUE, "at the gate": style.VERMILION}


def plot_hub_backlog(backlog: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One hub by hour, from `metrics.hubs.hub_backlog`: stored, at the gate, storage; hours of overflow shaded."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "share of storage")
    if backlog.empty:
        style.say_empty(ax, "no parcels")
        return ax
    time_s, stored, everyday, over = (
        backlog[name].to_numpy() for name in ("time_s", "backlog", "everyday", "overflow")
    )
    total = stored + backlog["gate"].to_numpy()
    top = max(1.25, 1.08 * total.max())
    edges_s = np.append(time_s[0] - HOUR_S, time_s)
    style.area(ax, edges_s, np.where(over, top, 0.0), style.VERMILION, alpha=0.16)
    style.area(ax, edges_s, total, BACKLOG_COLORS["at the gate"], below=stored)
    style.area(ax, edges_s, stored, BACKLOG_COLORS["festival’s, in the hub"], below=everyday)
    style.area(ax, edges_s, everyday, BACKLOG_COLORS["everyday"])
    ax.axhline(1.0, color=style.INK, linewidth=1.0, linestyle=(0, (4, 2)))
    ax.set_ylim(0, top)
    style.percent_axis(ax, ticks=3)
    style.time_axis(ax, min(0.0, float(time_s[0])), float(time_s[-1]), most=4)
    return ax
