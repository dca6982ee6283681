"""What is ordered: draws about each order, from which `sim.kernels.intake` makes parcels.

An order is virtual (nothing is sent) with a fixed share. A physical order is for the merchant of the same shopper's order before
it when that one was physical too and this order's draw says "same merchant". Both need only this order's and the previous
order's draws, never the future or a clock.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.random import lognormal, pick, uniform

MOST_ITEMS = 255.0  # counted in 8 bits; a geometric number of mean 3 passes it once in 1e44


class OrderKeys(NamedTuple):
    """Keys of the streams of draws about an order; the entity is the shopper, the draw the order's number."""

    virtual: np.uint64
    same_merchant: np.uint64
    merchant: np.uint64
    preferred: np.uint64
    carrier: np.uint64
    items: np.uint64
    weight: np.uint64
    destination: np.uint64  # draw 0: a shopper lives in one city
    prepacked: np.uint64
    switch: np.uint64
    other_carrier: np.uint64


class Market(NamedTuple):
    """Who sells what and who lives where; `cumulative` distributions end with 1.0."""

    virtual_share: float
    same_merchant_share: float
    preferred_carrier_share: float
    switch_share: float
    merchant_cumulative: np.ndarray  # float64[merchants]
    merchant_guide: np.ndarray  # int32[merchants + 1], see `pick_guided`
    merchant_city: np.ndarray  # int16[merchants]
    merchant_carrier: np.ndarray  # int8[merchants], the preferred one
    merchant_category: np.ndarray  # uint8[merchants]
    carrier_cumulative: np.ndarray  # float64[carriers]
    destination_cumulative: np.ndarray  # float64[cities]
    destination_guide: np.ndarray  # int32[cities + 1]
    items_slope: (
        np.ndarray
    )  # float64[categories], -1 / ln(share of orders that have yet another item), 0 if all have one
    item_mu: np.ndarray  # float64[categories], mean of the logarithm of an item's kg
    item_sigma: np.ndarray  # float64[categories]


@kernel
def fill_guide(cumulative, guide):
    """Where `pick_guided` may begin to look. Output: guide int32[n + 1] of a cumulative distribution float64[n]."""
    n = cumulative.size
    for j in range(n + 1):
        guide[j] = pick(cumulative, (j - 1e-6) / n)  # a little early, so that no rounding makes it late


@inlined
def pick_guided(cumulative, guide, p):
    """The same as `pick`, in a step or two: the guide tells where the n-th part of [0, 1] that holds p begins."""
    i = guide[int(p * cumulative.size)]
    while cumulative[i] < p:
        i += 1
    return i


@kernel
def is_virtual(keys, market, shopper, number):
    """Whether nothing has to be sent for an order."""
    return uniform(keys.virtual, shopper, number) < market.virtual_share


@kernel
def same_merchant(keys, market, shopper, number):
    """Whether a physical order is for the merchant of the shopper's order before it."""
    return (
        number > 0
        and uniform(keys.same_merchant, shopper, number) < market.same_merchant_share
        and not is_virtual(keys, market, shopper, number - 1)
    )


@kernel
def next_is_same(keys, market, shopper, number):
    """Whether the shopper's next order, if there is one, is physical and for the merchant of this physical one."""
    return uniform(keys.same_merchant, shopper, number + 1) < market.same_merchant_share and not is_virtual(
        keys, market, shopper, number + 1
    )


@kernel
def merchant_of(keys, market, shopper, number):
    """The merchant of an order that is not for the one before."""
    return pick_guided(market.merchant_cumulative, market.merchant_guide, uniform(keys.merchant, shopper, number))


@kernel
def destination_of(keys, market, shopper):
    """The city of a shopper."""
    return pick_guided(market.destination_cumulative, market.destination_guide, uniform(keys.destination, shopper, 0))


@kernel
def contents(keys, market, category, shopper, number):
    """(items, kg) of an order: a geometric number of items, at least one, that all weigh the same."""
    more = -math.log(uniform(keys.items, shopper, number)) * market.items_slope[category]
    items = 1.0 + min(math.floor(more), MOST_ITEMS - 1.0)
    return items, items * lognormal(keys.weight, shopper, number, market.item_mu[category], market.item_sigma[category])


@kernel
def carrier_of(keys, market, merchant, shopper, number):
    """The carrier that a merchant hands a parcel to: its preferred one, or any by their shares."""
    if uniform(keys.preferred, shopper, number) < market.preferred_carrier_share:
        return np.int64(market.merchant_carrier[merchant])
    return np.int64(pick(market.carrier_cumulative, uniform(keys.carrier, shopper, number)))


@kernel
def next_carrier(keys, market, carrier, shopper, number):
    """The carrier of a parcel that `carrier` had no room for: another by their shares, or the same when the merchant waits."""
    share = market.carrier_cumulative
    below = share[carrier - 1] if carrier > 0 else 0.0
    own = share[carrier] - below
    if own >= 1.0 or uniform(keys.switch, shopper, number) >= market.switch_share:
        return carrier
    place = uniform(keys.other_carrier, shopper, number) * (1.0 - own)  # on the others' shares, put together
    other = np.int64(pick(share, place if place <= below else place + own))
    if other != carrier:
        return other
    return carrier - 1 if carrier > 0 else carrier + 1  # rounding put it on the edge of its own share


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


@kernel
def draw_categories(key, category_cumulative, category):
    """Each merchant's category. Output: category uint8[merchants]."""
    for merchant in range(category.size):
        category[merchant] = pick(category_cumulative, uniform(key, merchant, 0))
