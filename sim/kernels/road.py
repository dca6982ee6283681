"""On the road: a vehicle drives its way link by link and hour by hour, through the weather that it meets.

What slows it is laid down before it leaves: the weather of every link and hour, its crew's rests and its breakdown. So its
arrival is certain at its departure, and the way is driven at once.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import exponential

HOUR_S = 3600.0


class Roads(NamedTuple):
    """Ways of vehicles over links, and the weather on the links."""

    way_first: np.ndarray  # int32[ways + 1], where each way's links begin in way_link; the last entry ends the last way
    way_link: np.ndarray  # int32[..], links in order from the way's origin
    link_km: np.ndarray  # float64[links]
    speed_share: (
        np.ndarray
    )  # float64[links, hours], share of the dry speed in each hour; 0: closed; dry after the last hour


class Crew(NamedTuple):
    """When those in a vehicle have to rest. Infinite where nobody has to."""

    wheel_s: float  # at the wheel between two stops
    stop_s: float
    shift_s: float  # at the wheel between two sleeps
    sleep_s: float


@kernel
def drive(depart_s, way, back, s_per_km, breakdown_km, repair_s, crew, roads):
    """When a vehicle that departs on a way gets to its end [s]; back: from the end to the origin.

    s_per_km: dry seconds per km. breakdown_km: where it breaks down, once; beyond the way's end: never. On a closed link it
    stands until the next hour in which the link is open; that counts neither as driving nor as rest.
    """
    time_s = depart_s
    wheel_s, shift_s, whole_s = crew.wheel_s, crew.shift_s, breakdown_km * s_per_km
    hours = roads.speed_share.shape[1]
    first, end = roads.way_first[way], roads.way_first[way + 1]
    for place in range(first, end):
        link = roads.way_link[first + end - 1 - place if back else place]
        left_s = roads.link_km[link] * s_per_km  # dry seconds to the link's end
        while left_s > 0.0:
            hour = int(time_s // HOUR_S)
            share, hour_end_s = 1.0, math.inf
            if hour < hours:
                share, hour_end_s = roads.speed_share[link, hour], (hour + 1.0) * HOUR_S
            if share == 0.0:
                time_s = hour_end_s
                continue
            piece_s = min(left_s / share, whole_s / share, wheel_s, shift_s, hour_end_s - time_s)
            left_s = 0.0 if piece_s == left_s / share else left_s - piece_s * share
            time_s = hour_end_s if piece_s == hour_end_s - time_s else time_s + piece_s
            wheel_s -= piece_s
            shift_s -= piece_s
            if piece_s == whole_s / share:
                time_s += repair_s
                whole_s = math.inf
            else:
                whole_s = max(whole_s - piece_s * share, 0.0)
            if shift_s <= 0.0:
                time_s += crew.sleep_s
                shift_s, wheel_s = crew.shift_s, crew.wheel_s
            elif wheel_s <= 0.0:
                time_s += crew.stop_s
                wheel_s = crew.wheel_s
    return time_s


@kernel
def drive_all(depart_s, first, end, back, s_per_km, crew, roads, arrival_s):
    """Vehicles that never break down depart on the ways first .. end - 1 at one time. Output: arrival_s float64[end - first]."""
    for way in range(first, end):
        arrival_s[way - first] = drive(depart_s, way, back, s_per_km, math.inf, 0.0, crew, roads)


@kernel
def breakdown_km(key, lane, trip, per_km):
    """How far a vehicle gets before it breaks down [km]; trip: numbers those on the lane. Never when per_km is 0."""
    return exponential(key, lane, trip, 1.0 / per_km) if per_km > 0.0 else math.inf
