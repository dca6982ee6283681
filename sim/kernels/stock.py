"""Stock in regional warehouses: an order takes its items there if they lie nearer to the customer than the merchant does."""

from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import pick, uniform

NOWHERE = -1


class Stock(NamedTuple):
    """What lies where, in items of the real day; each city is served by one place."""

    merchants: int  # the largest ones have their goods there; 0: nobody has
    place_of: np.ndarray  # int16[cities]
    place_city: np.ndarray  # int16[places]
    saved_km: (
        np.ndarray
    )  # float32[cities, cities], way from a merchant's city to a customer's less that from its place; not below 0
    left: np.ndarray  # float64[categories, places]
    shipped: np.ndarray  # float64[categories, places]
    missed: np.ndarray  # float64[categories, places], items that were asked for when too little was left
    spared_km: np.ndarray  # float64[categories, places], over the parcels sent from there


@kernel
def take(merchant, category, city, destination, items, stock):
    """The place from which so many items go to a customer, who gets all of them from there, or NOWHERE.

    city: the merchant's. The stock is updated.
    """
    if merchant >= stock.merchants or stock.saved_km[city, destination] <= 0.0:
        return NOWHERE
    place = np.int64(stock.place_of[destination])
    if stock.left[category, place] < items:
        stock.missed[category, place] += items
        return NOWHERE
    stock.left[category, place] -= items
    stock.shipped[category, place] += items
    return place


@kernel
def serve_periods(key, orders_cumulative, level, stock, items):
    """Outlets that sell single items: every period each shelf is filled to `level`, and each outlet's orders come.

    orders_cumulative: float64[..], distribution of an outlet's orders in a period. stock: one category and merchant, whose
    customers' cities are the outlets; its sums go on. Output: items float64[3, periods, places], shipped, missed and left.
    """
    _, periods, places = items.shape
    for period in range(periods):
        for place in range(places):
            stock.left[0, place] = level
            items[0, period, place] = -stock.shipped[0, place]
            items[1, period, place] = -stock.missed[0, place]
        for outlet in range(stock.place_of.size):
            for _ in range(pick(orders_cumulative, uniform(key, outlet, period))):
                take(0, 0, 0, outlet, 1.0, stock)
        for place in range(places):
            items[0, period, place] += stock.shipped[0, place]
            items[1, period, place] += stock.missed[0, place]
            items[2, period, place] = stock.left[0, place]


def no_stock(categories: int) -> Stock:
    """Empty warehouses in which nobody looks."""
    return Stock(
        0,
        np.zeros(1, np.int16),
        np.zeros(1, np.int16),
        np.zeros((1, 1), np.float32),
        left=np.zeros((categories, 1)),
        shipped=np.zeros((categories, 1)),
        missed=np.zeros((categories, 1)),
        spared_km=np.zeros((categories, 1)),
    )
