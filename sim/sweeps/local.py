"""Workers on this machine: processes of our own, supervised; one that dies is replaced and its run begun again."""

import os
import signal
import socket
import subprocess
import sys
from collections import Counter, deque
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sim
from sim import store
from sim.sweeps.engine import ATTEMPTS, EngineError
from sim.sweeps.plan import Task
from sim.sweeps.records import Record, failed
from sim.sweeps.work import Keep

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_PATIENCE_S = 2.0  # for a worker to end when it is asked to


class _Worker:
    """One process and the socket to it; `task` is what it works on."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sim.sweeps.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=_environment(),
            )
        self.connection: Connection[Any, Any] = Connection(ours.detach())
        self.is_ready = False
        self.task: Task | None = None

    def kill(self) -> None:
        self.process.kill()
        self.connection.close()
        self.process.wait()


class LocalWorkers:
    """An engine on this machine's cores.

    Parameters
    ----------
    workers : processes
    keep : what is kept of each run
    """

    def __init__(self, workers: int, keep: Keep) -> None:
        self.workers = workers
        self._keep = keep
        self._workers: list[_Worker] = []
        self._waiting: deque[Task] = deque()
        self._attempts: Counter[str] = Counter()
        self._stillborn = 0

    def __enter__(self) -> Self:
        self._workers = [_Worker() for _ in range(self.workers)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.kill()
        self._workers = []

    @property
    def running(self) -> int:
        """Tasks that have been taken and not come to an end."""
        return len(self._waiting) + sum(worker.task is not None for worker in self._workers)

    @property
    def free(self) -> int:
        """Tasks that can be taken now: one for each worker that has none."""
        return max(self.workers - self.running, 0)

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.process.pid for worker in self._workers]

    def start(self, task: Task) -> None:
        """Take a task; a free worker begins it at once."""
        self._waiting.append(task)
        self._hand_out()

    def finished(self, timeout_s: float) -> list[Record]:
        """Records of tasks that came to an end, after at most `timeout_s`.

        Raises
        ------
        EngineError
            When workers do not start, or find other code than the driver's.
        """
        records = []
        by_connection = {worker.connection: worker for worker in self._workers}
        for ready in wait(list(by_connection), timeout_s):
            worker = by_connection[ready]  # type: ignore[index]
            try:
                answer = worker.connection.recv()
            except (EOFError, OSError):
                records += self._replace(worker)
                continue
            if isinstance(answer, Record):
                worker.task = None
                records.append(answer)
            else:
                self._greet(worker, answer)
        self._hand_out()
        return records

    def _greet(self, worker: _Worker, source_hash: str) -> None:
        if source_hash != store.source_hash():
            raise EngineError("the code was changed after the sweep had begun; begin it again")
        worker.is_ready = True
        self._stillborn = 0

    def _hand_out(self) -> None:
        for worker in self._workers:
            if self._waiting and worker.is_ready and worker.task is None:
                worker.task = self._waiting.popleft()
                self._attempts[worker.task.key] += 1
                try:
                    worker.connection.send((worker.task, self._keep))
                except OSError:  # it is dead; `finished` will see that, too
                    continue

    def _replace(self, worker: _Worker) -> list[Record]:
        """A new worker in a dead one's place; its task once more or, after enough attempts, as failed."""
        worker.connection.close()
        status = _ended(worker.process)
        self._stillborn += not worker.is_ready
        if self._stillborn > ATTEMPTS * self.workers:
            raise EngineError(f"workers end before they begin ({status}); see the messages above")
        self._workers[self._workers.index(worker)] = _Worker()
        task = worker.task
        if task is None:
            return []
        if self._attempts[task.key] < ATTEMPTS:
            self._waiting.appendleft(task)
            return []
        return [failed(task.key, f"WorkerDied: {ATTEMPTS} workers died in this run, the last by {status}")]


def _ended(process: "subprocess.Popen[bytes]") -> str:
    """How a process ended, in words."""
    try:
        status = process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        status = process.wait()
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name
    return f"{name} (there may have been too little memory)" if name == "SIGKILL" else name


def _environment() -> dict[str, str]:
    """The driver's environment with the same code first on the path, and one thread for each library."""
    root = str(Path(sim.__file__).resolve().parent.parent)
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, **dict.fromkeys(_ONE_THREAD, "1")}
