"""What the vehicles do, hour by hour."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.plots import style

DOING_COLORS = {"loaded": style.BLUE, "at the gate": style.VERMILION, "on the way back": "#bcd3e2"}


def plot_fleet(hours: pd.DataFrame, size: int | None, ax: Axes | None = None) -> Axes:
    """Vehicles of one kind by what they do, stacked, from `metrics.fleets.fleet_hours`; dashed: how many there are."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "vehicles")
    if len(hours) < 2:
        style.say_empty(ax, "no trips")
        return ax
    time_s = hours["time_s"].to_numpy()
    below = np.zeros(time_s.size - 1)
    for name, color in DOING_COLORS.items():
        above = below + hours[name].to_numpy()[:-1]
        style.area(ax, time_s, above, color, below=below)
        below = above
    top = max(below.max(), size or 0.0, 1.0)
    if size is not None:
        ax.axhline(size, color=style.INK, linewidth=1.0, linestyle=(0, (4, 2)))
    ax.set_ylim(0, 1.08 * top)
    style.quantity_axis(ax, ticks=4)
    style.time_axis(ax, float(time_s[0]), float(time_s[-1]), most=5)
    return ax
