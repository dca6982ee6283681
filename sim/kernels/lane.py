"""Lanes: rows that wait for a vehicle, and the vehicle that takes the first of them."""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.random import exponential
from sim.kernels.rows import NOBODY, NOT_YET, fetch_later, grams_of, pop, push, tick

SENT = np.dtype(
    [
        *((name, np.int64) for name in ("carrier", "kind", "vehicles", "lane", "number", "rows", "grams", "room_g")),
        *((name, np.float64) for name in ("depart_s", "room_parcels", "km", "rmb", "arrive_s", "unloaded_s", "back_s")),
        ("first", np.int32),
        ("last", np.int32),
    ]
)
"""A departure: whose, own (0) or hired (1) trucks or a train (2), how many, on which lane, and how many departures it had before;
the list of rows on board, their number and weight; what there is room for; when it leaves, how far it goes and at what cost; when
it has arrived, has been unloaded and, of trucks, is back: NaN until that is known."""

OWN, HIRED, TRAIN = range(3)


class Trucks(NamedTuple):
    """What all trucks of a carrier have in common."""

    carrier: int
    parcels: float  # that one may carry
    grams: int
    own_rmb_per_km: float
    hired_rmb_per_km: float


class Hold(NamedTuple):
    """Lanes that are not served, or not yet."""

    held: np.ndarray  # bool[lanes], because of a forecast
    closed: np.ndarray  # bool[lanes]
    lane_to: np.ndarray  # int32[lanes], hub
    crowded: np.ndarray  # bool[hubs]; gets nothing until the first row has waited
    since_s: float  # since before this instant


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


@inlined
def _is_full(lane, kept, weight, trucks, lanes, lane_g):
    """Whether what trucks may take of a lane fills one, by volume or, where nothing is kept, by weight."""
    return (lanes.length[lane] - kept) * weight >= trucks.parcels or (kept == 0 and lane_g[lane] >= trucks.grams)


@kernel
def due_lanes(first_lane, kept, only_full, weight, trucks, hold, rows, lanes, lane_g, due):
    """Lanes of a carrier, from `first_lane` on, whose rows may leave now.

    That whose first row has waited longest comes first, of equals that with the smaller number.

    kept: int64[lanes of the carrier], rows that trucks leave there; only_full: none where no truck would be full.
    Output: due int64[lanes of the carrier]. Returns their number.
    """
    n = 0
    for i in range(kept.size):
        lane = first_lane + i
        if lanes.length[lane] <= kept[i] or hold.held[lane] or hold.closed[lane]:
            continue
        if only_full and not _is_full(lane, kept[i], weight, trucks, lanes, lane_g):
            continue
        since_s = rows["entered_s"][lanes.head[lane]]
        if hold.crowded[hold.lane_to[lane]] and since_s >= hold.since_s:
            continue
        place = n
        while place > 0 and rows["entered_s"][lanes.head[due[place - 1]]] > since_s:
            due[place] = due[place - 1]
            place -= 1
        due[place] = lane
        n += 1
    return n


@kernel
def send_trucks(
    first_lane, kept, only_full, now_s, weight, trucks, hold, lane_from, lane_km, free, rows, lanes, lane_g, stored, departed,
    due, sent,
):  # fmt: skip
    """A carrier's trucks are loaded and leave on its lanes, one after the other, with the first rows of each.

    An own truck goes first; a row heavier than a truck takes a convoy. When no fleet has trucks enough the load waits.

    Parameters
    ----------
    first_lane, kept, only_full, due : see `due_lanes`
    free : int64[2], own and hired trucks that are there, updated
    stored, departed : int64[hubs], rows in each hub and rows that left it, updated
    sent : SENT[m], the result, m >= trucks that are free; all but `number`

    Returns the number of departures.
    """
    departures = 0
    for i in range(due_lanes(first_lane, kept, only_full, weight, trucks, hold, rows, lanes, lane_g, due)):
        lane = due[i]
        keep = kept[lane - first_lane]
        while lanes.length[lane] > keep:
            if only_full and not _is_full(lane, keep, weight, trucks, lanes, lane_g):
                break
            vehicles = vehicles_of_head(lanes, lane, weight, trucks.parcels, trucks.grams, rows)
            fleet = 0 if free[0] >= vehicles else 1
            if free[fleet] < vehicles:
                break
            free[fleet] -= vehicles
            room, room_g = vehicles * trucks.parcels, vehicles * trucks.grams
            limit = lanes.length[lane] - keep
            first, last, count, grams = load(lanes, lane, limit, np.inf, room, room_g, weight, now_s, rows, lane_g)
            stored[lane_from[lane]] -= count
            departed[lane_from[lane]] += count
            sent["carrier"][departures] = trucks.carrier
            sent["kind"][departures] = fleet
            sent["vehicles"][departures] = vehicles
            sent["lane"][departures] = lane
            sent["rows"][departures] = count
            sent["grams"][departures] = grams
            sent["room_g"][departures] = room_g
            sent["depart_s"][departures] = now_s
            sent["room_parcels"][departures] = room
            sent["km"][departures] = lane_km[lane]
            rmb_per_km = trucks.own_rmb_per_km if fleet == 0 else trucks.hired_rmb_per_km
            sent["rmb"][departures] = vehicles * lane_km[lane] * rmb_per_km
            sent["arrive_s"][departures] = sent["unloaded_s"][departures] = sent["back_s"][departures] = np.nan
            sent["first"][departures] = first
            sent["last"][departures] = last
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
