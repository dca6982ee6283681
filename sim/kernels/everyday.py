"""Everyday parcels in the hubs: whole numbers of parcels beside the festival's rows, in the same line before the sorter.

They come in batches. A batch knows how many rows the sorter takes before it, so that the line is first come, first served to the
last row, whatever happens at the same instant.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined

ONWARD, HERE = range(2)
"""What a batch is made of: parcels for other hubs, and those that are delivered from here."""


class Everyday(NamedTuple):
    """State of the everyday parcels in all hubs; every hub has a ring of unsorted batches."""

    entered_s: np.ndarray  # float64[hubs, places], when a batch was unloaded
    after: np.ndarray  # int64[hubs, places], rows that the sorter takes before it, since the run's begin
    parcels: np.ndarray  # int64[hubs, places, 2], for other hubs, and for here
    first: np.ndarray  # int64[hubs], place of the batch that is next
    batches: np.ndarray  # int64[hubs], how many they are
    taken: np.ndarray  # int64[hubs], rows that the sorter has taken since the run's begin, each as often as it passed
    stored: np.ndarray  # int64[hubs], parcels in the hub
    arrived: np.ndarray  # int64[hubs], parcels unloaded so far
    sorted: np.ndarray  # int64[hubs], parcels sorted so far
    departed: np.ndarray  # int64[hubs], parcels that left so far
    ready: np.ndarray  # int64[hubs, 2], sorted, for other hubs and for here


@inlined
def enter(hub, now_s, onward, here, unsorted_rows, everyday):
    """A batch joins a hub's line, where so many rows stand; there is a place for it."""
    place = (everyday.first[hub] + everyday.batches[hub]) % everyday.after.shape[1]
    everyday.entered_s[hub, place] = now_s
    everyday.after[hub, place] = everyday.taken[hub] + unsorted_rows
    everyday.parcels[hub, place, ONWARD] = onward
    everyday.parcels[hub, place, HERE] = here
    everyday.batches[hub] += 1


@inlined
def next_after(hub, everyday):
    """Rows that a hub's sorter takes, since the run's begin, before the first batch in its line; -1 without one."""
    return everyday.after[hub, everyday.first[hub]] if everyday.batches[hub] > 0 else -1


@inlined
def leave_line(hub, everyday):
    """The first batch of a hub's line is sorted."""
    place = everyday.first[hub]
    everyday.first[hub] = (place + 1) % everyday.after.shape[1]
    everyday.batches[hub] -= 1
    for kind in range(2):
        parcels = everyday.parcels[hub, place, kind]
        everyday.ready[hub, kind] += parcels
        everyday.sorted[hub] += parcels
