"""The crowd and how it was served: arrivals, requests and orders by second or by hour."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.plots import style
from sim.units import DAY_S, HOUR_S, clock


def plot_visitors(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Shoppers who make their first request, from `metrics.site.requests_by_second` or `requests_by_hour`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "shoppers arriving per second")
    _stack(ax, rates, [("visitors", "", style.SKY)])
    return ax


def plot_requests(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Page requests per second by how they ended, and as a line those sent, which end a little later."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "page requests per second")
    entries = [
        ("served", "answered", style.BLUE),
        ("rejected", "“system busy”", style.VERMILION),
        ("timed_out", "timed out", style.ORANGE),
    ]
    _stack(ax, rates, entries)
    if len(rates):
        time_s, step_s = _times(rates)
        edges_s, sent = np.append(time_s, time_s[-1] + step_s), rates["requests"].to_numpy()
        ax.step(edges_s, np.append(sent, sent[-1]), where="post", color=style.INK, linewidth=0.7)
    style.key(ax, [(text, color) for _, text, color in entries] + [("sent", style.INK)])
    _name_peak(ax, rates)
    return ax


def plot_orders(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Orders per second: paid, and lost because the site failed."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "orders per second")
    entries = [("orders", "paid", style.GREEN), ("orders_lost", "lost to a failing site", style.VERMILION)]
    _stack(ax, rates, entries)
    style.key(ax, [(text, color) for _, text, color in entries])
    return ax


def _stack(ax: Axes, rates: pd.DataFrame, entries: list[tuple[str, str, str]]) -> None:
    if rates.empty:
        style.say_empty(ax, "no requests")
        return
    time_s, step_s = _times(rates)
    edges_s = np.append(time_s, time_s[-1] + step_s)
    stacked = rates[[column for column, _, _ in entries]].cumsum(axis=1).to_numpy(dtype=float)
    for k, (_, _, color) in enumerate(entries):
        style.area(ax, edges_s, stacked[:, k], color, below=stacked[:, k - 1] if k else None)
    ax.set_ylim(0, max(stacked.max(), 1e-9) * 1.06)
    style.quantity_axis(ax)
    start_s, end_s = float(edges_s[0]), float(edges_s[-1])
    style.time_axis(ax, start_s, min(end_s, DAY_S) if start_s < DAY_S else end_s)
    if start_s < 0 < end_s < DAY_S / 2:
        ax.axvline(0, color=style.INK, linewidth=0.8, linestyle=(0, (2, 2)))


def _times(rates: pd.DataFrame) -> tuple[np.ndarray, float]:
    """Starts of the intervals and their length [s]."""
    time_s = rates["time_s"].to_numpy()
    return time_s, float(time_s[1] - time_s[0]) if time_s.size > 1 else 1.0


def _name_peak(ax: Axes, rates: pd.DataFrame) -> None:
    """The largest rate of requests and its instant, above it."""
    if rates.empty or not rates["requests"].any():
        return
    peak = rates.loc[rates["requests"].idxmax()]
    at = clock(peak["time_s"])[-8:]
    if _times(rates)[1] >= HOUR_S:
        at = f"{at[:-3]} to {clock(peak['time_s'] + HOUR_S)[-8:-3]}"
    text = f"{style.quantity(peak['requests'])} requests/s, {at}"
    early = peak["time_s"] < sum(ax.get_xlim()) / 2
    ax.set_ylim(0, peak["requests"] * 1.18)
    ax.annotate(
        text,
        (peak["time_s"], peak["requests"]),
        xytext=(5 if early else -5, 3),
        textcoords="offset points",
        ha="left" if early else "right",
        va="bottom",
        size=8.5,
        weight="bold",
    )
