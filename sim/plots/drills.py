"""Drills: one on its strip of time, and all of them by kind of fault and verdict."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from sim.plots import style

VERDICT_COLORS = {
    "unnoticed by users": style.GREEN,
    "noticed by users": style.ORANGE,
    "makes it worse": style.VERMILION,
    "never fired": style.FAINT,
    "fault not felt": style.SKY,
    "stopped by the drill's guard": style.PURPLE,
}
_STRIP_S = 5.0
_STEPS = {"detect_s": "detected", "act_s": "acts", "well_s": "well", "undone_s": "undone"}


def plot_timeline(record: Mapping[str, Any], ax: Axes | None = None) -> Axes:
    """Share of the pages that failed, from the fault's onset on: with the fault alone and with the plan; steps as lines.

    record : of a drill of the site, as it is stored
    """
    ax = style.axes_or_new(ax)
    style.dress(ax, "pages that failed", "seconds from the fault's onset")
    ends = []
    top = 0.02
    for way, color, label in (
        ("without", style.VERMILION, "fault alone"),
        ("planned", style.BLUE, "fault and plan"),
        ("usual", style.FAINT, "no fault"),
    ):
        strip = np.array(record[way]["strip"], float)
        if strip.size == 0:
            style.say_empty(ax, "no pages")
            return ax
        time_s = _STRIP_S * (np.arange(strip.size) + 1.0)
        ax.step(time_s, strip, where="pre", color=color, linewidth=1.4, label=label)
        top = max(top, float(strip.max()))
        ends.append((float(strip[-1]), label, color))
    ax.axvspan(0.0, float(record["plan"]["fault"]["lasts_s"]), color=style.VERMILION, alpha=0.07, linewidth=0)
    for name, label in _STEPS.items():
        if record["steps"][name] is not None:
            ax.axvline(record["steps"][name], color=style.INK, linewidth=0.8, linestyle=(0, (3, 2)))
            ax.text(record["steps"][name], 1.02 * top, f" {label}", fontsize=7.5, va="bottom", color=style.INK)
    ax.set_xlim(0.0, _STRIP_S * strip.size)
    ax.set_ylim(0.0, 1.12 * top)
    style.percent_axis(ax)
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, frameon=False, fontsize=7.5)
    return ax


def plot_matrix(counts: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Drills by kind of fault (rows) and verdict (columns), each kind's bar as long as it has drills; from `verdict_counts`."""
    ax = style.axes_or_new(ax)
    style.dress(ax, "", "drills")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    kinds: Sequence[str] = counts.index.tolist()
    places = np.arange(len(kinds))
    left = np.zeros(len(kinds))
    for verdict, color in VERDICT_COLORS.items():
        if verdict not in counts:
            continue
        width = counts[verdict].to_numpy(float)
        ax.barh(places, width, left=left, color=color, height=0.78, label=verdict)
        for place, (start, many) in enumerate(zip(left, width, strict=True)):
            if many > 0.03 * counts.to_numpy().sum(axis=1).max():
                ax.text(start + many / 2, place, f"{many:.0f}", ha="center", va="center", fontsize=6.5, color="white")
        left += width
    ax.set_yticks(places, [kind.replace("_", " ") for kind in kinds], fontsize=7.5)
    ax.invert_yaxis()
    ax.set_xlim(0.0, max(1.0, 1.02 * float(left.max(initial=0.0))))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=7.5)
    return ax
