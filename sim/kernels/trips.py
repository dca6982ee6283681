"""Vehicles that leave for a hub: trucks, the vans of a round of pickups, and everyday traffic."""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.convoys import NO_LANE, NOT_A_TRIP, set_out
from sim.kernels.lane import TRAIN, vehicles_for
from sim.kernels.road import HOUR_S, breakdown_km, drive


class Driving(NamedTuple):
    """How trucks drive."""

    s_per_km: float  # on dry roads
    handling_s: float  # at the ends of a way
    breakdowns_per_km: float
    repair_s: float
    breakdown_key: np.uint64


@kernel
def arrival_s(depart_s, lane, draw, back, pace, driving, crew, roads):
    """When a truck that leaves on a lane is at its end, or back; draw: numbers the ways on the lane, pace: share of its speed."""
    fails_km = breakdown_km(driving.breakdown_key, lane, draw, driving.breakdowns_per_km)
    end_s = drive(depart_s, lane, back, driving.s_per_km / pace, fails_km, driving.repair_s, crew, roads)
    return end_s + driving.handling_s


@kernel
def send_out(sent, first_trip, left, lane_to, pace, driving, crew, roads, docks, convoys):
    """Loaded trucks set out, each for the hub at its lane's end.

    sent: SENT[n], departures; `number` is written. first_trip: number of the first one's trip.
    left: int64[lanes], departures so far, updated; lane_to: int32[lanes], hub; pace: float64[lanes], share of the speed.
    """
    for i in range(sent.size):
        lane = sent["lane"][i]
        number = left[lane]
        left[lane] += 1
        there_s = arrival_s(sent["depart_s"][i], lane, 2 * number, False, pace[lane], driving, crew, roads)
        sent["number"][i] = number
        first, last, rows, vehicles = sent["first"][i], sent["last"][i], sent["rows"][i], sent["vehicles"][i]
        set_out(lane_to[lane], there_s, first, last, rows, vehicles, first_trip + i, lane, docks, convoys)


@kernel
def turn_back(pace, driving, crew, roads, emptied, trips):
    """Vehicles have been unloaded: trucks drive back empty, trains do not come back by themselves.

    pace: float64[lanes], share of the speed. emptied: EMPTIED[n], when they were unloaded; back_s (trains: NaN), kind and
    vehicles are written. trips: SENT[m], all departures so far, updated.
    """
    for i in range(emptied.size):
        trip, unloaded_s, back_s = emptied["trip"][i], emptied["unloaded_s"][i], math.nan
        if trips["kind"][trip] != TRAIN:
            lane, draw = trips["lane"][trip], 2 * trips["number"][trip] + 1
            back_s = arrival_s(unloaded_s, lane, draw, True, pace[lane], driving, crew, roads)
        trips["arrive_s"][trip], trips["unloaded_s"][trip], trips["back_s"][trip] = (
            emptied["arrive_s"][i],
            unloaded_s,
            back_s,
        )
        emptied["back_s"][i], emptied["kind"][i], emptied["vehicles"][i] = (
            back_s,
            trips["kind"][trip],
            trips["vehicles"][trip],
        )


@kernel
def send_vans(now_s, first_way, s_per_km, handling_s, weight, truck_parcels, hub_of, crew, roads, vans, docks, convoys):
    """A van convoy leaves each city with the rows that wait for it, for its hub.

    first_way: of the cities' ways to their hubs; hub_of: int32[cities]; vans: queues, one a city, empty afterwards.
    Vans are counted by the trucks that they would fill.
    """
    for city in range(hub_of.size):
        count = vans.length[city]
        if count > 0:
            there_s = drive(now_s, first_way + city, True, s_per_km, np.inf, 0.0, crew, roads) + handling_s
            vehicles = vehicles_for(count, weight, truck_parcels)
            head, tail = vans.head[city], vans.tail[city]
            set_out(hub_of[city], there_s, head, tail, count, vehicles, NOT_A_TRIP, NO_LANE, docks, convoys)
            vans.length[city] = 0


@kernel
def hours_on_way(hour, to, next_lane, lane_to, s_per_km, handling_s, crew, roads, lag_h):
    """Hours until the end of which vehicles that leave hubs at a full hour get to others, lane by lane.

    to: int32[hubs, others]; next_lane: int32[hubs, hubs]; lane_to: int32[lanes], hub. Output: lag_h int64[hubs, others].
    """
    for hub in range(to.shape[0]):
        for i in range(to.shape[1]):
            time_s, there, end = hour * HOUR_S, hub, to[hub, i]
            while there != end:
                lane = next_lane[there, end]
                time_s = drive(time_s, lane, False, s_per_km, math.inf, 0.0, crew, roads) + handling_s
                there = lane_to[lane]
            lag_h[hub, i] = math.ceil(time_s / HOUR_S) - hour
