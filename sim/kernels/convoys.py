"""Vehicles on their way into a hub: under way, at its docks, and outside while it has no room.

set out -> COMING, by the time of arrival -> DOCKING, opened one after the other -> WAITING for room -> the hub's line
                                                                       everyday parcels stand IN_LINE as a batch

Vehicles that arrive together are one convoy: a record in the row of their carrier. Each stands in one list of its hub, and
what is due is done when the hub is advanced, so that nobody has to wake up for it. Record 0 is no convoy. It begins the list of
free records, and its `rows` counts them.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels import inlined, kernel
from sim.kernels.lane import vehicles_for

NONE = 0
COMING, DOCKING, WAITING, IN_LINE, FREE = range(5)
NOT_A_TRIP = NO_LANE = -1
HOUR_S = 3600.0

CONVOY = np.dtype(
    [
        ("time_s", np.float64),  # when it arrives; DOCKING: when it will have been opened; IN_LINE: when it came in
        ("arrive_s", np.float64),  # when it has arrived
        ("after", np.int64),  # IN_LINE: rows that the sorter takes before it, since the run's begin
        ("onward", np.int64),  # everyday parcels for other hubs
        ("here", np.int64),  # and for this one
        ("rows", np.int64),  # on board, the list from `first` to `last`
        ("first", np.int32),
        ("last", np.int32),
        ("next", np.int32),  # convoy in the same list
        ("trip", np.int32),  # NOT_A_TRIP for vans and everyday traffic
        ("lane", np.int32),  # of trucks, else NO_LANE
        ("vehicles", np.int32),
        ("state", np.int32),  # the list in which it stands
    ],
    align=True,
)

EMPTIED = np.dtype(
    [
        ("trip", np.int64),
        ("arrive_s", np.float64),
        ("unloaded_s", np.float64),
        ("back_s", np.float64),
        ("kind", np.int64),
        ("vehicles", np.int64),
    ]
)
"""When the vehicles of a trip arrived, and when they had been unloaded; when they will be back, what they are and how many, as
`sim.kernels.trips.turn_back` tells."""


class Docks(NamedTuple):
    """The docks of all hubs, and the vehicles before them."""

    closed: np.ndarray  # bool[lanes], on which no truck arrives
    s_per_parcel: np.ndarray  # float64[hubs], to unload a parcel
    free_s: np.ndarray  # float64[hubs], when all that has come will have been opened
    first: np.ndarray  # int32[hubs, 4], first convoy of each list
    last: np.ndarray  # int32[hubs, 4]
    crowded: np.ndarray  # bool[hubs], whether vehicles wait for room
    rows: np.ndarray  # int64[hubs], on those that wait
    everyday: np.ndarray  # int64[hubs], parcels on those that wait
    vehicles: np.ndarray  # int64[hubs], that wait


def empty_docks(closed: NDArray[np.bool_], s_per_parcel: NDArray[np.float64]) -> Docks:
    """Docks to which nobody has come; bool[lanes] and float64[hubs] are kept, not copied."""
    hubs = s_per_parcel.size
    lists = np.zeros((hubs, FREE), np.int32)
    waiting = (np.zeros(hubs, np.int64) for _ in range(3))
    return Docks(closed, s_per_parcel, np.zeros(hubs), lists, lists.copy(), np.zeros(hubs, np.bool_), *waiting)


def empty_convoys(count: int) -> NDArray[np.void]:
    """So many free records, and record 0."""
    return with_more(np.zeros(1, CONVOY), count)


def convoys_of(carriers: int, count: int) -> NDArray[np.void]:
    """So many free records of each carrier, CONVOY[carriers, count + 1]."""
    return np.stack([empty_convoys(count) for _ in range(carriers)])


def with_more(convoys: NDArray[np.void], count: int) -> NDArray[np.void]:
    """The same convoys with so many free records more."""
    size = convoys.size
    more = np.zeros(size + count, CONVOY)
    more[:size] = convoys
    more["state"][size:] = FREE
    more["next"][size:] = np.arange(size + 1, size + count + 1)
    more["next"][-1] = convoys["next"][0]
    more["next"][0] = size
    more["rows"][0] += count
    return more


@inlined
def take(convoys):
    """Take a free record, of which there must be one."""
    convoy = convoys["next"][0]
    convoys["next"][0] = convoys["next"][convoy]
    convoys["rows"][0] -= 1
    return convoy


@inlined
def release(convoy, convoys):
    """Give back a record."""
    convoys["state"][convoy] = FREE
    convoys["next"][convoy] = convoys["next"][0]
    convoys["next"][0] = convoy
    convoys["rows"][0] += 1


@inlined
def stand(hub, state, convoy, docks, convoys):
    """A convoy goes to the end of one of a hub's lists."""
    convoys["state"][convoy] = state
    convoys["next"][convoy] = NONE
    if docks.first[hub, state] == NONE:
        docks.first[hub, state] = convoy
    else:
        convoys["next"][docks.last[hub, state]] = convoy
    docks.last[hub, state] = convoy


