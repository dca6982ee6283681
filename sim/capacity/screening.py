"""Which variables matter: elementary effects over the whole box.

Sources: M. D. Morris (1991), Technometrics 33(2), doi:10.2307/1269043; F. Campolongo, J. Cariboni, A. Saltelli (2007),
Environmental Modelling & Software 22(10), doi:10.1016/j.envsoft.2006.10.004 (the mean of absolute effects).
"""

import itertools
from collections.abc import Sequence

import numpy as np

from sim.capacity.axes import Axis, Decision


def trajectories(axes: Sequence[Axis], count: int, draws: np.random.Generator) -> list[list[Decision]]:
    """Paths through the box on which each variable is moved once, by half its range, the others staying; in random order."""
    found = []
    for _ in range(count):
        place = []
        for axis in axes:
            levels, step = len(axis.levels), _step(axis)
            start = int(draws.integers(levels - step))
            place.append(start if draws.random() < 0.5 else start + step)
        path = [tuple(place)]
        for k in draws.permutation(len(axes)).tolist():
            step = _step(axes[k])
            up = place[k] + step < len(axes[k].levels) and (place[k] - step < 0 or draws.random() < 0.5)
            place[k] += step if up else -step
            path.append(tuple(place))
        found.append(path)
    return found


def effects(
    axes: Sequence[Axis], paths: Sequence[Sequence[Decision]], outcomes: dict[Decision, np.ndarray]
) -> np.ndarray:
    """Elementary effects: what moving a variable through its whole range would do, at the slope of each path.

    Parameters
    ----------
    outcomes : float64[figures] of each decision

    Returns
    -------
    float64[paths, variables, figures]
    """
    figures = next(iter(outcomes.values())).size
    found = np.zeros((len(paths), len(axes), figures))
    for row, path in zip(found, paths, strict=True):
        for before, after in itertools.pairwise(path):
            moved = next(k for k in range(len(axes)) if before[k] != after[k])
            share = (after[moved] - before[moved]) / (len(axes[moved].levels) - 1)
            row[moved] = (outcomes[after] - outcomes[before]) / share
    return found


def _step(axis: Axis) -> int:
    return max(len(axis.levels) // 2, 1)
