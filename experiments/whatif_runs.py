"""The runs of a what-if: those that are not there yet, on all cores, from the start or branching off from the base's state."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.runner import Replication
    from sim.saves import Branch
    from sim.sweeps.engine import Engine
    from sim.sweeps.plan import Task

STATES = "states"
Sides = Mapping[str, Sequence["Replication"]]  # the base first, each in the same order of seeds


def check_branch(sides: Sides, at_s: float) -> None:
    """Refuse changes that act before the instant at which they are to branch off, before anything is simulated.

    Raises
    ------
    ParameterError
        With every reason.
    """
    from sim.params.base import ParameterError
    from sim.saves import Branch, Origin, StateError, Stop, objections

    (_, base), *changes = ((side, runs[0].params) for side, runs in sides.items())
    problems: list[str] = []
    try:
        Branch(None, Stop(at_s, Path()), Origin("", ())).check(base)
    except StateError as error:
        problems += str(error).replace("save_at", "branch_at").splitlines()
    problems += [
        f"change={side} cannot branch off at {at_s:g} s: {problem}"
        for side, params in changes
        for problem in objections(base, params, at_s)
    ]
    if problems:
        raise ParameterError(problems)


def run_missing(sides: Sides, output: str, workers: int | None, branch_at_s: float | None = None) -> bool:
    """Run what is not there yet; whether everything is there now. What failed is told, and stops nothing else.

    Parameters
    ----------
    output : results folder
    workers : at the same time; None: one for each core that has the memory
    branch_at_s : where the changes branch off from the base; None: all begin at the start

    Raises
    ------
    sim.sweeps.engine.EngineError
        When the workers fail as a whole.
    """
    from sim import store

    runs = [(side, run) for side, own in sides.items() for run in own]
    names = {store.run_key(run.config): f"{side}, seed {run.params.seed}" for side, run in runs}
    missing = [_task(run) for run in _by_seed(sides) if not store.is_result(folder(run))]
    print(f"{len(runs)} runs, {len(runs) - len(missing)} of them there and read; {len(missing)} to run")
    if branch_at_s is None:
        return _complete(missing, output, workers, names)
    trunks, branches = _branching(missing, next(iter(sides.values())), Path(output), branch_at_s)
    done = _complete(trunks, output, workers, names) and _complete(branches, output, workers, names)
    if done:  # the states have served their turn
        for task in trunks:
            if task.branch is not None and task.branch.stop is not None:
                task.branch.stop.file.unlink(missing_ok=True)
    return done


def folder(run: "Replication") -> Path:
    """Where a run's result is."""
    assert run.directory is not None  # `sim.whatif.ask` refuses output=null
    return run.directory


def _by_seed(sides: Sides) -> "list[Replication]":
    """All runs, those of one seed beside each other."""
    return [run for of_seed in zip(*sides.values(), strict=True) for run in of_seed]


def _branching(
    missing: "Sequence[Task]", base: "Sequence[Replication]", output: Path, at_s: float
) -> "tuple[list[Task], list[Task]]":
    """Runs of the base that leave their state at an instant, and the missing changes, each from the state of its seed."""
    from sim.saves import Branch, Origin, Stop
    from sim.store import run_key

    origins = {run_key(run.config): run for run in base}
    changes = [task for task in missing if task.key not in origins]
    wanted = {task.settings["seed"] for task in changes}
    trunks, files = [], {}
    for key, run in origins.items():
        seed = run.params.seed
        files[seed] = output / "whatif" / STATES / f"{key}-{at_s:g}.npz"
        leaves = seed in wanted and not files[seed].is_file()
        if leaves or any(task.key == key for task in missing):
            stop = Stop(at_s, files[seed].absolute()) if seed in wanted else None
            trunks.append(_task(run, Branch(None, stop, Origin(run.experiment, run.overrides))))
    branches = [
        task._replace(
            branch=Branch(files[task.settings["seed"]].absolute(), None, Origin(task.experiment, task.overrides))
        )
        for task in changes
    ]
    return trunks, branches


def _complete(tasks: "Sequence[Task]", output: str, workers: int | None, names: Mapping[str, str]) -> bool:
    """Run some tasks and tell which have failed; whether none has."""
    from experiments.sweep_progress import watch
    from sim.sweeps.records import FAILED
    from sim.sweeps.run import run_all

    if not tasks:
        return True
    with _engine(tasks, output, workers) as engine, watch() as progress:
        ended = run_all(tasks, engine, progress)
    lost = [record for record in ended if record.status == FAILED]
    for record in lost:
        print(f"failed: {names[record.key]}: {record.error}")
    if lost:
        print(f"{len(lost)} of {len(tasks)} runs failed; those that are done are kept: ask again to go on")
    return not lost


def _task(run: "Replication", branch: "Branch | None" = None) -> "Task":
    from sim.store import run_key
    from sim.sweeps.plan import Task

    return Task(run_key(run.config), 0, 0, run.experiment, run.config, run.overrides, branch)


def _engine(tasks: "Sequence[Task]", output: str, workers: int | None) -> "Engine":
    from experiments.workers import local_engine
    from sim.sweeps.work import ALL, Keep

    keep = Keep((ALL,), output=str(Path(output).absolute()))
    return local_engine([task.settings for task in tasks], keep, workers, len(tasks))
