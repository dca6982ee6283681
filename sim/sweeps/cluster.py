"""Workers on a cluster: Ray Core, local or at an address. Ray is imported when it is asked for, and never before."""

import os
import socket
from importlib.util import find_spec
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from sim import store
from sim.params.base import ParameterError
from sim.sweeps.engine import ATTEMPTS, EngineError
from sim.sweeps.plan import Task
from sim.sweeps.records import Record, failed
from sim.sweeps.work import Keep

REACHED_WITHIN_S = 10.0
AHEAD = 2  # tasks for each core: one to work on, one that is there when it is done


def check_installed() -> None:
    """Raise ParameterError unless Ray is installed."""
    if find_spec("ray") is None:
        raise ParameterError(["engine=ray needs Ray, which is not installed: pip install 'peakday[cluster]'"])


def check_address(address: str) -> None:
    """Raise ParameterError unless something answers at the address of a scheduler.

    Parameters
    ----------
    address : HOST:PORT of a running cluster or ray://HOST:PORT of its client port; "auto" for the cluster on this machine
    """
    if address == "auto":
        return
    parts = urlsplit(address if "//" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or parts.scheme not in ("", "ray"):
        raise ParameterError([f"address must be HOST:PORT, ray://HOST:PORT or auto, got {address!r}"])
    try:
        socket.create_connection((host, port), timeout=REACHED_WITHIN_S).close()
    except OSError as error:
        told = "no answer" if isinstance(error, TimeoutError) else error.strerror or error
        raise ParameterError(
            [f"the scheduler at address={address} cannot be reached within {REACHED_WITHIN_S:.0f} s: {told}"]
        ) from None


class RayWorkers:
    """An engine on a Ray cluster.

    Parameters
    ----------
    address : of a running cluster; None starts one on this machine, for this sweep
    workers : cores of a cluster that is started here; None for all
    keep : what is kept of each run; its folders have to be the same ones on all machines

    Raises
    ------
    ParameterError
        When Ray is not installed or nothing answers at the address.
    """

    def __init__(self, address: str | None, workers: int | None, keep: Keep) -> None:
        check_installed()
        if address is not None:
            check_address(address)
        self._address, self._wanted, self._keep = address, workers, keep
        self._tasks: dict[Any, Task] = {}
        self._most = 0
        self._ray: Any = None
        self._run: Any = None

    def __enter__(self) -> Self:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        import ray

        start: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
        if self._address is None:
            start |= {"address": "local", "num_cpus": self._wanted, "include_dashboard": False}
        else:
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            start |= {"address": self._address}
        try:
            ray.init(**start)
        except Exception as error:  # of many classes, and all mean the same to the user
            where = "a local Ray cluster" if self._address is None else f"the Ray cluster at {self._address}"
            raise EngineError(f"{where} cannot be used: {' '.join(str(error).split())}") from None
        self._ray = ray
        self._run = ray.remote(num_cpus=1, max_retries=ATTEMPTS - 1)(_checked_run)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ray is not None:
            for reference in self._tasks:
                self._ray.cancel(reference, force=True)
            self._ray.shutdown()

    @property
    def workers(self) -> int:
        """Cores of the cluster now; it may grow and shrink."""
        return max(int(self._ray.cluster_resources().get("CPU", 1)), 1)

    @property
    def running(self) -> int:
        """Tasks that have been taken and not come to an end."""
        return len(self._tasks)

    @property
    def free(self) -> int:
        """Tasks that can be taken now."""
        return max(AHEAD * self.workers - self.running, 0)

    def start(self, task: Task) -> None:
        """Take a task; Ray begins it when a core is free."""
        self._tasks[self._run.remote(store.source_hash(), task, self._keep)] = task

    def finished(self, timeout_s: float) -> list[Record]:
        """Records of tasks that came to an end, after at most `timeout_s`.

        Raises
        ------
        EngineError
            When the cluster is lost, or has other code than the driver.
        """
        from ray.exceptions import RayError, RayTaskError

        try:
            ready, _ = self._ray.wait(list(self._tasks), timeout=timeout_s)
        except (RayError, ConnectionError) as error:
            raise EngineError(f"the cluster is lost: {' '.join(str(error).split())}") from None
        records = []
        for reference in ready:
            task = self._tasks.pop(reference)
            try:
                records.append(self._ray.get(reference))
            except RayTaskError as error:
                raise EngineError(str(error.cause or error)) from None
            except RayError as error:  # the worker or its machine died, as often as it was begun again
                records.append(failed(task.key, f"WorkerDied: {type(error).__name__}, {' '.join(str(error).split())}"))
        return records


def _checked_run(source_hash: str, task: Task, keep: Keep) -> Record:
    """A task on whatever machine this is, if it has the driver's code."""
    from sim import store
    from sim.sweeps.work import run

    if store.source_hash() != source_hash:
        raise EngineError(
            f"{socket.gethostname()} has other code of Peakday than the driver: install the same everywhere"
        )
    return run(task, keep)
