"""Differences with their intervals: of many key figures under one change, and of one key figure under many changes."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sim.plots import style

_ROW_IN = 0.235
_TITLE_LETTERS = 28
_FAR = 12.0  # times what three quarters of the differences are at most
_MOST_SHOWN = 1.0  # of the base; what lies beyond gets an arrow and its number


def plot_differences(rows: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Dot and interval of each key figure's difference, as a share of the base.

    Parameters
    ----------
    rows : `label`, `share`, `low_share`, `high_share` (difference and interval over the base), `differs` (bool) and `text`, what
        is written at the right
    """
    ax = style.axes_or_new(ax)
    _bare(ax)
    if rows.empty:
        style.say_empty(ax, "no key figure differs")
        return ax
    values = rows[["share", "low_share", "high_share"]].to_numpy()
    limit = _limit(values)
    for place, (share, low, high) in enumerate(values):
        color = style.BLUE if rows["differs"].iloc[place] else style.FAINT
        if abs(share) > limit:
            end = float(np.copysign(limit, share))
            ax.plot([0, end], [place, place], color=color, linewidth=1.2, linestyle=(0, (1, 1.5)))
            ax.plot([end], [place], marker=">" if share > 0 else "<", color=color, markersize=6, clip_on=False)
            continue
        ax.plot([max(low, -limit), min(high, limit)], [place, place], color=color, linewidth=2.2, solid_capstyle="butt")
        filled = color if rows["differs"].iloc[place] else "white"
        ax.plot([share], [place], "o", color=color, markerfacecolor=filled, markersize=5.5)
    ax.set_xlim(-1.04 * limit, 1.04 * limit)
    _name_rows(ax, rows["label"].tolist(), rows["text"].tolist(), rows["differs"].tolist())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _percent(value)))
    return ax


def _percent(value: float) -> str:
    return f"{100 * value:+,.3g} %".replace("-", "−") if abs(value) > 1e-12 else "0"


def draw_differences(rows: pd.DataFrame, change: str, base: str, note: str) -> Figure:
    """The sheet of `plot_differences` for one change."""
    figure, axes = style.sheet(
        1.55 + _ROW_IN * max(len(rows), 1),
        "What differs, and by how much",
        f"{change} less {base}, as a share of {base}; lines: 95 % intervals; hollow: these runs cannot tell",
        note,
        left_in=2.75,
        right_in=1.75,
    )
    plot_differences(rows, axes[0, 0])
    return figure


def plot_tornado(rows: pd.DataFrame, unit: str, ax: Axes | None = None) -> Axes:
    """Bars of one key figure's difference under many changes, with intervals, the largest on top.

    Parameters
    ----------
    rows : `change_name`, `value`, `low_value`, `high_value` in the unit, `differs` (bool) and `text`; sorted
    unit : of the values
    """
    ax = style.axes_or_new(ax)
    _bare(ax)
    place = np.arange(len(rows))
    colors = np.where(rows["differs"], np.where(rows["value"] < 0, style.SKY, style.ORANGE), style.GRID).tolist()
    ax.barh(place, rows["value"], 0.62, color=colors, linewidth=0)
    ax.hlines(place, rows["low_value"], rows["high_value"], color=style.INK, linewidth=1.2)
    ax.plot(rows["value"], place, "|", color=style.INK, markersize=7)
    _name_rows(ax, rows["change_name"].tolist(), rows["text"].tolist(), rows["differs"].tolist())
    ax.set_xlabel(unit, size=8, color=style.MUTED)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.quantity(value).replace("-", "−")))
    return ax


def draw_tornado(rows: pd.DataFrame, figure_label: str, unit: str, base: str) -> Figure:
    """The sheet of `plot_tornado`."""
    figure, axes = style.sheet(
        1.75 + 0.34 * max(len(rows), 1),
        f"{figure_label}: what each change does",
        f"Each change less {base}; black lines: 95 % intervals; grey bars: these runs cannot tell",
        left_in=2.4,
        right_in=1.5,
        xlabel=True,
    )
    plot_tornado(rows, unit, axes[0, 0])
    return figure


def draw_overview(panels: Sequence[tuple[str, str, pd.DataFrame]], base: str) -> Figure:
    """Small tornados of several key figures, the changes in one order: (title, unit, rows) each."""
    columns = 3
    lines = -(-len(panels) // columns)
    changes = max(len(rows) for _, _, rows in panels)
    figure, axes = style.sheet(
        0.95 + lines * (0.75 + 0.24 * changes),
        "All changes side by side",
        f"Each change less {base}; black lines: 95 % intervals; grey bars: these runs cannot tell",
        rows=lines,
        columns=columns,
        left_in=2.0,
        gap_in=(0.85, 0.3),
        xlabel=True,
    )
    for place, (ax, (title, unit, rows)) in enumerate(zip(axes.flat, panels, strict=False)):
        plot_tornado(rows.assign(text=""), unit, ax)
        ax.set_title(textwrap.fill(title, _TITLE_LETTERS), loc="left", size=8.5, weight="bold", pad=6)
        ax.xaxis.set_major_locator(MaxNLocator(3))
        if place % columns:
            ax.set_yticklabels([])
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    return figure


def _bare(ax: Axes) -> None:
    style.dress(ax)
    ax.grid(visible=False, axis="y")
    ax.grid(axis="x", color=style.GRID, linewidth=0.7)
    ax.axvline(0.0, color=style.INK, linewidth=0.9, zorder=1)


def _name_rows(ax: Axes, labels: list[str], texts: list[str], differs: list[bool]) -> None:
    """Labels at the left, texts at the right, the first row on top."""
    ax.set_yticks(range(len(labels)), labels, color=style.INK)
    for place, (text, sure) in enumerate(zip(texts, differs, strict=True)):
        ax.text(
            1.02,
            place,
            text,
            transform=ax.get_yaxis_transform(),
            size=8,
            va="center",
            color=style.INK if sure else style.MUTED,
        )
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))


def _limit(values: np.ndarray) -> float:
    """Where the axis ends: at the largest difference, but not far beyond the others, and not beyond all of the base."""
    sizes = np.sort(np.abs(values[:, 0]))
    usual = _FAR * float(sizes[int(0.75 * (sizes.size - 1))])
    widest = float(np.nanmax(np.abs(values[np.abs(values[:, 0]) <= usual]), initial=0.0))
    return min(max(widest, 1e-3), max(usual, 1e-3), _MOST_SHOWN)
