"""What runs say about the truth: checks G1 and G2.

Intervals hold it as often as they claim, and runs in pairs say more than runs apart.
"""

import math

import numpy as np

from sim.draws import stream
from sim.intervals import t_interval
from sim.kernels.random import uniforms
from sim.lab.arrivals import poisson
from sim.lab.checks.check import Check, Measures
from sim.lab.distributions import exponential
from sim.lab.stations import station

REPLICATIONS = 10
EXPERIMENTS = 1000
BATCH = 1000
_Z_95 = 1.959964


def _coverage() -> Check:
    """How often the t interval of ten normal values holds their mean; planted: the normal quantile in place of Student's."""

    def expected(load: float) -> Measures:
        from scipy.special import stdtr

        if load == 1.0:
            return {"share of intervals that hold the mean": 0.95}
        return {"share of intervals that hold the mean": float(1 - 2 * stdtr(REPLICATIONS - 1, -_Z_95))}

    def simulate(seed: int, share: float, load: float) -> Measures:
        from scipy.special import ndtri

        experiments = max(10, round(EXPERIMENTS * share))
        drawn = np.empty(REPLICATIONS * experiments)
        uniforms(stream(seed, "check.normal"), np.arange(drawn.size), drawn)
        values = ndtri(drawn).reshape(REPLICATIONS, experiments)
        interval = t_interval(values)
        half_width = interval.half_width
        if load != 1.0:
            half_width = _Z_95 * values.std(axis=0, ddof=1) / math.sqrt(REPLICATIONS)
        return {"share of intervals that hold the mean": float(np.mean(np.abs(interval.mean) <= half_width))}

    law = f"95 % t interval of {REPLICATIONS} normal values"
    return Check("G1", law, expected, simulate, "the normal quantile in place of Student's")


def _pairs(offered_load: float, quicker: float, batches: int) -> Check:
    """Whether common draws at least halve the variance of the difference between two M/M/1; planted: other draws.

    Mean sojourns of batches of jobs stand for runs; job i of one queue has the luck of job i of the other.
    """

    def expected(load: float) -> Measures:
        return {"1 if the variance is at least halved": float(load == 1.0)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        count = max(20, round(batches * share))
        base = _sojourns_s(seed, offered_load, 1.0, count)
        apart = _sojourns_s(seed + 1, offered_load, 1.0 / quicker, count)
        paired = _sojourns_s(seed, offered_load, 1.0 / quicker, count) if load == 1.0 else apart
        independent = np.var(base, ddof=1) + np.var(apart, ddof=1)
        return {"1 if the variance is at least halved": float(np.var(base - paired, ddof=1) <= 0.5 * independent)}

    law = f"two M/M/1 on common draws, utilisation {offered_load:g}, one {quicker - 1:.0%} quicker"
    return Check("G2", law, expected, simulate, "each with draws of its own")


def _sojourns_s(seed: int, arrival_per_s: float, service_s: float, batches: int) -> np.ndarray:
    """Mean sojourn of each batch of jobs [s]."""
    jobs = station(
        arrival=poisson(arrival_per_s), service=exponential(service_s), servers=1, jobs=BATCH * batches, seed=seed
    )
    return np.asarray(jobs["sojourn_s"].to_numpy().reshape(batches, BATCH).mean(axis=1))


CHECKS = (_coverage(), _pairs(0.8, 1.05, batches=100))
