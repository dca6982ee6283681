"""Percentiles from log-bucketed latency histograms.

A percentile is told only where the histogram tells it: NaN when so few were counted that none, or none but the largest, lies
beyond it (p99.99 of 50 answers), and infinity when it lies in the last bucket, which holds all that took longer.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SHARES = (0.5, 0.99, 0.999)
FINE_SHARES = (0.5, 0.9, 0.99, 0.999, 0.9999)
LAST_EDGE_S = 1024.0
"""Upper edge of the last bucket of the recorded histograms [s]: what is counted there took about that long or longer."""


BEYOND_S = LAST_EDGE_S * 63 / 64
"""Its lower edge [s]: percentiles above it are told as infinite."""


class PercentileError(ValueError):
    """A percentile that no histogram records."""


def percentiles(latency_s: np.ndarray, count: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Upper edges of the buckets that hold the order statistics of rank ceil(share * n).

    An exact percentile is never above the returned edge, and below it by less than one bucket.

    Parameters
    ----------
    latency_s : upper edges of the buckets [s], in any order, repeats allowed
    count : answers in each bucket
    shares : above 0 and below 1

    Returns
    -------
    float64[len(shares)] in s; NaN where `least_answers` were not counted, inf beyond the recorded range.

    Raises
    ------
    PercentileError
        When a share is not above 0 and below 1.
    """
    check(shares)
    edge, edges_s = pd.factorize(np.asarray(latency_s, dtype=float), sort=True)
    counts = np.bincount(edge, weights=count, minlength=edges_s.size)
    return _from_counts(edges_s, counts[None, :], shares).ravel()


def least_answers(share: float) -> int:
    """Answers from which a percentile is told: 2 for the median, 10,000 for p99.99, of which one lies beyond it."""
    return int(np.ceil(1 / min(share, 1 - share) * (1 - 1e-12)))


def check(shares: Sequence[float]) -> None:
    """Check that shares are those of percentiles.

    Raises
    ------
    PercentileError
        Naming those that are not.
    """
    wrong = [f"{100 * share:g}" for share in shares if not 0 < share < 1]
    if wrong:
        raise PercentileError(f"a percentile must be > 0 and < 100, got {', '.join(wrong)}")


def percentiles_by(
    histogram: pd.DataFrame, by: Sequence[str], shares: Sequence[float] = FINE_SHARES, *, hour: int | None = None
) -> pd.DataFrame:
    """Answers and latency percentiles of each group over the run, or in one hour of it.

    Parameters
    ----------
    histogram : `page_latency`, `service_latency` or `latency`
    by : columns to group by, such as ("service",) or ("region", "channel"); () puts all into one group
    shares : above 0 and below 1
    hour : hour of the answer, counted from t = 0; None: all

    Returns
    -------
    One row per group that was answered, in order of the categories: the columns of `by`, `answered`, and one column per
    share, named like `p99.9` [s]; NaN and inf as from `percentiles`.
    """
    check(shares)
    rows = histogram if hour is None else histogram[histogram["hour"] == hour]
    edge, edges_s = pd.factorize(rows["latency_s"].to_numpy(), sort=True)
    group, keys = _groups(rows, by)
    weights = rows["count"].to_numpy()
    counts = np.bincount(group * edges_s.size + edge, weights=weights, minlength=len(keys) * edges_s.size)
    counts = counts.reshape(len(keys), edges_s.size)
    values = _from_counts(edges_s, counts, shares)
    found = keys.assign(
        answered=counts.sum(axis=1).astype(np.int64), **dict(zip(map(name, shares), values.T, strict=True))
    )
    return found[found["answered"] > 0].reset_index(drop=True)


def _groups(rows: pd.DataFrame, by: Sequence[str]) -> tuple[np.ndarray, pd.DataFrame]:
    """Number of each row's group, and the groups' values, in order."""
    if not by:
        return np.zeros(len(rows), np.int64), pd.DataFrame(index=pd.RangeIndex(min(len(rows), 1)))
    group = np.zeros(len(rows), np.int64)
    for column in by:
        codes, values = _codes(rows[column])
        group = group * len(values) + codes
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    return group, rows.iloc[first][list(by)].reset_index(drop=True)


def _codes(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.int64), column.cat.categories
    codes, values = pd.factorize(column.to_numpy(), sort=True)
    return codes, pd.Index(values)


def percentiles_by_interval(latency: pd.DataFrame, minutes: int, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """Latency percentiles of all pages in intervals of whole minutes.

    Returns
    -------
    One row per interval with answers: `time_s`, the interval's start [s], and one column per share, named like `p99.9`
    [s]; NaN and inf as from `percentiles`.
    """
    start = pd.DataFrame(
        {
            "time_s": latency["minute"].to_numpy() // minutes * (minutes * 60.0),
            "latency_s": latency["latency_s"].to_numpy(),
            "count": latency["count"].to_numpy(),
        }
    )
    return percentiles_by(start, ("time_s",), shares).drop(columns="answered")


def name(share: float) -> str:
    """Column name of a percentile: 0.999 -> "p99.9"."""
    return f"p{round(100 * share, 4):g}"


def _from_counts(edges_s: np.ndarray, counts: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Percentiles of each row of counts over increasing edges: float64[rows, shares]."""
    totals = counts.sum(axis=1)
    if not edges_s.size:
        return np.full((counts.shape[0], len(shares)), np.nan)
    reached = np.cumsum(counts, axis=1)
    values = np.empty((counts.shape[0], len(shares)))
    for k, share in enumerate(shares):
        # the small subtraction keeps 0.999 * 1000 at 999 in floating point
        ranks = np.maximum(np.ceil(totals * share * (1 - 1e-12)), 1.0)
        edge_s = edges_s[np.argmax(reached >= ranks[:, None], axis=1)]
        values[:, k] = np.where(totals >= least_answers(share), np.where(edge_s < LAST_EDGE_S, edge_s, np.inf), np.nan)
    return values
