"""Runs a plan: what is known is read, the rest handed to an engine, every record kept before it counts."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.sweeps.engine import Engine
from sim.sweeps.plan import Plan, Task
from sim.sweeps.records import DONE, FAILED, Record, Records
from sim.sweeps.stopping import wanted
from sim.sweeps.work import Keep

SECONDS_BETWEEN_LOOKS = 1.0


class Progress(NamedTuple):
    """How far a sweep is: runs that were known, done and failed since, are running, and are still to come."""

    known: int
    done: int
    failed: int
    running: int
    total: int
    elapsed_s: float
    workers: int

    @property
    def left_s(self) -> float | None:
        """Time left [s], if runs go on to take what they took; None while there is nothing to tell from."""
        ended = self.done + self.failed
        missing = self.total - self.known - ended
        return self.elapsed_s / ended * missing if ended else None


class Row(NamedTuple):
    """A run of the sweep with its record."""

    task: Task
    record: Record


Watch = Callable[[Progress], None]


class Sweep:
    """What is known of a plan's runs, and what is still to be run.

    Parameters
    ----------
    plan : checked
    records : of all runs so far; a record of a run that is done, or failed, is taken as it is
    keep : what is kept of each run
    again : run those once more that are recorded as failed
    """

    def __init__(self, plan: Plan, records: Records, keep: Keep, *, again: bool = False) -> None:
        self._plan, self._records, self._keep, self._again = plan, records, keep, again
        self._rows: dict[tuple[int, int], Row] = {}
        self._asked = [0] * len(plan.points)
        self._to_run: deque[Task] = deque()
        self._known = self._done = self._failed = 0
        for replication in range(plan.replications):
            for point in range(len(plan.points)):
                self._ask(point, replication)
        for point in range(len(plan.points)):
            self._extend(point)

    @property
    def missing(self) -> int:
        """Runs that are still to be handed out."""
        return len(self._to_run)

    @property
    def known(self) -> int:
        """Runs that were there before."""
        return self._known

    @property
    def rows(self) -> list[Row]:
        """The runs with their records, by point and replication."""
        return [self._rows[place] for place in sorted(self._rows)]

    def run(self, engine: Engine, watch: Watch | None = None) -> None:
        """Run what is missing.

        Raises
        ------
        sim.sweeps.engine.EngineError
            When the engine fails as a whole; what it has done is kept.
        sim.store.StoreError
            When a record cannot be written.
        """
        started_s = time.monotonic()
        under_way: dict[str, Task] = {}
        while self._to_run or under_way:
            self._hand_out(engine, under_way)
            ended = engine.finished(SECONDS_BETWEEN_LOOKS)
            self._hand_out(engine, under_way)  # nobody waits until records are on the disk
            for record in ended:
                self._records.write(record)
                self._done += record.status == DONE
                self._failed += record.status == FAILED
                self._put(under_way.pop(record.key), record)
            if watch is not None:
                watch(self._progress(engine, time.monotonic() - started_s))

    def _hand_out(self, engine: Engine, under_way: dict[str, Task]) -> None:
        for _ in range(min(engine.free, len(self._to_run))):
            task = self._to_run.popleft()
            under_way[task.key] = task
            engine.start(task)

    def _progress(self, engine: Engine, elapsed_s: float) -> Progress:
        running = min(engine.running, engine.workers)
        return Progress(self._known, self._done, self._failed, running, sum(self._asked), elapsed_s, engine.workers)

    def _ask(self, point: int, replication: int) -> None:
        """Want one more run of a point: its record if there is one, else a task."""
        task = self._plan.task(point, replication)
        self._asked[point] += 1
        record = self._records.read(task.key)
        if record is not None and record.status == FAILED and self._again:
            record = None
        if record is not None and (record.status == FAILED or self._keep.is_there(task)):
            self._known += 1
            self._rows[point, replication] = Row(task, record)
        else:
            self._to_run.append(task)

    def _put(self, task: Task, record: Record) -> None:
        self._rows[task.point, task.replication] = Row(task, record)
        self._extend(task.point)

    def _extend(self, point: int) -> None:
        """Want more replications of a point whose intervals are still too wide, when those so far have come to an end."""
        while self._plan.goals:
            asked = self._asked[point]
            rows = [self._rows.get((point, replication)) for replication in range(asked)]
            ended = [row.record for row in rows if row is not None]
            if len(ended) < asked:
                return
            figures = [record.kpis for record in ended if record.status == DONE]
            more = wanted(self._plan.goals, figures, asked, self._plan.most_replications)
            if more == asked:
                return
            for replication in range(asked, more):
                self._ask(point, replication)


def run_all(tasks: Sequence[Task], engine: Engine, watch: Watch | None = None) -> list[Record]:
    """Run tasks that leave something else behind than a record; the records, in the order in which the tasks ended.

    Raises
    ------
    sim.sweeps.engine.EngineError
        When the engine fails as a whole.
    """
    started_s = time.monotonic()
    to_run = deque(tasks)
    ended: list[Record] = []
    while len(ended) < len(tasks):
        for _ in range(min(engine.free, len(to_run))):
            engine.start(to_run.popleft())
        ended += engine.finished(SECONDS_BETWEEN_LOOKS)
        if watch is not None:
            lost = sum(record.status == FAILED for record in ended)
            running = min(engine.running, engine.workers)
            elapsed_s = time.monotonic() - started_s
            watch(Progress(0, len(ended) - lost, lost, running, len(tasks), elapsed_s, engine.workers))
    return ended


def failures(rows: Sequence[Row]) -> list[Row]:
    """The runs that failed."""
    return [row for row in rows if row.record.status == FAILED]
