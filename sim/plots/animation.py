"""The flow of the parcels over the map as a film: vehicles on their lanes, and hubs that fill and empty.

Made on request only: it takes as long as all other figures together.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.metrics.hubs import busy_end_s
from sim.plots import style
from sim.plots.flows import project
from sim.units import DAY_S, HOUR_S, clock

FILE_NAME = "flow.gif"
NEEDS = ("trips", "hub_hours", "hubs", "cities")
STEP_H = 2
FRAMES_PER_S = 10
_DPI = 84
_LARGEST_PT2 = 420.0  # of the fullest hub
_ROW_PT2 = 9.0  # of the largest load on the road


class Frame(NamedTuple):
    """What the film shows at one instant: vehicles (x, y [km], parcels, rail) and hubs (parcels, share of the storage)."""

    time_s: float
    x: np.ndarray
    y: np.ndarray
    parcels: np.ndarray
    rail: np.ndarray
    backlog: np.ndarray
    share: np.ndarray


Draw = Callable[[Frame], list[Artist]]


def frames(
    trips: pd.DataFrame, hub_hours: pd.DataFrame, hubs: pd.DataFrame, cities: pd.DataFrame, end_s: float
) -> Iterator[Frame]:
    """One frame every `STEP_H` hours until the end; a vehicle is at the share of its way that it has the time behind it."""
    places = cities.assign(city=cities["city"].astype(str)).drop_duplicates("city").set_index("city")
    ends = [
        project(*(places.loc[trips[end].astype(str), axis].to_numpy(dtype=float) for axis in ("longitude", "latitude")))
        for end in ("origin", "destination")
    ]
    depart_s, arrive_s = trips["depart_s"].to_numpy(dtype=float), trips["arrive_s"].to_numpy(dtype=float)
    rail = (trips["vehicle"].astype(str) == "train").to_numpy()
    load = trips["load_parcels"].to_numpy(dtype=float)
    there = _by_hour(hub_hours, hubs)
    storage = hubs["storage_parcels"].to_numpy(dtype=float)
    for hour in range(STEP_H, round(end_s / HOUR_S) + 1, STEP_H):
        now_s = hour * HOUR_S
        out = np.flatnonzero((depart_s <= now_s) & (now_s < arrive_s))
        gone = (now_s - depart_s[out]) / (arrive_s[out] - depart_s[out])
        x, y = (begin[out] + gone * (end[out] - begin[out]) for begin, end in zip(*ends, strict=True))
        backlog = there[min(hour, len(there) - 1)]
        yield Frame(now_s, x, y, load[out], rail[out], backlog, backlog / storage)


def _by_hour(hub_hours: pd.DataFrame, hubs: pd.DataFrame) -> np.ndarray:
    """Parcels in each hub and at its gate at each hour, float64[hours, hubs]."""
    names = ["carrier", "hub"]
    number = {name: k for k, name in enumerate(hubs[names].astype(str).itertuples(index=False, name=None))}
    of = [number[name] for name in hub_hours[names].astype(str).itertuples(index=False, name=None)]
    there = np.zeros((int(hub_hours["hour"].max()) + 1, len(hubs)))
    there[hub_hours["hour"].to_numpy(), of] = (hub_hours["backlog_parcels"] + hub_hours["gate_parcels"]).to_numpy()
    return there


def write_animation(directory: Path, tables: dict[str, pd.DataFrame]) -> Path | None:
    """Write `directory`/flow.gif of the days until the hubs are nearly empty; None when there were no parcels."""
    if not all(name in tables and len(tables[name]) for name in NEEDS):
        return None
    trips, hub_hours, hubs, cities = (tables[name] for name in NEEDS)
    end_s = max(float(np.ceil(busy_end_s(hub_hours, hubs) / DAY_S)), 1.0) * DAY_S
    path = directory / FILE_NAME
    with mpl.rc_context(style.RC):
        figure, axes = style.sheet(5.6, "The flow of the parcels", "", left_in=0.1, right_in=0.1)
        axes[0, 0].set_position((0.01, 0.01, 0.98, 0.9))
        draw = _drawer(axes[0, 0], figure, hubs, cities, float(trips["load_parcels"].max()))
        film = list(frames(trips, hub_hours, hubs, cities, end_s))
        FuncAnimation(figure, draw, frames=film).save(path, writer=PillowWriter(fps=FRAMES_PER_S), dpi=_DPI)
    return path


def _drawer(ax: Axes, figure: Figure, hubs: pd.DataFrame, cities: pd.DataFrame, most: float) -> Draw:
    """Draws what stands still; what it returns puts a frame on top."""
    ax.set_aspect("equal")
    ax.axis("off")
    x, y = project(cities["longitude"].to_numpy(), cities["latitude"].to_numpy())
    ax.scatter(x, y, s=1.0 + 12 * cities["population"].to_numpy() / cities["population"].max(), color="#cdd5db", lw=0)
    pad = 0.03 * max(np.ptp(x), 500.0)
    ax.set_xlim(x.min() - pad, x.max() + pad)
    ax.set_ylim(y.min() - pad, y.max() + pad)
    hub_x, hub_y = project(hubs["longitude"].to_numpy(), hubs["latitude"].to_numpy())
    largest = hubs["storage_parcels"].max()
    places = ax.scatter(hub_x, hub_y, s=0, linewidths=0, alpha=0.45, zorder=2)
    vehicles = ax.scatter([], [], s=[], linewidths=0, zorder=3)
    told = figure.text(style.TITLE_X, 1 - 0.39 / figure.get_figheight(), "", size=10, color=style.MUTED, va="top")
    style.sheet_key(
        figure,
        [
            [("hub, under half full", style.SKY), ("fuller", style.ORANGE), ("full", style.VERMILION)],
            [("truck", style.BLUE), ("train", style.PURPLE)],
        ],
    )

    def draw(frame: Frame) -> list[Artist]:
        told.set_text(f"{clock(frame.time_s)[:-3]}: {style.quantity(float(frame.parcels.sum()))} parcels on the road")
        places.set_sizes(_LARGEST_PT2 * frame.backlog / largest)
        steps = np.array([style.SKY, style.ORANGE, style.VERMILION])
        places.set_color(list(steps[np.searchsorted((0.5, 0.98), frame.share, side="right")]))
        vehicles.set_offsets(np.stack((frame.x, frame.y), axis=1))
        vehicles.set_sizes(1.0 + _ROW_PT2 * frame.parcels / most)
        vehicles.set_color(list(np.where(frame.rail, style.PURPLE, style.BLUE)))
        return [told, places, vehicles]

    return draw
