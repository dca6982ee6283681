"""Visits to a site whose pages answer at once. No shopper meets another there, so each visit is followed by itself to its end.

shopper -> browse -> counts by second and minute
              '----> orders in order of shopper -> file_orders -> by minute -> time_order, order_values -> by time

Draws, keys and arithmetic are those of a visit to a site with services, see `visits.py` and `outcomes.py`.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.arrivals import arrival_time
from sim.kernels.random import uniform
from sim.kernels.recorders import minute_of
from sim.kernels.visits import ORDERS_MOST, order_fen, segment_of, think_time, wants_order


class Counts(NamedTuple):
    """What shoppers did, in whole numbers, so that no sum depends on its order: T seconds, M minutes, K segments of shoppers."""

    visitors: np.ndarray  # int32[T]
    pages: np.ndarray  # int32[T], asked for and answered
    orders: np.ndarray  # int32[T]
    paid_fen: np.ndarray  # int64[T]
    pages_seen: np.ndarray  # int32[M, K]
    orders_seen: np.ndarray  # int32[M, K]
    cut_off: np.ndarray  # int64[1], visits that the horizon ends


class Sold(NamedTuple):
    """Orders of some shoppers."""

    paid_s: np.ndarray  # float64[n]
    shopper: np.ndarray  # uint32[n]
    number: np.ndarray  # uint8[n]


def no_counts(horizon_s: float, segments: int) -> Counts:
    """Counts of nothing."""
    seconds = int(np.ceil(horizon_s))
    minutes = -(-seconds // 60)
    return Counts(
        visitors=np.zeros(seconds, np.int32),
        pages=np.zeros(seconds, np.int32),
        orders=np.zeros(seconds, np.int32),
        paid_fen=np.zeros(seconds, np.int64),
        pages_seen=np.zeros((minutes, segments), np.int32),
        orders_seen=np.zeros((minutes, segments), np.int32),
        cut_off=np.zeros(1, np.int64),
    )


def room_for(orders: int) -> Sold:
    """Room for so many orders."""
    return Sold(np.empty(orders), np.empty(orders, np.uint32), np.empty(orders, np.uint8))


@inlined
def _pick(cumulative, p):
    """The same as `pick`, without a branch that a processor could guess wrong: a page has few that follow."""
    below = 0
    for i in range(cumulative.size - 1):
        below += cumulative[i] < p
    return below


@kernel
def browse(first, end, horizon_s, keys, behaviour, curve, counts, sold):
    """Follow the visits of the shoppers `first` to `end` - 1 as far as horizon_s.

    Outputs: counts, to which is added; sold, the orders in order of (shopper, number).

    Returns the number of orders. When that is more than there is room for, the rest is missing, and all has to be done anew.
    """
    leave = behaviour.think_mean_s.shape[1]
    room = sold.paid_s.size
    n = 0
    for shopper in range(first, end):
        segment = segment_of(shopper, keys, behaviour)
        page = behaviour.entry
        orders = 0
        step = 1
        time_s = arrival_time(keys.arrival, shopper, curve)
        counts.visitors[np.int64(time_s)] += 1
        while True:
            second = np.int64(time_s)
            minute = minute_of(time_s)
            counts.pages[second] += 1
            counts.pages_seen[minute, segment] += 1
            if page == behaviour.paid:
                if n < room:
                    sold.paid_s[n] = time_s
                    sold.shopper[n] = shopper
                    sold.number[n] = orders
                n += 1
                counts.orders[second] += 1
                counts.orders_seen[minute, segment] += 1
                counts.paid_fen[second] += order_fen(
                    keys.value, shopper, orders, behaviour.value_mu, behaviour.value_sigma
                )
                orders += 1
            mood = 1 if wants_order(keys.wanted, shopper, min(orders, ORDERS_MOST), behaviour.wants_more) else 0
            following = _pick(behaviour.next_page[mood, page], uniform(keys.next_page, shopper, step))
            if following == leave:
                break
            time_s = time_s + think_time(keys.think, shopper, step, mood, page, behaviour)
            if not time_s < horizon_s:
                counts.cut_off[0] += 1
                break
            page = following
            step += 1
    return n


@kernel
def file_orders(n, sold, first, filed):
    """Sort the first n orders by the minute of their payment; within a minute they stay as they are.

    first: int64[M + 1], zeros. Outputs: filed, n orders, those of minute m from first[m] to before first[m + 1].
    """
    for i in range(n):
        first[minute_of(sold.paid_s[i]) + 1] += 1
    for m in range(first.size - 1):
        first[m + 1] += first[m]
    for i in range(n):
        minute = minute_of(sold.paid_s[i])
        at = first[minute]
        filed.paid_s[at] = sold.paid_s[i]
        filed.shopper[at] = sold.shopper[i]
        filed.number[at] = sold.number[i]
        first[minute] += 1
    for m in range(first.size - 1, 0, -1):
        first[m] = first[m - 1]
    first[0] = 0


@kernel
def order_values(key, behaviour, sold, value_rmb):
    """Values of orders. Output: value_rmb float64[n]."""
    for i in range(sold.shopper.size):
        fen = order_fen(key, sold.shopper[i], sold.number[i], behaviour.value_mu, behaviour.value_sigma)
        value_rmb[i] = fen / 100.0