@inlined
def leave(hub, state, docks, convoys):
    """Take the first convoy out of one of a hub's lists, which is not empty."""
    convoy = docks.first[hub, state]
    docks.first[hub, state] = convoys["next"][convoy]
    return convoy


@inlined
def _load(convoy, time_s, first, last, rows, onward, here, vehicles, trip, lane, convoys):
    convoys["time_s"][convoy] = time_s
    convoys["first"][convoy] = first
    convoys["last"][convoy] = last
    convoys["rows"][convoy] = rows
    convoys["onward"][convoy] = onward
    convoys["here"][convoy] = here
    convoys["vehicles"][convoy] = vehicles
    convoys["trip"][convoy] = trip
    convoys["lane"][convoy] = lane


@inlined
def _come(hub, convoy, docks, convoys):
    """A convoy goes among those that come to a hub, behind all that arrive no later."""
    arrive_s = convoys["time_s"][convoy]
    before = docks.last[hub, COMING]
    if docks.first[hub, COMING] == NONE or convoys["time_s"][before] <= arrive_s:
        stand(hub, COMING, convoy, docks, convoys)
        return
    convoys["state"][convoy] = COMING
    before, behind = NONE, docks.first[hub, COMING]
    while convoys["time_s"][behind] <= arrive_s:
        before, behind = behind, convoys["next"][behind]
    convoys["next"][convoy] = behind
    if before == NONE:
        docks.first[hub, COMING] = convoy
    else:
        convoys["next"][before] = convoy


@kernel
def set_out(hub, arrive_s, first, last, rows, vehicles, trip, lane, docks, convoys):
    """Vehicles with a list of rows set out for a hub; of those that arrive at one instant the first to set out is first."""
    convoy = take(convoys)
    _load(convoy, arrive_s, first, last, rows, 0, 0, vehicles, trip, lane, convoys)
    _come(hub, convoy, docks, convoys)


@inlined
def _dock(hub, convoy, weight, docks, convoys):
    """A convoy that has arrived is opened when those before it have been."""
    parcels = convoys["rows"][convoy] * weight + (convoys["onward"][convoy] + convoys["here"][convoy])
    end_s = max(convoys["time_s"][convoy], docks.free_s[hub]) + parcels * docks.s_per_parcel[hub]
    convoys["time_s"][convoy] = docks.free_s[hub] = end_s
    stand(hub, DOCKING, convoy, docks, convoys)


@inlined
def meet(hub, through_s, weight, docks, convoys):
    """All that arrives at a hub up to a time, that instant included, comes to its docks.

    Trucks stand before a lane that is closed; roads are opened at full hours.
    """
    while docks.first[hub, COMING] != NONE and convoys["time_s"][docks.first[hub, COMING]] <= through_s:
        convoy = leave(hub, COMING, docks, convoys)
        lane = convoys["lane"][convoy]
        if lane != NO_LANE and docks.closed[lane]:
            convoys["time_s"][convoy] = (convoys["time_s"][convoy] // HOUR_S + 1.0) * HOUR_S
            _come(hub, convoy, docks, convoys)
        else:
            convoys["arrive_s"][convoy] = convoys["time_s"][convoy]
            _dock(hub, convoy, weight, docks, convoys)


@kernel
def bring(first_hub, now_s, onward, here, truck_parcels, docks, convoys):
    """Everyday parcels, for other hubs and for here, get to the docks of hubs from `first_hub` on, which are advanced.

    onward, here: int64[hubs]; truck_parcels: on a vehicle, to count those that come.
    """
    for i in range(onward.size):
        parcels = onward[i] + here[i]
        if parcels > 0:
            convoy = take(convoys)
            vehicles = vehicles_for(parcels, 1.0, truck_parcels)
            _load(convoy, now_s, 0, 0, 0, onward[i], here[i], vehicles, NOT_A_TRIP, NO_LANE, convoys)
            _dock(first_hub + i, convoy, 1.0, docks, convoys)


@kernel
def bring_all(now_s, first_hub, onward, here, truck_parcels, docks, convoys):
    """As `bring`, to the hubs of all carriers.

    first_hub: int64[carriers + 1]; onward, here: int64[hubs]; convoys: CONVOY[carriers, n].
    """
    for carrier in range(first_hub.size - 1):
        first, end = first_hub[carrier], first_hub[carrier + 1]
        bring(first, now_s, onward[first:end], here[first:end], truck_parcels, docks, convoys[carrier])


@inlined
def wait(hub, convoy, docks, convoys):
    """An opened convoy waits until those before it have been unloaded and there is room."""
    stand(hub, WAITING, convoy, docks, convoys)
    docks.crowded[hub] = True
    docks.rows[hub] += convoys["rows"][convoy]
    docks.everyday[hub] += convoys["onward"][convoy] + convoys["here"][convoy]
    docks.vehicles[hub] += convoys["vehicles"][convoy]


@inlined
def go(hub, docks, convoys):
    """The first of those that wait has been unloaded, and goes. Returns it."""
    convoy = leave(hub, WAITING, docks, convoys)
    docks.vehicles[hub] -= convoys["vehicles"][convoy]
    docks.crowded[hub] = docks.first[hub, WAITING] != NONE
    return convoy
