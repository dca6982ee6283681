"""The services of the site around midnight."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from sim.plots import style


def plot_service_load(load: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One service, from `metrics.site.service_load`: slots in use, requests waiting on top, and the slots there are.

    Of a waiting room, which has none, the people in line.
    """
    ax = style.axes_or_new(ax)
    style.dress(ax, "requests in service and waiting")
    if load.empty:
        style.say_empty(ax, "no requests")
        return ax
    if load["slots"].isna().all():
        return _plot_line(load, ax)
    time_s, busy, slots = (load[name].to_numpy() for name in ("time_s", "busy", "slots"))
    waiting = busy + load["queue"].to_numpy()
    edges_s = np.append(time_s[0] - 1.0, time_s)
    style.area(ax, edges_s, waiting, style.ORANGE, below=busy)
    style.area(ax, edges_s, busy, style.BLUE)
    ax.plot(time_s, slots, color=style.INK, linewidth=1.1, linestyle=(0, (4, 2)))
    _linear_to_capacity(ax, float(np.nanmax(slots)), float(waiting.max()))
    style.time_axis(ax, float(time_s[0]) - 1.0, float(time_s[-1]), most=6)
    return ax


def _plot_line(load: pd.DataFrame, ax: Axes) -> Axes:
    ax.set_ylabel("people in line")
    time_s, line = load["time_s"].to_numpy(), load["queue"].to_numpy()
    style.area(ax, np.append(time_s[0] - 1.0, time_s), line, style.ORANGE)
    ax.set_ylim(0, 1.08 * line.max() or 1.0)
    style.quantity_axis(ax, ticks=3)
    style.time_axis(ax, float(time_s[0]) - 1.0, float(time_s[-1]), most=6)
    return ax


def _linear_to_capacity(ax: Axes, slots: float, most: float) -> None:
    """y linear up to the slots and logarithmic above: a queue can be a thousand times as long as the slots are many."""
    ax.set_yscale("symlog", linthresh=slots, linscale=1.0)
    decades = max(int(np.ceil(np.log10(max(most / slots, 1.0)))), 1)
    step = -(-decades // 3)
    ticks = [0.0, *(slots * 10.0**power for power in range(0, decades + 1, step))]
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.quantity(value)))
    ax.set_ylim(0, max(1.2 * most, 1.5 * slots))
