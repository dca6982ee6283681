"""The last mile: vans from the hub to the outlets, and the couriers' tours."""

from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import uniform
from sim.kernels.rows import NOBODY, Queues, append_chain, pop

_ATTEMPTS_PER_ORDER = 256  # draws are numbered order * 256 + attempt; attempts are int8


class Outlets(NamedTuple):
    """State of the delivery outlets, one for each carrier and city."""

    travel_s: np.ndarray  # float64[outlets], hub to outlet
    tour_parcels: np.ndarray  # float64[outlets], what its couriers carry on one tour
    credit: np.ndarray  # float64[outlets], parcels that may still go out; negative: a heavy row is being worked off
    waiting: Queues  # [outlets], on the van or in the outlet for the first time
    again: Queues  # [outlets], not handed over; they go out first on the next tour
    tour_s: float
    success_share: float
    success_key: np.uint64


@kernel
def succeeds(key, share, shopper, number, attempt):
    """Whether a delivery attempt (0, 1, ..) succeeds."""
    return uniform(key, shopper, number * _ATTEMPTS_PER_ORDER + attempt) < share


@kernel
def deliver(first_outlet, end_outlet, hub_of, now_s, rows, hubs, outlets):
    """Vans take everything that is sorted for outlets first .. end - 1 out of the hubs. Returns the number of rows.

    hub_of: int32[outlets], the hub that serves each. Nothing delays a van, so outlet_s is stamped with the time it gets there.
    """
    total = 0
    for outlet in range(first_outlet, end_outlet):
        count = hubs.delivery.length[outlet]
        if count == 0:
            continue
        first = hubs.delivery.head[outlet]
        row = first
        while row != NOBODY:
            rows["outlet_s"][row] = now_s + outlets.travel_s[outlet]
            row = rows["next_row"][row]
        append_chain(outlets.waiting, outlet, first, hubs.delivery.tail[outlet], count, rows["next_row"])
        hubs.delivery.length[outlet] = 0
        hubs.stored[hub_of[outlet]] -= count
        hubs.departed[hub_of[outlet]] += count
        total += count
    return total


@kernel
def tour(first_outlet, end_outlet, now_s, weight, rows, outlets):
    """All couriers of outlets first .. end - 1 leave now, with rows that came to their outlet before now.

    A row goes out when its middle parcel, the (weight + 1) / 2-th, fits into the tour; what a heavy row takes beyond the tour is
    worked off on the next ones. It is signed at the tour's start plus the middle parcel's place in the tour: exact for a row of
    one parcel, unbiased for a heavier one. Returns the number of rows signed.
    """
    middle = 0.5 * (weight + 1.0)
    signed = 0
    for outlet in range(first_outlet, end_outlet):
        capacity = outlets.tour_parcels[outlet]
        credit = outlets.credit[outlet] + capacity
        again, waiting = outlets.again, outlets.waiting
        first_failed, last_failed, failed = NOBODY, NOBODY, 0
        while credit >= middle:
            if again.length[outlet] > 0:
                row = pop(again, outlet, rows["next_row"])
            elif waiting.length[outlet] > 0 and rows["outlet_s"][waiting.head[outlet]] < now_s:
                row = pop(waiting, outlet, rows["next_row"])
            else:
                break
            place = (capacity - credit + middle) / capacity
            credit -= weight
            rows["out_s"][row] = now_s
            attempt = rows["attempts"][row]
            rows["attempts"][row] = attempt + 1
            if succeeds(outlets.success_key, outlets.success_share, rows["shopper"][row], rows["number"][row], attempt):
                rows["signed_s"][row] = now_s + outlets.tour_s * place
                signed += 1
            else:
                if failed == 0:
                    first_failed = row
                else:
                    rows["next_row"][last_failed] = row
                last_failed = row
                failed += 1
        if failed > 0:
            append_chain(again, outlet, first_failed, last_failed, failed, rows["next_row"])
        if credit >= middle:  # nothing was left to take: a tour's unused places are not saved up
            credit = min(credit, 0.0)
        outlets.credit[outlet] = credit
    return signed
