"""How an arrival finds its lane: at random, in turn, or to where fewer jobs are."""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.station_state import LEAST_CONNECTIONS, RANDOM, ROUND_ROBIN


@inlined
def _load(lane, stations):
    return stations.lane_busy[lane] + stations.lane_waiting[lane]


@kernel
def _emptiest(s, stations):
    """The lane with the fewest jobs, of several the first."""
    best = stations.first[s]
    for lane in range(stations.first[s] + 1, stations.first[s] + stations.lanes[s]):
        if _load(lane, stations) < _load(best, stations):
            best = lane
    return best


@inlined
def lane_for(s, job, stations, jobs):
    """The lane that an arrival is sent to, unless dispatch is central."""
    first = stations.first[s]
    lanes = stations.lanes[s]
    dispatch = stations.dispatch[s]
    if lanes == 1:
        return first
    if dispatch == ROUND_ROBIN:
        stations.turn[s] += 1
        return first + (stations.turn[s] - 1) % lanes
    if dispatch == LEAST_CONNECTIONS:
        return _emptiest(s, stations)
    high = np.int64(jobs[job].choice >> np.uint64(32))
    one = (high * lanes) >> 32
    if dispatch == RANDOM:
        return first + one
    low = np.int64(jobs[job].choice & np.uint64(0xFFFFFFFF))
    other = (low * (lanes - 1)) >> 32
    if other >= one:
        other += 1
    return first + (other if _load(first + other, stations) < _load(first + one, stations) else one)
