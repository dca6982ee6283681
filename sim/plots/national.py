"""The whole country's parcels by day."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.plots import style
from sim.units import DAY_S

NEEDS = ("national_days",)
CAPTION = (
    "Everyday parcels share the hubs with the festival’s: where the line is low, they wait as well. It counts those of the "
    "carriers that the model has, nine of ten."
)
PICKED_UP_COLORS = {"everyday, picked up": style.FAINT, "festival’s, picked up": style.BLUE}


def plot_national(days: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Parcels picked up by day, stacked, and the everyday parcels that left their last hub, of table `national_days`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "parcels a day")
    if days.empty:
        style.say_empty(ax, "no parcels")
        return ax
    edges_s = DAY_S * np.append(days["day"].to_numpy(), days["day"].max() + 1)
    everyday, festival = days["everyday_parcels"].to_numpy(), days["festival_parcels"].to_numpy()
    style.area(ax, edges_s, everyday, PICKED_UP_COLORS["everyday, picked up"])
    style.area(ax, edges_s, everyday + festival, PICKED_UP_COLORS["festival’s, picked up"], below=everyday)
    ax.stairs(days["everyday_delivered_parcels"].to_numpy(), edges_s, baseline=None, color=style.INK, linewidth=1.4)
    ax.set_ylim(0, 1.08 * max(float((everyday + festival).max()), 1.0))
    style.quantity_axis(ax, ticks=5)
    style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]))
    return ax


def draw_national(tables: Mapping[str, pd.DataFrame], scale: float) -> Figure:
    """The figure of the report."""
    del scale  # the table is in real parcels at every scale
    figure, axes = style.sheet(
        3.6, "The whole country’s parcels", "Picked up on each day; everyday ones with other shops’ sales, all carriers"
    )
    plot_national(tables["national_days"], axes[0, 0])
    style.sheet_key(figure, [[*PICKED_UP_COLORS.items()], [("everyday, out of the hubs", style.INK)]])
    return figure
