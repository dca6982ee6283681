"""The report of a sweep: what was asked, what came out at its ends, how each figure hangs on the parameters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from sim.metrics.sweeps import Extremes, difference, done, extremes, main_effect, point_means
from sim.plots.figures import FOLDER
from sim.plots.style import quantity
from sim.plots.sweeps import short_names
from sim.report.answers import Answer, kept_together
from sim.report.assumptions import assumptions
from sim.report.compared import known
from sim.report.document import inline_svg
from sim.report.page import closing, rendered
from sim.report.rows import NONE, Table
from sim.units import unit_of

FILE_NAME = "report.html"
MOST_ROWS = 50
MOST_FAILURES = 10
MOST_ANSWERS = 4


class Sweep(NamedTuple):
    """What a sweep's report is made of.

    rows : the sweep's table
    axes : columns of the parameters that differ
    points : the values of the axes at each point, as written
    figures : columns of the key figures that it is about
    """

    rows: pd.DataFrame
    axes: Sequence[str]
    points: Sequence[Mapping[str, str]]
    figures: Sequence[str]


def write_sweep_report(
    directory: Path, sweep: Sweep, drawn: Sequence[str], params: Mapping[str, Any], provenance: Mapping[str, Any]
) -> Path:
    """Write `directory`/report.html: self-contained, no script, no outside reference.

    Parameters
    ----------
    drawn : names of the figures in `directory`/figures
    params : the config that the points change
    provenance : how the sweep was made, any JSON, with its `command`
    """
    figures = [
        Markup(inline_svg((directory / FOLDER / f"{name}.svg").read_text(encoding="utf-8"), name)) for name in drawn
    ]
    text = rendered(
        "sweep.html.j2",
        title=_title(sweep),
        lead=_lead(sweep, float(params["scale"])),
        answers=[answer for name in sweep.figures[:MOST_ANSWERS] if (answer := _answer(sweep, name)) is not None],
        figures=figures,
        points=_points(sweep),
        failures=_failures(sweep),
        unmet=provenance["unmet_goals"],
        **closing(
            directory,
            [one for one in assumptions(params) if one.path not in sweep.axes],
            provenance["command"],
            provenance,
        ),
    )
    path = directory / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _title(sweep: Sweep) -> str:
    hang = "hangs" if len(sweep.figures) == 1 else "hang"
    figures = [text[:1].lower() + text[1:] for text in map(label, sweep.figures)]
    return kept_together(f"How {_listed(figures)} {hang} on {_listed(list(short_names(sweep.axes).values()))}")


def label(figure: str) -> str:
    """A key figure as people call it; with its unit where it has one: the table's numbers are in that."""
    unit = unit_of(figure)
    return f"{known(figure).label} [{unit}]" if unit in ("s", "h") else known(figure).label


def _lead(sweep: Sweep, scale: float) -> str:
    runs, points = len(sweep.rows), len(sweep.points)
    lost = runs - len(done(sweep.rows))
    each = sweep.rows.groupby("point")["seed"].size()
    replications = f"{each.min()}" if each.min() == each.max() else f"{each.min()} to {each.max()}"
    at = "" if "scale" in sweep.axes else f" at scale {scale:g}"
    told = f"{points} points with {replications} replications each: {runs:,} runs{at}"
    return f"{told}, {lost} of which failed." if lost else f"{told}. All came to their end."


def _answer(sweep: Sweep, name: str) -> Answer | None:
    """What a figure is at its least and greatest point, and what moves it most."""
    found = extremes(sweep.rows, sweep.axes, name)
    if found is None:
        return None
    low, high = float(found.least["mean"]), float(found.greatest["mean"])
    if low == high:
        return Answer(label(name), quantity(low), "The same at every point.")
    digits = _digits(low, high)
    text = f"Least at {_at(sweep, found.least)}, greatest at {_at(sweep, found.greatest)}. {_apart(sweep, name, found)}"
    if len(sweep.axes) > 1:
        text += f" {_moved_by(sweep, name, found)}"
    return Answer(label(name), f"{quantity(low, digits)} to {quantity(high, digits)}", kept_together(text))


def _digits(*values: float) -> int:
    """Digits that tell two values apart: three or, for values that are close, more."""
    return next((digits for digits in range(3, 7) if len({quantity(value, digits) for value in values}) > 1), 6)


def _at(sweep: Sweep, point: pd.Series) -> str:
    short = short_names(sweep.axes)
    values = sweep.points[int(point["point"])]
    described = ", ".join(f"{short[name]} = {value}" for name, value in values.items())
    half = f" (± {quantity(float(point['half_width']), 2)})" if point["runs"] > 1 else ""
    return f"{described}{half}"


def _apart(sweep: Sweep, name: str, found: Extremes) -> str:
    """How far the two ends are from one another, seed by seed."""
    mean, half = difference(sweep.rows, int(found.least["point"]), int(found.greatest["point"]), name)
    if pd.isna(half):
        return "One replication tells nothing about chance: add replications."
    told = f"Seed by seed they are {quantity(mean)} ± {quantity(half, 2)} apart"
    return f"{told}." if half < abs(mean) else f"{told}, which may be chance: add replications."


def _moved_by(sweep: Sweep, name: str, found: Extremes) -> str:
    """Along which axis a figure changes most, the others taken together."""
    effect = main_effect(sweep.rows, found.axis, name).dropna(subset="mean").sort_values("mean", kind="stable")
    low, high = effect.iloc[0], effect.iloc[-1]
    digits = _digits(low["mean"], high["mean"])
    return (
        f"{short_names(sweep.axes)[found.axis]} moves it most: on average over the others from "
        f"{quantity(float(low['mean']), digits)} at {_level(low['level'])} to "
        f"{quantity(float(high['mean']), digits)} at {_level(high['level'])}."
    )


def _level(value: object) -> str:
    return str(value) if isinstance(value, str) else f"{value:,.6g}"


def _points(sweep: Sweep) -> Table:
    """Means of the figures at each point."""
    means = {name: point_means(sweep.rows, name).set_index("point") for name in sweep.figures}
    rows = []
    for number, point in enumerate(sweep.points[:MOST_ROWS]):
        cells = [_mean(means[name].loc[number]) for name in sweep.figures]
        runs = int((done(sweep.rows)["point"] == number).sum())
        rows.append((", ".join(point.values()), f"{runs}", *cells))
    note = "Mean over replications ± half-width of its 95 % interval (Student)."
    if len(sweep.points) > MOST_ROWS:
        note += f" {len(sweep.points) - MOST_ROWS} more points are in table.parquet."
    return Table(
        "The points", (", ".join(short_names(sweep.axes).values()), "runs", *map(label, sweep.figures)), rows, note
    )


def _mean(point: pd.Series) -> str:
    if not point["runs"]:
        return NONE
    half = f" ± {quantity(float(point['half_width']), 2)}" if point["runs"] > 1 else ""
    return f"{quantity(float(point['mean']))}{half}"


def _failures(sweep: Sweep) -> Table | None:
    lost = sweep.rows[sweep.rows["status"] != "done"]
    if lost.empty:
        return None
    rows = [
        (", ".join(sweep.points[int(row.point)].values()), str(row.seed), str(row.error))
        for row in lost.head(MOST_FAILURES).itertuples()
    ]
    note = f"{len(lost) - len(rows)} more failures are in table.parquet." if len(lost) > len(rows) else ""
    return Table("Runs that failed", (", ".join(sweep.axes), "seed", "error"), rows, note)


def _listed(names: Sequence[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
