"""From paid orders to parcel rows: one parcel per merchant and place that it is sent from.

    orders -> draw_orders, on any thread -> take_in, one after the other -> rows at their packers' bays

An order for the merchant of the order before it goes into that one's parcel when both are sent from the same place and the parcel
is not packed yet, strictly before its packing time; otherwise it makes a parcel of its own.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.latest import place_of, remember
from sim.kernels.orders import (
    MOST_ITEMS,
    carrier_of,
    contents,
    destination_of,
    is_virtual,
    merchant_of,
    next_is_same,
    same_merchant,
)
from sim.kernels.rows import NOT_YET, tick
from sim.kernels.stock import NOWHERE, take
from sim.kernels.warehouse import is_prepacked, pack

NOTHING_SENT, FIRST, FURTHER = range(3)
"""Kinds of orders: nothing is sent, for a merchant of its own, for the merchant of the shopper's order before it."""


class Drawn(NamedTuple):
    """What is known of orders whatever else happens: it hangs on shopper and number alone."""

    kind: np.ndarray  # uint8[n]; what follows is set where something is sent
    is_followed: np.ndarray  # bool[n], the shopper's next order, if there is one, goes into the same parcel if it can
    merchant: np.ndarray  # uint16[n]
    destination: np.ndarray  # int16[n], city
    carrier: np.ndarray  # int8[n], of a parcel that begins with the order
    items: np.ndarray  # uint8[n]
    kg: np.ndarray  # float64[n], of all items


def no_draws(count: int) -> Drawn:
    """Room for what is drawn about so many orders."""
    kinds = (np.uint8, np.bool_, np.uint16, np.int16, np.int8, np.uint8, np.float64)
    return Drawn(*(np.empty(count, kind) for kind in kinds))


@kernel
def draw_orders(shopper, number, keys, market, drawn):
    """Draw what is known of orders beforehand. shopper, number: integers[n]. Output: drawn, of n orders."""
    for i in range(shopper.size):
        buyer, k = shopper[i], np.int64(number[i])
        if is_virtual(keys, market, buyer, k):
            drawn.kind[i] = NOTHING_SENT
            continue
        first = k  # of the orders in a row for one merchant
        while same_merchant(keys, market, buyer, first):
            first -= 1
        merchant = merchant_of(keys, market, buyer, first)
        drawn.kind[i] = FIRST if first == k else FURTHER
        drawn.is_followed[i] = next_is_same(keys, market, buyer, k)
        drawn.merchant[i] = merchant
        drawn.destination[i] = destination_of(keys, market, buyer)
        drawn.carrier[i] = carrier_of(keys, market, merchant, buyer, k)
        drawn.items[i], drawn.kg[i] = contents(keys, market, market.merchant_category[merchant], buyer, k)


@kernel
def is_open(row, time_s, rows):
    """Whether a parcel is packed after a time, so that something may still be added to it."""
    return rows["picked_up_tick"][row] == NOT_YET and rows["entered_s"][row] > time_s


@kernel
def take_in(
    paid_s, shopper, number, drawn, prepacked_key, market, warehouses, stock, weight, blank, created, latest, rows, orders,
    free_work_s, free_label_s, bays,
):  # fmt: skip
    """Make parcels of a batch of orders, or add the orders to earlier parcels, and have each packed.

    paid_s: float64[n], shopper: integers[n], number: integers[n], sorted by (paid_s, shopper, number), later than all batches
    before. drawn: about these orders. stock: what lies in regional warehouses. weight: parcels that a row stands for. blank:
    ROW[1], a row of which nothing has happened. created: rows that exist. latest: the parcels of earlier orders. Stock, latest,
    lines and bays are updated. Returns the number of rows that exist afterwards.
    """
    for i in range(paid_s.size):
        if drawn.kind[i] == NOTHING_SENT:
            continue
        buyer, k, items = shopper[i], number[i], np.float64(drawn.items[i])
        merchant, destination = drawn.merchant[i], drawn.destination[i]
        category = market.merchant_category[merchant]
        packer, origin = np.int64(merchant), market.merchant_city[merchant]
        place = take(merchant, category, origin, destination, items * weight, stock)
        if place != NOWHERE:
            packer, origin = market.merchant_city.size + place, stock.place_city[place]
        if drawn.kind[i] == FURTHER:
            before = latest.row[place_of(buyer, latest)]
            if orders.origin[before] == origin and is_open(before, paid_s[i], rows):
                orders.orders[before] += 1
                orders.items[before] = min(orders.items[before] + items, MOST_ITEMS)
                rows["weight_kg"][before] += drawn.kg[i]
                continue
        row = created
        created += 1
        if drawn.is_followed[i]:
            remember(buyer, row, latest)
        rows[row] = blank[0]
        rows["later_row"][row] = row
        rows["shopper"][row] = buyer
        rows["number"][row] = k
        orders.orders[row] = 1
        orders.items[row] = items
        orders.merchant[row] = merchant
        rows["carrier"][row] = drawn.carrier[i]
        orders.origin[row] = origin
        rows["destination"][row] = destination
        rows["weight_kg"][row] = drawn.kg[i]
        rows["entered_s"][row] = paid_s[i]
        orders.created_tick[row] = tick(paid_s[i])
        if place != NOWHERE:
            stock.spared_km[category, place] += weight * stock.saved_km[market.merchant_city[merchant], destination]
        prepacked = is_prepacked(prepacked_key, warehouses, packer, buyer, k)
        pack(row, packer, items, prepacked, weight, warehouses, rows, orders, free_work_s, free_label_s, bays)
    return created
