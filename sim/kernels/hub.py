"""Hubs: unloading at the gate and one sorter line each, first come, first served."""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import uniform
from sim.kernels.rows import LOST, NOT_YET, Queues, append_chain, grams_of, pop, push, tick

HOUR_S = 3600.0
PASSES_PER_ORDER = 256  # draws are numbered order * 256 + pass


class Hubs(NamedTuple):
    """State of all hubs of all carriers. A row is stored from its unloading to its departure, or until it is found to be lost."""

    hour_parcels: (
        np.ndarray
    )  # float64[hubs, hours], what each can sort in each hour; the last one holds for all that follow
    room_rows: np.ndarray  # int64[hubs], rows that the storage holds
    free_s: np.ndarray  # float64[hubs], when the sorter line has finished its last row
    stored: np.ndarray  # int64[hubs], rows in the hub
    arrived: np.ndarray  # int64[hubs], rows unloaded so far
    sorted: np.ndarray  # int64[hubs], rows sorted so far
    departed: np.ndarray  # int64[hubs], rows that left so far
    gate: Queues  # [hubs], rows on vehicles that wait
    unsorted: Queues  # [hubs]
    lanes: Queues  # [lanes], sorted, for another hub
    lane_g: np.ndarray  # int64[lanes], what lies there [g]
    delivery: Queues  # [carriers * cities], sorted, for an outlet


class Routes(NamedTuple):
    """Where a row goes next."""

    hub_of: np.ndarray  # int32[carriers, cities], the hub that serves the city
    next_lane: np.ndarray  # int32[hubs, hubs], the lane from the first hub on the way to the second
    lost_share: float
    lost_key: np.uint64
    again_share: float  # of the sorters' passes, those that fail
    again_key: np.uint64


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
        if rows["origin_hub_tick"][row] == NOT_YET:
            rows["origin_hub_tick"][row] = tick(now_s)
        if routes.hub_of[carrier, rows["destination"][row]] == hub:
            rows["destination_hub_tick"][row] = tick(now_s)
        rows["entered_s"][row] = now_s
        push(hubs.unsorted, hub, row, rows["next_row"])
    hubs.stored[hub] += count
    hubs.arrived[hub] += count
    return count


@kernel
def sorted_at(start_s, parcels, hour_parcels):
    """When a sorter that starts on a row of so many parcels has done it.

    hour_parcels: float64[hours], what it can sort in each hour; the last one holds for all that follow.
    """
    time_s = start_s
    last = hour_parcels.size - 1
    while True:
        hour = int(time_s // HOUR_S)
        end_s = (hour + 1.0) * HOUR_S
        rate_per_s = hour_parcels[min(hour, last)] / HOUR_S
        if rate_per_s * (end_s - time_s) >= parcels:
            return time_s + parcels / rate_per_s
        if hour > last and rate_per_s == 0.0:
            return math.inf
        parcels -= rate_per_s * (end_s - time_s)
        time_s = end_s


@kernel
def passes_again(key, share, shopper, number, passed):
    """Whether a row that the sorter has had `passed` times before could not be read and has to pass again."""
    return share > 0.0 and uniform(key, shopper, number * PASSES_PER_ORDER + passed) < share


@kernel
def sort(first_hub, end_hub, until_s, weight, routes, rows, hubs):
    """Advance the sorter lines of hubs first .. end - 1: every row that is done before `until_s`, none at or after it.

    A sorted row queues for its lane or, in its last hub, for its outlet, unless it is missed there. One that could not be read
    goes to the end of the line. Returns how many were missed.
    """
    lost = 0
    cities = routes.hub_of.shape[1]
    for hub in range(first_hub, end_hub):
        while hubs.unsorted.length[hub] > 0:
            row = hubs.unsorted.head[hub]
            start_s = max(hubs.free_s[hub], rows["entered_s"][row])
            if start_s >= until_s:
                break
            done_s = sorted_at(start_s, weight, hubs.hour_parcels[hub])
            if done_s >= until_s:
                break
            pop(hubs.unsorted, hub, rows["next_row"])
            hubs.free_s[hub] = done_s
            rows["entered_s"][row] = done_s
            shopper, number, passed = rows["shopper"][row], rows["number"][row], rows["passes"][row]
            rows["passes"][row] = passed + 1
            if passes_again(routes.again_key, routes.again_share, shopper, number, passed):
                push(hubs.unsorted, hub, row, rows["next_row"])
                continue
            hubs.sorted[hub] += 1
            carrier, city = rows["carrier"][row], rows["destination"][row]
            last_hub = routes.hub_of[carrier, city]
            if last_hub != hub:
                lane = routes.next_lane[hub, last_hub]
                push(hubs.lanes, lane, row, rows["next_row"])
                hubs.lane_g[lane] += grams_of(rows["weight_kg"][row], weight)
            elif is_lost(routes.lost_key, routes.lost_share, shopper, number):
                rows["exception"][row] = LOST
                rows["exception_tick"][row] = tick(done_s)
                hubs.stored[hub] -= 1
                lost += 1
            else:
                push(hubs.delivery, carrier * cities + city, row, rows["next_row"])
    return lost


@kernel
def arrive(hub, first, last, count, now_s, weight, routes, rows, hubs):
    """Vehicles with the list of `count` rows from `first` to `last` reach the gate of a hub, which is advanced and unloads.

    Returns (rows missed in the advance, rows unloaded).
    """
    lost = sort(hub, hub + 1, now_s, weight, routes, rows, hubs)
    append_chain(hubs.gate, hub, first, last, count, rows["next_row"])
    return lost, unload(hub, now_s, routes, rows, hubs)
