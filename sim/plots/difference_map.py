"""The map of differences: which cities are served sooner or later, and which roads carry more or fewer parcels."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from sim.plots import style
from sim.plots.flows import project

_WIDEST_PT = 6.0
_LANES = 250
_LARGEST_PT2 = 95.0
_CROWD = 100  # places; more than that would lie on each other
_NAMED = 6


def draw_difference_map(places: pd.DataFrame, lanes: pd.DataFrame, change: str, base: str) -> Figure:
    """The sheet: cities at the left, roads and rails at the right."""
    figure, axes = style.sheet(
        4.75,
        "Where it makes a difference",
        f"{change} less {base}, means of the runs; grey: these runs cannot tell",
        columns=2,
        left_in=0.1,
        right_in=0.1,
        gap_in=(0.2, 0.1),
    )
    plot_places(places, axes[0, 0])
    plot_lanes(lanes, places, axes[0, 1])
    axes[0, 0].set_title("Hours from order to signature, by city", loc="left", size=9.5, weight="bold", pad=4)
    axes[0, 1].set_title("Parcels carried, by road and rail", loc="left", size=9.5, weight="bold", pad=4)
    return figure


def plot_places(places: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Cities as large as the difference in hours; circles: sooner, triangles: later.

    `places` has `city`, `longitude`, `latitude`, `hours` and `differs` (bool).
    """
    ax = _map(places, ax)
    if places.empty:
        return ax
    x, y = project(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    hours, differs = places["hours"].to_numpy(), places["differs"].to_numpy(dtype=bool)
    ax.scatter(x[~differs], y[~differs], s=3, color="#c3ccd4", linewidths=0)
    most = float(np.abs(hours[differs]).max(initial=0.0))
    kinds = ((hours < 0, "o", style.BLUE, "sooner"), (hours > 0, "^", style.VERMILION, "later"))
    largest_pt2 = _LARGEST_PT2 if np.count_nonzero(differs) < _CROWD else 0.4 * _LARGEST_PT2
    row = 0
    for chosen, marker, color, word in kinds:
        own = differs & chosen
        if not own.any():
            continue
        size = 6.0 + largest_pt2 * np.abs(hours[own]) / most
        ax.scatter(x[own], y[own], s=size, marker=marker, color=color, alpha=0.55, edgecolors="white", linewidths=0.4)
        for share in (1.0, 0.3):
            _sample(ax, row, marker, color, 6.0 + largest_pt2 * share, f"{style.quantity(share * most, 2)} h {word}")
            row += 1
    _name_most(ax, places[differs], x[differs], y[differs])
    return ax


def plot_lanes(lanes: pd.DataFrame, places: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Lines as wide as the difference in parcels; solid: more, dotted: fewer; with a white line in the middle: by rail.

    `lanes` comes from `metrics.differences.flow_differences`; `places` gives the map its cities.
    """
    ax = _map(places, ax)
    if places.empty:
        return ax
    x, y = project(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    ax.scatter(x, y, s=3, color="#c3ccd4", linewidths=0)
    shown = lanes[lanes["differs"].to_numpy(dtype=bool)].tail(_LANES)
    if shown.empty:
        ax.text(0.5, 0.02, "no difference that these runs can show", transform=ax.transAxes, size=8, ha="center")
        return ax
    ends = [
        project(shown[f"{end}_longitude"].to_numpy(), shown[f"{end}_latitude"].to_numpy()) for end in ("from", "to")
    ]
    segments = np.stack([np.stack(end, axis=1) for end in ends], axis=1)
    parcels = shown["parcels"].to_numpy(dtype=float)
    most = float(np.abs(parcels).max())
    widths = 0.3 + _WIDEST_PT * np.abs(parcels) / most
    kinds = ((parcels > 0, style.BLUE, "solid", "more"), (parcels < 0, style.VERMILION, (0, (1.2, 0.6)), "fewer"))
    row = 0
    for own, color, dashes, word in kinds:
        if not own.any():
            continue
        ax.add_collection(
            LineCollection(
                list(segments[own]), linewidths=widths[own], colors=color, linestyles=[dashes], alpha=0.6, zorder=2
            ),
            autolim=False,
        )
        for share in (1.0, 0.3):
            at = 0.04 + 0.05 * row
            width = 0.3 + _WIDEST_PT * share
            ax.plot([0.02, 0.09], [at, at], color=color, linewidth=width, linestyle=dashes, transform=ax.transAxes)
            _word(ax, row, f"{style.quantity(share * most, 2)} {word}")
            row += 1
    rail = shown["rail"].to_numpy(dtype=bool)
    if rail.any():
        ax.add_collection(LineCollection(list(segments[rail]), linewidths=1.0, colors="white", zorder=3), autolim=False)
        ax.plot([0.02, 0.09], [0.04 + 0.05 * row] * 2, color=style.BLUE, linewidth=4, transform=ax.transAxes)
        ax.plot([0.02, 0.09], [0.04 + 0.05 * row] * 2, color="white", linewidth=1, transform=ax.transAxes)
        _word(ax, row, "by rail")
    return ax


def _map(places: pd.DataFrame, ax: Axes | None) -> Axes:
    ax = style.axes_or_new(ax)
    ax.set_aspect("equal")
    ax.axis("off")
    if places.empty:
        style.say_empty(ax, "no cities")
        return ax
    x, y = project(places["longitude"].to_numpy(), places["latitude"].to_numpy())
    pad = 0.03 * max(float(np.ptp(x)), 500.0)
    ax.set_xlim(x.min() - pad, x.max() + pad)
    ax.set_ylim(y.min() - pad, y.max() + pad)
    return ax


def _sample(ax: Axes, row: int, marker: str, color: str, size: float, text: str) -> None:
    place = ([0.05], [0.04 + 0.05 * row])
    ax.scatter(*place, s=size, marker=marker, color=color, alpha=0.55, linewidths=0, transform=ax.transAxes)
    _word(ax, row, text)


def _word(ax: Axes, row: int, text: str) -> None:
    ax.text(0.11, 0.04 + 0.05 * row, text, transform=ax.transAxes, size=8, va="center")


def _name_most(ax: Axes, places: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> None:
    """Names of the cities that differ most, where they do not lie on each other."""
    taken: list[tuple[float, float]] = []
    low, high = ax.get_xlim()
    for place in np.argsort(-np.abs(places["hours"].to_numpy()), kind="stable"):
        far = all(
            abs(x[place] - at_x) > 0.25 * (high - low) or abs(y[place] - at_y) > 0.045 * (high - low)
            for at_x, at_y in taken
        )
        if far and len(taken) < _NAMED:
            taken.append((float(x[place]), float(y[place])))
            name = str(places["city"].iloc[place])
            right = x[place] > low + 0.8 * (high - low)
            ax.annotate(
                name,
                (x[place], y[place]),
                xytext=(-5 if right else 5, 0),
                textcoords="offset points",
                size=7.5,
                va="center",
                ha="right" if right else "left",
            )
