"""The folder of a sweep: OUTPUT/sweeps/NAME with sweep.json from the start and table, provenance, figures and report at the end.

OUTPUT/sweeps/runs/ beside it has the records of all runs of all sweeps.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sim import store
from sim.sweeps.plan import Plan

SWEEPS, RUNS, TABLES = "sweeps", "runs", "tables"
ABOUT, PROVENANCE = "sweep.json", "provenance.json"


def folder_of(output: str | Path, plan: Plan) -> Path:
    """Where a sweep's result belongs."""
    return Path(output) / SWEEPS / plan.name


def records_folder(output: str | Path) -> Path:
    """Where the records of all sweeps of a results folder are."""
    return Path(output) / SWEEPS / RUNS


@contextmanager
def opened(directory: Path, plan: Plan) -> Iterator[None]:
    """Make a sweep's folder and keep other processes from the same sweep while the block runs; a lock dies with its process.

    Raises
    ------
    sim.store.StoreError
        When the folder cannot be written or another process is at this sweep.
    """
    with store.claimed(directory):
        about = {
            "design": plan.design_key,
            "code": store.source_hash(),
            "axes": list(plan.axes),
            "points": len(plan.points),
            "replications": plan.replications,
        }
        write_json(directory / ABOUT, about)
        yield


def of_other_code(output: str | Path, plan: Plan) -> list[Path]:
    """Folders of the same sweep by other code: what they hold is not what this code gives."""
    found = []
    for file in sorted((Path(output) / SWEEPS).glob(f"*/{ABOUT}")):
        try:
            about = json.loads(file.read_text(encoding="utf-8"))
            if about["design"] == plan.design_key and about["code"] != store.source_hash():
                found.append(file.parent)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """A file of values that is there whole or not at all."""
    with store.explained(file.parent):
        partial = file.with_name(f".{file.name}.partial-{os.getpid()}")
        try:
            partial.write_text(json.dumps(store.plain(values), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
