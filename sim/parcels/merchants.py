"""The merchants: how large each is, what it sells, where it ships from, whom it ships with and how fast it packs."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.orders import Market, OrderKeys, draw_categories, draw_merchants, fill_guide, zipf_mandelbrot
from sim.kernels.warehouse import Shift, Warehouses
from sim.params.orders import OrdersParams, WarehouseParams
from sim.params.parcels import ParcelsParams
from sim.params.stock import PlaceParams
from sim.units import HOUR_S, seconds

Floats = NDArray[np.float64]


class Merchants(NamedTuple):
    """Everything about sellers and buyers that the intake of orders needs."""

    market: Market
    keys: OrderKeys
    warehouses: Warehouses
    size_share: Floats  # [merchants], of all orders
    hands: Floats  # [merchants], of its own on both lines
    order_items: Floats  # [merchants], mean of an order
    categories: tuple[str, ...]
    category_dm3_per_kg: Floats  # [categories], volume of a wrapped parcel
    dm3_per_kg: Floats  # [merchants], of what it sends: a row of w parcels takes w x weight_kg x dm3_per_kg[merchant]


def make_merchants(
    orders: OrdersParams,
    parcels: ParcelsParams,
    origins: Floats,
    destinations: Floats,
    seed: int,
    places: Iterable[PlaceParams] = (),
) -> Merchants:
    """Draw the merchants of a run; origins and destinations are the cities' weights, float64[cities].

    `places`: regional warehouses, which come after the merchants in the numbering of packers. A merchant has hands to pack its
    expected number of parcels in `staffed_days` days, give or take a lognormal spread.
    """
    size_share = np.empty(orders.merchants)
    zipf_mandelbrot(orders.size_exponent, orders.size_shift, size_share)
    merchant_cumulative, destination_cumulative = cumulative(size_share), cumulative(destinations)
    carrier_cumulative = cumulative(np.array([carrier.share for carrier in parcels.carriers.values()]))
    city = np.empty(orders.merchants, np.int16)
    carrier = np.empty(orders.merchants, np.int8)
    spread = np.empty(orders.merchants)
    draw_merchants(
        stream(seed, "parcels.merchant_city"),
        stream(seed, "parcels.merchant_carrier"),
        stream(seed, "parcels.merchant_spread"),
        cumulative(origins),
        carrier_cumulative,
        orders.warehouse.spread_sigma,
        city,
        carrier,
        spread,
    )
    sold = list(orders.categories.values())
    category = np.empty(orders.merchants, np.uint8)
    draw_categories(
        stream(seed, "parcels.merchant_category"), cumulative(np.array([one.share for one in sold])), category
    )
    market = Market(
        virtual_share=orders.virtual_share,
        same_merchant_share=orders.same_merchant_share,
        preferred_carrier_share=orders.preferred_carrier_share,
        switch_share=orders.switch_share,
        merchant_cumulative=merchant_cumulative,
        merchant_guide=_guide(merchant_cumulative),
        merchant_city=city,
        merchant_carrier=carrier,
        merchant_category=category,
        carrier_cumulative=carrier_cumulative,
        destination_cumulative=destination_cumulative,
        destination_guide=_guide(destination_cumulative),
        items_slope=np.array([_items_slope(one.order_items) for one in sold]),
        item_mu=np.array([math.log(one.item_median_kg) for one in sold]),
        item_sigma=np.array([one.item_sigma for one in sold]),
    )
    order_items = np.array([one.order_items for one in sold])[category]
    dm3_per_kg = np.array([one.dm3_per_kg for one in sold])
    warehouses, hands = _staffed(orders.warehouse, orders.expected_parcels * size_share, order_items, spread)
    place_s = np.array([HOUR_S / place.pack_per_h for place in places])
    warehouses = warehouses._replace(
        pick_s=np.r_[warehouses.pick_s, np.zeros(place_s.size)], pack_s=np.r_[warehouses.pack_s, place_s]
    )
    return Merchants(
        market,
        OrderKeys(*(stream(seed, f"parcels.{name}") for name in OrderKeys._fields)),
        warehouses,
        size_share,
        hands,
        order_items,
        tuple(orders.categories),
        dm3_per_kg,
        dm3_per_kg[category],
    )


def cumulative(weights: Floats) -> Floats:
    """Cumulative distribution of weights; it ends with exactly 1.0."""
    sums = np.cumsum(weights / weights.sum())
    sums[-1] = 1.0
    return sums


def _guide(distribution: Floats) -> NDArray[np.int32]:
    guide = np.empty(distribution.size + 1, np.int32)
    fill_guide(distribution, guide)
    return guide


def _items_slope(mean: float) -> float:
    """What -ln(uniform) is multiplied with to give the items beyond the first, rounded down: geometric, so many in the mean."""
    return 0.0 if mean == 1.0 else -1.0 / math.log(1.0 - 1.0 / mean)


def _staffed(
    params: WarehouseParams, expected_parcels: Floats, order_items: Floats, spread: Floats
) -> tuple[Warehouses, Floats]:
    """Both lines of every merchant with as many hands as it plans with, and the hands.

    An order that is added to a parcel is no further work: its items are fetched on the same walk.
    """
    start_s, end_s = seconds(params.shift_start), seconds(params.shift_end)
    day_s = end_s - start_s
    labels = params.prepacked
    label_parcels = expected_parcels[: labels.merchants] * labels.share
    normal_parcels = expected_parcels.copy()
    normal_parcels[: labels.merchants] -= label_parcels
    parcel_s = order_items * params.pick_s + params.pack_s
    hands = normal_parcels * parcel_s * spread / (params.staffed_days * day_s)
    label_hands = label_parcels * labels.label_s * spread[: labels.merchants] / (labels.staffed_days * day_s)
    with np.errstate(divide="ignore"):  # nobody labels where nothing is packed before the day
        label_s = labels.label_s / label_hands
    warehouses = Warehouses(
        shift=Shift(start_s, end_s, seconds(params.cutoff), params.hired_from_days * day_s, params.hired_factor),
        pick_s=params.pick_s / hands,
        pack_s=params.pack_s / hands,
        label_s=label_s,
        prepacked_share=labels.share,
    )
    hands[: labels.merchants] += label_hands
    return warehouses, hands
