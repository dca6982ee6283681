"""What is served: customers who arrive at random and pass through stations, one after the other.

workload -> case (draws, the same for every tool) -> tool -> departures from the last station, in order of time
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sim.lab.distributions import Exponential, Times

Serve = Callable[[], Times]
"""Serves a case and returns the departures of all customers from the last station, in order of time [s]."""


class Workload(NamedTuple):
    """Stations in a row, each with exponential service times of mean 1 s and first come first served."""

    name: str
    servers: int  # of each station
    utilisation: float
    stations: int
    customers: int  # for compiled tools; the others serve a share of them
    least: dict[str, float]  # how many times as fast as another tool Peakday has to be


class Case(NamedTuple):
    """One workload's draws: those who come k-th to a station need its k-th service time."""

    servers: int
    gap_s: Times  # float64[n]
    service_s: list[Times]  # of each station, float64[n]


WORKLOADS = (
    Workload("M/M/1, utilisation 0.9", 1, 0.9, 1, 200_000, {"SimPy": 100.0}),
    Workload("M/M/1000, utilisation 0.95", 1000, 0.95, 1, 200_000, {"SimPy": 150.0, "Cimba": 3.5}),
    Workload("six M/M/50 in a row, utilisation 0.9", 50, 0.9, 6, 100_000, {"SimPy": 120.0, "Cimba": 3.0}),
)


def case_of(workload: Workload, customers: int, seed: int) -> Case:
    """The draws of so many of a workload's customers."""
    from sim.draws import stream

    gap = Exponential(kind="exponential", mean_s=1.0 / (workload.servers * workload.utilisation))
    service = Exponential(kind="exponential", mean_s=1.0)
    keys = [stream(seed, f"bench.service.{station}") for station in range(workload.stations)]
    return Case(
        workload.servers,
        gap.draw(stream(seed, "bench.arrival"), customers),
        [service.draw(key, customers) for key in keys],
    )


def in_order(departures_s: list[float]) -> Times:
    """Departures as a tool noted them, which is in order of time."""
    return np.array(departures_s, dtype=np.float64)
