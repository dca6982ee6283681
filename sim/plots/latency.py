"""How long the shopper waits for a page."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from sim.plots import style

_COLORS = {"p50": style.GREEN, "p99": style.BLUE, "p99.9": style.VERMILION}


def plot_latency(percentiles: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Latency percentiles over time on a logarithmic axis, from `metrics.latency.percentiles_by_interval`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "request sent to page answered")
    if percentiles.empty:
        style.say_empty(ax, "no page was answered")
        return ax
    time_s = percentiles["time_s"].to_numpy()
    names = [name for name in percentiles.columns if name != "time_s"]
    ax.set_yscale("log")
    for name in names:
        ax.plot(
            time_s, percentiles[name], color=_COLORS.get(name, style.PURPLE), linewidth=1.6, solid_joinstyle="round"
        )
    low, high = percentiles[names].to_numpy().min(), percentiles[names].to_numpy().max()
    ax.set_ylim(low / 1.6, high * 1.6)
    ax.yaxis.set_major_locator(LogLocator(10, subs=(1.0,) if high / low > 100 else (1.0, 2.0, 5.0)))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value)))
    step_s = time_s[1] - time_s[0] if time_s.size > 1 else 60.0
    style.time_axis(ax, float(time_s[0]), float(time_s[-1] + step_s), most=8)
    return ax


def label_percentiles(percentiles: pd.DataFrame, ax: Axes) -> None:
    """Names of the percentiles at the right ends of their lines."""
    names = [name for name in percentiles.columns if name != "time_s"]
    if len(percentiles):
        last = percentiles.iloc[-1]
        style.label_ends(ax, [(float(last[name]), name, _COLORS.get(name, style.PURPLE)) for name in names])


def duration(time_s: float) -> str:
    """A short time for people: 0.02 -> "20 ms", 1.5 -> "1.5 s"."""
    return f"{time_s:.3g} s" if time_s >= 1 else f"{1000 * time_s:.3g} ms"
