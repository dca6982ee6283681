"""The map of flows: the country as its cities draw it, and the parcels that travel between them."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from sim.plots import style

_PARALLELS_DEG = (25.0, 47.0)
_ORIGIN_DEG = (105.0, 36.0)
_EARTH_KM = 6371.0
_WIDEST_PT = 7.0
_LANES = 400
LATE_H = (1.0, 4.0, 12.0)
LATE_COLORS = ("#7fa8c9", "#f2b37c", "#e8733a", "#a3260a")
LATE_LABELS = ("less than 1 h late", "1 to 4 h", "4 to 12 h", "over 12 h")
_LABELS = 22


def project(longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Albers' equal-area conic for China [km] from degrees.

    Snyder (1987), Map Projections, USGS Professional Paper 1395, chapter 14, sphere.
    """
    one, two = np.radians(_PARALLELS_DEG)
    cone = (np.sin(one) + np.sin(two)) / 2
    constant = np.cos(one) ** 2 + 2 * cone * np.sin(one)

    def radius(latitude_rad: np.ndarray) -> np.ndarray:
        return np.asarray(_EARTH_KM * np.sqrt(constant - 2 * cone * np.sin(latitude_rad)) / cone)

    angle = cone * np.radians(np.asarray(longitude, dtype=float) - _ORIGIN_DEG[0])
    distance = radius(np.radians(np.asarray(latitude, dtype=float)))
    return distance * np.sin(angle), radius(np.radians(_ORIGIN_DEG[1])) - distance * np.cos(angle)


def plot_flows(flows: pd.DataFrame, cities: pd.DataFrame, hubs: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Lanes as wide as the parcels on them (both ways) and as red as they are late, cities by population, hubs by name.

    `flows` and `hubs` come from `metrics.hubs.flows` and `metrics.hubs.hub_table`.
    """
    ax = style.axes_or_new(ax)
    ax.set_aspect("equal")
    ax.axis("off")
    if cities.empty:
        style.say_empty(ax, "no cities")
        return ax
    x, y = project(cities["longitude"].to_numpy(), cities["latitude"].to_numpy())
    size = 2.0 + 44 * cities["population"].to_numpy() / max(cities["population"].max(), 1)
    ax.scatter(x, y, s=size, color="#b3bec8", linewidths=0, zorder=1)
    pad = 0.03 * max(np.ptp(x), 500.0)
    ax.set_xlim(x.min() - pad, x.max() + pad)
    ax.set_ylim(y.min() - pad, y.max() + pad)
    if len(flows):
        _draw_lanes(ax, flows)
    _draw_hubs(ax, hubs)
    return ax


def _draw_lanes(ax: Axes, flows: pd.DataFrame) -> None:
    """The late ones above the others; rail with a white line in the middle."""
    most = max(flows["parcels"].max(), 1.0)
    shown = flows.tail(_LANES)
    step = np.searchsorted(LATE_H, shown["late_h"].to_numpy(), side="right")
    ends = [
        project(shown[f"{end}_longitude"].to_numpy(), shown[f"{end}_latitude"].to_numpy()) for end in ("from", "to")
    ]
    segments = np.stack([np.stack(end, axis=1) for end in ends], axis=1)
    share = shown["parcels"].to_numpy() / most
    widths = 0.25 + _WIDEST_PT * share
    for late, color in enumerate(LATE_COLORS):
        own = step == late
        if not own.any():
            continue
        lines = LineCollection(
            list(segments[own]),
            linewidths=widths[own],
            colors=color,
            alpha=0.35 + 0.5 * share[own],
            capstyle="round",
            zorder=2 + 0.1 * late,
        )
        ax.add_collection(lines, autolim=False)
    rail = shown["rail"].to_numpy(dtype=bool)
    if rail.any():
        middle = LineCollection(list(segments[rail]), linewidths=0.9, colors="white", zorder=3)
        ax.add_collection(middle, autolim=False)
    _draw_key(ax, most, bool(flows["rail"].any()))


def _draw_key(ax: Axes, most: float, with_rail: bool) -> None:
    """Line widths in parcels and colours of lateness, at the bottom left, where the map has no cities."""
    round_most = float(f"{most:.1g}")
    middle = LATE_COLORS[0]
    samples = [(round_most * share, middle, f"{style.quantity(round_most * share, 2)} parcels") for share in (1.0, 0.3)]
    samples += [(round_most * 0.3, color, label) for color, label in zip(LATE_COLORS, LATE_LABELS, strict=True)]
    if with_rail:
        samples.append((round_most * 0.3, middle, "by rail"))
    for k, (parcels, color, text) in enumerate(reversed(samples)):
        y = 0.02 + 0.037 * k
        width = 0.25 + _WIDEST_PT * parcels / most
        line: dict[str, Any] = {"transform": ax.transAxes, "solid_capstyle": "butt"}
        ax.plot([0.015, 0.06], [y, y], color=color, linewidth=width, **line)
        if text == "by rail":
            ax.plot([0.015, 0.06], [y, y], color="white", linewidth=0.9, **line)
        ax.text(0.072, y, text, transform=ax.transAxes, size=8, va="center", color=style.INK)


def _draw_hubs(ax: Axes, hubs: pd.DataFrame) -> None:
    """One square a city with hubs, vermilion where one overflowed; names of the busiest that do not collide."""
    places = (
        hubs.groupby("hub")
        .agg(
            longitude=("longitude", "first"),
            latitude=("latitude", "first"),
            arrived=("arrived_parcels", "sum"),
            overflow_h=("overflow_h", "sum"),
        )
        .sort_values(["arrived"], ascending=False, kind="stable")
    )
    if places.empty:
        return
    x, y = project(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    colors = np.where(places["overflow_h"] > 0, style.VERMILION, style.INK)
    ax.scatter(x, y, s=17, marker="s", c=colors.tolist(), edgecolors="white", linewidths=0.6, zorder=4)
    low, high = ax.get_xlim()
    character, line = (high - low) / 135, (high - low) / 48
    taken: list[tuple[float, float, float]] = []
    for name, at_x, at_y in zip(places.index[: 3 * _LABELS], x, y, strict=False):
        left, right = at_x + 0.6 * character, at_x + character * (len(str(name)) + 1.5)
        free = all(
            abs(at_y - other_y) > line or right < other_left or left > other_right
            for other_left, other_right, other_y in taken
        )
        if free and len(taken) < _LABELS:
            taken.append((left, right, at_y))
            background = {"facecolor": "white", "alpha": 0.6, "linewidth": 0, "boxstyle": "square,pad=0.08"}
            ax.annotate(
                str(name),
                (at_x, at_y),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                size=8.5,
                zorder=5,
                bbox=background,
            )
