"""The shopper's own view of the first hour, by region and channel."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from sim.metrics.shoppers import seen_over_time
from sim.plots import style
from sim.plots.latency import duration
from sim.units import HOUR_S, MINUTE_S

CAPTION = (
    "Three questions from top to bottom: how long did a page take, did it come at all, and what was not bought because of it? "
    "A gap means that nobody of that region and channel asked."
)
NEEDS = ("shopper_minutes", "site_seconds")
SHOWN_MIN, STEP_MIN = 60, 2
MOST_REGIONS = 4
_COLORS = {"pc": style.BLUE, "wireless": style.PURPLE}
_MEASURES = ("page_time_s", "error_rate", "orders_lost")


def draw_shoppers(tables: Mapping[str, pd.DataFrame], scale: float) -> Figure:
    """The sheet: page time, error rate and orders lost from top to bottom, one column a region."""
    hour = seen_over_time(tables["shopper_minutes"], scale=scale, start_min=0, end_min=SHOWN_MIN, step_min=STEP_MIN)
    by_region: dict[str, dict[str, pd.DataFrame]] = {}
    for (region, channel), steps in hour.items():
        by_region.setdefault(region, {})[channel] = steps
    crowd = {region: sum(steps["requests"].sum() for steps in own.values()) for region, own in by_region.items()}
    largest = sorted(crowd, key=lambda region: -crowd[region])[:MOST_REGIONS]
    shown = [region for region in by_region if region in largest]
    left_out = f" Shown are the {MOST_REGIONS} largest of {len(crowd)} regions." if len(crowd) > len(shown) else ""
    figure, axes = style.sheet(
        5.7,
        "The first hour as shoppers see it",
        f"By region and channel, in steps of {STEP_MIN} minutes",
        (style.scale_note(scale) + left_out).strip(),
        rows=len(_MEASURES),
        columns=len(shown),
        gap_in=(0.5, 0.55),
    )
    draw: tuple[Callable[[dict[str, pd.DataFrame], Axes], Axes], ...] = (plot_page_times, plot_errors, plot_lost)
    for column, region in enumerate(shown):
        for row, plot in enumerate(draw):
            plot(by_region[region], axes[row, column])
            if column:
                axes[row, column].set_ylabel("")
        axes[0, column].set_title(style.segment_name(region), loc="left", size=9.5, weight="bold", pad=15)
    for row in axes[:2]:
        top = max(ax.get_ylim()[1] for ax in row)
        for ax in row:
            ax.set_ylim(0, top)
    channels = [channel for channel in _COLORS if any(channel in own for own in by_region.values())]
    style.sheet_key(figure, [[(channel, _COLORS[channel]) for channel in channels]])
    return figure


def plot_page_times(channels: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Mean time from request to page received of each channel of a region, from `metrics.shoppers.seen_over_time`."""
    ax = _lines(channels, "page_time_s", "page time, mean", ax)
    style.quantity_axis(ax, ticks=3)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if value == 0 else duration(value)))
    return ax


def plot_errors(channels: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Share of the page requests that failed, of each channel of a region."""
    ax = _lines(channels, "error_rate", "requests that failed", ax)
    ax.set_ylim(0, max(ax.get_ylim()[1], 0.01))
    style.percent_axis(ax, ticks=3)
    return ax


def plot_lost(channels: Mapping[str, pd.DataFrame], ax: Axes | None = None) -> Axes:
    """Orders lost in each step, the channels of a region on top of each other."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "orders lost per minute")
    below: np.ndarray | None = None
    for channel, steps in channels.items():
        if steps.empty:
            continue
        edges_s, step_s = _edges(steps)
        above = steps["orders_lost"].to_numpy() / (step_s / MINUTE_S) + (0.0 if below is None else below)
        style.area(ax, edges_s, above, _COLORS.get(channel, style.INK), below=below)
        below = above
        style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]), most=3)
    if below is None or not below.any():
        style.say_empty(ax, "none" if below is not None else "no requests")
        return ax
    ax.set_ylim(0, 1.08 * below.max())
    style.quantity_axis(ax, ticks=3)
    return ax


def _lines(channels: Mapping[str, pd.DataFrame], column: str, ylabel: str, ax: Axes | None) -> Axes:
    """One line of steps a channel, with gaps where there is no value."""
    ax = style.axes_or_new(ax)
    style.dress(ax, ylabel)
    highest = 0.0
    for channel, steps in channels.items():
        values = steps[column].to_numpy()
        if not np.isfinite(values).any():
            continue
        edges_s, _ = _edges(steps)
        ax.stairs(values, edges_s, baseline=None, color=_COLORS.get(channel, style.INK), linewidth=1.5)
        highest = max(highest, float(np.nanmax(values)))
        style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]), most=3)
    if not ax.patches:
        style.say_empty(ax, "no requests")
    ax.set_ylim(0, 1.08 * highest or 1.0)
    return ax


def _edges(steps: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Edges of the steps and their length [s]."""
    time_s = steps["time_s"].to_numpy()
    step_s = float(time_s[1] - time_s[0]) if time_s.size > 1 else HOUR_S
    return np.append(time_s, time_s[-1] + step_s), step_s
