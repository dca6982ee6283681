"""The rehearsal: what reaches the service that fails, and what comes of it, with and without a plan."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.metrics.rehearsal import outcomes, rates_by_case
from sim.plots import style
from sim.units import clock

NEEDS = ("rehearsal_cases", "rehearsal_seconds")
CAPTION = "Where vermilion fills the machines after the fault is over, those who gave up come again: the overload feeds itself."
ENTRIES = (("in_time", "answered in time", style.BLUE), ("too_late", "finished too late, for nobody", style.VERMILION))


def plot_rehearsal(rates: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """One case, from `metrics.rehearsal.rates_by_case`: work finished in time and too late, and as a line what was offered."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "requests per second")
    if rates.empty:
        style.say_empty(ax, "no requests")
        return ax
    time_s, offered = rates["time_s"].to_numpy(), rates["offered"].to_numpy()
    step_s = float(time_s[1] - time_s[0]) if time_s.size > 1 else 1.0
    edges_s = np.append(time_s, time_s[-1] + step_s)
    stacked = rates[[name for name, _, _ in ENTRIES]].cumsum(axis=1).to_numpy()
    for k, (_, _, color) in enumerate(ENTRIES):
        style.area(ax, edges_s, stacked[:, k], color, below=stacked[:, k - 1] if k else None)
    ax.step(edges_s, np.append(offered, offered[-1]), where="post", color=style.INK, linewidth=0.9)
    ax.set_ylim(0, 1.08 * max(float(offered.max()), float(stacked.max()), 1e-9))
    style.quantity_axis(ax, ticks=4)
    style.time_axis(ax, float(edges_s[0]), float(edges_s[-1]))
    return ax


def draw_rehearsal(tables: Mapping[str, pd.DataFrame], scale: float) -> Figure:
    """The sheet: a row a case, all on one scale, the time of the fault shaded."""
    del scale  # the rehearsal has its own
    cases, seconds = tables["rehearsal_cases"], tables["rehearsal_seconds"]
    rates, fared = rates_by_case(cases, seconds), list(outcomes(cases, seconds).itertuples(index=False))
    service, scale = str(cases["service"].iloc[0]), float(cases["scale"].iloc[0])
    note = (
        f"Real-day counts: those of the rehearsal × {1 / scale:,.0f} (rehearsal.scale {scale:g})." if scale < 1 else ""
    )
    figure, axes = style.sheet(
        1.35 + 1.7 * len(cases),
        "A collapse that outlives its cause" if fared[1].down_s else "A fault that ends when its cause does",
        f"Requests that reach {service} and those that it finishes, means of ten seconds; shaded: the fault",
        note,
        rows=len(cases),
        gap_in=(0.62, 0.45),
    )
    for ax, case, outcome in zip(axes.flat, cases.itertuples(), fared, strict=True):
        plot_rehearsal(rates[str(case.case)], ax)
        ax.set_ylabel("")
        lost = f"{case.case}: {style.quantity(outcome.orders_lost) if outcome.orders_lost else 'no'} orders lost"
        ax.set_title(lost[0].upper() + lost[1:], loc="left", size=9.5, weight="bold", pad=7)
    top = max(ax.get_ylim()[1] for ax in axes.flat)
    for ax, case, outcome in zip(axes.flat, cases.itertuples(), fared, strict=True):
        ax.set_ylim(0, 1.12 * top)  # room for words
        if np.isfinite(case.fault_until_s):
            _mark_fault(ax, case)
            _mark_down(ax, case.fault_until_s, outcome.down_s)
    style.sheet_key(figure, [[(text, color) for _, text, color in ENTRIES] + [("offered", style.INK)]])
    return figure


def _mark_fault(ax: Axes, case: Any) -> None:
    """The time in which machines were missing, and how many were left."""
    ax.axvspan(case.fault_from_s, case.fault_until_s, color=style.GRID, zorder=0, linewidth=0)
    ax.annotate(
        f"{case.fault_machines:,.0f} of {case.machines:,} machines until {clock(case.fault_until_s)[-8:]}",
        (case.fault_until_s, ax.get_ylim()[1]),
        xytext=(5, -1),
        textcoords="offset points",
        size=8,
        color=style.MUTED,
        ha="left",
        va="top",
    )


def _mark_down(ax: Axes, start_s: float, down_s: float) -> None:
    """For how long the service worked for nobody although it had all its machines."""
    if not down_s:
        return
    right_s, height = ax.get_xlim()[1], 0.13 * ax.get_ylim()[1]
    end_s = min(start_s + down_s, right_s)
    beside = end_s < 0.55 * right_s
    ax.annotate("", (start_s, height), (end_s, height), arrowprops={"arrowstyle": "<->", "color": "white"})
    ax.annotate(
        f"{span(end_s - start_s)}{'' if np.isfinite(down_s) else ' and more'} with all machines at work, for nobody",
        (end_s if beside else (start_s + end_s) / 2, height),
        xytext=(8, 10) if beside else (0, 4),
        textcoords="offset points",
        size=8.5,
        color=style.VERMILION if beside else "white",
        weight="bold",
        ha="left" if beside else "center",
        va="bottom",
    )


def span(time_s: float) -> str:
    """Minutes and seconds for people: 580 -> "9 min 40 s"."""
    minutes, rest_s = divmod(round(time_s), 60)
    parts = [f"{minutes} min"] if minutes else []
    return " ".join(parts + ([f"{rest_s} s"] if rest_s or not minutes else []))
