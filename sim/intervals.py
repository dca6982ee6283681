"""Intervals of a mean over replications: Student's t, for one set of runs and for runs in pairs.

Source: Law (2015), Simulation Modeling and Analysis, 5th edition, sections 4.5 and 10.2.1 (paired t).
"""

from typing import NamedTuple

import numpy as np

LEVEL = 0.95


class Interval(NamedTuple):
    """Means and how far they may be off, an array or a number each; `n` values went into each mean."""

    mean: np.ndarray
    half_width: np.ndarray  # NaN from fewer than two values
    n: int

    @property
    def low(self) -> np.ndarray:
        """Lower ends."""
        return np.asarray(self.mean - self.half_width)

    @property
    def high(self) -> np.ndarray:
        """Upper ends."""
        return np.asarray(self.mean + self.half_width)


def t_interval(values: np.ndarray, level: float = LEVEL) -> Interval:
    """Interval of the mean of independent values, along the first axis.

    Parameters
    ----------
    values : float64[n, ...], a row a replication
    level : share of such intervals that hold the true mean, exact for normal values
    """
    n = values.shape[0]
    mean = np.asarray(values.mean(axis=0))
    if n < 2:
        return Interval(mean, np.full(mean.shape, np.nan), n)
    error = values.std(axis=0, ddof=1) / np.sqrt(n)
    return Interval(mean, t_quantile(0.5 + level / 2, n) * error, n)


def t_quantile(share: float, n: int) -> float:
    """Quantile of Student's t for the mean of n values."""
    from scipy.special import stdtrit  # half a second quicker to import than scipy.stats

    return float(stdtrit(n - 1, share))


def t_p_value(values: np.ndarray) -> np.ndarray:
    """Probability of a mean as far from zero as this one, or farther, if the true mean is zero; along the first axis.

    1 where all values are zero, 0 where they are all equal to something else: what does not vary is certain. NaN from fewer
    than two values.
    """
    from scipy.special import stdtr

    n = values.shape[0]
    mean = np.asarray(values.mean(axis=0))
    if n < 2:
        return np.full(mean.shape, np.nan)
    error = values.std(axis=0, ddof=1) / np.sqrt(n)
    certain = error <= 1e-12 * np.abs(mean)  # the standard deviation of equal numbers is not quite zero
    ratio = np.divide(np.abs(mean), error, out=np.where(mean == 0, 0.0, np.inf), where=~certain)
    return np.asarray(2 * stdtr(n - 1, -ratio))


def false_discoveries_kept_to(share: float, p_values: np.ndarray) -> np.ndarray:
    """Which of many differences to believe, so that at most `share` of those believed are chance; bool[n], False for NaN.

    Source: Benjamini, Hochberg (1995), doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    known = np.flatnonzero(~np.isnan(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    allowed = share * np.arange(1, order.size + 1) / max(order.size, 1)
    passed = np.flatnonzero(p_values[order] <= allowed)
    believed = np.zeros(p_values.size, dtype=bool)
    believed[order[: passed[-1] + 1 if passed.size else 0]] = True
    return believed
