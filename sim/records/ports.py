"""What goes through the ports between the parts while a run is under way."""

from typing import NamedTuple

import numpy as np


class OrderBatch(NamedTuple):
    """Paid orders on their way from the site to the parcels: arrays of equal length, sorted by (paid_s, shopper, number)."""

    paid_s: np.ndarray  # float64[n]
    shopper: np.ndarray  # uint32[n], or wider
    number: np.ndarray  # uint8[n], or wider; the shopper's first order is 0
    value_rmb: np.ndarray  # float64[n]


def no_orders() -> OrderBatch:
    """An empty batch."""
    return OrderBatch(np.empty(0), np.empty(0, np.uint32), np.empty(0, np.uint8), np.empty(0))


class ServiceLoad(NamedTuple):
    """What a service of the site does: means over an interval, of the run and not scaled up."""

    busy: float  # slots in use
    waiting: float  # requests in its queues
