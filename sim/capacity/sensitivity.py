"""How much of what differs between days comes of each input that is not known beforehand.

Sources: I. M. Sobol' (2001), Mathematics and Computers in Simulation 55, doi:10.1016/S0378-4754(00)00270-6; A. Saltelli et al.
(2010), Computer Physics Communications 181(2), doi:10.1016/j.cpc.2009.09.018 (the estimators of scipy.stats.sobol_indices).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sim.draws import stream

CHANCE = "chance"
"""The name of what is left: the seed, an input like the others."""
RESAMPLES = 200


class Index(NamedTuple):
    """Shares of a figure's variance that come of an input: by itself, and with all that it does together with others.

    NaN for a figure that does not vary. Both ends are of 95 % bootstrap intervals.
    """

    figure: str
    name: str
    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float


Measure = Callable[[np.ndarray], np.ndarray]
"""Points, float64[n, inputs + 1] in [0, 1), the last the chance -> float64[n, figures]; NaN where nothing is measured."""


def sobol(measure: Measure, names: Sequence[str], figures: Sequence[str], points: int, seed: int) -> list[Index]:
    """Sobol indices of figures, from `points` times inputs + 3 evaluations.

    Parameters
    ----------
    names : of the inputs, without the chance
    points : a power of 2
    """
    from scipy.stats import qmc  # slow to import

    every = [*names, CHANCE]
    count = len(every)
    draws = np.random.default_rng(int(stream(seed, "capacity.sensitivity")))
    shares = np.asarray(qmc.Sobol(d=2 * count, rng=draws).random(points))
    first, second = shares[:, :count], shares[:, count:]
    mixed = np.array([_with_column(first, second, k) for k in range(count)])
    values = measure(np.concatenate([first, second, mixed.reshape(-1, count)]))
    picks = draws.integers(points, size=(RESAMPLES, points))
    found = []
    for k, figure in enumerate(figures):
        own = values[:, k]
        if not np.isfinite(own).all() or own.std() <= 1e-12 * max(abs(float(own.mean())), 1e-300):
            found += [Index(figure, name, *[float("nan")] * 6) for name in every]
            continue
        by_input = own[2 * points :].reshape(count, points)
        estimate = _indices(own[:points], own[points : 2 * points], by_input)
        again = np.array(
            [_indices(own[:points][rows], own[points : 2 * points][rows], by_input[:, rows]) for rows in picks]
        )
        low, high = np.percentile(again, [2.5, 97.5], axis=0)
        for j, name in enumerate(every):
            by_itself, in_all = ((estimate[i, j], low[i, j], high[i, j]) for i in (0, 1))
            found.append(Index(figure, name, *map(float, by_itself), *map(float, in_all)))
    return found


def _indices(first: np.ndarray, second: np.ndarray, mixed: np.ndarray) -> np.ndarray:
    """First-order and total indices of one figure, float64[2, inputs], by scipy's estimators."""
    from scipy.stats import sobol_indices

    if np.concatenate([first, second]).std() == 0:  # of a resample
        return np.zeros((2, len(mixed)))
    found = sobol_indices(func={"f_A": first[None], "f_B": second[None], "f_AB": mixed[:, None]}, n=first.size)
    return np.array([np.ravel(found.first_order), np.ravel(found.total_order)])


def _with_column(first: np.ndarray, second: np.ndarray, column: int) -> np.ndarray:
    mixed = first.copy()
    mixed[:, column] = second[:, column]
    return mixed
