"""The report of a what-if: question, answer with intervals, base and change in the same axes, and how to run it again."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from sim.metrics.differences import SAME
from sim.plots.figures import FOLDER
from sim.plots.whatif import CAPTIONS, write_change_figures, write_tornados
from sim.report.answers import Answer
from sim.report.assumptions import assumptions
from sim.report.changed import Changed, changed
from sim.report.compared import SENTENCES, answer, difference_rows, group_rows, headline, pairing_text
from sim.report.document import FILE_NAME, inline_svg, is_coarse
from sim.report.page import closing, rendered
from sim.report.rows import Table

MOST_DRAWN = 8
MOST_CHANGED = 40
_GROUP_ROWS = 12
_GROUPS = (
    ("carrier", "By carrier"),
    ("province", "By province of destination, what differs most"),
    ("lane", "By lane of a carrier, what differs most"),
)


class Described(NamedTuple):
    """One side as the report tells of it; `experiments` are those that the change is made of."""

    name: str
    about: str
    config: Mapping[str, Any]
    experiments: tuple[str, ...] = ()


class _Part(NamedTuple):
    """What the report says about one change."""

    heading: str
    about: str
    text: str
    figures: list[str]
    table: Table
    pairing: str
    groups: list[Table]
    changed: list[Changed]
    assumed: int


def write_whatif_report(
    directory: Path,
    tables: Mapping[str, pd.DataFrame],
    *,
    base: Described,
    changes: Sequence[Described],
    words: Sequence[str],
    runs: Mapping[str, Sequence[str]],
    code: Mapping[str, Any],
    figure: str | None = None,
) -> Path:
    """Write `directory`/report.html, self-contained, and its figures.

    Parameters
    ----------
    directory : the folder of the what-if
    tables : `differences`, labelled by `report.compared.labelled`, and `groups`, `curves`, `flows`, `cities`, as in
        `sim.whatif.findings.Findings`
    base, changes : the sides
    words : of the command that asks the question
    runs : folders of the runs by side
    code : which code made them, with its `source_hash`
    figure : the key figure that the answer begins with; None: the first that differs
    """
    scale, seeds = float(base.config["scale"]), int(base.config["replications"])
    differences = tables["differences"]
    chosen = headline(differences, figure)
    drawn = []
    if len(changes) > 1:
        measured = set(differences["figure"])
        order = [name for name in dict.fromkeys((chosen, *SENTENCES)) if name in measured]
        apart = set(differences.loc[differences["verdict"] != SAME, "figure"])
        drawn += write_tornados(directory, differences, [n for n in order if n == chosen or n in apart], base.name)
    parts, answers = [], []
    for place, change in enumerate(changes, 1):
        rows = differences[differences["change_name"] == change.name]
        groups = tables["groups"]
        of_change = groups[groups["change_name"] == change.name] if len(groups) else groups
        verdict, text = answer(rows, chosen, of_change)
        answers.append(Answer(f"{change.name} instead of {base.name}", verdict, text))
        names = []
        if place <= MOST_DRAWN:
            prefix = "" if len(changes) == 1 else f"{place}-"
            names = write_change_figures(
                directory, tables, change=change.name, base=base.name, scale=scale, prefix=prefix
            )
        drawn += names
        differing = changed(base.config, change.config, change.experiments)
        found = (
            [group_rows(of_change, by, heading, scale, _GROUP_ROWS) for by, heading in _GROUPS]
            if len(of_change)
            else []
        )
        parts.append(
            _Part(
                heading=f"{change.name} beside {base.name}" if len(changes) > 1 else "Base and change side by side",
                about=change.about if len(changes) > 1 else "",
                text=text,
                figures=names,
                table=difference_rows(rows),
                pairing=pairing_text(rows),
                groups=[table for table in found if table is not None],
                changed=differing,
                assumed=sum(one.assumed for one in differing),
            )
        )
    listed = ", ".join(change.name for change in changes)
    text = rendered(
        "whatif.html.j2",
        names=listed,
        heading=f"What if: {listed}?" if len(listed) < 90 else f"What if: {len(changes)} changes compared",
        question=_question(base, changes),
        answers=_answers(answers, differences, chosen),
        how=_how(scale, seeds, len(changes)),
        scale=scale,
        coarse=is_coarse(base.config, scale),
        figures={name: _figure(directory, name) for name in drawn},
        parts=parts,
        most_changed=MOST_CHANGED,
        **closing(
            directory,
            assumptions(base.config),
            shlex.join(["peakday", "whatif", *words]),
            {"code": dict(code), "runs": {side: list(own) for side, own in runs.items()}},
        ),
    )
    path = directory / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _question(base: Described, changes: Sequence[Described]) -> str:
    said = f"{base.name}: {base.about}" if base.about else f"{base.name}."
    if len(changes) == 1:
        change = changes[0]
        return f"{change.about or 'One change.'} Compared with {said}"
    return f"What does each of {len(changes)} changes do to {base.name}, and which does the most? {said}"


def _answers(answers: Sequence[Answer], differences: pd.DataFrame, figure: str) -> list[Answer]:
    """One answer for one change; for several a ranking by one figure, in a paragraph."""
    if len(answers) == 1:
        return list(answers)
    rows = differences[differences["figure"] == figure].sort_values(
        "difference", key=abs, ascending=False, kind="stable"
    )
    label, base_text = rows["label"].iloc[0], rows["base_text"].iloc[0]
    sentences = [f"{label}, {base_text} in the base."]
    for row in rows.itertuples():
        if row.differs:
            sentences.append(f"{row.change_name}: {row.change_text}, {row.text} (95 % interval {row.interval_text}).")
        else:
            sentences.append(f"{row.change_name}: {row.word}.")
    first = rows.iloc[0]
    verdict = f"{first['change_name']} does the most" if first["differs"] else "None that these runs can show"
    return [Answer("Which change does the most?", verdict, " ".join(sentences))]


def _how(scale: float, seeds: int, changes: int) -> str:
    size = "One to one: nothing is scaled." if scale == 1 else f"Scale {scale:g}; counts are scaled up to the real day."
    sides = "both sides" if changes == 1 else "all sides"
    drawn = f" Figures are of the first {MOST_DRAWN} changes." if changes > MOST_DRAWN else ""
    return (
        f"{seeds} runs of each side, with the same seeds on {sides}, so that every shopper, parcel and truck has the same luck. "
        f"Intervals are Student’s for {seeds} paired differences. {size}{drawn}"
    )


def _figure(directory: Path, name: str) -> dict[str, Any]:
    caption = CAPTIONS[name.rpartition("-")[2] if name not in CAPTIONS else name]
    svg = (directory / FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    return {"svg": Markup(inline_svg(svg, f"f{name}")), "caption": caption}
