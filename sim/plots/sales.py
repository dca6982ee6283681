"""Sales of the day against what was published."""

import pandas as pd
from matplotlib.axes import Axes

from sim.plots import style
from sim.units import DAY_S


def plot_sales(sales: pd.DataFrame, published: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Cumulative sales, from `metrics.sales.cumulative_sales`, and the published points with both numbers beside them.

    `published` has `time_s`, `gmv_rmb`, `clock` and `simulated_rmb`.
    """
    ax = style.axes_or_new(ax)
    style.dress(ax, "sales so far, RMB")
    ax.plot(sales["time_s"], sales["gmv_rmb"], color=style.BLUE, linewidth=2.2)
    ax.fill_between(sales["time_s"], sales["gmv_rmb"], color=style.BLUE, alpha=0.08, linewidth=0)
    ax.plot(
        published["time_s"],
        published["gmv_rmb"],
        "o",
        color=style.VERMILION,
        markersize=6.5,
        markeredgecolor="white",
        clip_on=False,
    )
    for k, row in enumerate(published.itertuples()):
        between = ", " if k % 2 and row.time_s < DAY_S / 6 else "\n"  # the early points lie close together
        text = (
            f"{row.clock} published {style.quantity(row.gmv_rmb)}{between}simulated {style.quantity(row.simulated_rmb)}"
        )
        offset_pt, ha, va = _placed(k, row.time_s)
        corner = (1.0 if ha == "right" else 0.0, 0.0 if va == "bottom" else 1.0)
        line = {"arrowstyle": "-", "color": style.FAINT, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 4, "relpos": corner}
        ax.annotate(
            text,
            (row.time_s, row.gmv_rmb),
            xytext=offset_pt,
            textcoords="offset points",
            ha=ha,
            va=va,
            size=8,
            linespacing=1.35,
            multialignment="left",
            arrowprops=line,
        )
    ax.set_ylim(0, 1.3 * max(sales["gmv_rmb"].max(), published["gmv_rmb"].max(), 1.0))
    style.quantity_axis(ax)
    style.time_axis(ax, 0.0, DAY_S)
    return ax


def _placed(k: int, time_s: float) -> tuple[tuple[float, float], str, str]:
    """Offset [pt] and alignment of the k-th label: by turns above and below the curve, so that neighbours do not meet."""
    if time_s >= DAY_S:
        return (-14, 16), "right", "bottom"
    if k % 2:
        return (14, -8), "left", "top"
    return ((0, 78), "left", "bottom") if time_s < DAY_S / 6 else ((-14, 8), "right", "bottom")
