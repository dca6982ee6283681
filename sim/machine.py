"""What this machine has, and what a run needs of it."""

import os

from sim.params import ParameterError
from sim.params.festival import FestivalParams


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Peak memory of whole runs with their report, measured (docs/scale.md), and a little more.
_BASE_BYTES = 600e6
_SITE_BYTES_PER_SHOPPER = 22.0  # with the orders, which are kept for their table
_INSTANT_BYTES_PER_SHOPPER = 6.5  # the orders, where pages answer at once
_BYTES_PER_PARCEL = 86.0


def memory_needed_bytes(params: FestivalParams) -> float:
    """Estimated peak memory [B] of a run."""
    per_shopper = _INSTANT_BYTES_PER_SHOPPER if params.site is None else _SITE_BYTES_PER_SHOPPER
    rows = 0.0 if params.parcels is None else params.orders.expected_parcels * params.scale
    return _BASE_BYTES + per_shopper * params.shoppers + _BYTES_PER_PARCEL * rows


def memory_available_bytes() -> float:
    """Memory [B] that can be had without swapping; infinite where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return float("inf")
    return 1024.0 * float(kilobytes)


def check_memory(params: FestivalParams) -> None:
    """Refuse a run that does not fit.

    Raises
    ------
    ParameterError
        When the run or its rehearsal needs more memory than can be had.
    """
    available = memory_available_bytes()
    runs = {"scale": params}
    if params.rehearsal is not None and params.site is not None:
        runs["rehearsal.scale"] = params.model_copy(update={"scale": params.rehearsal.scale, "parcels": None})
    problems = [
        f"{name} must leave a run that fits into memory: {run.scale:g} needs about {needed / 1e9:.1f} GB, "
        f"{available / 1e9:.1f} GB are available"
        for name, run in runs.items()
        if (needed := memory_needed_bytes(run)) > available
    ]
    if problems:
        raise ParameterError(problems)
