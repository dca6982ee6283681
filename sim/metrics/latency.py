"""Percentiles from log-bucketed latency histograms."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

SHARES = (0.5, 0.99, 0.999)


def percentiles(latency_s: np.ndarray, count: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Upper edges of the buckets that hold the order statistics of rank ceil(share * n).

    An exact percentile is never above the returned edge, and below it by less than one bucket.

    Parameters
    ----------
    latency_s : upper edges of the buckets [s], in any order, repeats allowed
    count : answers in each bucket
    shares : between 0 and 1

    Returns
    -------
    float64[len(shares)] in s; NaN when nothing was counted.
    """
    total = int(np.sum(count))
    if total == 0:
        return np.full(len(shares), np.nan)
    order = np.argsort(latency_s, kind="stable")
    reached = np.cumsum(np.asarray(count)[order])
    at = np.searchsorted(reached, _ranks(np.array([total]), shares)[0])
    return np.asarray(np.asarray(latency_s)[order][at])


def percentiles_by_interval(latency: pd.DataFrame, minutes: int, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """Latency percentiles of all pages in intervals of whole minutes.

    Returns
    -------
    One row per interval with answers: `time_s`, the interval's start [s], and one column per share, named like `p99.9`
    [s].
    """
    edge, edges_s = pd.factorize(latency["latency_s"].to_numpy(), sort=True)
    start, starts = pd.factorize(latency["minute"].to_numpy() // minutes * minutes, sort=True)
    counts = np.bincount(
        start * edges_s.size + edge, weights=latency["count"].to_numpy(), minlength=starts.size * edges_s.size
    ).reshape(starts.size, edges_s.size)
    reached = np.cumsum(counts, axis=1)
    answered = reached[:, -1] if edges_s.size else np.zeros(0)
    columns: dict[str, np.ndarray] = {"time_s": starts * 60.0}
    for share, rank in zip(shares, _ranks(answered, shares).T, strict=True):
        columns[name(share)] = edges_s[np.argmax(reached >= rank[:, None], axis=1)] if edges_s.size else np.zeros(0)
    return pd.DataFrame(columns)[answered > 0].reset_index(drop=True)


def by_page(latency: pd.DataFrame, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """Answers and latency percentiles of each page over the run: `page`, `answered` and one column per share [s]."""
    rows = []
    for page, rows_of_page in latency.groupby("page", observed=True):
        values = percentiles(rows_of_page["latency_s"].to_numpy(), rows_of_page["count"].to_numpy(), shares)
        answered = int(rows_of_page["count"].sum())
        rows.append({"page": str(page), "answered": answered, **dict(zip(map(name, shares), values, strict=True))})
    return pd.DataFrame(rows, columns=["page", "answered", *map(name, shares)])


def name(share: float) -> str:
    """Column name of a percentile: 0.999 -> "p99.9"."""
    return f"p{round(100 * share, 4):g}"


def _ranks(totals: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Ranks ceil(share * total), at least 1; the small subtraction keeps 0.999 * 1000 at 999 in floating point."""
    return np.maximum(np.ceil(np.outer(totals, shares) * (1 - 1e-12)), 1.0)
