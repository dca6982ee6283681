"""From paid orders to parcel rows: one parcel per merchant and place that it is sent from.

An order for the merchant of the order before it goes into that one's parcel when both are sent from the same place and the parcel
is not packed yet, strictly before its packing time; otherwise it makes a parcel of its own.
"""

import numpy as np

from sim.kernels import kernel
from sim.kernels.orders import (
    MOST_ITEMS,
    carrier_of,
    contents,
    destination_of,
    is_virtual,
    merchant_of,
    same_merchant,
)
from sim.kernels.rows import NOT_YET, tick
from sim.kernels.stock import NOWHERE, take
from sim.kernels.warehouse import is_prepacked, pack


@kernel
def is_open(row, time_s, rows):
    """Whether a parcel is packed after a time, so that something may still be added to it."""
    return rows["picked_up_tick"][row] == NOT_YET and rows["entered_s"][row] > time_s


@kernel
def take_in(
    paid_s, shopper, number, keys, market, warehouses, stock, weight, blank, created, last_parcel, rows, orders,
    free_work_s, free_label_s, bays,
):  # fmt: skip
    """Make parcels of a batch of orders, or add the orders to earlier parcels, and have each packed.

    paid_s: float64[n], shopper: integers[n], number: integers[n], sorted by (paid_s, shopper, number), later than all batches
    before. stock: what lies in regional warehouses. weight: parcels that a row stands for. blank: ROW[1], a row of which nothing
    has happened. created: rows that exist. last_parcel: int32[shoppers], the row of each shopper's latest physical order. Stock,
    last_parcel, lines and bays are updated.
    Returns the number of rows that exist afterwards.
    """
    for i in range(paid_s.size):
        buyer, k = shopper[i], number[i]
        if is_virtual(keys, market, buyer, k):
            continue
        same = same_merchant(keys, market, buyer, k)
        if same:
            before = last_parcel[buyer]
            merchant = orders.merchant[before]
            destination = np.int64(rows["destination"][before])
        else:
            before = 0
            merchant = merchant_of(keys, market, buyer, k)
            destination = destination_of(keys, market, buyer)
        category = market.merchant_category[merchant]
        items, order_kg = contents(keys, market, category, buyer, k)
        packer, origin = np.int64(merchant), market.merchant_city[merchant]
        place = take(merchant, category, origin, destination, items * weight, stock)
        if place != NOWHERE:
            packer, origin = market.merchant_city.size + place, stock.place_city[place]
        if same and orders.origin[before] == origin and is_open(before, paid_s[i], rows):
            orders.orders[before] += 1
            orders.items[before] = min(orders.items[before] + items, MOST_ITEMS)
            rows["weight_kg"][before] += order_kg
            continue
        row = created
        created += 1
        last_parcel[buyer] = row
        rows[row] = blank[0]
        rows["later_row"][row] = row
        rows["shopper"][row] = buyer
        rows["number"][row] = k
        orders.orders[row] = 1
        orders.items[row] = items
        orders.merchant[row] = merchant
        rows["carrier"][row] = carrier_of(keys, market, merchant, buyer, k)
        orders.origin[row] = origin
        rows["destination"][row] = destination
        rows["weight_kg"][row] = order_kg
        rows["entered_s"][row] = paid_s[i]
        orders.created_tick[row] = tick(paid_s[i])
        if place != NOWHERE:
            stock.spared_km[category, place] += weight * stock.saved_km[market.merchant_city[merchant], destination]
        prepacked = is_prepacked(keys.prepacked, warehouses, packer, buyer, k)
        pack(row, packer, items, prepacked, weight, warehouses, rows, orders, free_work_s, free_label_s, bays)
    return created
