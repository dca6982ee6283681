"""What is asked about all parcels, and who answers without making their table."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Survey(NamedTuple):
    """What is asked about all parcels. C carriers and N cities, numbered as in the `Counter` that is asked."""

    at_s: np.ndarray  # float64[T], instants at which parcels stand somehow, see `sim.metrics.tracking`
    limits_s: tuple[
        float, float, float
    ]  # when a parcel is late: from order to pickup, to the signature, and a signature old
    hub_of: np.ndarray  # int64[C, N], number of the place of the carrier's hub that serves the city
    hubs: int
    band_of: np.ndarray  # int64[N, N], band of the distance between two cities
    bands: int
    bin_s: float  # width of the bins of lead times, whole seconds
    moves_days: int


class Counted(NamedTuple):
    """How many parcels; S states and B kinds of standing as in `sim.metrics`."""

    entered: np.ndarray  # int64[C, S, hours], entered a state by a whole hour and not by the one before
    moves: np.ndarray  # int64[days, S + 1, S + 1], in which state before and after each day; 0: not ordered
    leads: np.ndarray  # int64[C, bands, bins], from order to signature; bin 0: not signed
    by_lane: np.ndarray  # int64[T, C, hubs, hubs, B], ordered by an instant
    by_city: np.ndarray  # int64[T, N, B], of destination
    by_merchant: np.ndarray  # int64[T, merchants, B]


class Counter(NamedTuple):
    """Counts all parcels of a table without making the table."""

    carriers: tuple[str, ...]
    cities: tuple[str, ...]
    answer: Callable[[Survey], Counted]
