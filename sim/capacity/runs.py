"""Runs tasks through the workers and records of sweeps: what is known is read, the rest is run, every record is kept."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sim.sweeps.engine import Engine
from sim.sweeps.plan import Task
from sim.sweeps.records import DONE, FAILED, Record, Records
from sim.sweeps.run import SECONDS_BETWEEN_LOOKS

Figures = Mapping[str, Any]


class Progress(NamedTuple):
    """How far a step is: what it is, and its runs that are there out of those asked for so far."""

    step: str
    done: int
    asked: int


Watch = Callable[[Progress], None]


class Counts(NamedTuple):
    """Runs of a step: asked for, of which were known, failed; and the wall time of all of them when they were run [s]."""

    runs: int = 0
    known: int = 0
    failed: int = 0
    wall_s: float = 0.0


class Runs:
    """All runs of a plan, by key; each is counted once, in the step that asked for it first.

    Parameters
    ----------
    engine : runs what is not known
    records : of all runs so far
    watch : told how far a step is
    """

    def __init__(self, engine: Engine, records: Records, watch: Watch = lambda progress: None) -> None:
        self._engine, self._records, self._watch = engine, records, watch
        self._figures: dict[str, Figures | None] = {}
        self.counts: dict[str, Counts] = {}
        self.errors: dict[str, str] = {}

    def figures(self, step: str, tasks: Sequence[Task]) -> list[Figures | None]:
        """Key figures of tasks, in their order; None for a run that failed.

        Raises
        ------
        sim.sweeps.engine.EngineError
            When the engine fails as a whole; what it has done is kept.
        """
        waiting: dict[str, Task] = {}
        for task in tasks:
            if task.key in self._figures or task.key in waiting:
                continue
            record = self._records.read(task.key)
            if record is None:
                waiting[task.key] = task
            else:
                self._take(step, record, known=True)
        to_run, under_way = list(reversed(waiting.values())), set[str]()
        while to_run or under_way:
            for _ in range(min(self._engine.free, len(to_run))):
                task = to_run.pop()
                under_way.add(task.key)
                self._engine.start(task)
            for record in self._engine.finished(SECONDS_BETWEEN_LOOKS):
                self._records.write(record)
                under_way.discard(record.key)
                self._take(step, record, known=False)
            counts = self.counts.get(step, Counts())
            self._watch(Progress(step, counts.runs, counts.runs + len(to_run) + len(under_way)))
        return [self._figures[task.key] for task in tasks]

    def _take(self, step: str, record: Record, *, known: bool) -> None:
        self._figures[record.key] = record.kpis if record.status == DONE else None
        if record.status == FAILED:
            self.errors[record.key] = str(record.error)
        counts = self.counts.get(step, Counts())
        self.counts[step] = Counts(
            counts.runs + 1,
            counts.known + known,
            counts.failed + (record.status == FAILED),
            counts.wall_s + float(record.effort.get("wall_s") or 0.0),
        )
