"""Figures of a capacity plan: what was decided, what matters, how the search went, fresh days, what it costs to be surer."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from sim.plots import style
from sim.plots.figures import FOLDER, svg_text
from sim.units import unit_of

Tables = Mapping[str, pd.DataFrame]
CAPTIONS = {
    "plan": "Each variable over the range that it could take. Prices are of what comes on top of what is there; what is paid "
    "by the hour or by the trip is in the running costs.",
    "screening": "Mean absolute elementary effect (Morris) of each variable over its whole range, as a share of the goal’s "
    "limit: 1 moves the figure by its limit. A variable that moves none by 0.02 stays at its cheapest, unless needed there.",
    "search": "Each dot is a decision. Blue ones met every goal on enough days of the search; the others were given up as "
    "soon as too many days had missed one. The line is the cheapest so far.",
    "verification": "Each dot is a fresh day that the search never saw, simulated with the whole model; red ones miss the goal. "
    "The line is the limit.",
    "frontier": "Plans on fresh days, with exact intervals of the share of days that miss a goal and of the mean cost.",
    "sensitivity": "Total Sobol index: the share of the figure’s variance that would be left if all inputs but this one were "
    "known, with its 95 % bootstrap interval.",
}
_ROW_IN, _TOP_IN, _LABELS_IN, _TITLES_IN = 0.3, 1.3, 0.55, 0.28
_MOST = 1000.0  # limits: what a failed run counts as
_COLUMNS = 3
_STAGES = (("met its goals", style.BLUE), ("did not, or given up", style.ORANGE), ("screening", style.FAINT))


def write_capacity_figures(directory: Path, tables: Tables, probability: float) -> list[str]:
    """Draw a plan's figures into `directory`/figures as SVG; their names. The same tables give the same bytes.

    Parameters
    ----------
    tables : as in `sim.capacity.tables.tables`
    probability : that all goals are met on a day, as asked for
    """
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(style.RC):
        drawn = {
            "plan": draw_plan(tables["variables"]),
            "verification": draw_verification(tables["days"], tables["goals"]),
            "frontier": draw_frontier(tables["plans"], probability),
            "screening": draw_screening(tables["screening"], tables["variables"], tables["goals"]),
            "search": draw_search(tables["trials"]),
        }
        if len(tables["sensitivity"]):
            drawn["sensitivity"] = draw_sensitivity(tables["sensitivity"], tables["goals"])
        for name, figure in drawn.items():
            (folder / f"{name}.svg").write_text(svg_text(figure), encoding="utf-8")
    return list(drawn)


def draw_plan(variables: pd.DataFrame) -> Figure:
    """A line a variable: its range, what is there, what the plan takes."""
    numbers = variables[variables["ordered"]].reset_index(drop=True)
    figure, axes = style.sheet(
        1.25 + _ROW_IN * len(numbers),
        "The plan beside what there is",
        "Share of the way through the range of each variable",
        left_in=3.1,
        right_in=1.75,
    )
    plot_plan(numbers, axes[0, 0])
    style.sheet_key(figure, [[("there already", style.FAINT), ("the plan", style.BLUE)]])
    return figure


def plot_plan(numbers: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Rows `label`, `unit`, `low`, `high`, `owned`, `chosen`, `price_rmb`: dots on lines from the lowest to the highest level."""
    ax = style.axes_or_new(ax)
    _dress_rows(ax, list(numbers["label"]))
    span = (numbers["high"] - numbers["low"]).to_numpy()
    owned = np.clip((numbers["owned"] - numbers["low"]).to_numpy() / span, -0.02, 1.02)
    chosen = (numbers["chosen"] - numbers["low"]).to_numpy() / span
    rows = np.arange(len(numbers))
    ax.hlines(rows, 0, 1, color=style.GRID, linewidth=5)
    ax.hlines(rows, np.minimum(owned, chosen), chosen, color=style.SKY, linewidth=5)
    ax.plot(owned, rows, "|", color=style.MUTED, markersize=11, markeredgewidth=1.6)
    ax.plot(chosen, rows, "o", color=style.BLUE, markersize=6.5)
    for row, one in enumerate(numbers.itertuples()):
        price = f" · RMB {style.quantity(one.price_rmb)}" if one.price_rmb else ""
        text = f"{style.quantity(one.chosen)} {one.unit}{price}"
        ax.text(1.03, row, text, transform=ax.get_yaxis_transform(), va="center", size=8, color=style.INK)
    ax.set_xlim(-0.03, 1.03)
    ax.set_xticks([0, 0.5, 1], ["lowest", "", "highest"])
    return ax


