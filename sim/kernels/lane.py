"""Lanes: rows that wait for a vehicle, and the vehicle that takes the first of them."""

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import exponential
from sim.kernels.rows import NOBODY, pop, push


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
def full_vehicles(count, weight, capacity):
    """(rows, vehicles) that leave full: what fits into as many vehicles as there are whole loads. (0, 0) without one.

    A row heavier than a vehicle travels as a convoy of as many as it needs.
    """
    loads = rows_on(count, capacity, weight)  # the other way round: whole capacities in the rows
    if loads < 1:
        return 0, 0
    rows = max(rows_on(loads, weight, capacity), 1)
    return rows, vehicles_for(rows, weight, capacity)


@kernel
def all_vehicles(count, weight, capacity):
    """(rows, vehicles) when everything leaves."""
    return count, vehicles_for(count, weight, capacity)


@kernel
def at_most(available, weight, capacity):
    """(rows, vehicles) that so many vehicles can take."""
    rows = rows_on(available, weight, capacity)
    return rows, vehicles_for(rows, weight, capacity)


@kernel
def entered_before(lanes, lane, time_s, limit, entered_s, next_row):
    """How many rows at the head of a lane came there before a time, at most `limit`."""
    count = 0
    row = lanes.head[lane]
    while count < min(limit, lanes.length[lane]) and entered_s[row] < time_s:
        count += 1
        row = next_row[row]
    return count


@kernel
def load(lanes, lane, count, now_s, next_row, departed_s):
    """Take the first `count` > 0 rows of a lane onto a vehicle. Stamps departed_s where it is still NaN.

    Returns (first, last) of the list of rows on board.
    """
    first = lanes.head[lane]
    last = first
    for _ in range(count):
        last = pop(lanes, lane, next_row)
        if np.isnan(departed_s[last]):
            departed_s[last] = now_s
    next_row[last] = NOBODY
    return first, last


@kernel
def depart_every(headway_s, capacity, periods, lanes, arrival_s, next_row, depart_s):
    """One lane, alone: a vehicle for `capacity` rows leaves at headway_s, 2 headway_s, ..., with rows that came before it.

    lanes: one empty queue. arrival_s: float64[n], ascending. Output: depart_s float64[n], NaN before and where left behind.
    """
    row = 0
    for period in range(1, periods + 1):
        now_s = period * headway_s
        while row < arrival_s.size and arrival_s[row] < now_s:
            push(lanes, 0, row, next_row)
            row += 1
        count = min(capacity, lanes.length[0])
        if count > 0:
            load(lanes, 0, count, now_s, next_row, depart_s)


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
