"""Measures of a sweep, from its table: means with intervals at points, along axes and over pairs of axes.

All points have the same seeds, so that a replication is one draw of the whole design: an interval over several points is taken
over replications of their mean, and not over runs, which would count the same luck many times.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.intervals import t_interval

DEFAULT = (
    "orders_lost",
    "error_rate_first_hour",
    "latency_p99_s",
    "lead_time_p95_h",
    "hub_overflow_h",
    "cost_rmb",
    "machine_hours",
    "orders",
)
"""Key figures that a sweep is about when nobody says which, those that differ between its points."""
MOST_DEFAULT = 4


class Extremes(NamedTuple):
    """Where a figure is least and greatest, and the axis along which it changes most."""

    least: pd.Series
    greatest: pd.Series
    axis: str
    change: float  # between the least and the greatest mean along that axis


def done(rows: pd.DataFrame) -> pd.DataFrame:
    """The runs that came to their end."""
    return rows[rows["status"] == "done"]


def chosen(rows: pd.DataFrame, axes: Sequence[str], figures: Sequence[str] = ()) -> list[str]:
    """Figures to show: those asked for, or the first of `DEFAULT` that are measured and differ between points."""
    if figures:
        return [name for name in figures if name in rows]
    ended = done(rows)
    told = [name for name in DEFAULT if name in ended and name not in axes and ended[name].notna().any()]
    differing = [name for name in told if ended.groupby("replication")[name].nunique().max() > 1]
    return (differing or told)[:MOST_DEFAULT]


def point_means(rows: pd.DataFrame, figure: str) -> pd.DataFrame:
    """Mean and half-width of its 95 % interval at each point: columns point, runs, mean, half_width."""
    found = []
    for point, own in rows.groupby("point", sort=True):
        values = _values(done(own), figure)
        found.append((point, values.size, *_mean(values)))
    return pd.DataFrame(found, columns=["point", "runs", "mean", "half_width"])


def main_effect(rows: pd.DataFrame, axis: str, figure: str) -> pd.DataFrame:
    """Mean over all other axes at each value of one, with its 95 % interval: columns level, points, mean, half_width."""
    found = [
        (level, own["point"].nunique(), *_mean_over_points(own, figure))
        for level, own in rows.groupby(axis, sort=_has_numbers(rows, axis))
    ]
    return pd.DataFrame(found, columns=["level", "points", "mean", "half_width"])


def grid(rows: pd.DataFrame, across: str, up: str, figure: str) -> pd.DataFrame:
    """Mean at each pair of values of two axes, with the half-width of its 95 % interval: columns across, up, mean, half_width."""
    found = [
        (across_level, up_level, *_mean_over_points(own, figure))
        for (across_level, up_level), own in rows.groupby([across, up], sort=False)
    ]
    return pd.DataFrame(found, columns=["across", "up", "mean", "half_width"])


def extremes(rows: pd.DataFrame, axes: Sequence[str], figure: str) -> Extremes | None:
    """Where a figure is least and greatest; None when it was measured nowhere."""
    means = point_means(rows, figure).dropna(subset="mean")
    if means.empty:
        return None
    changes = {axis: _span(main_effect(rows, axis, figure)["mean"]) for axis in axes}
    axis = max(changes, key=lambda name: changes[name])
    ordered = means.sort_values("mean", kind="stable")
    return Extremes(ordered.iloc[0], ordered.iloc[-1], axis, changes[axis])


def difference(rows: pd.DataFrame, before: int, after: int, figure: str) -> tuple[float, float]:
    """Mean difference of a figure from one point to another, over their common seeds, and half-width of its 95 % interval."""
    table = done(rows).pivot(index="replication", columns="point", values=figure).astype(float)
    return _mean((table[after] - table[before]).dropna().to_numpy())


def _span(values: pd.Series) -> float:
    return float(values.max() - values.min()) if values.notna().any() else 0.0


def _has_numbers(rows: pd.DataFrame, axis: str) -> bool:
    return bool(pd.api.types.is_numeric_dtype(rows[axis]))


def _values(rows: pd.DataFrame, figure: str) -> np.ndarray:
    return np.asarray(rows[figure].dropna().to_numpy(dtype=float))


def _mean_over_points(rows: pd.DataFrame, figure: str) -> tuple[float, float]:
    """Mean over points and replications, and half-width over the replications that all the points have."""
    ended = done(rows)
    table = ended.pivot(index="replication", columns="point", values=figure).astype(float)
    table = table.reindex(columns=rows["point"].unique())
    whole = table.dropna().mean(axis=1).to_numpy()
    return _mean(whole) if whole.size else (_mean(_values(ended, figure))[0], np.nan)


def _mean(values: np.ndarray) -> tuple[float, float]:
    """Mean and half-width of its interval; NaN where there are too few values."""
    interval = t_interval(values) if values.size else None
    return (np.nan, np.nan) if interval is None else (float(interval.mean), float(interval.half_width))
