"""Warehouses: pick and pack in working hours, and the parcels at their bays.

Whoever packs is a packer: the merchants by rank, then the regional warehouses. A merchant's line picks the items and packs the
parcel; the largest merchants have a second line that only labels what was packed before the day. Nothing changes a packer's rate
in a way that is not known beforehand, so a packing time is fixed when the order arrives: the recursion over the instant at which
a line is free is exact here, in work time, which runs while the shift is on and faster when there are hired hands.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import uniform
from sim.kernels.rows import Queues, push, tick

_DAY_S = 86400.0


class Shift(NamedTuple):
    """When warehouses work. The shift is on in [start_s, end_s) of every day."""

    start_s: float
    end_s: float
    cutoff_s: float  # what is ordered later in a day is not worked on before the next shift
    hired_work_s: float  # work time when hired hands come
    hired_factor: float  # speed of the work time from then on


class Warehouses(NamedTuple):
    """How fast each packer works, in seconds of work time."""

    shift: Shift
    pick_s: np.ndarray  # float64[packers], an item
    pack_s: np.ndarray  # float64[packers], a parcel
    label_s: np.ndarray  # float64[merchants that pre-pack], a parcel that was packed before the day
    prepacked_share: float


class Bays(NamedTuple):
    """Rows at the packers' bays: of each carrier three blocks of queues, one a packer, side by side as it goes through them.

    refused | labelled | packed

    The first block holds what a carrier had no room for once; it is empty, and no longer than 0, when no carrier has a limit.
    """

    queues: Queues
    each: int  # queues of a carrier
    labelled: int  # of these, the first of the second block
    packed: int  # and of the third


@kernel
def worked_s(time_s, shift):
    """Work time from t = 0 to a time >= 0."""
    day = math.floor(time_s / _DAY_S)
    length_s = shift.end_s - shift.start_s
    work_s = day * length_s + min(max(time_s - day * _DAY_S - shift.start_s, 0.0), length_s)
    if work_s > shift.hired_work_s:
        work_s = shift.hired_work_s + (work_s - shift.hired_work_s) * shift.hired_factor
    return work_s


@kernel
def clock_s(work_s, shift):
    """The first time at which so much work time has passed; the inverse of `worked_s` inside shifts."""
    if work_s > shift.hired_work_s:
        work_s = shift.hired_work_s + (work_s - shift.hired_work_s) / shift.hired_factor
    length_s = shift.end_s - shift.start_s
    day = max(math.ceil(work_s / length_s) - 1.0, 0.0)
    return day * _DAY_S + shift.start_s + (work_s - day * length_s)


@kernel
def due_s(ordered_s, shift):
    """Work time from which an order may be worked on: at once, or after the cut-off from the next day on."""
    day = math.floor(ordered_s / _DAY_S)
    if ordered_s - day * _DAY_S > shift.cutoff_s:
        return worked_s((day + 1.0) * _DAY_S, shift)
    return worked_s(ordered_s, shift)


@kernel
def pack_one(work_s, free_work_s, parcel_s, weight, shift):
    """(packed, work time when the line is free again) of a row of `weight` parcels, due at a work time.

    The row's times are those of its middle parcel. Of the others half came before it, and were packed if there was time; half
    come after it. Exact for a row of one parcel; with heavier ones, merchants of few rows keep the pace of many.
    """
    start_s = max(free_work_s + 0.5 * (weight - 1.0) * parcel_s, work_s)
    return clock_s(start_s + parcel_s, shift), start_s + 0.5 * (weight + 1.0) * parcel_s


@kernel
def is_prepacked(key, warehouses, packer, shopper, number):
    """Whether a parcel of a packer was packed before the day."""
    return packer < warehouses.label_s.size and uniform(key, shopper, number) < warehouses.prepacked_share


@kernel
def pack(row, packer, items, prepacked, weight, warehouses, rows, orders, free_work_s, free_label_s, bays):
    """Pack a row that has just been ordered and put it at its packer's bay.

    free_work_s: float64[packers], free_label_s: float64[merchants that pre-pack]: when each line is free, in work time; updated.
    """
    work_s = due_s(rows["entered_s"][row], warehouses.shift)
    if prepacked:
        packed_s, free_s = pack_one(work_s, free_label_s[packer], warehouses.label_s[packer], weight, warehouses.shift)
        free_label_s[packer] = free_s
        first = bays.labelled
    else:
        parcel_s = items * warehouses.pick_s[packer] + warehouses.pack_s[packer]
        packed_s, free_s = pack_one(work_s, free_work_s[packer], parcel_s, weight, warehouses.shift)
        free_work_s[packer] = free_s
        first = bays.packed
    rows["entered_s"][row] = packed_s
    orders.packed_tick[row] = tick(packed_s)
    push(bays.queues, rows["carrier"][row] * bays.each + first + packer, row, rows)
