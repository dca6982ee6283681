"""Hubs: unloading at the gate and one sorter line each, first come, first served, for rows and everyday parcels alike.

What is unloaded together is not looked at before it is sorted: the first row of it tells when it came in.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.convoys import DOCKING, IN_LINE, NONE, NOT_A_TRIP, WAITING, go, leave, meet, release, stand, wait
from sim.kernels.everyday import Everyday, leave_line, next_after, room_for, unload_batch
from sim.kernels.lane import rows_on
from sim.kernels.random import uniform
from sim.kernels.rows import LOST, NOT_YET, REFUSED, Queues, append_chain, fetch_later, grams_of, pop, push, tick

HOUR_S = 3600.0
PASSES_PER_ORDER = 256  # draws are numbered order * 256 + pass

FOLLOWS, FIRST, STAMPED = range(3)
"""How the unloading of a row that is not sorted yet is known: it came with the row before it; it was the first of those that came
together, and `entered_s` tells when; `entered_s` tells, and the unloading is stamped."""


class Hubs(NamedTuple):
    """State of all hubs of all carriers. A row is stored from its unloading to its departure, or until it is found to be lost."""

    hour_parcels: (
        np.ndarray
    )  # float64[hubs, hours], what each can sort in each hour; the last one holds for all that follow
    storage_parcels: np.ndarray  # float64[hubs], what the storage holds
    free_s: np.ndarray  # float64[hubs], when the sorter line has finished its last row
    came_s: np.ndarray  # float64[hubs], when the row that was sorted last had been unloaded
    stored: np.ndarray  # int64[hubs], rows in the hub
    arrived: np.ndarray  # int64[hubs], rows unloaded so far
    sorted: np.ndarray  # int64[hubs], rows sorted so far
    departed: np.ndarray  # int64[hubs], rows that left so far
    unsorted: Queues  # [hubs]
    lanes: Queues  # [lanes], sorted, for another hub
    lane_g: np.ndarray  # int64[lanes], what lies there [g]
    delivery: Queues  # [carriers * cities], sorted, for an outlet
    everyday: Everyday


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


@inlined
def goes_back(rows, row):
    """Whether a row that is on its way is on the way back to the merchant."""
    return rows["exception"][row] >= REFUSED


@inlined
def _come_in(hub, first, last, count, now_s, rows, hubs):
    """A list of rows joins the line for the sorter."""
    rows["entered_s"][first] = now_s
    rows["arrival"][first] = FIRST
    append_chain(hubs.unsorted, hub, first, last, count, rows)


@inlined
def _stamp_unloading(row, hub, time_s, routes, rows):
    """Write down that a row was unloaded at a hub."""
    if rows["origin_hub_tick"][row] == NOT_YET:
        rows["origin_hub_tick"][row] = tick(time_s)
    if (
        rows["destination_hub_tick"][row] == NOT_YET
        and routes.hub_of[rows["carrier"][row], rows["destination"][row]] == hub
    ):
        rows["destination_hub_tick"][row] = tick(time_s)


@kernel
def stamp_unloaded(routes, rows, hubs):
    """Write down the unloading of all rows that are not sorted yet."""
    for hub in range(hubs.free_s.size):
        came_s = hubs.came_s[hub]
        row = hubs.unsorted.head[hub]
        for _ in range(hubs.unsorted.length[hub]):
            if rows["arrival"][row] == FOLLOWS:
                rows["entered_s"][row] = came_s
            came_s = rows["entered_s"][row]
            if rows["arrival"][row] != STAMPED:
                _stamp_unloading(row, hub, came_s, routes, rows)
                rows["arrival"][row] = STAMPED
            row = rows["next_row"][row]


@kernel
def sorted_at(start_s, parcels, hour_parcels):
    """When a sorter that starts on a row or batch of so many parcels has done it.

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


@inlined
def _batch_done_s(hub, free_s, until_s, hubs, docks, convoys):
    """When the first batch in a line is sorted; infinite unless it is begun before `until_s`."""
    batch = docks.first[hub, IN_LINE]
    start_s = max(free_s, convoys["time_s"][batch])
    if start_s >= until_s:
        return math.inf
    parcels = np.float64(convoys["onward"][batch] + convoys["here"][batch])
    return sorted_at(start_s, parcels, hubs.hour_parcels[hub])


