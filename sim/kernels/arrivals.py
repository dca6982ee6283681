"""When each shopper comes: the inverse of the cumulative arrival curve at the shopper's own draw."""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.random import uniform


class Curve(NamedTuple):
    """A cumulative arrival curve, linear between K knots."""

    time_s: np.ndarray  # float64[K], increasing
    share: np.ndarray  # float64[K], share of the shoppers who have come, from 0 to 1, non-decreasing
    guide: np.ndarray  # int32[G], for each of G equal steps of the share the last knot at or below it


def guided_curve(time_s: np.ndarray, share: np.ndarray, steps: int = 4096) -> Curve:
    """The curve with its guide table (Chen and Asau 1974, doi:10.1080/05695557408974949)."""
    at = np.searchsorted(share, np.arange(steps) / steps, side="right") - 1
    return Curve(np.asarray(time_s, np.float64), np.asarray(share, np.float64), np.maximum(at, 0).astype(np.int32))


@inlined
def arrival_time(key, shopper, curve):
    """Arrival [s] of one shopper."""
    p = uniform(key, shopper, 0)
    i = curve.guide[np.int64(p * curve.guide.size)]
    while curve.share[i + 1] < p:
        i += 1
    step = curve.share[i + 1] - curve.share[i]
    return curve.time_s[i] + (curve.time_s[i + 1] - curve.time_s[i]) * ((p - curve.share[i]) / step)


@kernel
def index_arrivals(key, cell, cells, shoppers, bucket_s, curve, first, ids):
    """List a cell's shoppers by the bucket of their arrival.

    cell, cells: the shoppers with id % cells == cell are listed. first: int64[B + 1], zeros; on return bucket b holds
    ids[first[b]:first[b + 1]]. ids: uint32[number of the cell's shoppers].
    """
    buckets = first.size - 1
    for shopper in range(cell, shoppers, cells):
        first[min(np.int64(arrival_time(key, shopper, curve) / bucket_s), buckets - 1) + 1] += 1
    for b in range(buckets):
        first[b + 1] += first[b]
    for shopper in range(cell, shoppers, cells):
        b = min(np.int64(arrival_time(key, shopper, curve) / bucket_s), buckets - 1)
        ids[first[b]] = shopper
        first[b] += 1
    for b in range(buckets, 0, -1):
        first[b] = first[b - 1]
    first[0] = 0
