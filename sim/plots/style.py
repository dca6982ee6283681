"""The house style: colours, axes, ticks and direct labels. Everything that makes the figures look like one family.

The palette is Okabe and Ito's (2008, "Color universal design"), safe for colour-blind readers; warm colours mean that
something waits or fails, cool ones that it moves or is done.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea, VPacker
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, MaxNLocator

from sim.units import DAY_S, HOUR_S, MINUTE_S, day_label

INK = "#17222d"
MUTED = "#5d6b78"
FAINT = "#aab4bd"
GRID = "#e6eaee"
BLUE = "#0072b2"
SKY = "#7cc4ec"
GREEN = "#009e73"
VERMILION = "#d55e00"
ORANGE = "#e69f00"
PURPLE = "#a04a86"
DASHED = ("slots", "storage")
LINED = ("sent", "offered", "load", "everyday, out of the hubs")

RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.color": INK,
    "axes.unicode_minus": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "peakday",
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "path.simplify": True,
}
"""Settings under which figures are drawn; `svg.hashsalt` makes the same tables give the same bytes."""

WIDTH_IN = 8.2
_MARGIN_LEFT_IN, _MARGIN_RIGHT_IN = 0.66, 0.32
_TOP_IN, _BOTTOM_IN, _NOTE_IN = 0.92, 0.38, 0.3
_XLABEL_IN = 0.15
TITLE_X = 0.012


def sheet(
    height_in: float,
    title: str,
    subtitle: str,
    note: str = "",
    *,
    rows: int = 1,
    columns: int = 1,
    right_in: float = _MARGIN_RIGHT_IN,
    left_in: float = _MARGIN_LEFT_IN,
    gap_in: tuple[float, float] = (0.55, 0.45),
    height_ratios: Sequence[float] | None = None,
    width_ratios: Sequence[float] | None = None,
    sharex: bool = False,
    sharey: bool = False,
    xlabel: bool = False,
    titles_in: float = 0.0,
    labels_in: float = 0.0,
) -> tuple[Figure, np.ndarray]:
    """A figure with title, subtitle and note in place, and its axes as an array of shape (rows, columns).

    `gap_in` is (vertical, horizontal) space between axes [in]; `xlabel` leaves room for a label below the ticks,
    `titles_in` for more than one line of titles above the axes, `labels_in` for more than one line of labels below [in].
    """
    figure = Figure(figsize=(WIDTH_IN, height_in))
    bottom_in = _BOTTOM_IN + (_NOTE_IN if note else 0.0) + (_XLABEL_IN if xlabel else 0.0) + labels_in
    inner_w = WIDTH_IN - left_in - right_in - (columns - 1) * gap_in[1]
    top_in = _TOP_IN + titles_in
    inner_h = height_in - top_in - bottom_in - (rows - 1) * gap_in[0]
    grid = {
        "left": left_in / WIDTH_IN,
        "right": 1 - right_in / WIDTH_IN,
        "top": 1 - top_in / height_in,
        "bottom": bottom_in / height_in,
        "hspace": gap_in[0] / (inner_h / rows),
        "wspace": gap_in[1] / (inner_w / columns),
        "height_ratios": height_ratios,
        "width_ratios": width_ratios,
    }
    axes = figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey, gridspec_kw=grid)
    figure.text(TITLE_X, 1 - 0.13 / height_in, title, size=13, weight="bold", va="top")
    figure.text(TITLE_X, 1 - 0.39 / height_in, subtitle, size=9, color=MUTED, va="top")
    if note:
        figure.text(TITLE_X, 0.09 / height_in, note, size=7.5, color=MUTED, va="bottom")
    return figure, axes


def scale_note(scale: float) -> str:
    """What was done to the counts, or nothing for a run of the whole day."""
    if scale == 1:
        return ""
    return f"Real-day equivalents: counts of the run × {1 / scale:,.0f} (scale {scale:g})."


def axes_or_new(ax: Axes | None) -> Axes:
    """`ax`, or the axes of a new pyplot figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot  # slow to import, and a run that draws on its own figures never needs it

    with mpl.rc_context(RC):
        return pyplot.subplots(figsize=(WIDTH_IN, 4.0))[1]


