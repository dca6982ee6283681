"""The last mile: what becomes of parcels from the hub's van on, and the couriers' tours.

van -> outlet -> tour -> door: signed, a locker, nobody at home (again), a wrong address (forwarded), refused (sent back)
              `-> damaged: sent back
sent back: waits in the outlet, goes with the next pickup's van to the hub, and through the network to the merchant's outlet
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.hub import goes_back
from sim.kernels.random import exponential, uniform
from sim.kernels.rows import (
    DAMAGED,
    NOBODY,
    NOT_AT_HOME,
    NOTHING_WRONG,
    REFUSED,
    WRONG_ADDRESS,
    Queues,
    fetch_later,
    pop,
    push,
    tick,
)

_ATTEMPTS_PER_ORDER = 256  # draws are numbered order * 256 + attempt; attempts are uint8
_HALVINGS = 60
HOUR_S = 3600.0


class Doors(NamedTuple):
    """What happens at the doors: shares, times and the keys of the draws."""

    speed_kmh: float
    stop_s: float  # at each stop of a tour
    success_share: float
    locker_share: float
    collect_s: float  # mean from the locker to the customer
    damaged_share: float
    wrong_address_share: float
    refused_share: float
    forward_s: float
    return_wait_s: float
    success_key: np.uint64
    locker_key: np.uint64
    collect_key: np.uint64
    trouble_key: np.uint64


class Outlets(NamedTuple):
    """State of the delivery outlets, one for each carrier and city."""

    couriers: np.ndarray  # float64[outlets]
    area_km2: np.ndarray  # float64[outlets], all couriers' together
    tour_parcels: np.ndarray  # float64[tours, outlets], what its couriers carry on each tour of the day
    longest_s: np.ndarray  # float64[tours], what a tour may take
    credit: np.ndarray  # float64[outlets], parcels that may still go out; negative: a heavy row is being worked off
    waiting: Queues  # [outlets], on the van or in the outlet for the first time
    again: Queues  # [outlets], not handed over; they go out first on the next tour
    forwarded: Queues  # [outlets], to their right address; entered_s: when they are there
    returning: Queues  # [outlets], for the merchants; entered_s: when they may leave
    doors: Doors


@kernel
def tour_s(stops, area_km2, speed_kmh, stop_s):
    """Expected time of the shortest tour through stops >= 1, spread at random over an area, and of the stops [s].

    The length is 0.7124 sqrt(n A) (1 + 0.33 / n): Beardwood, Halton, Hammersley (1959), doi:10.1017/S0305004100034095, with the
    constant and the term for few stops of Percus, Martin (1996), doi:10.1103/PhysRevLett.76.1188. Daganzo (1984),
    doi:10.1287/trsc.18.4.331, uses it for tours of vehicles. Exact tours through 12 stops are 2.7 % shorter (check E3).
    """
    km = 0.7124 * math.sqrt(stops * area_km2) * (1.0 + 0.33 / stops)
    return km / speed_kmh * HOUR_S + stops * stop_s


@kernel
def most_stops(most, speed_kmh, stop_s, longest_s, area_km2, stops):
    """Stops of a tour through an area that takes longest_s, by halving: at least one, and at most `most`.

    area_km2: float64[n]. Output: stops float64[n].
    """
    for i in range(area_km2.size):
        low, high = 1.0, max(most, 1.0)
        if tour_s(high, area_km2[i], speed_kmh, stop_s) <= longest_s:
            stops[i] = most
            continue
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            if tour_s(middle, area_km2[i], speed_kmh, stop_s) <= longest_s:
                low = middle
            else:
                high = middle
        stops[i] = low


@kernel
def round_s(parcels, couriers, area_km2, speed_kmh, stop_s):
    """Time that couriers need for a round with so many parcels [s]: they share stops and area; without parcels none goes."""
    load = max(parcels, 1.0)
    out = min(couriers, load)
    return tour_s(load / out, area_km2 / out, speed_kmh, stop_s)


@kernel
def succeeds(key, share, shopper, number, attempt):
    """Whether a delivery attempt (0, 1, ..) succeeds."""
    return uniform(key, shopper, number * _ATTEMPTS_PER_ORDER + attempt) < share


@kernel
def fate_of(doors, shopper, number):
    """What is wrong with a parcel from the start: DAMAGED, WRONG_ADDRESS, REFUSED or NOTHING_WRONG."""
    draw = uniform(doors.trouble_key, shopper, number)
    if draw < doors.damaged_share:
        return DAMAGED
    draw -= doors.damaged_share
    if draw < doors.wrong_address_share:
        return WRONG_ADDRESS
    if draw - doors.wrong_address_share < doors.refused_share:
        return REFUSED
    return NOTHING_WRONG


@kernel
def collected_s(doors, shopper, number):
    """Time from a locker to the customer [s]; -1 for a parcel that goes to the door."""
    if uniform(doors.locker_key, shopper, number) >= doors.locker_share:
        return -1.0
    return exponential(doors.collect_key, shopper, number, doors.collect_s)


@inlined
def _note(rows, row, kind, time_s):
    """Write down what is wrong and since when; what is graver takes the place of what was before."""
    if kind > rows["exception"][row]:
        rows["exception"][row] = kind
        rows["exception_tick"][row] = tick(time_s)


@kernel
def deliver(first_outlet, end_outlet, hub_of, arrival_s, rows, hubs, outlets):
    """Vans take everything that is sorted for outlets first .. end - 1 out of the hubs; damage is seen when they get there.

    What comes back to a merchant is with him when the van gets to his outlet.
    hub_of: int32[outlets], the hub that serves each; arrival_s: float64[end - first], when a van that leaves now gets there.
    Returns (rows that are sent back, rows that are back).
    """
    sent_back = returned = 0
    for outlet in range(first_outlet, end_outlet):
        count = hubs.delivery.length[outlet]
        if count == 0:
            continue
        there_s = arrival_s[outlet - first_outlet]
        row = hubs.delivery.head[outlet]
        for _ in range(count):
            fetch_later(row, rows)
            after = rows["next_row"][row]
            rows["entered_s"][row] = there_s
            if goes_back(rows, row):
                rows["end_tick"][row] = tick(there_s)
                returned += 1
                row = after
                continue
            rows["outlet_tick"][row] = tick(there_s)
            if fate_of(outlets.doors, rows["shopper"][row], rows["number"][row]) == DAMAGED:
                _send_back(outlet, row, DAMAGED, there_s, rows, outlets)
                sent_back += 1
            else:
                push(outlets.waiting, outlet, row, rows)
            row = after
        hubs.delivery.length[outlet] = 0
        hubs.stored[hub_of[outlet]] -= count
        hubs.departed[hub_of[outlet]] += count
    return sent_back, returned


@inlined
def _send_back(outlet, row, kind, time_s, rows, outlets):
    """What is refused or damaged waits in its outlet for the way back."""
    _note(rows, row, kind, time_s)
    rows["entered_s"][row] = time_s + outlets.doors.return_wait_s
    push(outlets.returning, outlet, row, rows)


@kernel
def take_back(now_s, first_outlet, end_outlet, vans, rows, outlets):
    """What has waited in outlets first .. end - 1 goes back on the vans of a pickup's round: queues, one an outlet, updated.

    Returns the number of rows.
    """
    count = 0
    for outlet in range(first_outlet, end_outlet):
        while outlets.returning.length[outlet] > 0:
            row = outlets.returning.head[outlet]
            if rows["entered_s"][row] >= now_s:
                break
            pop(outlets.returning, outlet, rows)
            push(vans, outlet - first_outlet, row, rows)
            count += 1
    return count


@kernel
def tour(number, first_outlet, end_outlet, now_s, weight, rows, outlets):
    """All couriers of outlets first .. end - 1 leave on tour `number` of the day, with rows that came to their outlet before now.

    A row goes out when its middle parcel, the (weight + 1) / 2-th, fits into the tour; what a heavy row takes beyond the tour is
    worked off on the next ones. It is at the door when the middle parcel's share of the round's time has passed: exact for a
    row of one parcel, unbiased for a heavier one. Rows of earlier attempts go first, then those that were forwarded.
    Returns (rows signed or in a locker, rows sent back).
    """
    middle = 0.5 * (weight + 1.0)
    doors = outlets.doors
    signed = sent_back = 0
    for outlet in range(first_outlet, end_outlet):
        capacity = outlets.tour_parcels[number, outlet]
        start = outlets.credit[outlet] + capacity
        first, count, credit = _take_out(outlet, start, middle, now_s, weight, rows, outlets)
        load = min(capacity, capacity - credit)
        if count > 0:
            takes_s = round_s(load, outlets.couriers[outlet], outlets.area_km2[outlet], doors.speed_kmh, doors.stop_s)
            takes_s = min(takes_s, outlets.longest_s[number])  # where one stop alone would take longer
            credit = start
            row = first
            for _ in range(count):
                after = rows["next_row"][row]
                place = capacity - credit + middle
                credit -= weight
                end = _attempt(outlet, row, now_s, now_s + takes_s * (place / load), rows, outlets)
                signed += end == 1
                sent_back += end == 2
                row = after
        if credit >= middle:  # nothing was left to take: a tour's unused places are not saved up
            credit = min(credit, 0.0)
        outlets.credit[outlet] = credit
    return signed, sent_back


@inlined
def _take_out(outlet, credit, middle, now_s, weight, rows, outlets):
    """Choose the rows of a tour: (first of their list, their number, credit that is left)."""
    again, forwarded, waiting = outlets.again, outlets.forwarded, outlets.waiting
    first, last, count = NOBODY, NOBODY, 0
    while credit >= middle:
        if again.length[outlet] > 0:
            row = pop(again, outlet, rows)
        elif forwarded.length[outlet] > 0 and rows["entered_s"][forwarded.head[outlet]] < now_s:
            row = pop(forwarded, outlet, rows)
        elif waiting.length[outlet] > 0 and rows["entered_s"][waiting.head[outlet]] < now_s:
            row = pop(waiting, outlet, rows)
        else:
            break
        fetch_later(row, rows)
        credit -= weight
        if count == 0:
            first = row
        else:
            rows["next_row"][last] = row
        last = row
        count += 1
    return first, count, credit


@inlined
def _attempt(outlet, row, now_s, door_s, rows, outlets):
    """A row goes out now and is at its door at door_s. Returns 1: signed or in a locker, 2: sent back, 0: comes again."""
    doors = outlets.doors
    shopper, number, attempt = rows["shopper"][row], rows["number"][row], rows["attempts"][row]
    rows["out_tick"][row] = tick(now_s)
    rows["attempts"][row] = attempt + 1
    fate = fate_of(doors, shopper, number)
    if fate == WRONG_ADDRESS and attempt == 0:
        _note(rows, row, WRONG_ADDRESS, door_s)
        rows["entered_s"][row] = now_s + doors.forward_s
        push(outlets.forwarded, outlet, row, rows)
        return 0
    in_locker_s = collected_s(doors, shopper, number)
    if in_locker_s >= 0.0:
        rows["end_tick"][row] = tick(door_s + in_locker_s)
        return 1
    if not succeeds(doors.success_key, doors.success_share, shopper, number, attempt):
        _note(rows, row, NOT_AT_HOME, door_s)
        push(outlets.again, outlet, row, rows)
        return 0
    if fate == REFUSED:
        _send_back(outlet, row, REFUSED, door_s, rows, outlets)
        return 2
    rows["end_tick"][row] = tick(door_s)
    return 1
