"""Figures of a sweep: how the key figures hang on its axes, and on two of them together."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.metrics.sweeps import grid, main_effect
from sim.plots import style
from sim.plots.figures import FOLDER, PNG_DPI, svg_text
from sim.units import unit_of

MOST_LEVELS = 12  # of an axis whose values are joined by a line or make the rows of a map
AXES_A_ROW = 3
_SHADES = LinearSegmentedColormap.from_list("shades", ["#f4f8fb", style.SKY, style.BLUE, "#003a5c"])


def write_sweep_figures(
    directory: Path,
    rows: pd.DataFrame,
    axes: Sequence[str],
    figures: Sequence[str],
    *,
    headings: Mapping[str, str] | None = None,
    png: bool = False,
) -> list[str]:
    """Draw a sweep's figures into `directory`/figures; their names. The same table gives the same bytes.

    Parameters
    ----------
    rows : the sweep's table
    axes : columns of the parameters that differ
    figures : columns of the key figures to draw
    headings : what people call them; otherwise they are called as their columns
    """
    folder = directory / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, Figure] = {}
    with mpl.rc_context(style.RC):
        for name in figures:
            drawn[f"effects_{name}"] = _effects(rows, axes, name, (headings or {}).get(name, label(name)))
            if len(axes) == 2 and is_full_grid(rows, axes):
                drawn[f"map_{name}"] = _map(rows, axes, name, (headings or {}).get(name, label(name)))
        for name, figure in drawn.items():
            (folder / f"{name}.svg").write_text(svg_text(figure), encoding="utf-8")
            if png:
                figure.savefig(folder / f"{name}.png", format="png", dpi=PNG_DPI, metadata={"Software": None})
    return list(drawn)


def is_full_grid(rows: pd.DataFrame, axes: Sequence[str]) -> bool:
    """Whether two axes have few values and every pair of them has a point."""
    counts = [rows[axis].nunique() for axis in axes]
    pairs = len(rows[list(axes)].drop_duplicates())
    return bool(max(counts) <= MOST_LEVELS and min(counts) > 1 and pairs == np.prod(counts))


def plot_main_effect(effect: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Means with 95 % intervals along one axis, from `metrics.sweeps.main_effect`; few values are joined by a line."""
    ax = style.axes_or_new(ax)
    style.dress(ax)
    effect = effect.dropna(subset="mean")
    if effect.empty:
        style.say_empty(ax, "not measured")
        return ax
    few = len(effect) <= MOST_LEVELS
    numeric = pd.api.types.is_numeric_dtype(effect["level"])
    place = effect["level"].to_numpy(dtype=float) if numeric else np.arange(len(effect), dtype=float)
    half = effect["half_width"].fillna(0.0).to_numpy()
    ax.errorbar(
        place,
        effect["mean"].to_numpy(),
        yerr=half,
        color=style.BLUE,
        ecolor=style.SKY,
        elinewidth=2.4 if few else 1.0,
        capsize=0,
        marker="o",
        markersize=5 if few else 3,
        linestyle="-" if few and numeric else "none",
        linewidth=1.4,
    )
    if numeric:
        ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.quantity(value, 4)))
        ax.margins(x=0.08)
    else:
        ax.set_xticks(place, [textwrap.fill(str(level), 18) for level in effect["level"]])
        ax.set_xlim(-0.6, len(effect) - 0.4)
    return ax


