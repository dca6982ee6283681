"""The folder of a what-if: its tables, its differences, its figures and its report, written aside and put in place complete.

DIR/whatif.json  differences.json  changed.json  tables/*.parquet  figures/*.svg  report.html
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.report.changed import changed
from sim.report.compared import labelled
from sim.report.whatif import Described, write_whatif_report
from sim.runner import code
from sim.store import TABLES, explained, new_folder, plain, renewed, source_hash
from sim.whatif.findings import BASE, Findings
from sim.whatif.question import Question, Side

FOLDER = "whatif"
DESCRIPTION, DIFFERENCES, CHANGED = "whatif.json", "differences.json", "changed.json"
_LONGEST = 48


def folder(question: Question) -> Path:
    """Where a what-if belongs: OUTPUT/whatif/BASE-CHANGES-scale0.01-KEY."""
    names = "-".join((question.base.name, *(change.name for change in question.changes)))
    slug = re.sub(r"[^A-Za-z0-9_+.]+", "-", names)[:_LONGEST].strip("-")
    return Path(question.output) / FOLDER / f"{slug}-scale{question.base.config['scale']:g}-{question.key[:8]}"


def write(
    question: Question, findings: Findings, runs: Mapping[str, Sequence[Path]], figure: str | None = None
) -> Path:
    """Write the folder of a what-if, or write it anew; the folder.

    Parameters
    ----------
    runs : folders of the results by side, "base" first
    figure : the key figure that the answer begins with; None: the first that differs

    Raises
    ------
    sim.store.StoreError
        When it cannot be written.
    """
    directory = folder(question)
    place = renewed(directory) if (directory / DESCRIPTION).is_file() else new_folder(directory)
    with place as partial, explained(directory):
        _write(partial, question, findings, runs, figure)
    return directory


def _write(
    directory: Path, question: Question, findings: Findings, runs: Mapping[str, Sequence[Path]], figure: str | None
) -> None:
    scale = float(question.base.config["scale"])
    (directory / TABLES).mkdir()
    for name, table in findings._asdict().items():
        table.to_parquet(directory / TABLES / f"{name}.parquet", compression="zstd", index=False)
    folders = {side: [str(one) for one in own] for side, own in runs.items()}
    _write_json(
        directory / DESCRIPTION,
        {
            "words": question.words,
            "scale": scale,
            "seeds": findings.runs.loc[findings.runs["side"] == BASE, "seed"].tolist(),
            "key": question.key,
            "source_hash": source_hash(),
            "sides": [_described(side) for side in question.sides],
            "runs": folders,
        },
    )
    _write_json(
        directory / DIFFERENCES,
        {
            "scale": scale,
            "note": "as in kpis.json: counts are of the runs, not scaled up",
            "rows": findings.differences.to_dict("records"),
        },
    )
    experiments = {change.name: _experiments(change, question.base) for change in question.changes}
    _write_json(
        directory / CHANGED,
        {
            change.name: [
                one._asdict() for one in changed(question.base.config, change.config, experiments[change.name])
            ]
            for change in question.changes
        },
    )
    tables = findings._asdict() | {"differences": labelled(findings.differences, scale)}
    base = question.base
    write_whatif_report(
        directory,
        tables,
        base=Described(base.name, base.about, base.config),
        changes=[Described(c.name, c.about, c.config, experiments[c.name]) for c in question.changes],
        words=question.words,
        runs=folders,
        code=code(),
        figure=figure,
    )


def _described(side: Side) -> dict[str, Any]:
    return {"name": side.name, "experiment": side.experiment, "overrides": side.overrides}


def _experiments(change: Side, base: Side) -> tuple[str, ...]:
    """The experiments that a change adds to its base."""
    own = set(base.experiment.split("+"))
    return tuple(name for name in change.experiment.split("+") if name not in own)


def _write_json(file: Path, values: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
