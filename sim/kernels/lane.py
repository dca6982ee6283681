"""Lanes: rows that wait for a vehicle, and the vehicle that takes the first of them."""

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import exponential
from sim.kernels.rows import NOBODY, NOT_YET, fetch_later, grams_of, pop, push, tick

SENT = np.dtype([(name, np.int64) for name in ("lane", "fleet", "vehicles", "first", "last", "rows", "grams")])
"""A departure: on which lane, own (0) or hired (1) trucks, how many, the list of rows on board, their number and weight."""


@kernel
def vehicles_for(rows, weight, capacity):
    """The fewest vehicles that hold so many rows of `weight` parcels: rows * weight <= vehicles * capacity."""
    vehicles = np.ceil(rows * weight / capacity)
    if (vehicles - 1.0) * capacity >= rows * weight:  # the division rounded up
        vehicles -= 1.0
    elif vehicles * capacity < rows * weight:  # or down
        vehicles += 1.0
    return int(vehicles)


@kernel
def rows_on(vehicles, weight, capacity):
    """The most rows of `weight` parcels that vehicles hold: rows * weight <= vehicles * capacity."""
    rows = np.floor(vehicles * capacity / weight)
    if rows * weight > vehicles * capacity:
        rows -= 1.0
    elif (rows + 1.0) * weight <= vehicles * capacity:
        rows += 1.0
    return int(rows)


@kernel
def vehicles_of_head(lanes, lane, weight, capacity_parcels, capacity_g, rows):
    """Vehicles that the first row of a lane needs, by volume and by weight: one, or a convoy when it is heavier than one."""
    grams = grams_of(rows["weight_kg"][lanes.head[lane]], weight)
    return max(vehicles_for(1, weight, capacity_parcels), -(-grams // capacity_g))


@kernel
def load(lanes, lane, limit, before_s, capacity_parcels, capacity_g, weight, now_s, rows, lane_g):
    """Load the first rows of a lane, at most `limit`, that came there before a time, until the next one does not fit.

    lane_g: int64[lanes], what lies in each lane [g], updated. The first departure of a row is stamped. Returns (first, last,
    rows, g) of the list on board; with no row on board the first two mean nothing.
    """
    first = lanes.head[lane]
    last = first
    count, loaded_g = 0, 0
    limit = min(limit, lanes.length[lane])
    while count < limit:
        row = lanes.head[lane]
        fetch_later(row, rows)
        grams = grams_of(rows["weight_kg"][row], weight)
        fits = (count + 1) * weight <= capacity_parcels and loaded_g + grams <= capacity_g
        if not fits or rows["entered_s"][row] >= before_s:
            break
        last = pop(lanes, lane, rows)
        if rows["departed_tick"][row] == NOT_YET:
            rows["departed_tick"][row] = tick(now_s)
        count += 1
        loaded_g += grams
    if count > 0:
        rows["next_row"][last] = NOBODY
        lane_g[lane] -= loaded_g
    return first, last, count, loaded_g


@kernel
def send_trucks(due, kept, only_full, capacity_parcels, capacity_g, weight, now_s, free, rows, lanes, lane_g, sent):
    """A carrier's trucks leave on its lanes, one after the other, with the first rows of each.

    An own truck goes first; a row heavier than a truck takes a convoy. When no fleet has trucks enough the load waits.

    Parameters
    ----------
    due : int64[n], lanes that may be served, in their order
    kept : int64[n], rows that trucks leave there
    only_full : whether only full trucks leave, by volume or, where nothing is kept, by weight
    free : int64[2], own and hired trucks that are there, updated
    sent : SENT[m], the result, m >= trucks that are free

    Returns the number of departures.
    """
    departures = 0
    for i in range(due.size):
        lane = due[i]
        while lanes.length[lane] > kept[i]:
            limit = lanes.length[lane] - kept[i]
            full = limit * weight >= capacity_parcels or (kept[i] == 0 and lane_g[lane] >= capacity_g)
            if only_full and not full:
                break
            vehicles = vehicles_of_head(lanes, lane, weight, capacity_parcels, capacity_g, rows)
            fleet = 0 if free[0] >= vehicles else 1
            if free[fleet] < vehicles:
                break
            free[fleet] -= vehicles
            room, room_g = vehicles * capacity_parcels, vehicles * capacity_g
            first, last, count, grams = load(lanes, lane, limit, np.inf, room, room_g, weight, now_s, rows, lane_g)
            sent["lane"][departures] = lane
            sent["fleet"][departures] = fleet
            sent["vehicles"][departures] = vehicles
            sent["first"][departures] = first
            sent["last"][departures] = last
            sent["rows"][departures] = count
            sent["grams"][departures] = grams
            departures += 1
    return departures


@kernel
def depart_every(headway_s, capacity, periods, lanes, arrival_s, rows, depart_s):
    """One lane, alone: a vehicle for `capacity` rows leaves at headway_s, 2 headway_s, ..., with rows that came before it.

    lanes: one empty queue. arrival_s: float64[n], ascending. Output: depart_s float64[n], NaN before and where left behind.
    """
    row = 0
    for period in range(1, periods + 1):
        now_s = period * headway_s
        while row < arrival_s.size and arrival_s[row] < now_s:
            push(lanes, 0, row, rows)
            row += 1
        for _ in range(min(capacity, lanes.length[0])):
            depart_s[pop(lanes, 0, rows)] = now_s


@kernel
def poisson_arrivals(key, mean_s, end_s, arrival_s):
    """Arrivals of a Poisson process with gaps of mean_s, before end_s, as many as fit. Output: arrival_s float64[room].

    Returns their number.
    """
    time_s = 0.0
    for i in range(arrival_s.size):
        time_s += exponential(key, 0, i, mean_s)
        if time_s >= end_s:
            return i
        arrival_s[i] = time_s
    return arrival_s.size
