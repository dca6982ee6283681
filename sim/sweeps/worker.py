"""A worker process: python -m sim.sweeps.worker DESCRIPTOR. Takes tasks from a socket, answers with records.

Imports and compiled kernels are loaded once. It ends when the driver does, in the middle of a run if need be: what it had not
handed over is run again by the next driver.
"""

import gc
import os
import signal
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any


def main(descriptor: int) -> None:
    """Work until the driver hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the driver
    _rather_me_than_the_driver()
    driver = Connection(descriptor)
    tasks: SimpleQueue[Any] = SimpleQueue()
    threading.Thread(target=_listen, args=(driver, tasks), daemon=True).start()

    from sim import festival, runner, store  # noqa: F401  (now, not in the first run)
    from sim.sweeps.work import run

    driver.send(store.source_hash())
    gc.freeze()  # what has been loaded is never garbage: it is not to be looked through again and again
    while True:
        task, keep = tasks.get()
        driver.send(run(task, keep))
        gc.collect()  # a run's large arrays hang on cycles of small objects, of which there are few


def _listen(driver: "Connection[Any, Any]", tasks: "SimpleQueue[Any]") -> None:
    """Take tasks in while others are worked on, and see at once when the driver is gone."""
    with suppress(EOFError, OSError):
        while True:
            tasks.put(driver.recv())
    os._exit(1)


def _rather_me_than_the_driver() -> None:
    """Where memory runs out, Linux ends a worker, which is replaced, and not the driver."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as score:
        score.write("800")


if __name__ == "__main__":
    main(int(sys.argv[1]))
