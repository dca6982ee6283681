"""The merchants: how large each is, where it ships from, whom it ships with and how fast it packs."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.orders import Market, OrderKeys, draw_merchants, zipf_mandelbrot
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.units import seconds


class Merchants(NamedTuple):
    """Everything about sellers and buyers that the intake of orders needs."""

    market: Market
    keys: OrderKeys
    parcel_s: NDArray[np.float64]  # [merchants], seconds of shift to pack one parcel
    shift_start_s: float
    shift_end_s: float


def make_merchants(
    orders: OrdersParams,
    parcels: ParcelsParams,
    origins: NDArray[np.float64],
    destinations: NDArray[np.float64],
    seed: int,
) -> Merchants:
    """Draw the merchants of a run; origins and destinations are the cities' weights, float64[cities].

    A merchant is staffed to pack its expected number of parcels in `staffed_days` days, give or take a lognormal spread.
    """
    size_share = np.empty(orders.merchants)
    zipf_mandelbrot(orders.size_exponent, orders.size_shift, size_share)
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
    shift_start_s, shift_end_s = seconds(orders.warehouse.shift_start), seconds(orders.warehouse.shift_end)
    planned_s = orders.warehouse.staffed_days * (shift_end_s - shift_start_s)
    market = Market(
        virtual_share=orders.virtual_share,
        same_merchant_share=orders.same_merchant_share,
        preferred_carrier_share=orders.preferred_carrier_share,
        weight_mu=math.log(orders.weight_median_kg),
        weight_sigma=orders.weight_sigma,
        merchant_cumulative=cumulative(size_share),
        merchant_city=city,
        merchant_carrier=carrier,
        carrier_cumulative=carrier_cumulative,
        destination_cumulative=cumulative(destinations),
    )
    keys = OrderKeys(*(stream(seed, f"parcels.{name}") for name in OrderKeys._fields))
    return Merchants(
        market, keys, planned_s / (orders.expected_parcels * size_share * spread), shift_start_s, shift_end_s
    )


def cumulative(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cumulative distribution of weights; it ends with exactly 1.0."""
    sums = np.cumsum(weights / weights.sum())
    sums[-1] = 1.0
    return sums
