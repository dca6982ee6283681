"""Hubs: unloading at the gate and one sorter line each, first come, first served."""

from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import uniform
from sim.kernels.rows import Queues, append_chain, pop, push


class Hubs(NamedTuple):
    """State of all hubs of all carriers. A row is stored from its unloading to its departure, or until it is found to be lost."""

    row_sort_s: np.ndarray  # float64[hubs], seconds of sorting a row
    room_rows: np.ndarray  # int64[hubs], rows that the storage holds
    free_s: np.ndarray  # float64[hubs], when the sorter line has finished its last row
    stored: np.ndarray  # int64[hubs], rows in the hub
    arrived: np.ndarray  # int64[hubs], rows unloaded so far
    sorted: np.ndarray  # int64[hubs], rows sorted so far
    departed: np.ndarray  # int64[hubs], rows that left so far
    gate: Queues  # [hubs], rows on vehicles that wait
    unsorted: Queues  # [hubs]
    lanes: Queues  # [lanes], sorted, for another hub
    delivery: Queues  # [carriers * cities], sorted, for an outlet


class Routes(NamedTuple):
    """Where a row goes next."""

    hub_of: np.ndarray  # int32[carriers, cities], the hub that serves the city
    next_lane: np.ndarray  # int32[hubs, hubs], the lane from the first hub on the way to the second
    lost_share: float
    lost_key: np.uint64


@kernel
def is_lost(key, share, shopper, number):
    """Whether a parcel gets lost on its way; it is missed when its last hub would have sorted it."""
    return uniform(key, shopper, number) < share


@kernel
def unload(hub, now_s, routes, rows, hubs):
    """Unload rows from the vehicles at a gate, in their order, while there is room. Returns how many."""
    count = min(hubs.room_rows[hub] - hubs.stored[hub], hubs.gate.length[hub])
    for _ in range(count):
        row = pop(hubs.gate, hub, rows["next_row"])
        carrier = rows["carrier"][row]
        if np.isnan(rows["origin_hub_s"][row]):
            rows["origin_hub_s"][row] = now_s
        if routes.hub_of[carrier, rows["destination"][row]] == hub:
            rows["destination_hub_s"][row] = now_s
        rows["entered_s"][row] = now_s
        push(hubs.unsorted, hub, row, rows["next_row"])
    hubs.stored[hub] += count
    hubs.arrived[hub] += count
    return count


@kernel
def sort(first_hub, end_hub, until_s, routes, rows, hubs):
    """Advance the sorter lines of hubs first .. end - 1: every row that is done before `until_s`, none at or after it.

    A sorted row queues for its lane or, in its last hub, for its outlet, unless it is missed there. Returns how many were missed.
    """
    lost = 0
    cities = routes.hub_of.shape[1]
    for hub in range(first_hub, end_hub):
        while hubs.unsorted.length[hub] > 0:
            row = hubs.unsorted.head[hub]
            done_s = max(hubs.free_s[hub], rows["entered_s"][row]) + hubs.row_sort_s[hub]
            if done_s >= until_s:
                break
            pop(hubs.unsorted, hub, rows["next_row"])
            hubs.free_s[hub] = done_s
            hubs.sorted[hub] += 1
            rows["entered_s"][row] = done_s
            carrier, city = rows["carrier"][row], rows["destination"][row]
            last_hub = routes.hub_of[carrier, city]
            if last_hub != hub:
                push(hubs.lanes, routes.next_lane[hub, last_hub], row, rows["next_row"])
            elif is_lost(routes.lost_key, routes.lost_share, rows["shopper"][row], rows["number"][row]):
                rows["lost_s"][row] = done_s
                hubs.stored[hub] -= 1
                lost += 1
            else:
                push(hubs.delivery, carrier * cities + city, row, rows["next_row"])
    return lost


@kernel
def arrive(hub, first, last, count, now_s, routes, rows, hubs):
    """Vehicles with the list of `count` rows from `first` to `last` reach the gate of a hub, which is advanced and unloads.

    Returns (rows missed in the advance, rows unloaded).
    """
    lost = sort(hub, hub + 1, now_s, routes, rows, hubs)
    append_chain(hubs.gate, hub, first, last, count, rows["next_row"])
    return lost, unload(hub, now_s, routes, rows, hubs)
