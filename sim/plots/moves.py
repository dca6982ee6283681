"""A river of parcels: in which station they stand at the end of each day, and where those of the day before have gone."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import MaxNLocator

from sim.plots import style
from sim.units import day_label

STATION_COLORS = {
    "at the merchant": "#8c3a0b",
    "at the origin": "#f0975a",
    "on line-haul": "#56b4e9",
    "in the destination hub": "#2f8fc9",
    "last mile": "#06304d",
    "signed": "#8fbf9b",
    "on the way back": "#a04a86",
    "returned or lost": "#b9b9b9",
}
"""From the top of a day's column to its bottom, where parcels leave the river."""

_ROD_X = -0.26
_NODE_WIDTH = 0.11  # of a day
_GAP_SHARE = 0.012  # between two stations, of the tallest column


def plot_moves(moves: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Stations at the end of each day and the flows between them, from `metrics.moves.moves`. "signed": on that day."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "parcels")
    if moves.empty:
        style.say_empty(ax, "no parcels")
        return ax
    days = int(moves["day"].max()) + 1
    stands = moves.groupby(["day", "after"])["parcels"].sum()
    tallest = float(moves[moves["after"] != "not ordered"].groupby("day")["parcels"].sum().max())
    gap = _GAP_SHARE * tallest
    bottoms = {day: _bottoms(stands, day, gap) for day in range(days)}
    for day in range(1, days):
        _draw_ribbons(ax, moves[moves["day"] == day], day, bottoms)
    for day in range(days):
        for station, (bottom, height) in bottoms[day].items():
            ax.bar(day, height, _NODE_WIDTH, bottom, color=STATION_COLORS[station], linewidth=0)
    ax.set_xlim(-0.35, days - 0.65)
    ax.set_ylim(0, tallest + gap * len(STATION_COLORS))
    _measure(ax, tallest)
    ax.set_xticks(range(days), [f"{day_label(day)} 24:00" for day in range(days)])
    ax.tick_params(axis="x", length=0)
    return ax


def _measure(ax: Axes, tallest: float) -> None:
    """A measuring rod in place of an axis, as the gaps between the boxes are no parcels."""
    length = float(MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0.0, tallest)[1])
    ax.set_yticks([])
    ax.grid(visible=False)
    ax.plot([_ROD_X, _ROD_X], [0.0, length], color=style.MUTED, linewidth=2.5, solid_capstyle="butt")
    ax.text(_ROD_X, length, f"{style.quantity(length)}\n", size=8, color=style.MUTED, ha="center", va="center")


def _bottoms(stands: "pd.Series[float]", day: int, gap: float) -> dict[str, tuple[float, float]]:
    """Bottom and height of each station's box in a day's column; those that nobody is in have none."""
    found, at = {}, 0.0
    for station in reversed(STATION_COLORS):
        height = float(stands.get((day, station), 0.0))
        if height > 0:
            found[station] = (at, height)
            at += height + gap
    return found


def _draw_ribbons(ax: Axes, moves: pd.DataFrame, day: int, bottoms: dict[int, dict[str, tuple[float, float]]]) -> None:
    """From the boxes of the day before to those of a day; on both sides in the order of the boxes on the other one.

    What was ordered on the day itself has no ribbon: it lies on top in its box.
    """
    order = {station: place for place, station in enumerate(reversed(STATION_COLORS))}
    flows = moves[moves["before"].isin(order) & moves["after"].isin(order)].copy()
    flows["from"], flows["to"] = flows["before"].map(order), flows["after"].map(order)
    left = {station: bottom for station, (bottom, _) in bottoms[day - 1].items()}
    right = {station: bottom for station, (bottom, _) in bottoms[day].items()}
    begin_y, end_y = np.empty(len(flows)), np.empty(len(flows))
    parcels = flows["parcels"].to_numpy()
    for row in np.lexsort((flows["to"], flows["from"])):
        station = flows["before"].iloc[row]
        begin_y[row] = left[station]
        left[station] += parcels[row]
    for row in np.lexsort((flows["from"], flows["to"])):
        station = flows["after"].iloc[row]
        end_y[row] = right[station]
        right[station] += parcels[row]
    for row, station in enumerate(flows["before"]):
        ax.add_patch(_ribbon(day, begin_y[row], end_y[row], parcels[row], STATION_COLORS[station]))


def _ribbon(day: int, begin_y: float, end_y: float, height: float, color: str) -> PathPatch:
    begin, end, middle = day - 1 + _NODE_WIDTH / 2, day - _NODE_WIDTH / 2, day - 0.5
    corners = [(begin, begin_y), (middle, begin_y), (middle, end_y), (end, end_y)]
    upper = [(end, end_y + height), (middle, end_y + height), (middle, begin_y + height), (begin, begin_y + height)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
    return PathPatch(Path([*corners, *upper], codes), facecolor=color, alpha=0.38, linewidth=0)
