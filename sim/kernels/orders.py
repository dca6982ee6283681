"""From orders to parcel rows.

The rule: an order is virtual (nothing is sent) with a fixed share. A physical order joins the parcel of the same shopper's order
before it when that one was physical too and this order's draw says "same merchant"; otherwise it makes a parcel of its own. Both
need only this order's and the previous order's draws, never the future or a clock, so parcels per order depend on nothing else.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import kernel
from sim.kernels.random import lognormal, pick, uniform


class OrderKeys(NamedTuple):
    """Keys of the streams of draws about an order; the entity is the shopper, the draw the order's number."""

    virtual: np.uint64
    same_merchant: np.uint64
    merchant: np.uint64
    preferred: np.uint64
    carrier: np.uint64
    weight: np.uint64
    destination: np.uint64  # draw 0: a shopper lives in one city


class Market(NamedTuple):
    """Who sells and who lives where; `cumulative` distributions end with 1.0."""

    virtual_share: float
    same_merchant_share: float
    preferred_carrier_share: float
    weight_mu: float  # mean of the logarithm of kg
    weight_sigma: float
    merchant_cumulative: np.ndarray  # float64[merchants]
    merchant_city: np.ndarray  # int16[merchants]
    merchant_carrier: np.ndarray  # int8[merchants], the preferred one
    carrier_cumulative: np.ndarray  # float64[carriers]
    destination_cumulative: np.ndarray  # float64[cities]


@kernel
def is_virtual(keys, market, shopper, number):
    """Whether nothing has to be sent for an order."""
    return uniform(keys.virtual, shopper, number) < market.virtual_share


@kernel
def joins_previous(keys, market, shopper, number):
    """Whether a physical order goes into the parcel of the shopper's order before it."""
    return (
        number > 0
        and uniform(keys.same_merchant, shopper, number) < market.same_merchant_share
        and not is_virtual(keys, market, shopper, number - 1)
    )


@kernel
def attributes(keys, market, shopper, number):
    """(merchant, carrier, destination city, weight in kg) of the parcel that an order makes."""
    merchant = pick(market.merchant_cumulative, uniform(keys.merchant, shopper, number))
    if uniform(keys.preferred, shopper, number) < market.preferred_carrier_share:
        carrier = np.int64(market.merchant_carrier[merchant])
    else:
        carrier = pick(market.carrier_cumulative, uniform(keys.carrier, shopper, number))
    destination = pick(market.destination_cumulative, uniform(keys.destination, shopper, 0))
    weight_kg = lognormal(keys.weight, shopper, number, market.weight_mu, market.weight_sigma)
    return merchant, carrier, destination, weight_kg


@kernel
def make_parcels(paid_s, shopper, number, keys, market, blank, created, last_parcel, rows):
    """Turn a batch of orders into parcel rows or add them to earlier ones.

    paid_s: float64[n], shopper: int64[n], number: int64[n], sorted by (paid_s, shopper, number), later than all batches before.
    blank: ROW[1], a row of which nothing has happened. created: rows that exist. last_parcel: int32[shoppers], the row of each
    shopper's latest physical order, updated.
    Returns the number of rows that exist afterwards.
    """
    for i in range(paid_s.size):
        buyer, k = shopper[i], number[i]
        if is_virtual(keys, market, buyer, k):
            continue
        if joins_previous(keys, market, buyer, k):
            rows["orders"][last_parcel[buyer]] += 1
            continue
        merchant, carrier, destination, weight_kg = attributes(keys, market, buyer, k)
        row = created
        created += 1
        last_parcel[buyer] = row
        rows[row] = blank[0]
        rows["shopper"][row] = buyer
        rows["number"][row] = k
        rows["orders"][row] = 1
        rows["merchant"][row] = merchant
        rows["carrier"][row] = carrier
        rows["origin"][row] = market.merchant_city[merchant]
        rows["destination"][row] = destination
        rows["weight_kg"][row] = weight_kg
        rows["created_s"][row] = paid_s[i]
    return created


@kernel
def zipf_mandelbrot(exponent, shift, share):
    """Shares of n sellers by rank: proportional to (rank + shift) ** -exponent, rank from 1. Output: share float64[n]."""
    total = 0.0
    for i in range(share.size):
        share[i] = math.pow(i + 1.0 + shift, -exponent)
        total += share[i]
    for i in range(share.size):
        share[i] /= total


@kernel
def draw_merchants(
    city_key, carrier_key, spread_key, city_cumulative, carrier_cumulative, sigma, city, carrier, spread
):
    """Each merchant's city, preferred carrier and packing rate over its planned one.

    Outputs: city int16[merchants], carrier int8[merchants], spread float64[merchants], lognormal with mean 1.
    """
    for merchant in range(city.size):
        city[merchant] = pick(city_cumulative, uniform(city_key, merchant, 0))
        carrier[merchant] = pick(carrier_cumulative, uniform(carrier_key, merchant, 0))
        spread[merchant] = lognormal(spread_key, merchant, 0, -0.5 * sigma * sigma, sigma)
