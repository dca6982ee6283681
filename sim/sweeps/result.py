"""What a sweep leaves behind: table, provenance, figures and report, written aside and put in place together."""

import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sim import store
from sim.sweeps import table
from sim.sweeps.folder import PROVENANCE, write_json
from sim.sweeps.plan import Plan
from sim.sweeps.records import DONE
from sim.sweeps.run import Row
from sim.sweeps.stopping import unmet


def write(
    directory: Path,
    plan: Plan,
    rows: Sequence[Row],
    base: Mapping[str, Any],
    *,
    command: str,
    effort: Mapping[str, Any],
    figures: Sequence[str] = (),
) -> None:
    """Write the result of a sweep into its folder.

    Parameters
    ----------
    rows : its runs, by point and replication
    base : the config that the points change
    command : that runs it again
    effort : what it took, for the provenance
    figures : the key figures to draw and to tell about; none chooses them

    Raises
    ------
    sim.store.StoreError
        When the folder cannot be written.
    """
    import pandas as pd

    from sim import plots  # noqa: F401  (its style is set once)
    from sim.metrics.sweeps import chosen
    from sim.plots.sweeps import write_sweep_figures
    from sim.report.sweep import Sweep, label, write_sweep_report

    with store.renewed(directory) as partial:
        table.write(partial / table.FILE_NAME, plan, rows)
        frame = pd.read_parquet(partial / table.FILE_NAME)
        names = chosen(frame, plan.axes, figures)
        about = provenance(plan, rows, command, effort)
        write_json(partial / PROVENANCE, about)
        with store.explained(directory):
            headings = {name: label(name) for name in names}
            drawn = write_sweep_figures(partial, frame, plan.axes, names, headings=headings)
            told = Sweep(frame, plan.axes, [point.values for point in plan.points], names)
            write_sweep_report(partial, told, drawn, base, about)


def provenance(plan: Plan, rows: Sequence[Row], command: str, effort: Mapping[str, Any]) -> dict[str, Any]:
    """How a sweep was made."""
    from sim import runner

    spent = [float(row.record.effort.get("wall_s") or 0.0) for row in rows]
    hosts = sorted({str(row.record.effort["host"]) for row in rows if row.record.effort.get("host")})
    return {
        "command": command,
        "key": plan.key,
        "design": plan.design_key,
        "experiment": plan.experiment,
        "overrides": list(plan.overrides),
        "axes": list(plan.axes),
        "points": len(plan.points),
        "runs": len(rows),
        "failed": sum(row.record.status != DONE for row in rows),
        "seeds": sorted({row.task.settings["seed"] for row in rows}),
        "unmet_goals": _unmet(plan, rows),
        "runs_wall_s": sum(spent),
        "hosts": hosts,
        **effort,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code": runner.code(),
        "versions": runner.versions(),
        "host": {"name": platform.node(), "system": platform.platform()},
    }


def _unmet(plan: Plan, rows: Sequence[Row]) -> list[str]:
    """Points whose intervals stayed too wide with the most replications, in words."""
    found = []
    for number, point in enumerate(plan.points) if plan.goals else ():
        figures = [row.record.kpis for row in rows if row.task.point == number and row.record.status == DONE]
        described = ", ".join(f"{name}={value}" for name, value in point.values.items())
        found += [f"{described}: {goal.name}" for goal in unmet(plan.goals, figures)]
    return found


def described(plan: Plan, row: Row) -> str:
    """A run in words: its point and seed."""
    point = plan.points[row.task.point]
    return ", ".join(
        [*(f"{name}={value}" for name, value in point.values.items()), f"seed={row.task.settings['seed']}"]
    )
