"""A base and one change of it in the same axes: curves with bands over the runs, and what lies between them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.metrics.curves import HUB
from sim.metrics.differences import bands, difference_band, hubs_that_differ
from sim.plots import style
from sim.units import DAY_S, HOUR_S

Tables = Mapping[str, pd.DataFrame]

BASE = "base"
BASE_COLOR, CHANGE_COLOR = style.INK, style.BLUE
HUBS = 9
_LONGEST = 34
_ALMOST = 0.998


class ComparedSpec(NamedTuple):
    """One figure of a base and a change: file name, what to see in it, the curves that it needs and how it is drawn."""

    name: str
    caption: str
    needs: tuple[str, ...]
    draw: Callable[[Tables, str, str], Figure]  # tables, change, name of the base


def plot_bands(sides: Sequence[tuple[pd.DataFrame, str]], ax: Axes | None = None, *, ylabel: str = "") -> Axes:
    """Curves of `metrics.differences.bands`, (curve, colour) each: the mean, and a band from the least to the most of the runs.

    The first one, the base, is dashed.
    """
    ax = style.axes_or_new(ax)
    style.dress(ax, ylabel)
    for place, (curve, color) in enumerate(sides):
        ax.fill_between(curve["x"], curve["low"], curve["high"], color=color, alpha=0.18, linewidth=0, zorder=2 + place)
        dashes = (0, (4, 2)) if place == 0 else "solid"
        ax.plot(curve["x"], curve["mean"], color=color, linewidth=1.3, linestyle=dashes, zorder=4 - place)
    return ax


def plot_difference(band: pd.DataFrame, ax: Axes | None = None, *, ylabel: str = "") -> Axes:
    """The change less the base, from `metrics.differences.difference_band`: mean and 95 % interval, around a line at zero."""
    ax = style.axes_or_new(ax)
    style.dress(ax, ylabel)
    ax.fill_between(band["x"], band["low"], band["high"], color=style.PURPLE, alpha=0.22, linewidth=0)
    ax.plot(band["x"], band["mean"], color=style.PURPLE, linewidth=1.3)
    ax.axhline(0.0, color=style.INK, linewidth=0.9)
    values = band[["mean", "low", "high"]].to_numpy()
    least, most = (float(end(values, initial=0.0)) for end in (np.nanmin, np.nanmax))
    margin = 0.08 * (most - least) or 1.0
    ax.set_ylim(least - margin, most + margin)
    return ax


def compared(tables: Tables, change: str) -> list[ComparedSpec]:
    """The figures whose curves are there and not the same on both sides in every run."""
    curves = tables["curves"]
    own = curves[curves["side"].isin((BASE, change))]
    wide = own.pivot_table(index=["curve", "seed", "x"], columns="side", values="y")
    apart = (
        set((wide[change] != wide[BASE]).groupby("curve").any().loc[lambda differs: differs].index)
        if len(own)
        else set()
    )
    there = set(own["curve"])
    return [spec for spec in COMPARED if there.issuperset(spec.needs) and apart.intersection(spec.needs)]


def shortened(name: str) -> str:
    """A name that fits into a key."""
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def _pair(tables: Tables, curve: str, change: str, factor: float = 1.0) -> list[tuple[pd.DataFrame, str]]:
    pair = [
        (bands(tables["curves"], curve, side), color) for side, color in ((BASE, BASE_COLOR), (change, CHANGE_COLOR))
    ]
    return [
        (curve_.assign(**{name: factor * curve_[name] for name in ("mean", "low", "high")}), c) for curve_, c in pair
    ]


def _until(pair: Sequence[tuple[pd.DataFrame, str]], end_s: float) -> list[tuple[pd.DataFrame, str]]:
    return [(curve[curve["x"] <= end_s], color) for curve, color in pair]


def _key(figure: Figure, change: str, base: str) -> None:
    style.sheet_key(figure, [[(f"{shortened(base)} (dashed)", BASE_COLOR), (shortened(change), CHANGE_COLOR)]])


def _midnight(tables: Tables, change: str, base: str) -> Figure:
    figure, axes = style.sheet(
        4.9,
        "The first ten minutes",
        "Means of ten seconds; bands: from the least to the most of the runs",
        rows=2,
        columns=2,
    )
    panels = (
        ("requests", "page requests per second"),
        ("failed", "of these, refused or timed out"),
        ("orders", "orders paid per second"),
        ("orders lost", "orders lost per second"),
    )
    for ax, (curve, label) in zip(axes.flat, panels, strict=True):
        plot_bands(_pair(tables, curve, change), ax, ylabel=label)
        style.quantity_axis(ax, ticks=4)
        style.time_axis(ax, -60.0, 600.0, most=7)
    _key(figure, change, base)
    return figure


def _with_difference(title: str) -> tuple[Figure, np.ndarray]:
    """A sheet with room for both sides, and below for what lies between them."""
    return style.sheet(
        4.8, title, "So far, and the change less the base with its 95 % interval", rows=2, height_ratios=(3, 2)
    )


def _sales(tables: Tables, change: str, base: str) -> Figure:
    figure, axes = _with_difference("Sales of the day")
    plot_bands(_pair(tables, "sales", change), axes[0, 0], ylabel="sales so far, RMB")
    style.quantity_axis(axes[0, 0])
    plot_difference(difference_band(tables["curves"], "sales", change), axes[1, 0], ylabel="difference, RMB")
    _signed_quantities(axes[1, 0])
    for ax in axes.flat:
        style.time_axis(ax, 0.0, DAY_S)
    _key(figure, change, base)
    return figure


def _signed(tables: Tables, change: str, base: str) -> Figure:
    figure, axes = _with_difference("Parcels signed")
    pair = _pair(tables, "signed", change)
    end_s = _settled_s([curve for curve, _ in pair])
    plot_bands(_until(pair, end_s), axes[0, 0], ylabel="share of all parcels")
    axes[0, 0].set_ylim(0, 1)
    style.percent_axis(axes[0, 0])
    band = difference_band(tables["curves"], "signed", change)
    band[["mean", "low", "high"]] *= 100
    plot_difference(band[band["x"] <= end_s], axes[1, 0], ylabel="difference, points")
    axes[1, 0].yaxis.set_major_locator(MaxNLocator(5))
    for ax in axes.flat:
        style.time_axis(ax, 0.0, end_s, most=15)
    _key(figure, change, base)
    return figure


def _hubs(tables: Tables, change: str, base: str) -> Figure:
    figure, axes = style.sheet(
        3.4, "All hubs together", "Every hour; bands: from the least to the most of the runs", columns=2
    )
    end_s = _emptied_s(tables, ("in hubs",), change)
    for ax, (curve, label) in zip(
        axes.flat, (("in hubs", "parcels in hubs and at gates"), ("overflowing", "hubs that overflow")), strict=True
    ):
        plot_bands(_until(_pair(tables, curve, change), end_s), ax, ylabel=label)
        style.quantity_axis(ax)
        style.time_axis(ax, 0.0, end_s, most=7)
    _key(figure, change, base)
    return figure


def _hub_backlogs(tables: Tables, change: str, base: str) -> Figure:
    names = hubs_that_differ(tables["curves"], HUB, change, HUBS)
    columns = 3
    rows = max(-(-len(names) // columns), 1)
    figure, axes = style.sheet(
        0.9 + 1.6 * rows,
        f"The {len(names)} hubs that differ most" if len(names) > 1 else "The hub that differs",
        "Parcels in the hub and at its gate, as a share of its storage; orange: full",
        rows=rows,
        columns=columns,
        gap_in=(0.72, 0.55),
    )
    end_s = _emptied_s(tables, names, change)
    for ax, name in zip(axes.flat, names, strict=False):
        plot_bands(_until(_pair(tables, name, change), end_s), ax)
        ax.axhline(1.0, color=style.VERMILION, linewidth=0.9)
        ax.set_ylim(0, max(1.15, ax.get_ylim()[1]))
        style.percent_axis(ax, ticks=3)
        style.time_axis(ax, 0.0, end_s, most=4)
        carrier, _, city = name.removeprefix(HUB).partition(" ")
        ax.set_title(f"{city} · {carrier}", loc="left", size=9.5, weight="bold", pad=7)
    for ax in axes.flat[len(names) :]:
        ax.remove()
    _key(figure, change, base)
    return figure


def _lead_times(tables: Tables, change: str, base: str) -> Figure:
    figure, axes = style.sheet(
        3.6,
        "From order to signature",
        "Parcels signed in each six hours after the order, of all parcels; bands: over the runs",
        xlabel=True,
    )
    pair = _pair(tables, "lead time", change)
    day_h = 24.0
    middle = [(curve.assign(x=(curve["x"] + 3.0) / day_h), color) for curve, color in pair]
    ax = plot_bands(middle, axes[0, 0], ylabel="share of all parcels")
    ax.set_xlabel("days from order to signature", size=8, color=style.MUTED)
    reached = max(float(c["x"][c["mean"].cumsum() < _ALMOST * c["mean"].sum()].max()) for c, _ in middle)
    ax.set_xlim(0, reached)
    ax.set_ylim(bottom=0)
    style.percent_axis(ax)
    ax.xaxis.set_major_locator(MaxNLocator(12, integer=True))
    _key(figure, change, base)
    return figure


def _signed_quantities(ax: Axes) -> None:
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(lambda value, _: style.quantity(value).replace("-", "−"))


def _settled_s(curves: Sequence[pd.DataFrame]) -> float:
    """End of the day by which nearly all that will ever be signed is."""
    latest = max(float(curve["x"][curve["mean"] < _ALMOST * curve["mean"].max()].max()) for curve in curves)
    return float(np.ceil(latest / DAY_S)) * DAY_S


def _emptied_s(tables: Tables, names: Sequence[str], change: str) -> float:
    """A day after the last hour at which any of the curves is above a twentieth of its most."""
    latest = HOUR_S
    for name in names:
        for curve, _ in _pair(tables, name, change):
            full = curve["x"][curve["mean"] > 0.05 * curve["mean"].max()]
            latest = max(latest, float(full.max()) if len(full) else 0.0)
    return float(np.ceil(latest / DAY_S) + 1) * DAY_S


COMPARED: tuple[ComparedSpec, ...] = (
    ComparedSpec(
        "midnight",
        "Where the blue curve leaves the dashed one, and neither band covers the other, the site is another.",
        ("requests", "failed", "orders", "orders lost"),
        _midnight,
    ),
    ComparedSpec(
        "sales", "Below, the shoppers are the same: what differs is what the site let them buy.", ("sales",), _sales
    ),
    ComparedSpec(
        "signed",
        "Below, the interval is that of runs in pairs: where it does not touch zero, parcels are signed sooner or later.",
        ("signed",),
        _signed,
    ),
    ComparedSpec("lead_times", "A curve further to the left is a quicker way.", ("lead time",), _lead_times),
    ComparedSpec(
        "hubs", "The same parcels come; a lower curve means that they leave sooner.", ("in hubs", "overflowing"), _hubs
    ),
    ComparedSpec(
        "hub_backlogs",
        "Above the orange line vehicles wait at the gate, as storage is full.",
        ("in hubs",),
        _hub_backlogs,
    ),
)
