"""Goals: how far a day is beyond a limit, and what the share of days that meet it says about the probability.

Sources: C. J. Clopper, E. S. Pearson (1934), Biometrika 26(4), doi:10.1093/biomet/26.4.404.
"""

import math
from collections.abc import Sequence

import numpy as np

from sim.capacity.params import GoalParams
from sim.capacity.runs import Figures

FAILED = 1000.0
"""Excess of a day whose run failed or measured nothing: a thousand limits beyond the limit, worse than what runs give."""


def excess(goals: Sequence[GoalParams], figures: Figures | None, counts: Sequence[bool], scale: float) -> np.ndarray:
    """How far each goal is missed, as a share of its limit, or in its unit where the limit is 0; not above 0 where it is met.

    Parameters
    ----------
    figures : of one run; None when it failed
    counts : which figures count shoppers, orders or parcels of the run, whose limits are of the real day
    scale : of the run
    """
    found = np.full(len(goals), FAILED)
    for k, goal in enumerate(goals):
        value = None if figures is None else figures.get(goal.figure)
        if value is not None:
            real = value / scale if counts[k] else value
            found[k] = min(goal.sign * (real - goal.limit) / (abs(goal.limit) or 1.0), FAILED)
    return found


def misses_allowed(probability: float, days: int) -> int:
    """The most days out of so many that may miss a goal whose share of days must reach its probability."""
    return days - math.ceil(probability * days - 1e-9)


def order_statistic(beyond: np.ndarray, misses: int) -> np.ndarray:
    """The excess that all days but `misses` keep to, for each goal: not above 0 exactly if enough days meet it.

    Of fewer days than there are to be, it is what all of them cannot fall below.

    Parameters
    ----------
    beyond : float64[days, goals]
    """
    if beyond.shape[0] <= misses:
        return np.full(beyond.shape[1:], -np.inf)
    return np.asarray(np.sort(beyond, axis=0)[beyond.shape[0] - 1 - misses])


def lower_bound(met: int, days: int, confidence: float) -> float:
    """What a probability is at least, with a confidence, when so many of independent days met the goal; one-sided, exact."""
    if met == 0:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(met, days - met + 1, 1 - confidence))


def interval(met: int, days: int, confidence: float) -> tuple[float, float]:
    """Both ends of the exact two-sided interval of a probability."""
    side = (1 + confidence) / 2
    return lower_bound(met, days, side), 1 - lower_bound(days - met, days, side)


def most_misses(probability: float, days: int, confidence: float) -> int:
    """The most days out of so many that may miss, so that the probability is shown; -1 when even none is too few days."""
    misses = -1
    while misses + 1 < days and lower_bound(days - misses - 1, days, confidence) >= probability:
        misses += 1
    return misses
