"""Worker processes for many runs on this machine: as many as there are cores, and memory for."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.sweeps.engine import Engine
    from sim.sweeps.work import Keep


def local_engine(configs: Sequence[Mapping[str, Any]], keep: "Keep", wanted: int | None, most: int) -> "Engine":
    """An engine on this machine; says so when memory allows fewer workers than are wanted.

    Parameters
    ----------
    configs : of the runs, checked
    keep : what is kept of each run
    wanted : workers; None: one for each core
    most : workers that have something to do
    """
    from sim import machine
    from sim.params.base import build
    from sim.params.festival import FestivalParams
    from sim.sweeps.local import LocalWorkers

    wanted = wanted or machine.cores()
    needed = max(machine.memory_needed_bytes(build(FestivalParams, config)) for config in configs)
    available = machine.memory_available_bytes()
    room = max(int(available // needed), 1) if needed < available else 1
    if room < min(wanted, most):
        print(f"{room} workers instead of {min(wanted, most)}: a run may need {needed / 1e9:.1f} GB")
    return LocalWorkers(max(min(wanted, room, most), 1), keep)
