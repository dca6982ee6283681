"""The map of flows: the country as its cities draw it, and the parcels that travel between them."""

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
    """Lanes as wide as the parcels on them (both ways), rail apart from road, cities by population, hubs by name.

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
    most = max(flows["parcels"].max(), 1.0)
    for rail, color, zorder in ((False, style.BLUE, 2), (True, style.VERMILION, 3)):
        lanes = flows[flows["rail"] == rail].tail(_LANES)
        if lanes.empty:
            continue
        ends = [
            project(lanes[f"{end}_longitude"].to_numpy(), lanes[f"{end}_latitude"].to_numpy()) for end in ("from", "to")
        ]
        segments = np.stack([np.stack(end, axis=1) for end in ends], axis=1)
        share = lanes["parcels"].to_numpy() / most
        widths = 0.25 + _WIDEST_PT * share
        alpha = 0.9 if rail else 0.18 + 0.5 * share
        lines = LineCollection(
            list(segments), linewidths=widths, colors=color, alpha=alpha, capstyle="round", zorder=zorder
        )
        ax.add_collection(lines, autolim=False)
    _draw_key(ax, most, bool(flows["rail"].any()))


def _draw_key(ax: Axes, most: float, with_rail: bool) -> None:
    """Line widths in parcels, at the bottom left, where the map has no cities."""
    round_most = float(f"{most:.1g}")
    samples = [(round_most * share, style.BLUE, "by road") for share in (1.0, 0.3, 0.1)]
    if with_rail:
        samples.append((round_most * 0.3, style.VERMILION, "by rail"))
    ax.text(
        0.015, 0.05 * len(samples) + 0.01, "parcels between two hubs", transform=ax.transAxes, size=8, color=style.MUTED
    )
    for k, (parcels, color, text) in enumerate(reversed(samples)):
        y = 0.02 + 0.05 * k
        width = 0.25 + _WIDEST_PT * parcels / most
        ax.plot(
            [0.015, 0.06],
            [y, y],
            transform=ax.transAxes,
            color=color,
            linewidth=width,
            solid_capstyle="butt",
            alpha=0.7,
        )
        label = f"{style.quantity(parcels, 2)} {text}" if text == "by road" else text
        ax.text(0.072, y, label, transform=ax.transAxes, size=8, va="center", color=style.INK)


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
