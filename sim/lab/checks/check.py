"""What a check is, and how its station is run and measured."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.lab.arrivals import poisson
from sim.lab.distributions import Specification
from sim.lab.stations import station

if TYPE_CHECKING:
    import pandas as pd

LONGER = "services take 3 % longer"

Measures = dict[str, float]
"""Values by the name of what is measured."""


class Check(NamedTuple):
    """One set-up.

    `load` is 1 in earnest. Anything else is a planted error, which the check has to be able to notice: `planted` says which. Most
    multiply the services by the load; where a law is about structure, any load but 1 breaks that structure.
    """

    name: str
    law: str
    expected: Callable[[float], Measures]  # load -> values in theory
    simulate: Callable[[int, float, float], Measures]  # seed, share of the full run's length, load -> values measured
    planted: str = LONGER
    tolerance: float = (
        0.0  # of a theory that holds for infinitely many or small jobs only, or that is itself an estimate
    )


class Run(NamedTuple):
    """How a station is run, once: from empty, `jobs` arrivals, of which those before `warm_up_s` are not measured."""

    arrival_per_s: float
    service: Callable[[float], Specification]  # mean service time -> distribution
    service_s: float
    jobs: int
    warm_up_s: float
    servers: int = 1
    capacity: int | None = None
    more: dict[str, Any] = {}  # noqa: RUF012, never changed: what else the station is told

    def table(self, seed: int, share: float, load: float) -> "pd.DataFrame":
        """The table of jobs of one run."""
        return station(
            arrival=poisson(self.arrival_per_s),
            service=self.service(self.service_s * load),
            servers=self.servers,
            capacity=self.capacity,
            jobs=max(1, round(self.jobs * share)) + round(self.warm_up_s * self.arrival_per_s),
            seed=seed,
            **self.more,
        )

    def measured(self, seed: int, share: float, load: float) -> "pd.DataFrame":
        """The jobs of one run that came after the warm-up."""
        jobs = self.table(seed, share, load)
        return jobs[jobs["arrival_s"] >= self.warm_up_s]


def time_average(from_s: np.ndarray, until_s: np.ndarray, window_s: tuple[float, float]) -> float:
    """Mean number of intervals [from, until) that are open, over a window of time; intervals with NaN never open."""
    begin_s, end_s = window_s
    open_s = np.minimum(until_s, end_s) - np.maximum(from_s, begin_s)
    return float(np.nansum(np.maximum(open_s, 0.0)) / (end_s - begin_s))
