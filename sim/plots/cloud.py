"""The cloud: machines against load around midnight, and what policies cost against the orders that they lose."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.metrics.cloud import frontier, servers_and_load, together
from sim.plots import style

NEEDS = ("machines", "site_seconds")
CAPTION = (
    "Where the line is above the blue, requests wait: what a policy orders at a look serves only a boot and a warm-up later. "
    "Beyond an axis the line is a queue. Below: all services together, the whole day."
)
STATES = (
    ("serving", "serving", style.BLUE),
    ("warming", "warming up", style.SKY),
    ("booting", "booting", style.ORANGE),
    ("draining", "draining", style.FAINT),
)
_NAME_PT = 4.6  # width of a letter of a name of size 8
NIGHT_S, NIGHT_STEP_S = 1800, 10
DAY_S, DAY_STEP_S = 86400, 300


def plot_machines(load: pd.DataFrame, ax: Axes | None = None, *, ticks: int = 4) -> Axes:
    """One service, from `metrics.cloud.servers_and_load`: its machines by what they do, and its load as a line."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "machines")
    if load.empty:
        style.say_empty(ax, "no machines")
        return ax
    time_s = load["time_s"].to_numpy()
    edges_s = np.append(time_s[0] - (time_s[1] - time_s[0] if time_s.size > 1 else 1.0), time_s)
    stacked = load[[name for name, _, _ in STATES]].cumsum(axis=1).to_numpy(dtype=float)
    for k, (_, _, color) in enumerate(STATES):
        style.area(ax, edges_s, stacked[:, k], color, below=stacked[:, k - 1] if k else None)
    line = load["load"].to_numpy()
    ax.step(edges_s, np.append(line, line[-1]), where="post", color=style.INK, linewidth=0.8)
    most = float(stacked[:, -1].max())
    ax.set_ylim(0, 1.1 * max(most, min(float(line.max()), 1.5 * most), 1e-9))
    style.quantity_axis(ax, ticks=4)
    style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]), most=ticks)
    return ax


def draw_cloud(tables: Mapping[str, pd.DataFrame], scale: float) -> Figure:
    """The sheet: a panel a service for the first half hour, and below them all together for the day."""
    night = servers_and_load(
        tables["machines"], tables["site_seconds"], scale=scale, end_s=NIGHT_S, step_s=NIGHT_STEP_S
    )
    day = servers_and_load(tables["machines"], tables["site_seconds"], scale=scale, end_s=DAY_S, step_s=DAY_STEP_S)
    columns = 3
    rows = -(-len(night) // columns) + 1
    note = f"Machines are of the real day; loads are those of the run × {1 / scale:,.0f}." if scale < 1 else ""
    figure, axes = style.sheet(
        1.2 + 1.75 * rows,
        "Machines against load",
        "By service: the first half hour, every ten seconds; load: requests in service and waiting, in machines’ worth",
        note,
        rows=rows,
        columns=columns,
        gap_in=(0.72, 0.62),
    )
    for ax, (service, load) in zip(axes.flat, night.items(), strict=False):
        plot_machines(load, ax)
        ax.set_ylabel("")
        ax.set_title(service, loc="left", size=9.5, weight="bold", pad=7)
    for ax in axes.flat[len(night) :]:
        ax.remove()
    wide = figure.add_subplot(axes[0, 0].get_gridspec()[rows - 1, :])
    plot_machines(together(day), wide, ticks=13)
    wide.set_ylabel("")
    wide.set_title("all services, every five minutes", loc="left", size=9.5, weight="bold", pad=7)
    style.sheet_key(figure, [[(text, color) for _, text, color in STATES] + [("load", style.INK)]])
    return figure


def draw_policies(nights: Mapping[str, pd.DataFrame], scale: float) -> Figure:
    """The sheet of a panel a policy: all services together; `nights` from `metrics.cloud.together`, by policy."""
    columns = 3
    rows = -(-len(nights) // columns)
    figure, axes = style.sheet(
        1.2 + 1.75 * rows,
        "Machines against load, by policy",
        "All services: the first half hour, every ten seconds; load: requests in service and waiting, in machines’ worth",
        style.scale_note(scale),
        rows=rows,
        columns=columns,
        gap_in=(0.72, 0.62),
    )
    most = max(
        (float(night[[name for name, _, _ in STATES]].sum(axis=1).max()) for night in nights.values()), default=1.0
    )
    for ax, (policy, night) in zip(axes.flat, nights.items(), strict=False):
        plot_machines(night, ax)
        ax.set_ylim(0, 1.1 * most)
        ax.set_ylabel("")
        ax.set_title(policy, loc="left", size=9.5, weight="bold", pad=7)
    for ax in axes.flat[len(nights) :]:
        ax.remove()
    style.sheet_key(figure, [[(text, color) for _, text, color in STATES] + [("load", style.INK)]])
    return figure


def plot_frontier(policies: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Cost against orders lost, a point a policy: `policy`, `cost_rmb`, `orders_lost` of the real day; a line joins the best."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "orders lost", "cost of the machines, RMB")
    if policies.empty:
        style.say_empty(ax, "no policies")
        return ax
    best = frontier(policies)
    ax.step(best["cost_rmb"], best["orders_lost"], where="post", color=style.FAINT, linewidth=1.0)
    ax.set_xlim(0, 1.25 * float(policies["cost_rmb"].max()))
    ax.set_ylim(0, 1.12 * max(float(policies["orders_lost"].max()), 1e-9))
    for row in policies.itertuples():
        color = style.BLUE if row.policy in set(best["policy"]) else style.MUTED
        ax.plot(row.cost_rmb, row.orders_lost, "o", color=color, markersize=5)
    _name_points(policies, set(best["policy"]), ax)
    style.quantity_axis(ax)
    ax.xaxis.set_major_formatter(lambda value, _: style.quantity(value))
    return ax


def _name_points(policies: pd.DataFrame, best: set[str], ax: Axes) -> None:
    """Each point's policy beside it, where it covers no other point and no name; the axes have their limits."""
    points_pt = 72.0 / ax.figure.dpi * ax.transData.transform(policies[["cost_rmb", "orders_lost"]].to_numpy(float))
    taken = [(x - 3.0, y - 3.0, x + 3.0, y + 3.0) for x, y in points_pt]
    floor_pt = 72.0 / ax.figure.dpi * ax.bbox.y0
    taken.append((-1e9, -1e9, 1e9, floor_pt))  # below the axis stand its numbers
    for (x, y), row in zip(points_pt, policies.itertuples(), strict=True):
        width = _NAME_PT * len(str(row.policy))
        right = [(6.0, up) for up in (4.0, -11.0, 13.0, -20.0, 22.0, 31.0, 40.0)]
        for dx, dy in [*right, *((-6.0 - width, up) for _, up in right)]:
            box = (x + dx, y + dy, x + dx + width, y + dy + 7.0)
            if not any(box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3] for b in taken):
                break
        taken.append(box)
        ax.annotate(
            str(row.policy),
            (row.cost_rmb, row.orders_lost),
            xytext=(dx, dy),
            textcoords="offset points",
            size=8,
            color=style.BLUE if row.policy in best else style.MUTED,
        )


def draw_frontier(policies: pd.DataFrame, scale: float) -> Figure:
    """The sheet of `plot_frontier`."""
    figure, axes = style.sheet(
        3.9,
        "What machines cost against the orders that are lost without them",
        "A point a policy, all on the same shoppers; on the line: no other is cheaper and loses fewer",
        style.scale_note(scale),
        left_in=0.75,
        xlabel=True,
    )
    plot_frontier(policies, axes[0, 0])
    return figure
