"""Everyday parcels at a hub: room for them, and their place in the line before its sorter."""

import math

import numpy as np

from sim.kernels.everyday import HERE, ONWARD, Everyday, enter
from sim.kernels.hub import Hubs
from sim.parcels.record import Load

_PLACES = 32  # of unsorted batches at a hub, until there are more


def no_everyday(hubs: int) -> Everyday:
    """Hubs without everyday parcels."""
    return Everyday(
        entered_s=np.empty((hubs, _PLACES)),
        after=np.zeros((hubs, _PLACES), np.int64),
        parcels=np.zeros((hubs, _PLACES, 2), np.int64),
        first=np.zeros(hubs, np.int64),
        batches=np.zeros(hubs, np.int64),
        taken=np.zeros(hubs, np.int64),
        stored=np.zeros(hubs, np.int64),
        arrived=np.zeros(hubs, np.int64),
        sorted=np.zeros(hubs, np.int64),
        departed=np.zeros(hubs, np.int64),
        ready=np.zeros((hubs, 2), np.int64),
    )


def room_for(hubs: Hubs, hub: int, weight: float) -> int:
    """Everyday parcels that a hub has room for now, beside its rows of `weight` parcels."""
    storage, there = float(hubs.storage_parcels[hub]), int(hubs.stored[hub]) * weight
    everyday = int(hubs.everyday.stored[hub])
    room = math.floor(storage - there - everyday)
    return room if there + (everyday + room) <= storage else room - 1


def unload_batch(hubs: Hubs, hub: int, now_s: float, weight: float, load: Load) -> Hubs:
    """Unload everyday parcels at the gate of a hub, which has been advanced, while there is room: those for other hubs first.

    Returns the hubs, which may have got more places for batches.
    """
    room = room_for(hubs, hub, weight)
    onward = min(load.everyday[ONWARD], room)
    here = min(load.everyday[HERE], room - onward)
    if onward + here == 0:
        return hubs
    hubs = with_a_place(hubs, hub)
    enter(hub, now_s, onward, here, hubs.unsorted.length[hub], hubs.everyday)
    hubs.everyday.stored[hub] += onward + here
    hubs.everyday.arrived[hub] += onward + here
    load.everyday = load.everyday[ONWARD] - onward, load.everyday[HERE] - here
    return hubs


def with_a_place(hubs: Hubs, hub: int, to_come: int = 0) -> Hubs:
    """The hubs, with a place for one more unsorted batch at a hub beside those that are to come."""
    everyday = hubs.everyday
    if everyday.batches[hub] + to_come < everyday.after.shape[1]:
        return hubs
    return hubs._replace(everyday=_with_more_places(everyday))


def _with_more_places(everyday: Everyday) -> Everyday:
    """The same batches, each hub's from its first place on, with as many places again."""
    hubs, places = everyday.after.shape
    row, in_order = np.arange(hubs)[:, None], (everyday.first[:, None] + np.arange(places)) % places
    rings = (everyday.entered_s, everyday.after, everyday.parcels)
    larger = (np.concatenate((ring[row, in_order], np.zeros_like(ring)), axis=1) for ring in rings)
    everyday.first[:] = 0
    return everyday._replace(**dict(zip(("entered_s", "after", "parcels"), larger, strict=True)))