@kernel
def sort(hub, until_s, weight, origin, routes, rows, hubs, docks, convoys):
    """Advance one sorter line: every row and batch that is done before `until_s`, none at or after it.

    origin: int16[rows], the merchants' cities. A sorted row queues for its lane or, in its last hub, for its outlet, unless it is
    missed there. One that could not be read goes to the end of the line. Everyday parcels are sorted batch by batch, each once.
    Returns how many rows were missed.
    """
    lost = 0
    cities = routes.hub_of.shape[1]
    unsorted, hour_parcels = hubs.unsorted, hubs.hour_parcels
    came_s, free_s = hubs.came_s[hub], hubs.free_s[hub]
    hour_end_s, per_s, row_s = -math.inf, 0.0, math.inf
    taken, batch_after = hubs.everyday.taken[hub], next_after(hub, hubs.everyday, docks, convoys)
    while True:
        if taken == batch_after:
            done_s = _batch_done_s(hub, free_s, until_s, hubs, docks, convoys)
            if done_s >= until_s:
                break
            free_s = done_s
            leave_line(hub, hubs.everyday, docks, convoys)
            batch_after = next_after(hub, hubs.everyday, docks, convoys)
            continue
        if unsorted.length[hub] == 0:
            break
        row = unsorted.head[hub]
        fetch_later(row, rows)
        arrival = rows["arrival"][row]
        entered_s = came_s if arrival == FOLLOWS else rows["entered_s"][row]
        start_s = max(free_s, entered_s)
        if start_s >= until_s:
            break
        if start_s >= hour_end_s:  # the rate of an hour is worked out once
            hour = int(start_s // HOUR_S)
            hour_end_s = (hour + 1.0) * HOUR_S
            per_s = hour_parcels[hub, min(hour, hour_parcels.shape[1] - 1)] / HOUR_S
            row_s = weight / per_s
        in_time = per_s * (hour_end_s - start_s) >= weight
        done_s = start_s + row_s if in_time else sorted_at(start_s, weight, hour_parcels[hub])
        if done_s >= until_s:
            break
        pop(unsorted, hub, rows)
        taken += 1
        came_s, free_s = entered_s, done_s
        if arrival != STAMPED:
            _stamp_unloading(row, hub, entered_s, routes, rows)
        rows["entered_s"][row] = done_s
        shopper, number, passed = rows["shopper"][row], rows["number"][row], rows["passes"][row]
        rows["passes"][row] = passed + 1
        if passes_again(routes.again_key, routes.again_share, shopper, number, passed):
            rows["arrival"][row] = STAMPED
            push(unsorted, hub, row, rows)
            continue
        rows["arrival"][row] = FOLLOWS
        hubs.sorted[hub] += 1
        back = goes_back(rows, row)
        carrier, city = rows["carrier"][row], origin[row] if back else rows["destination"][row]
        last_hub = routes.hub_of[carrier, city]
        if last_hub != hub:
            lane = routes.next_lane[hub, last_hub]
            push(hubs.lanes, lane, row, rows)
            hubs.lane_g[lane] += grams_of(rows["weight_kg"][row], weight)
        elif not back and is_lost(routes.lost_key, routes.lost_share, shopper, number):
            rows["exception"][row] = LOST
            rows["exception_tick"][row] = tick(done_s)
            hubs.stored[hub] -= 1
            lost += 1
        else:
            push(hubs.delivery, carrier * cities + city, row, rows)
    hubs.came_s[hub], hubs.free_s[hub], hubs.everyday.taken[hub] = came_s, free_s, taken
    return lost


@inlined
def _unload(hub, now_s, weight, count, rows, hubs, docks, convoys, emptied):
    """Unload the vehicles that wait for a hub, which is advanced, in their order, while there is room; see `let_in`."""
    everyday = hubs.everyday
    while docks.first[hub, WAITING] != NONE:
        convoy = docks.first[hub, WAITING]
        there = convoys["rows"][convoy]
        if there == 0:
            room = room_for(hubs.storage_parcels[hub], hubs.stored[hub] * weight, everyday.stored[hub])
            if not unload_batch(hub, convoy, room, now_s, hubs.unsorted.length[hub], everyday, docks, convoys):
                break
            stand(hub, IN_LINE, go(hub, docks, convoys), docks, convoys)
            continue
        room = rows_on(1, weight, hubs.storage_parcels[hub] - everyday.stored[hub]) - hubs.stored[hub]
        unloaded = min(there, room)
        if unloaded <= 0:
            break
        first, last = convoys["first"][convoy], convoys["last"][convoy]
        if unloaded < there:
            last = first
            for _ in range(unloaded - 1):
                fetch_later(last, rows)
                last = rows["next_row"][last]
            convoys["first"][convoy] = rows["next_row"][last]
            convoys["rows"][convoy] -= unloaded
        _come_in(hub, first, last, unloaded, now_s, rows, hubs)
        hubs.stored[hub] += unloaded
        hubs.arrived[hub] += unloaded
        docks.rows[hub] -= unloaded
        if unloaded < there:
            break
        if convoys["trip"][convoy] != NOT_A_TRIP:
            emptied["trip"][count] = convoys["trip"][convoy]
            emptied["arrive_s"][count] = convoys["arrive_s"][convoy]
            emptied["unloaded_s"][count] = now_s
            count += 1
        release(go(hub, docks, convoys), convoys)
    return count


@kernel
def advance(first_hub, end_hub, until_s, through_s, weight, origin, routes, rows, hubs, docks, convoys, emptied):
    """Advance hubs first .. end - 1: their vehicles through `through_s`, that instant included, their sorters until `until_s`.

    What is unloaded at an instant stands in line from then on. convoys: with a free record for each that there is and each hub.
    Output: emptied EMPTIED[n], the trips whose vehicles were unloaded. Returns (rows that were missed, trips).
    """
    lost = count = 0
    for hub in range(first_hub, end_hub):
        meet(hub, through_s, weight, docks, convoys)
        while docks.first[hub, DOCKING] != NONE and convoys["time_s"][docks.first[hub, DOCKING]] <= through_s:
            convoy = leave(hub, DOCKING, docks, convoys)
            now_s = convoys["time_s"][convoy]
            lost += sort(hub, now_s, weight, origin, routes, rows, hubs, docks, convoys)
            wait(hub, convoy, docks, convoys)
            count = _unload(hub, now_s, weight, count, rows, hubs, docks, convoys, emptied)
        lost += sort(hub, until_s, weight, origin, routes, rows, hubs, docks, convoys)
    return lost, count


@kernel
def advance_carriers(
    first, end, first_hub, until_s, through_s, weight, origin, routes, rows, hubs, docks, convoys, emptied, lost, trips
):
    """Advance the hubs of carriers first .. end - 1, see `advance`; carriers share nothing.

    first_hub: int64[carriers + 1]; convoys: CONVOY[carriers, n].
    Output: emptied EMPTIED[carriers, n]; lost, trips int64[carriers].
    """
    for carrier in range(first, end):
        lost[carrier], trips[carrier] = advance(
            first_hub[carrier], first_hub[carrier + 1], until_s, through_s, weight, origin, routes, rows, hubs, docks,
            convoys[carrier], emptied[carrier],
        )  # fmt: skip


@kernel
def let_all_in(first_hub, now_s, weight, rows, hubs, docks, convoys, emptied, trips):
    """Unload what waits for the hubs of all carriers, see `let_in`. Arrays as in `advance_carriers`; output: emptied, trips."""
    for carrier in range(first_hub.size - 1):
        trips[carrier] = let_in(
            first_hub[carrier],
            first_hub[carrier + 1],
            now_s,
            weight,
            rows,
            hubs,
            docks,
            convoys[carrier],
            emptied[carrier],
        )


@kernel
def let_in(first_hub, end_hub, now_s, weight, rows, hubs, docks, convoys, emptied):
    """Unload what waits for hubs first .. end - 1, which are advanced, while there is room.

    Output: emptied EMPTIED[n], the trips whose vehicles have been unloaded. Returns their number.
    """
    count = 0
    for hub in range(first_hub, end_hub):
        count = _unload(hub, now_s, weight, count, rows, hubs, docks, convoys, emptied)
    return count