def draw_screening(screening: pd.DataFrame, variables: pd.DataFrame, goals: pd.DataFrame) -> Figure:
    """A table of shades: variables down, goals across."""
    figure, axes = style.sheet(
        _TOP_IN + _LABELS_IN + _ROW_IN * screening["variable"].nunique(),
        "Which variables matter for which goal",
        "Mean absolute effect of a variable’s whole range, in limits of the goal",
        left_in=3.1,
        labels_in=_LABELS_IN,
    )
    ax = axes[0, 0]
    plot_screening(screening, variables, goals, ax, wrap=11)
    return figure


def plot_screening(
    screening: pd.DataFrame, variables: pd.DataFrame, goals: pd.DataFrame, ax: Axes | None = None, wrap: int = 12
) -> Axes:
    """Effects `absolute` by `variable` and `figure` as shades with the numbers in; empty where a part measures nothing."""
    ax = style.axes_or_new(ax)
    names = [name for name in variables["variable"] if name in set(screening["variable"])]
    figures = [figure for figure in goals["figure"] if figure in set(screening["figure"])]
    table = screening.pivot(index="variable", columns="figure", values="absolute").reindex(index=names, columns=figures)
    values = table.to_numpy(dtype=float)
    shade = np.log10(np.clip(values, 0.01, 10)) / 3 + 2 / 3
    colors = mpl.colors.LinearSegmentedColormap.from_list("shades", ["#ffffff", style.SKY, style.BLUE, "#003a5c"])
    ax.imshow(np.ma.masked_invalid(shade), cmap=colors, vmin=0, vmax=1.15, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if shade[row, column] > 0.6 else style.INK if value >= 0.02 else style.FAINT
            text = "0" if value == 0 else "< 0.01" if value < 0.01 else style.quantity(min(value, _MOST), 2)
            ax.text(column, row, text, ha="center", va="center", size=8, color=color)
    labels = variables.set_index("variable")["label"]
    ax.set_yticks(range(len(names)), ["\n".join(textwrap.wrap(labels[name], 44)) for name in names])
    by_figure = goals.set_index("figure")["label"]
    ax.set_xticks(range(len(figures)), ["\n".join(textwrap.wrap(by_figure[name], wrap)) for name in figures])
    ax.tick_params(length=0, labelsize=8, labelcolor=style.MUTED)
    ax.tick_params(axis="x", labelsize=7)
    ax.spines[:].set_visible(False)
    return ax


def draw_search(trials: pd.DataFrame) -> Figure:
    """A panel a part: cost of the decisions in the order in which they were tried."""
    parts = list(dict.fromkeys(trials["part"]))
    figure, axes = style.sheet(
        1.55 + 2.3 * len(parts),
        "How the search went",
        "Cost of each decision that was tried, RMB: price and mean running cost",
        rows=len(parts),
        xlabel=True,
        gap_in=(0.75, 0.45),
    )
    for part, ax in zip(parts, axes.flat, strict=True):
        plot_search(trials[trials["part"] == part], ax)
        ax.set_title(
            "all parts together" if part == "whole" else f"the {part}", loc="left", size=9.5, weight="bold", pad=7
        )
    axes.flat[-1].set_xlabel("decision", size=8, color=style.MUTED)
    style.sheet_key(figure, [list(_STAGES)])
    return figure


def plot_search(trials: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Rows `number`, `stage`, `cost_rmb`, `met`: dots, and the cheapest that met its goals so far as a line."""
    ax = style.axes_or_new(ax)
    style.dress(ax)
    met, screened = trials["met"].to_numpy(), (trials["stage"] == "screened").to_numpy()
    for chosen, (_, color) in zip((met, ~met & ~screened, ~met & screened), _STAGES, strict=True):
        own = trials[chosen]
        ax.plot(own["number"], own["cost_rmb"], "o", color=color, markersize=3.5, markeredgewidth=0)
    best = trials["cost_rmb"].where(trials["met"]).ffill().cummin()
    ax.step(trials["number"], best, where="post", color=style.BLUE, linewidth=1.2)
    ax.set_ylim(0, 1.08 * float(trials["cost_rmb"].max()))
    style.quantity_axis(ax)
    return ax


def draw_verification(days: pd.DataFrame, goals: pd.DataFrame) -> Figure:
    """A panel a goal: its figure on each fresh day of the plan, and the limit."""
    own = days[days["plan"] == 0]
    lines = -(-len(goals) // _COLUMNS)
    columns = min(len(goals), _COLUMNS)
    figure, axes = style.sheet(
        1.35 + _TITLES_IN + 2.0 * lines,
        "The plan on fresh days",
        f"The figure of each goal on {len(own)} days, in ascending order; limits as lines",
        rows=lines,
        columns=columns,
        gap_in=(0.8, 0.55),
        titles_in=_TITLES_IN,
    )
    for goal, ax in zip(goals.itertuples(), axes.flat, strict=False):
        beyond = own[goal.figure] > goal.limit if goal.sense == "at most" else own[goal.figure] < goal.limit
        plot_days(own[goal.figure], beyond, float(goal.limit), ax)
        if goal.kind == "share":
            style.percent_axis(ax, 4)
        unit = f" [{unit_of(goal.figure)}]" if goal.kind in ("latency", "hours") else ""
        ax.set_title(_wrapped(f"{goal.label}{unit}"), loc="left", size=8.5, weight="bold", pad=7)
    for ax in axes.flat[len(goals) :]:
        ax.set_visible(False)
    style.sheet_key(figure, [[("meets the goal", style.BLUE), ("misses it", style.VERMILION), ("limit", style.INK)]])
    return figure


def plot_days(values: pd.Series, beyond: pd.Series, limit: float, ax: Axes | None = None) -> Axes:
    """One figure over the days, in ascending order, with a line at its limit; days `beyond` it in red."""
    ax = style.axes_or_new(ax)
    style.dress(ax)
    order = np.argsort(values.to_numpy(), kind="stable")
    sorted_values, sorted_beyond = values.to_numpy()[order], beyond.to_numpy()[order]
    place = np.arange(len(values))
    for chosen, color in ((~sorted_beyond, style.BLUE), (sorted_beyond, style.VERMILION)):
        ax.plot(place[chosen], sorted_values[chosen], "o", color=color, markersize=3.4, markeredgewidth=0)
    ax.axhline(limit, color=style.INK, linewidth=1.0)
    ax.set_ylim(0, 1.12 * max(float(np.nanmax(sorted_values, initial=0)), limit))
    ax.set_xticks([])
    style.quantity_axis(ax, 4)
    return ax


def draw_frontier(plans: pd.DataFrame, probability: float) -> Figure:
    """Cost against risk."""
    figure, axes = style.sheet(
        3.9,
        "What it costs to be surer",
        "Share of fresh days that miss any goal against the mean cost; bars are 95 % intervals",
        left_in=0.8,
        xlabel=True,
    )
    plot_frontier(plans[plans["complete"]], probability, axes[0, 0])  # those given up early have too much risk
    return figure


def plot_frontier(plans: pd.DataFrame, probability: float, ax: Axes | None = None) -> Axes:
    """Rows `role`, `cost_rmb`, `cost_half_width_rmb`, `risk`, `risk_low`, `risk_high`; a line at the risk that is allowed."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "days that miss a goal", "mean cost, RMB")
    by_cost = plans.sort_values("cost_rmb", kind="stable")
    ax.plot(by_cost["cost_rmb"], by_cost["risk"], color=style.FAINT, linewidth=1.0)
    for row in by_cost.itertuples():
        color = {"the plan": style.BLUE, "as owned": style.VERMILION}.get(row.role, style.MUTED)
        ax.errorbar(
            row.cost_rmb,
            row.risk,
            xerr=row.cost_half_width_rmb,
            yerr=[[row.risk - row.risk_low], [row.risk_high - row.risk]],
            fmt="o",
            color=color,
            markersize=6,
            elinewidth=1.2,
        )
        if row.role == "as owned":
            ax.annotate(
                "nothing added",
                (row.cost_rmb, row.risk),
                xytext=(8, -4),
                textcoords="offset points",
                size=8.5,
                color=color,
            )
        if row.role == "the plan":
            ax.annotate(
                "the plan", (row.cost_rmb, row.risk_high), xytext=(0, 5), textcoords="offset points", size=8.5, color=color,
                ha="center", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )  # fmt: skip
    ax.axhline(1 - probability, color=style.INK, linewidth=0.9, linestyle="--")
    ax.text(
        1.0, 1 - probability + 0.012, f"allowed: {100 * (1 - probability):g} %", ha="right", va="bottom", size=8,
        color=style.INK, transform=ax.get_yaxis_transform(),
    )  # fmt: skip
    ax.set_ylim(0, 1.03)
    ax.margins(x=0.12)
    style.percent_axis(ax)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.quantity(value)))
    return ax


