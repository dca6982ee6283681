"""Merchants' warehouses: pick and pack in working hours, and the carrier's round of pickups.

Nothing changes a merchant's rate during a run, so a packing time is fixed when the order arrives: the recursion over the
instant at which the packers are free is exact here, in time that counts only while the shift is on.
"""

import math

from sim.kernels import kernel
from sim.kernels.rows import pop, push

_DAY_S = 86400.0


@kernel
def worked_s(time_s, shift_start_s, shift_end_s):
    """Seconds of shift from t = 0 to a time >= 0; the shift is on in [shift_start_s, shift_end_s) of every day."""
    day = math.floor(time_s / _DAY_S)
    since_start_s = time_s - day * _DAY_S - shift_start_s
    length_s = shift_end_s - shift_start_s
    return day * length_s + min(max(since_start_s, 0.0), length_s)


@kernel
def clock_s(work_s, shift_start_s, shift_end_s):
    """The first time at which so many seconds of shift have passed; the inverse of `worked_s` inside shifts."""
    length_s = shift_end_s - shift_start_s
    day = max(math.ceil(work_s / length_s) - 1.0, 0.0)
    return day * _DAY_S + shift_start_s + (work_s - day * length_s)


@kernel
def pack_one(created_s, free_work_s, parcel_s, weight, shift_start_s, shift_end_s):
    """(packed, work time when the packers are free again) of a row of `weight` parcels.

    The row's times are those of its middle parcel. Of the others half came before it, and were packed if there was time; half
    come after it. Exact for a row of one parcel; with heavier ones, merchants of few rows keep the pace of many.
    """
    start_s = max(free_work_s + 0.5 * (weight - 1.0) * parcel_s, worked_s(created_s, shift_start_s, shift_end_s))
    return clock_s(start_s + parcel_s, shift_start_s, shift_end_s), start_s + 0.5 * (weight + 1.0) * parcel_s


@kernel
def pack(first, end, weight, shift_start_s, shift_end_s, parcel_s, carriers, rows, free_work_s, packed):
    """Pack rows first .. end - 1 in their order and queue each at its merchant's door, one queue a merchant and carrier.

    parcel_s: float64[merchants], work seconds a parcel; free_work_s: float64[merchants], updated; packed: queues, updated.
    """
    for row in range(first, end):
        merchant = rows["merchant"][row]
        packed_s, free_s = pack_one(
            rows["created_s"][row], free_work_s[merchant], parcel_s[merchant], weight, shift_start_s, shift_end_s
        )
        rows["packed_s"][row] = packed_s
        free_work_s[merchant] = free_s
        push(packed, merchant * carriers + rows["carrier"][row], row, rows["next_row"])


@kernel
def pick_up(now_s, carrier, carriers, rows, packed, vans):
    """One carrier's pickup round, merchant by merchant from the largest: what was packed before now goes on its city's van.

    vans: queues, one a city, updated. Returns the number of rows picked up.
    """
    count = 0
    for queue in range(carrier, packed.length.size, carriers):
        while packed.length[queue] > 0 and rows["packed_s"][packed.head[queue]] < now_s:
            row = pop(packed, queue, rows["next_row"])
            rows["picked_up_s"][row] = now_s
            push(vans, rows["origin"][row], row, rows["next_row"])
            count += 1
    return count