def dress(ax: Axes, ylabel: str = "", xlabel: str = "") -> None:
    """Horizontal grid, no frame, and the unit of y written flat above its axis."""
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_color(FAINT)
    ax.grid(axis="y", color=GRID, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.tick_params(axis="y", length=0, labelsize=8, labelcolor=MUTED, pad=4)
    ax.tick_params(axis="x", length=3, color=FAINT, labelsize=8, labelcolor=MUTED)
    ax.set_xlabel(xlabel, size=8, color=MUTED)
    ax.set_ylabel(ylabel, size=8, color=MUTED, rotation=0, ha="left", va="bottom")
    ax.yaxis.set_label_coords(0.0, 1.025)


def quantity(value: float, digits: int = 3) -> str:
    """A number for people: 13204 -> "13,200", 1.62e6 -> "1.62 M", 1.91e10 -> "19.1 bn"."""
    for limit, unit in ((1e9, " bn"), (1e6, " M")):
        if abs(value) >= limit * (1 - 0.5 * 10.0**-digits):
            return f"{float(f'{value / limit:.{digits}g}'):g}{unit}"
    rounded = float(f"{value:.{digits}g}")
    return f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) or rounded == int(rounded) else f"{rounded:g}"


def segment_name(region: str, channel: str = "") -> str:
    """A region, or one of its channels, for people: "hong_kong", "pc" -> "Hong Kong · pc"."""
    return " · ".join([region.replace("_", " ").title(), *([channel] if channel else [])])


def quantity_axis(ax: Axes, ticks: int = 5) -> None:
    """y from 0, few round ticks with thousands separators, M or bn."""
    top = ax.get_ylim()[1]
    ax.set_ylim(0, top if np.isfinite(top) and top > 0 else 1)
    ax.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(value)))


def percent_axis(ax: Axes, ticks: int = 5) -> None:
    """y as a percentage of 1."""
    ax.yaxis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:,.4g} %"))


def time_axis(ax: Axes, start_s: float, end_s: float, most: int = 12) -> None:
    """x in seconds, at most `most` labels: by the clock (00:05) within two days and by the calendar (12 Nov) beyond."""
    span_s = max(end_s - start_s, 1.0)
    ax.set_xlim(start_s, start_s + span_s)
    if span_s > 2 * DAY_S:
        step_s = next(days * DAY_S for days in (1, 2, 3, 5, 7, 14, 28, 365) if span_s / (days * DAY_S) < most)
    else:
        choices = [10.0, 30.0, MINUTE_S, 120.0, 300.0, 600.0, 1800.0]
        choices += [hours * HOUR_S for hours in (1, 2, 3, 6, 12)]
        step_s = next((step for step in choices if span_s / step <= most), DAY_S)
    ticks_s = np.arange(np.ceil(start_s / step_s), np.floor((start_s + span_s) / step_s) + 1) * step_s
    ax.xaxis.set_major_locator(FixedLocator(ticks_s.tolist()))
    ax.xaxis.set_major_formatter(FixedFormatter([_tick_label(time_s, step_s, end_s) for time_s in ticks_s]))