def draw_sensitivity(sensitivity: pd.DataFrame, goals: pd.DataFrame) -> Figure:
    """A panel a figure: total indices of the inputs."""
    varying = sensitivity.dropna(subset="total")
    figures = list(dict.fromkeys(varying["figure"]))
    names = list(dict.fromkeys(sensitivity["name"]))
    lines = -(-len(figures) // _COLUMNS)
    figure, axes = style.sheet(
        1.4 + _TITLES_IN + lines * (0.55 + 0.21 * len(names)),
        "What the figures hang on",
        "Total Sobol indices at the plan; chance is what the seed decides",
        rows=max(lines, 1),
        columns=_COLUMNS,
        left_in=1.35,
        gap_in=(0.7, 0.3),
        sharex=True,
        sharey=True,
        titles_in=_TITLES_IN,
    )
    labels = goals.set_index("figure")["label"].to_dict() | {"cost_rmb": "Running cost"}
    for name, ax in zip(figures, axes.flat, strict=False):
        plot_indices(varying[varying["figure"] == name], names, ax)
        ax.set_title(_wrapped(labels.get(name, name)), loc="left", size=8.5, weight="bold", pad=6)
    for ax in axes.flat[len(figures) :]:
        ax.set_visible(False)
    return figure


def plot_indices(own: pd.DataFrame, names: list[str], ax: Axes | None = None) -> Axes:
    """Rows `name`, `total`, `total_low`, `total_high` of one figure: bars with their intervals."""
    ax = style.axes_or_new(ax)
    _dress_rows(ax, [name.replace("_", " ") for name in names])
    place = [names.index(name) for name in own["name"]]
    ax.barh(place, np.clip(own["total"], 0, 1.2), color=style.SKY, height=0.62)
    low, high = np.clip(own["total_low"], 0, 1.2), np.clip(own["total_high"], 0, 1.2)
    ax.hlines(place, low, high, color=style.BLUE, linewidth=1.4)
    ax.set_xlim(0, 1.2)
    ax.set_xticks([0, 0.5, 1])
    return ax


def _dress_rows(ax: Axes, labels: list[str]) -> None:
    """Rows from the top down, with labels at the left."""
    ax.spines[:].set_visible(False)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0, labelsize=8.5, labelcolor=style.INK, pad=4)
    ax.tick_params(axis="x", length=0, labelsize=8, labelcolor=style.MUTED)
    ax.xaxis.set_minor_formatter(NullFormatter())


def _wrapped(text: str) -> str:
    """A title in at most two lines."""
    return "\n".join(textwrap.wrap(text, 34)[:2])
