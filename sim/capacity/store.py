"""The folder of a capacity plan: tables, figures, report and how they were made, written aside and put in place together.

OUTPUT/capacity/NAME/plan.json  provenance.json  tables/*.parquet  figures/*.svg  report.html
"""

import hashlib
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sim import store
from sim.capacity.params import PlanFileParams
from sim.capacity.study import Outcome
from sim.capacity.tables import tables
from sim.report.capacity import answer, assumed_in, write_capacity_report
from sim.report.capacity_rows import Plan
from sim.sweeps.folder import write_json

FOLDER = "capacity"
PLAN, PROVENANCE = "plan.json", "provenance.json"


def folder(output: str, name: str, plan: PlanFileParams) -> Path:
    """Where a plan's result belongs: OUTPUT/capacity/NAME-scale0.001-KEY; the key is of the question and the code."""
    text = json.dumps([plan.model_dump(mode="json"), store.source_hash()], sort_keys=True)
    key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return Path(output) / FOLDER / f"{Path(name).stem}-scale{plan.scale:g}-{key[:8]}"


def write(directory: Path, name: str, text: str, found: Outcome, *, command: str, effort: Mapping[str, Any]) -> None:
    """Write the folder of a plan, or write it anew.

    Parameters
    ----------
    name, text : of the plan file
    command : that works it out again
    effort : what it took

    Raises
    ------
    sim.store.StoreError
        When the folder cannot be written.
    """
    plan = found.measures.plan
    frames = tables(found)
    about = provenance(found, command, effort)
    with store.renewed(directory) as partial:
        (partial / store.TABLES).mkdir()
        for table, frame in frames.items():
            frame.to_parquet(partial / store.TABLES / f"{table}.parquet", compression="zstd", index=False)
        told = Plan(
            plan.model_dump(mode="json"), frames, found.chosen.holds, found.in_search, about["runs"], assumed_in(text)
        )
        write_json(
            partial / PLAN, {"name": name, "holds": found.chosen.holds, "answer": answer(told).text, **_chosen(found)}
        )
        write_json(partial / PROVENANCE, about)
        with store.explained(directory):
            base = found.measures.configs.settings("whole", found.chosen.decision, found.days[0])
            write_capacity_report(partial, told, base, about)


def _chosen(found: Outcome) -> dict[str, Any]:
    from sim.capacity.axes import values

    return {
        "plan": values(found.measures.configs.axes, found.chosen.decision),
        "cost_rmb": found.chosen.cost_rmb(found.measures)[0],
        "verified": [one._asdict() for one in found.chosen.shown],
    }


def provenance(found: Outcome, command: str, effort: Mapping[str, Any]) -> dict[str, Any]:
    """How a plan was worked out."""
    from sim import runner

    counts = found.measures.runs.counts
    return {
        "command": command,
        "seed": found.measures.plan.seed,
        "scale": found.measures.plan.scale,
        "runs": {step: one._asdict() for step, one in counts.items()},
        "errors": sorted(set(found.measures.runs.errors.values()))[:10],
        **effort,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": runner.code(),
        "versions": runner.versions() | {name: version(name) for name in ("optuna", "scipy")},
        "host": {"name": platform.node(), "system": platform.platform()},
    }


def summary(found: Outcome) -> list[str]:
    """The answer, and the plan, in lines."""
    told = Plan(found.measures.plan.model_dump(mode="json"), tables(found), found.chosen.holds, found.in_search, {})
    lines = [answer(told).text]
    for row in told.tables["variables"].itertuples():
        chosen = f"{row.chosen:g} {row.unit}" if row.ordered else row.chosen_text
        lines.append(f"  {row.label}: {chosen}")
    return lines
