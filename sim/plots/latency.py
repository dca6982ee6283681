"""How long the shopper waits for a page."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sim.plots import style

_COLORS = {"p50": style.GREEN, "p99": style.BLUE, "p99.9": style.VERMILION}


def plot_latency(percentiles: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Latency percentiles over time on a logarithmic axis, from `metrics.latency.percentiles_by_interval`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "request sent to page received")
    if percentiles.empty:
        style.say_empty(ax, "no page was answered")
        return ax
    time_s = percentiles["time_s"].to_numpy()
    told = _told(percentiles)
    if not told.notna().any(axis=None):
        style.say_empty(ax, "too few pages to tell")
        return ax
    ax.set_yscale("log")
    for name in told.columns:
        ax.plot(time_s, told[name], color=_COLORS.get(name, style.PURPLE), linewidth=1.6, solid_joinstyle="round")
    share_limits(percentiles, ax)
    step_s = time_s[1] - time_s[0] if time_s.size > 1 else 60.0
    style.time_axis(ax, float(time_s[0]), float(time_s[-1] + step_s), most=8)
    return ax


def share_limits(percentiles: pd.DataFrame, ax: Axes) -> None:
    """Limits and ticks of y that show all of these percentiles."""
    told = _told(percentiles)
    if not told.notna().any(axis=None):
        return
    low, high = float(np.nanmin(told.to_numpy())), float(np.nanmax(told.to_numpy()))
    ax.set_ylim(low / 1.6, high * 1.6)
    ax.yaxis.set_major_locator(LogLocator(10, subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))


def label_percentiles(percentiles: pd.DataFrame, ax: Axes) -> None:
    """Names of the percentiles at the right ends of their lines."""
    told = _told(percentiles).ffill()
    if len(told):
        last = told.iloc[-1].dropna()
        style.label_ends(ax, [(float(last[name]), name, _COLORS.get(name, style.PURPLE)) for name in last.index])


def _told(percentiles: pd.DataFrame) -> pd.DataFrame:
    """The columns of percentiles, NaN where they were not told or lie beyond the recorded range."""
    return percentiles.drop(columns="time_s").replace(np.inf, np.nan)


def duration(time_s: float) -> str:
    """A short time for people: 0.02 -> "20 ms", 1.5 -> "1.5 s"."""
    return f"{time_s:.3g} s" if time_s >= 1 else f"{1000 * time_s:.3g} ms"
