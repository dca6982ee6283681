"""What a sweep asks of whatever runs its tasks, and what may be wrong with that as a whole."""

from types import TracebackType
from typing import Protocol, Self

from sim.sweeps.plan import Task
from sim.sweeps.records import Record

ATTEMPTS = 3
"""Times that a run is begun before it is recorded as failed because its worker died under it."""


class EngineError(Exception):
    """Nothing can be run: workers do not start, the scheduler is not there, or it has other code."""


class Engine(Protocol):
    """Runs tasks at the same time, in any order.

    `start` takes a task when `free` > 0; `finished` waits at most `timeout_s` for records of tasks that came to an end.
    A task whose worker dies is begun again, and recorded as failed after `ATTEMPTS`.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @property
    def workers(self) -> int:
        """Runs that are worked on at the same time."""

    @property
    def free(self) -> int:
        """Tasks that can be taken now."""

    @property
    def running(self) -> int:
        """Tasks that have been taken and not come to an end."""

    def start(self, task: Task) -> None: ...

    def finished(self, timeout_s: float) -> list[Record]: ...
