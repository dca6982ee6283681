"""Where the parcels are, and how long they take."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.plots import style

STATE_COLORS = {
    "at merchant": "#7f2704",
    "waiting for pickup": "#d55e00",
    "picked up": "#f5a25d",
    "in origin hub": "#fbd9a8",
    "on line-haul": "#56b4e9",
    "in destination hub": "#2f8fc9",
    "at outlet": "#0a5f96",
    "out for delivery": "#06304d",
    "on the way back": "#a04a86",
    "signed": "#d9e8dc",
    "returned": "#8b8f94",
    "lost": "#17222d",
}

_SHOWN_SHARE = 0.998  # a handful of stragglers would squeeze all others to the left


def plot_states(shares: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Shares of all parcels by state over time, from `metrics.parcels.state_shares`, stacked as `STATE_COLORS` from the top."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "share of all parcels")
    time_s = shares["time_s"].to_numpy()
    if time_s.size < 2:
        style.say_empty(ax, "no parcels")
        return ax
    names = [name for name in reversed(STATE_COLORS) if name in shares]
    ax.stackplot(
        time_s,
        *[shares[name].to_numpy() for name in names],
        colors=[STATE_COLORS[name] for name in names],
        edgecolor="white",
        linewidth=0.4,
    )
    ax.set_ylim(0, 1)
    style.percent_axis(ax)
    style.time_axis(ax, float(time_s[0]), float(time_s[-1]), most=15)
    return ax


def plot_lead_times_by_distance(bands: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Days from order to signature for each band of distance, from `metrics.parcels.lead_times_by_distance`.

    Boxes: the middle half of the parcels, with the median; lines: from the quickest tenth to the slowest.
    """
    ax = style.axes_or_new(ax)
    style.dress(ax, xlabel="days from order to signature")
    ax.grid(axis="x", color=style.GRID, linewidth=0.7)
    ax.grid(visible=False, axis="y")
    if bands.empty:
        style.say_empty(ax, "no parcels")
        return ax
    day_h = 24.0
    place = range(len(bands))
    low, left, middle, right, high = (bands[name].to_numpy() / day_h for name in ("h10", "h25", "h50", "h75", "h90"))
    ax.hlines(place, low, high, color=style.BLUE, linewidth=1.4)
    ax.barh(place, right - left, 0.52, left, color=style.SKY, linewidth=0)
    ax.vlines(middle, [k - 0.26 for k in place], [k + 0.26 for k in place], color=style.INK, linewidth=1.8)
    ax.set_yticks(place, [f"{row.distance}\n{style.quantity(row.parcels)}" for row in bands.itertuples()])
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    return ax


def plot_lead_times(histogram: pd.DataFrame, marks_h: dict[str, float], ax: Axes | None = None) -> Axes:
    """Signed parcels by lead time, from `metrics.parcels.lead_time_histogram`, and marks such as {"median": 61.0} [h]."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "parcels", "days from order to signature")
    day_h = 24.0
    edges = [*(histogram["from_h"] / day_h), histogram["to_h"].iloc[-1] / day_h]
    ax.stairs(histogram["parcels"], edges, fill=True, color=style.SKY, linewidth=0)
    ax.set_ylim(0, 1.2 * max(histogram["parcels"].max(), 1e-9))
    style.quantity_axis(ax)
    top = ax.get_ylim()[1]
    for k, (name, hours) in enumerate(marks_h.items()):
        ax.axvline(hours / day_h, ymax=0.9 - 0.09 * k, color=style.INK, linewidth=1.0)
        at = (hours / day_h, top * (0.9 - 0.09 * k))
        ax.annotate(
            f"{name}: {hours / day_h:.1f} days", at, xytext=(5, 0), textcoords="offset points", size=9, va="top"
        )
    reached = histogram["parcels"].cumsum() / max(histogram["parcels"].sum(), 1e-9)
    shown = edges[1 + int((reached < _SHOWN_SHARE).sum())] if reached.iloc[-1] > 0 else edges[-1]
    ax.set_xlim(0, shown)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    return ax