def plot_grid(means: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Means at pairs of values as shades with the numbers written in, from `metrics.sweeps.grid`."""
    ax = style.axes_or_new(ax)
    across, up = (_ordered(means[name]) for name in ("across", "up"))
    values = np.full((len(up), len(across)), np.nan)
    halves = np.full_like(values, np.nan)
    for row in means.itertuples():
        place = up.index(row.up), across.index(row.across)
        values[place], halves[place] = row.mean, row.half_width
    low, high = np.nanmin(values), np.nanmax(values)
    ax.imshow(values, cmap=_SHADES, vmin=low, vmax=high if high > low else low + 1, aspect="auto", origin="lower")
    for (row, column), value in np.ndenumerate(values):
        dark = high > low and (value - low) / (high - low) > 0.45
        half = halves[row, column]
        text = "–" if np.isnan(value) else style.quantity(value)
        text += f"\n± {style.quantity(half, 2)}" if np.isfinite(half) and half > 0 else ""
        ax.text(column, row, text, ha="center", va="center", size=8, color="white" if dark else style.INK)
    ax.set_xticks(range(len(across)), [_written(level) for level in across])
    ax.set_yticks(range(len(up)), [_written(level) for level in up])
    ax.tick_params(length=0, labelsize=8, labelcolor=style.MUTED)
    ax.spines[:].set_visible(False)
    return ax


def short_names(axes: Sequence[str]) -> dict[str, str]:
    """The ends of dotted names, two words where there are two, and as many more as it takes to tell them apart."""
    for words in range(2, 1 + max(axis.count(".") + 1 for axis in axes)):
        short = {axis: ".".join(axis.split(".")[-words:]) for axis in axes}
        if len(set(short.values())) == len(axes):
            return short
    return {axis: axis for axis in axes}


def label(figure: str) -> str:
    """A key figure with its unit."""
    unit = unit_of(figure)
    return f"{figure} [{unit}]" if unit else figure


def _effects(rows: pd.DataFrame, axes: Sequence[str], name: str, heading: str) -> Figure:
    lines = -(-len(axes) // AXES_A_ROW)
    columns = min(len(axes), AXES_A_ROW)
    others = "; the mean over all other parameters" if len(axes) > 1 else ""
    figure, grid_of_axes = style.sheet(
        1.55 + 2.35 * lines,
        heading,
        f"Mean over replications with its 95 % interval{others}",
        rows=lines,
        columns=columns,
        sharey=True,
        xlabel=True,
        gap_in=(0.75, 0.35),
    )
    flat, short = list(grid_of_axes.flat), short_names(axes)
    low, high, lowest = np.inf, -np.inf, rows[name].min()
    for axis, ax in zip(axes, flat, strict=False):
        effect = main_effect(rows, axis, name)
        plot_main_effect(effect, ax)
        half = effect["half_width"].fillna(0.0)
        low, high = min(low, (effect["mean"] - half).min()), max(high, (effect["mean"] + half).max())
        ax.set_xlabel(short[axis], size=8, color=style.MUTED)
    if np.isfinite(low) and np.isfinite(high):
        room = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
        flat[0].set_ylim(low - room if lowest < 0 else max(low - room, 0.0), high + room)
        flat[0].yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        flat[0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: style.quantity(value)))
    for ax in flat[len(axes) :]:
        ax.set_visible(False)
    return figure


def _map(rows: pd.DataFrame, axes: Sequence[str], name: str, heading: str) -> Figure:
    (across, up), short = axes, short_names(axes)
    means = grid(rows, across, up, name)
    height = 1.75 + 0.5 * means["up"].nunique()
    longest = max(len(_written(level)) for level in means["up"])
    figure, grid_of_axes = style.sheet(
        height,
        heading,
        f"Mean over replications ± half-width of its 95 % interval; up: {short[up]}",
        left_in=0.5 + 0.065 * longest,
        xlabel=True,
    )
    plot_grid(means, grid_of_axes[0, 0])
    grid_of_axes[0, 0].set_xlabel(short[across], size=8, color=style.MUTED)
    return figure


def _ordered(levels: pd.Series) -> list[object]:
    found = list(levels.unique())
    return sorted(found) if pd.api.types.is_numeric_dtype(levels) else found


def _written(level: object) -> str:
    return style.quantity(float(level), 4) if isinstance(level, (int, float, np.number)) else str(level)
