"""The report of a series of drills: coverage, verdicts by kind of fault, one timeline, the worst first."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from sim.metrics.drills import VERDICTS, tally, verdict_counts, worst_first
from sim.plots import style
from sim.plots.drills import plot_matrix, plot_timeline
from sim.plots.figures import svg_text
from sim.report.answers import Answer
from sim.report.assumptions import assumptions
from sim.report.document import inline_svg
from sim.report.page import closing, rendered

FILE_NAME = "report.html"
_WORST = 50
_PAD_IN = 0.2  # a page cuts off the margin in which other figures have their title
_HEAD = (
    "plan",
    "verdict",
    "detected [s]",
    "acted [s]",
    "extra with plan",
    "interval",
    "extra without plan",
    "refused most",
)


def write_report(
    directory: Path,
    drills: pd.DataFrame,
    records: Sequence[Mapping[str, Any]],
    planned: int,
    command: str,
    params: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> Path:
    """Write `directory`/report.html: self-contained, no script, no outside reference.

    Parameters
    ----------
    drills : one row a drill
    records : the drills as stored, for the timeline
    planned : plans that were to be drilled
    command : what runs it again
    params : config of the festival that is drilled
    provenance : which code drilled, any JSON
    """
    counts = verdict_counts(drills)
    shown = _told(records)
    worst = worst_first(drills)
    text = rendered(
        "drills.html.j2",
        answers=[_answer(drills)],
        tally=tally(drills, planned),
        matrix=_drawn("matrix", 1.2 + 0.22 * len(counts), lambda ax: plot_matrix(counts, ax)),
        timeline=None if shown is None else _drawn("timeline", 3.2, lambda ax: plot_timeline(shown, ax)),
        timeline_id="" if shown is None else shown["id"],
        head=_HEAD,
        worst=[_row(row) for row in worst.head(_WORST).itertuples()],
        worse=drills.loc[drills["verdict"] == "makes it worse", "id"].tolist(),
        never=drills.loc[drills["verdict"] == "never fired", "id"].tolist(),
        **closing(directory, assumptions(params), command, provenance),
    )
    path = directory / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _answer(drills: pd.DataFrame) -> Answer:
    """How many faults users do not notice with their plans, and the worst that they meet in spite of one."""
    count = {verdict: int((drills["verdict"] == verdict).sum()) for verdict in VERDICTS}
    unnoticed, noticed, worse, never, unfelt, stopped = count.values()
    felt = len(drills) - unfelt
    sentences = [
        f"Of {len(drills):,} drills the fault was felt in {felt:,}; in {unnoticed:,} of these the plan kept it from the users, "
        f"in {noticed:,} users noticed it, {worse:,} plans made it worse and {never:,} never fired."
    ]
    if stopped:
        sentences.append(f"{stopped:,} drills were stopped by their own guard.")
    met = drills[drills["verdict"].isin((VERDICTS[1], VERDICTS[2]))]
    if len(met):
        worst = met.loc[met["planned_extra_share"].idxmax()]
        sentences.append(
            f"The worst with a plan is {worst['id']}: {_points(worst['planned_extra_share'])} more bad pages or late parcels "
            f"than without the fault (95 % interval {_points(worst['planned_low'])} to {_points(worst['planned_high'])}), "
            f"{_points(worst['without_extra_share'])} without the plan."
        )
    return Answer("Do the plans keep faults from the users?", f"In {unnoticed:,} of {felt:,}", " ".join(sentences))


def _points(share: float) -> str:
    return f"{100 * share:.2f} %"


def _drawn(name: str, height_in: float, draw: Any) -> Markup:
    with mpl.rc_context(style.RC):
        figure = Figure(figsize=(style.WIDTH_IN, height_in), layout=ConstrainedLayoutEngine(w_pad=_PAD_IN))
        draw(figure.subplots())
        return Markup(inline_svg(svg_text(figure), name))


def _told(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The drill of the site whose plan spared the most; None when there is none."""
    of_site = [record for record in records if record["planned"]["strip"] and record["steps"]["act_s"] is not None]
    return max(
        of_site,
        key=lambda record: record["without"]["extra_share"] - record["planned"]["extra_share"],
        default=None,
    )


def _row(row: Any) -> tuple[str, ...]:
    return (
        row.id,
        row.verdict,
        _time(row.detect_s),
        _time(row.act_s),
        f"{100 * row.planned_extra_share:.2f} %",
        f"{100 * row.planned_low:.2f} to {100 * row.planned_high:.2f} %",
        f"{100 * row.without_extra_share:.2f} %",
        _refused_at(row.without_fails_at, row.planned_fails_at),
    )


def _refused_at(without: str, planned: str) -> str:
    """The service that refuses the most, and where the plan has moved that to."""
    return planned if planned == without else f"{without or '–'} → {planned or '–'}"


def _time(value: float | None) -> str:
    return "never" if value is None or value != value else f"{value:,.0f}"
