"""Weather on the roads, hour by hour."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.plots import style
from sim.units import HOUR_S

ROAD_COLORS = {"closed": style.VERMILION, "slower than dry": style.SKY}


def eventful(hours: pd.DataFrame) -> pd.DataFrame:
    """The rows of `road_hours` up to the end of the day after the last one on which weather or dispatch did something."""
    busy = np.flatnonzero(hours[["slow_km", "closed_km", "held_lanes"]].to_numpy().any(axis=1))
    days = 2 + int(busy[-1] // 24) if busy.size else 1
    return hours.head(24 * days)


def plot_road_weather(hours: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Kilometres of road that weather closes or slows, stacked, of table `road_hours`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "km of road")
    edges_s = HOUR_S * np.append(hours["hour"].to_numpy(), hours["hour"].max() + 1)
    closed, slow = hours["closed_km"].to_numpy(), hours["slow_km"].to_numpy()
    style.area(ax, edges_s, closed, ROAD_COLORS["closed"])
    style.area(ax, edges_s, closed + slow, ROAD_COLORS["slower than dry"], below=closed)
    ax.set_ylim(0, 1.08 * max(float((closed + slow).max()), 1.0))
    style.quantity_axis(ax, ticks=4)
    style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]))
    return ax


def plot_held_lanes(hours: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Lanes that dispatch holds because of a forecast, of table `road_hours`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "lanes held")
    edges_s = HOUR_S * np.append(hours["hour"].to_numpy(), hours["hour"].max() + 1)
    held = hours["held_lanes"].to_numpy()
    style.area(ax, edges_s, held, style.INK)
    ax.set_ylim(0, 1.08 * max(float(held.max()), 1.0))
    style.quantity_axis(ax, ticks=3)
    style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]))
    return ax
