"""Small sweeps for the tests: plans of the site-less, road-less day, and an engine in this process that does as it is told."""

from collections.abc import Callable, Sequence
from functools import cache
from types import TracebackType
from typing import Any, Self

from sim.compose import axes
from sim.sweeps.plan import Plan, Task, make_plan
from sim.sweeps.records import Record, done
from sim.sweeps.stopping import Goal

QUICK = ("rehearsal=off", "threads=1", "scale=0.0001", "parcels=off", "site=off")
SHARES = ("demand.wireless_share=0.05,0.1",)


def plan_of(*words: str, axis: Sequence[str] = SHARES, **options: Any) -> Plan:
    """The plan of a quick sweep; the same one when it is asked for again."""
    return _plan_of(words, tuple(axis), tuple(options.items()))


@cache
def _plan_of(words: tuple[str, ...], axis: tuple[str, ...], options: tuple[tuple[str, Any], ...]) -> Plan:
    single, several = axes([*axis, *words])
    return make_plan("festival_2012", [*QUICK, *single], several, **dict(options))[0]


def orders_of(task: Task) -> Record:
    """A run that takes no time: so many orders, by its point and seed."""
    kpis = {"scale": 0.0001, "seed": task.settings["seed"], "orders": 100 * task.point + task.settings["seed"] % 7}
    return done(task.key, {**kpis, "latency_p99_s": None, "wall_s": 1.0, "peak_rss_bytes": 1}, "here")


class InlineEngine:
    """Runs tasks in this process when it is asked what has finished, the last that came first."""

    def __init__(self, run: Callable[[Task], Record] = orders_of, workers: int = 2) -> None:
        self.workers, self.ran = workers, list[Task]()
        self._run, self._tasks = run, list[Task]()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tasks.clear()

    @property
    def running(self) -> int:
        return len(self._tasks)

    @property
    def free(self) -> int:
        return self.workers - len(self._tasks)

    def start(self, task: Task) -> None:
        self._tasks.append(task)

    def finished(self, timeout_s: float) -> list[Record]:
        task = self._tasks.pop()
        self.ran.append(task)
        return [self._run(task)]


GOAL = Goal("orders", 5.0, of_mean=False)