def _tick_label(time_s: float, step_s: float, end_s: float) -> str:
    if step_s >= DAY_S:
        return day_label(int(time_s // DAY_S)) if time_s >= 0 else f"{11 + int(time_s // DAY_S)} Nov"
    if time_s == DAY_S == end_s:
        return "24:00"
    rest_s = int(time_s % DAY_S)
    label = f"{rest_s // 3600:02d}:{rest_s // 60 % 60:02d}"
    return f"{label}:{rest_s % 60:02d}" if step_s < MINUTE_S else label


def area(
    ax: Axes, edges_s: np.ndarray, above: np.ndarray, color: str, *, below: np.ndarray | None = None, alpha: float = 1.0
) -> None:
    """Filled steps between `below` (0) and `above`, each from its edge to the next, wherever there is something between.

    One polygon for each stretch, with corners only where a value changes: small files, and none of the slow search for limits,
    which the caller sets.
    """
    floor = np.zeros(above.size) if below is None else below
    inside = np.concatenate(([False], above > floor, [False]))
    bounds = np.flatnonzero(inside[1:] != inside[:-1])
    polygons = []
    for first, last in zip(bounds[::2], bounds[1::2], strict=True):
        top = _outline(edges_s[first : last + 1], above[first:last])
        bottom = _outline(edges_s[first : last + 1], floor[first:last])
        polygons.append(np.concatenate((top, bottom[::-1])))
    ax.add_collection(PolyCollection(polygons, facecolors=color, alpha=alpha, linewidths=0, snap=False), autolim=False)


def _outline(edges_s: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Corners of a flight of steps."""
    starts = np.flatnonzero(np.append(True, values[1:] != values[:-1]))
    return np.stack((np.repeat(edges_s[np.append(starts, values.size)], 2)[1:-1], np.repeat(values[starts], 2)), axis=1)


def key(ax: Axes, entries: Sequence[tuple[str, str]], x: float = 1.0, y: float = 1.0) -> None:
    """Coloured squares with words above the axes, right-aligned, in place of a legend: (text, colour) each."""
    ax.add_artist(
        AnchoredOffsetbox(
            "lower right",
            child=_key_row(entries),
            frameon=False,
            pad=0,
            borderpad=0.25,
            bbox_to_anchor=(x, y),
            bbox_transform=ax.transAxes,
        )
    )


def sheet_key(figure: Figure, rows: Sequence[Sequence[tuple[str, str]]]) -> None:
    """The same in the top right corner of a sheet, one or more rows."""
    packed = VPacker(children=[_key_row(row) for row in rows], pad=0, sep=4, align="left")
    anchor = (1 - 0.16 / WIDTH_IN, 1 - 0.1 / figure.get_figheight())
    figure.add_artist(
        AnchoredOffsetbox(
            "upper right",
            child=packed,
            frameon=False,
            pad=0,
            borderpad=0,
            bbox_to_anchor=anchor,
            bbox_transform=figure.transFigure,
        )
    )


def _sign(text: str) -> str:
    """What stands for a mark in a key: a square for an area, strokes for a line."""
    return "- -" if text in DASHED else "—" if text in LINED else "■"


def _key_row(entries: Sequence[tuple[str, str]]) -> HPacker:
    pairs: list[Artist] = [
        HPacker(
            children=[
                TextArea(_sign(text), textprops={"color": color, "size": 8.5}),
                TextArea(text, textprops={"color": INK, "size": 8.5}),
            ],
            pad=0,
            sep=3,
        )
        for text, color in entries
    ]
    return HPacker(children=pairs, pad=0, sep=11)


def label_ends(ax: Axes, ends: Sequence[tuple[float, str, str]], gap_pt: float = 11.0) -> None:
    """Direct labels at the right edge, (y, text, colour) each, moved apart so that none touches another.

    Call it when the axes' limits and position are final.
    """
    if not ends:
        return
    height_pt = ax.get_window_extent().height * 72.0 / ax.figure.dpi
    to_axes = ax.transData + ax.transAxes.inverted()
    wanted = np.array([to_axes.transform((ax.get_xlim()[1], y))[1] for y, _, _ in ends])
    for k, place in zip(np.argsort(wanted, kind="stable"), spread(np.sort(wanted), gap_pt / height_pt), strict=True):
        _, text, color = ends[k]
        ax.text(1.008, place, text, transform=ax.transAxes, color=color, size=8.5, va="center", ha="left")


def spread(wanted: np.ndarray, gap: float) -> np.ndarray:
    """Places near the increasing `wanted`, at least `gap` apart: those that are too close are centred on their mean."""
    clusters: list[list[float]] = []
    for place in wanted.tolist():
        clusters.append([place, 1.0])
        while len(clusters) > 1 and clusters[-1][0] - clusters[-2][0] < gap * (clusters[-1][1] + clusters[-2][1]) / 2:
            (mean_b, n_b), (mean_a, n_a) = clusters.pop(), clusters.pop()
            clusters.append([(mean_a * n_a + mean_b * n_b) / (n_a + n_b), n_a + n_b])
    return np.concatenate([mean + gap * (np.arange(n) - (n - 1) / 2) for mean, n in clusters]) if clusters else wanted


def say_empty(ax: Axes, text: str) -> None:
    """Words instead of marks, for a table without rows."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, color=MUTED, ha="center", va="center", size=9)
    ax.set_yticks([])
