"""Visitors from outside the shoppers, put into a cell's calendar: an attack, or everyone who opens a red packet."""

import numpy as np

from sim.kernels import kernel
from sim.kernels.calendar import push


@kernel
def push_crowd(time_s, shopper, state, bucket_s, calendar):
    """Put visits into the calendar. All come in buckets behind the one that is open, and there are chunks enough.

    time_s: float64[n]; shopper: uint32[n]; state: uint32, packed, the same for all.
    """
    for i in range(time_s.size):
        push(np.int64(time_s[i] / bucket_s), time_s[i], shopper[i], state, calendar)
