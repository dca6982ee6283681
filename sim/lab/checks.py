"""Set-ups with a known answer: what theory says about each, and how to simulate it once.

`load` multiplies the offered load of the simulated system, through its service times where it has any. It is 1 in
earnest; a check is sharp if it fails at 1.03.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim import theory
from sim.lab.distributions import Specification, deterministic, exponential, hyperexponential, poisson
from sim.lab.hubs import hub
from sim.lab.stations import station
from sim.units import MINUTE_S

if TYPE_CHECKING:
    import pandas as pd

WARM_UP_PERIODS = 1000

Measures = dict[str, float]
"""Values by the name of what is measured."""


class Check(NamedTuple):
    """One set-up."""

    name: str
    law: str
    expected: Callable[[float], Measures]  # load -> values in theory
    simulate: Callable[[int, float, float], Measures]  # seed, share of the full run's length, load -> values measured


class Run(NamedTuple):
    """How a station is run, once: from empty, `jobs` arrivals, of which those before `warm_up_s` are not measured."""

    arrival_per_s: float
    service: Callable[[float], Specification]  # mean service time -> distribution
    service_s: float
    jobs: int
    warm_up_s: float
    servers: int = 1
    capacity: int | None = None

    def table(self, seed: int, share: float, load: float) -> "pd.DataFrame":
        """The table of jobs of one run."""
        return station(
            arrival=poisson(self.arrival_per_s),
            service=self.service(self.service_s * load),
            servers=self.servers,
            capacity=self.capacity,
            jobs=max(1, round(self.jobs * share)) + round(self.warm_up_s * self.arrival_per_s),
            seed=seed,
        )


def time_average(from_s: np.ndarray, until_s: np.ndarray, window_s: tuple[float, float]) -> float:
    """Mean number of intervals [from, until) that are open, over a window of time; intervals with NaN never open."""
    begin_s, end_s = window_s
    open_s = np.minimum(until_s, end_s) - np.maximum(from_s, begin_s)
    return float(np.nansum(np.maximum(open_s, 0.0)) / (end_s - begin_s))


def _delays(run: Run) -> Check:
    def expected(load: float) -> Measures:
        queue = (run.servers, run.arrival_per_s, run.service_s * load)
        return {
            "share that waits": theory.erlang_c(run.servers, run.arrival_per_s * run.service_s * load),
            "mean wait [s]": theory.mmc_wait_s(*queue),
            "90th percentile of the wait [s]": theory.mmc_wait_quantile_s(0.9, *queue),
            "utilisation": min(1.0, run.arrival_per_s * run.service_s * load / run.servers),
        }

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        window_s = (run.warm_up_s, float(jobs["arrival_s"].iloc[-1]))
        wait_s = jobs["wait_s"].to_numpy()[jobs["arrival_s"].to_numpy() >= run.warm_up_s]
        busy = time_average(jobs["start_s"].to_numpy(), jobs["departure_s"].to_numpy(), window_s)
        return {
            "share that waits": float(np.mean(wait_s > 0)),
            "mean wait [s]": float(np.mean(wait_s)),
            "90th percentile of the wait [s]": float(np.quantile(wait_s, 0.9)),
            "utilisation": busy / run.servers,
        }

    law = f"M/M/{run.servers}, {run.arrival_per_s * 60:g} arrivals and 1 service a minute"
    return Check("A1", law, expected, simulate)


def _finite_queue(name: str, run: Run) -> Check:
    """Blocking, and the queue where there is room for one."""
    assert run.capacity is not None
    servers, places = run.servers, run.capacity

    def expected(load: float) -> Measures:
        if places == servers:
            return {"share rejected": theory.erlang_b(servers, run.arrival_per_s * run.service_s * load)}
        steady = theory.mmck(servers, places, run.arrival_per_s, run.service_s * load)
        return {"share rejected": steady.blocked_share, "jobs in queue": steady.queue}

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        window_s = (run.warm_up_s, float(jobs["arrival_s"].iloc[-1]))
        rejected = (jobs["outcome"] == "rejected").to_numpy()[jobs["arrival_s"].to_numpy() >= run.warm_up_s]
        measured = {"share rejected": float(np.mean(rejected))}
        if places > servers:
            measured["jobs in queue"] = time_average(jobs["arrival_s"].to_numpy(), jobs["start_s"].to_numpy(), window_s)
        return measured

    return Check(
        name, f"M/M/{servers}/{places}, offered load {run.arrival_per_s * run.service_s:g}", expected, simulate
    )


def _single_server(law: str, squared_cv: float, run: Run) -> Check:
    def expected(load: float) -> Measures:
        return {"mean wait [s]": theory.mg1_wait_s(run.arrival_per_s, run.service_s * load, squared_cv)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        return {"mean wait [s]": float(jobs["wait_s"].to_numpy()[jobs["arrival_s"].to_numpy() >= run.warm_up_s].mean())}

    return Check("A4", f"{law}, utilisation {run.arrival_per_s * run.service_s:g}", expected, simulate)


def _truck(capacity: int, parcels: float, periods: int) -> Check:
    """A truck a minute; what the first `WARM_UP_PERIODS` bring is not measured. Its load is the parcels that come."""

    def expected(load: float) -> Measures:
        steady = theory.truck_queue(capacity, parcels * load)
        return {"parcels left behind": steady.left_behind, "mean wait [periods]": steady.wait_periods}

    def simulate(seed: int, share: float, load: float) -> Measures:
        in_all = max(1, round(periods * share)) + WARM_UP_PERIODS
        table = hub(arrival_per_period=parcels * load, capacity=capacity, headway_s=MINUTE_S, periods=in_all, seed=seed)
        arrival_s, depart_s = table["arrival_s"].to_numpy(), table["depart_s"].to_numpy()
        trucks_s = MINUTE_S * np.arange(WARM_UP_PERIODS, in_all)
        came = np.searchsorted(arrival_s, trucks_s, side="left")
        went = np.searchsorted(depart_s[~np.isnan(depart_s)], trucks_s, side="right")
        wait_s = table["wait_s"].to_numpy()[arrival_s >= trucks_s[0]]
        return {
            "parcels left behind": float(np.mean(came - went)),
            "mean wait [periods]": float(np.nanmean(wait_s)) / MINUTE_S,
        }

    return Check("E1", f"a truck a period with room for {capacity}, {parcels:g} parcels come", expected, simulate)


def _squared_cv_4(mean_s: float) -> Specification:
    return hyperexponential(mean_s, 2.0)


# Runs are so long, and warm-ups so many relaxation times, that an error of 3 % in the service stands out far from the
# noise. M/M/c relaxes in 1 / (sqrt(c mu) - sqrt(lambda))**2: 49 minutes in A1.
CHECKS = (
    _delays(Run(48 / 60, exponential, 60.0, jobs=800_000, warm_up_s=60_000.0, servers=50)),
    *(
        _finite_queue(
            "A3", Run(arrival_per_s, exponential, 1.0, jobs=400_000, warm_up_s=100.0, servers=10, capacity=20)
        )
        for arrival_per_s in (9.0, 12.0)
    ),
    *(
        _single_server("M/D/1", 0.0, Run(arrival_per_s, deterministic, 1.0, jobs=400_000, warm_up_s=2000.0))
        for arrival_per_s in (0.8, 0.9)
    ),
    _single_server("M/G/1 with squared cv 4", 4.0, Run(0.8, _squared_cv_4, 1.0, jobs=400_000, warm_up_s=4000.0)),
    *(
        _finite_queue(
            "A10", Run(load, exponential, 1.0, jobs=400_000, warm_up_s=20.0, servers=servers, capacity=servers)
        )
        for servers, load in ((10, 10.0), (100, 90.0), (1000, 1000.0))
    ),
    _truck(10, 9.0, periods=40_000),
    _truck(30, 27.0, periods=20_000),
    _truck(100, 90.0, periods=8_000),
)
