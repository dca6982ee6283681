"""What the merchants look back on: one pass over the rows."""

from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.rows import NOT_YET, tick


class Books(NamedTuple):
    """Sums over rows, each counted by its merchant."""

    rows: np.ndarray  # int64[merchants], ordered
    packed: np.ndarray  # int64[merchants]
    picked_up: np.ndarray  # int64[merchants]
    kept: np.ndarray  # int64[merchants], picked up within the promise
    forward: np.ndarray  # int64[merchants], sent from a regional warehouse
    last_packed: np.ndarray  # uint32[merchants], ticks; NOT_YET before the first
    postage_rmb: np.ndarray  # float64[merchants], of one parcel a row
    carrier_rows: np.ndarray  # int64[carriers], picked up
    carrier_rmb: np.ndarray  # float64[carriers], of one parcel a row


def empty_books(merchants: int, carriers: int) -> Books:
    """Books with nothing in them."""
    rows, packed, picked_up, kept, forward = (np.zeros(merchants, np.int64) for _ in range(5))
    return Books(
        rows,
        packed,
        picked_up,
        kept,
        forward,
        np.full(merchants, NOT_YET, np.uint32),
        np.zeros(merchants),
        np.zeros(carriers, np.int64),
        np.zeros(carriers),
    )


@kernel
def post_rmb(weight_kg, parcel_rmb, kg_rmb):
    """What a carrier charges for a parcel."""
    return parcel_rmb + kg_rmb * weight_kg


@kernel
def keep_books(created, now_s, promise_s, merchant_city, parcel_rmb, kg_rmb, rows, orders, books):
    """Add up rows 0 .. created - 1 as of now. merchant_city: int16[merchants]; prices: float64[carriers]. Output: books."""
    now, promise = tick(now_s), np.int64(tick(promise_s))
    for row in range(created):
        merchant = orders.merchant[row]
        packed, picked_up = orders.packed_tick[row], rows["picked_up_tick"][row]
        books.rows[merchant] += 1
        books.forward[merchant] += orders.origin[row] != merchant_city[merchant]
        if packed < now:
            books.packed[merchant] += 1
            last = books.last_packed[merchant]
            books.last_packed[merchant] = packed if last == NOT_YET else max(last, packed)
        if picked_up != NOT_YET:
            carrier = rows["carrier"][row]
            price_rmb = post_rmb(rows["weight_kg"][row], parcel_rmb[carrier], kg_rmb[carrier])
            books.picked_up[merchant] += 1
            books.kept[merchant] += np.int64(picked_up) - np.int64(orders.created_tick[row]) <= promise
            books.postage_rmb[merchant] += price_rmb
            books.carrier_rows[carrier] += 1
            books.carrier_rmb[carrier] += price_rmb
