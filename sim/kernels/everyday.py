"""Everyday parcels in the hubs: whole numbers of parcels beside the festival's rows, in the same line before the sorter.

They come in batches. A batch knows how many rows the sorter takes before it, so that the line is first come, first served to the
last row, whatever happens at the same instant.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.convoys import IN_LINE, leave, release, stand, take

ONWARD, HERE = range(2)
"""What a batch is made of: parcels for other hubs, and those that are delivered from here."""


class Everyday(NamedTuple):
    """State of the everyday parcels in all hubs; their batches are convoys that stand in line."""

    batches: np.ndarray  # int64[hubs], unsorted
    taken: np.ndarray  # int64[hubs], rows that the sorter has taken since the run's begin, each as often as it passed
    stored: np.ndarray  # int64[hubs], parcels in the hub
    arrived: np.ndarray  # int64[hubs], parcels unloaded so far
    sorted: np.ndarray  # int64[hubs], parcels sorted so far
    departed: np.ndarray  # int64[hubs], parcels that left so far
    ready: np.ndarray  # int64[hubs, 2], sorted, for other hubs and for here


def no_everyday(hubs: int) -> Everyday:
    """Hubs without everyday parcels."""
    batches, taken, stored, arrived, done, departed = (np.zeros(hubs, np.int64) for _ in range(6))
    return Everyday(batches, taken, stored, arrived, done, departed, np.zeros((hubs, 2), np.int64))


@inlined
def room_for(storage_parcels, row_parcels, everyday_parcels):
    """Everyday parcels for which a hub has room beside those that are there, and its rows."""
    room = np.int64(math.floor(storage_parcels - row_parcels - everyday_parcels))
    if row_parcels + (everyday_parcels + room) > storage_parcels:
        room -= 1
    return max(room, 0)


@inlined
def unload_batch(hub, convoy, room, now_s, unsorted_rows, everyday, docks, convoys):
    """Parcels of a convoy join a hub's line, where so many rows stand, while there is room: those for other hubs first.

    Returns whether it is empty now; then it stands in line itself.
    """
    onward = min(convoys["onward"][convoy], room)
    here = min(convoys["here"][convoy], room - onward)
    if onward + here == 0:
        return False
    everyday.stored[hub] += onward + here
    everyday.arrived[hub] += onward + here
    docks.everyday[hub] -= onward + here
    everyday.batches[hub] += 1
    convoys["onward"][convoy] -= onward
    convoys["here"][convoy] -= here
    empty = convoys["onward"][convoy] + convoys["here"][convoy] == 0
    batch = convoy if empty else take(convoys)
    convoys["time_s"][batch] = now_s
    convoys["after"][batch] = everyday.taken[hub] + unsorted_rows
    convoys["onward"][batch] = onward
    convoys["here"][batch] = here
    if not empty:
        convoys["rows"][batch] = 0
        stand(hub, IN_LINE, batch, docks, convoys)
    return empty


@inlined
def next_after(hub, everyday, docks, convoys):
    """Rows that a hub's sorter takes, since the run's begin, before the first batch in its line; -1 without one."""
    return convoys["after"][docks.first[hub, IN_LINE]] if everyday.batches[hub] > 0 else -1


@inlined
def leave_line(hub, everyday, docks, convoys):
    """The first batch of a hub's line is sorted."""
    batch = leave(hub, IN_LINE, docks, convoys)
    everyday.batches[hub] -= 1
    everyday.ready[hub, ONWARD] += convoys["onward"][batch]
    everyday.ready[hub, HERE] += convoys["here"][batch]
    everyday.sorted[hub] += convoys["onward"][batch] + convoys["here"][batch]
    release(batch, convoys)


@kernel
def send_on(hour, edges, spread, to, lag_h, ready, due):
    """What is sorted for other hubs at a full hour is on its way to them: by their shares, the parts left over by the draw.

    edges: float64[hubs, others + 1], from 0 to 1, the shares in a row; spread: float64[hubs, hours], draws in [0, 1).
    to: int32[hubs, others]; lag_h: int64[hubs, others], hours on the way. ready: int64[hubs, 2], which is left as it is.
    Output: due int64[hubs, hours], by the hour of arrival, updated; the last column holds all that comes later.
    """
    last = due.shape[1] - 1
    for hub in range(to.shape[0]):
        parcels, draw = np.float64(ready[hub, ONWARD]), spread[hub, hour]
        if parcels == 0.0:
            continue
        sent = math.floor(parcels * edges[hub, 0] + draw)
        for i in range(to.shape[1]):
            until = math.floor(parcels * edges[hub, i + 1] + draw)
            due[to[hub, i], min(hour + lag_h[hub, i], last)] += until - sent
            sent = until
