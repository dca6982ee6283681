"""One run of a sweep, wherever it is run: a task becomes a record, whatever happens on the way."""

import platform
import traceback
from pathlib import Path
from typing import NamedTuple

from sim import store
from sim.sweeps.plan import Task
from sim.sweeps.records import Record, done, failed

ALL = "all"


class Keep(NamedTuple):
    """What is kept of a run besides its key figures, and where.

    names : tables by name; ("all",) for everything that `peakday run` keeps
    tables : folder for the tables, one below it for each run
    output : results folder, for everything
    """

    names: tuple[str, ...] = ()
    tables: str = ""
    output: str = ""

    def is_there(self, task: Task) -> bool:
        """Whether all is kept already that should be kept of a run."""
        if self.names == (ALL,):
            return store.is_result(store.run_folder(self.output, task.experiment, task.settings))
        return not self.names or (Path(self.tables) / task.key).is_dir()


def run(task: Task, keep: Keep) -> Record:
    """Simulate one task. Whatever goes wrong is in the record; nothing is raised but what ends the process."""
    host = platform.node()
    try:
        return done(task.key, _kpis(task, keep), host)
    except Exception as error:  # a failed run is a result of the sweep
        text = " ".join(str(error).split())
        return failed(task.key, f"{type(error).__name__}: {text}".rstrip(": "), traceback.format_exc(), host)


def _kpis(task: Task, keep: Keep) -> dict[str, object]:
    from sim import runner
    from sim.metrics.summary import SUMMARIES
    from sim.params.base import build
    from sim.params.festival import FestivalParams

    if keep.names == (ALL,):
        (replication,) = runner.prepare(task.experiment, task.settings, output=keep.output, overrides=task.overrides)
        result = runner.run(replication, branch=task.branch)
        stop = None if task.branch is None else task.branch.stop
        if (
            task.branch is not None and stop is not None and not stop.file.is_file()
        ):  # the run was there, its state was not
            task.branch.begin(replication.params)
        return result.kpis
    params = build(FestivalParams, task.settings)
    kpis, tables = runner.measured(params, summaries=not set(SUMMARIES).isdisjoint(keep.names))
    if keep.names:
        store.write_tables(Path(keep.tables) / task.key, tables, keep.names)
    return kpis
