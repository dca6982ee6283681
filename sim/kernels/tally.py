"""Counts over all rows for the small tables that key figures, figures and reports are made of: one pass, no row twice."""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.rows import DAMAGED, LOST, NOT_YET, REFUSED, TICKS_PER_S

CREATED, PACKED, PICKED_UP, ORIGIN_HUB, DEPARTED, DESTINATION_HUB, OUTLET, OUT, SENT_BACK, SIGNED, RETURNED, ENDED = (
    range(12)
)
STATES = 12
"""What a parcel can have come to, in this order; the last three, the last of which is that it is lost, are its end."""
ON_THE_WAY = SIGNED
LOST_STATE = ENDED
NEVER = np.int64(-1)
HOUR_TICKS = np.int64(3600 * 1024)
DAY_H = 24

WAITING, NOT_SHIPPED, MOVING, LONG_IN_TRANSIT, IS_SIGNED, JUST_SIGNED, AT_END = range(7)
WRONG = 8
"""How a parcel stands; WRONG is added to it when something went wrong."""


class Counts(NamedTuple):
    """The result of `tally`, which adds to it."""

    entered: np.ndarray  # int64[carriers, STATES, hours + 1], in which hour each state was entered; last: never
    last_hour: np.ndarray  # int64[1], in which anything happened
    moves: np.ndarray  # int64[days, STATES + 1, STATES + 1], by states before and after each day; 0: not ordered
    leads: np.ndarray  # int64[carriers, bands, bins], by bins from order to signature; 0: not signed
    by_lane: np.ndarray  # int64[instants, carriers, hubs, hubs, 2 WRONG]
    by_city: np.ndarray  # int64[instants, cities, 2 WRONG], of destination
    by_merchant: np.ndarray  # int64[instants, merchants, 2 WRONG]


class Limits(NamedTuple):
    """From when on a parcel takes long [s]."""

    ship_s: float
    transit_s: float
    signed_s: float


@inlined
def _before(tick, now):
    """A stamp that may lie in the future, as of now."""
    return np.int64(tick) if tick != NOT_YET and tick < now else NEVER


@inlined
def _so_far(tick):
    return np.int64(tick) if tick != NOT_YET else NEVER


@inlined
def _hour(ticks, never):
    """The first whole hour at or after an instant."""
    return (ticks + HOUR_TICKS - 1) // HOUR_TICKS if ticks >= 0 else never


@inlined
def _stands(ticks, wrong_tick, at, ship, transit, signed):
    """How a parcel stands at an instant; all in ticks, float64."""
    found = NOT_SHIPPED if ticks[CREATED] < at - ship else WAITING
    if 0 <= ticks[PICKED_UP] <= at:
        found = LONG_IN_TRANSIT if ticks[PICKED_UP] < at - transit else MOVING
    if 0 <= ticks[SIGNED] <= at:
        found = IS_SIGNED if ticks[SIGNED] < at - signed else JUST_SIGNED
    if 0 <= ticks[LOST_STATE] <= at or 0 <= ticks[RETURNED] <= at:
        found = AT_END
    return found + (WRONG if 0 <= wrong_tick <= at else 0)


@kernel
def tally(first, end, now_s, bin_ticks, at_s, limits, hub_of, band_of, rows, orders, ticks, hours, counts):
    """Count rows `first` to before `end` as of now.

    Parameters
    ----------
    bin_ticks : width of the bins of lead times
    at_s : float64[instants], at which parcels stand somehow; limits: `Limits`
    hub_of : int64[carriers, cities], number of the place of the hub
    band_of : int64[cities, cities], band of the distance
    ticks, hours : int64[STATES] each, work space
    counts : `Counts`, added to
    """
    now = now_s * TICKS_PER_S
    ship, transit, signed = (
        limits.ship_s * TICKS_PER_S,
        limits.transit_s * TICKS_PER_S,
        limits.signed_s * TICKS_PER_S,
    )
    never = counts.entered.shape[2] - 1
    days = counts.moves.shape[0]
    last_hour = counts.last_hour[0]
    for row in range(first, end):
        kind = rows["exception"][row]
        is_back = kind in (REFUSED, DAMAGED)
        ended = rows["end_tick"][row]
        ticks[CREATED] = orders.created_tick[row]
        ticks[PACKED] = _before(orders.packed_tick[row], now)
        ticks[PICKED_UP] = _so_far(rows["picked_up_tick"][row])
        ticks[ORIGIN_HUB] = _so_far(rows["origin_hub_tick"][row])
        ticks[DEPARTED] = _so_far(rows["departed_tick"][row])
        ticks[DESTINATION_HUB] = _so_far(rows["destination_hub_tick"][row])
        ticks[OUTLET] = _before(rows["outlet_tick"][row], now)
        ticks[OUT] = _so_far(rows["out_tick"][row])
        ticks[SIGNED] = NEVER if is_back else _before(ended, now)
        ticks[RETURNED] = _before(ended, now) if is_back else NEVER
        wrong = _before(rows["exception_tick"][row], now)
        ticks[LOST_STATE] = _so_far(rows["exception_tick"][row]) if kind == LOST else NEVER
        for state in range(STATES):
            hours[state] = _hour(ticks[state], never)
        hours[SENT_BACK] = _hour(wrong, never) if is_back else never

        carrier = rows["carrier"][row]
        later = never
        for state in range(STATES - 1, -1, -1):
            hour = hours[state]
            if hour < never:
                last_hour = max(last_hour, hour)
            later = min(later, hour)
            if state < ON_THE_WAY:
                hours[state] = hour = later
            counts.entered[carrier, state, hour] += 1

        before, state = 0, 0
        for day in range(days):
            until_h = (day + 1) * DAY_H
            while state < ON_THE_WAY and hours[state] <= until_h and hours[state] < never:
                state += 1
            after = state
            for final in range(ON_THE_WAY, STATES):
                if hours[final] <= until_h and hours[final] < never:
                    after = final + 1
            counts.moves[day, before, after] += 1
            before = after

        origin, city = orders.origin[row], rows["destination"][row]
        lead = 0
        if ticks[SIGNED] >= 0:
            lead = max((ticks[SIGNED] - ticks[CREATED] + bin_ticks - 1) // bin_ticks, 1)
        counts.leads[carrier, band_of[origin, city], lead] += 1

        for instant in range(at_s.size):
            at = at_s[instant] * TICKS_PER_S
            if ticks[CREATED] <= at:
                stands = _stands(ticks, wrong, at, ship, transit, signed)
                counts.by_lane[instant, carrier, hub_of[carrier, origin], hub_of[carrier, city], stands] += 1
                counts.by_city[instant, city, stands] += 1
                counts.by_merchant[instant, orders.merchant[row], stands] += 1
    counts.last_hour[0] = last_hour
