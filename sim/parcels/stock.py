"""Regional warehouses: what is placed there before the day, and what is ordered again as it sells."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.draws import stream
from sim.geography import Geography
from sim.kernels.random import lognormal
from sim.kernels.stock import Stock, no_stock
from sim.network import Network
from sim.params import ParameterError
from sim.params.base import hint
from sim.params.orders import OrdersParams
from sim.params.stock import StockParams
from sim.parcels.allocate import POLICIES, Advice, Outlook, forecast, placed
from sim.parcels.clock import Turn, daily
from sim.parcels.ledger import Ledger
from sim.parcels.merchants import Merchants
from sim.units import HOUR_S, seconds

Floats = NDArray[np.float64]
_DM3_PER_M3 = 1000.0


def check_stock(stock: StockParams, orders: OrdersParams, geography: Geography, *, advised: bool = False) -> None:
    """Check what the group cannot see alone; `advised`: a forecast is handed in through the port.

    Raises
    ------
    ParameterError
        With one message for each problem.
    """
    if problems := list(_problems(stock, orders, geography, advised)):
        raise ParameterError(problems)


def _problems(stock: StockParams, orders: OrdersParams, geography: Geography, advised: bool) -> Iterator[str]:
    for name in stock.places:
        if name not in geography:
            yield f"stock.places.{name}: {geography.unknown(name)}"
    if stock.merchants > orders.merchants:
        yield f"stock.merchants must be at most orders.merchants, {orders.merchants}, got {stock.merchants}"
    if stock.policy == "forecast" and stock.forecast is None and not advised:
        yield "stock.forecast must be a table when policy is forecast and none is handed in, got null"
    for place, shares in (stock.forecast or {}).items():
        if place not in stock.places:
            yield f"stock.forecast.{place} is not one of stock.places{hint(place, list(stock.places))}"
        for category in shares:
            if category not in orders.categories:
                yield (
                    f"stock.forecast.{place}.{category} is not one of orders.categories"
                    f"{hint(category, list(orders.categories))}"
                )


class Placement(NamedTuple):
    """The stock of a run before its first order."""

    stock: Stock
    placed: Floats  # [categories, places], items
    outlook: Outlook


def place_stock(
    params: StockParams, merchants: Merchants, network: Network, destinations: Floats, seed: int, advice: Advice | None
) -> Placement:
    """Place the stock. `destinations`: the cities' weights as receivers, float64[cities]; `advice`: of the port, if any.

    A city is served by the place with the shortest way by road, the first of equals.
    """
    places = list(params.places)
    to_cities_km = network.road_km(places)
    place_of = np.argmin(to_cities_km, axis=0)
    road_km = network.road_km(network.geography.name.tolist())
    saved_km = np.maximum(road_km - to_cities_km[place_of, np.arange(place_of.size)], 0.0)
    outlook = _outlook(params, merchants, place_of, saved_km, destinations / destinations.sum(), seed)
    policies = POLICIES | {"forecast": advice or forecast(params.forecast or {})}
    items = placed(_sound(policies[params.policy](outlook), outlook), outlook)
    stock = Stock(
        params.merchants,
        place_of.astype(np.int16),
        np.array([network.geography.index(name) for name in places], np.int16),
        saved_km.astype(np.float32),
        left=items.copy(),
        shipped=np.zeros(items.shape),
        missed=np.zeros(items.shape),
        spared_km=np.zeros(items.shape),
    )
    return Placement(stock, items, outlook)


def _sound(advice: Floats, outlook: Outlook) -> Floats:
    """What a policy said, if it is a table of shares.

    Raises
    ------
    ParameterError
        When a handed-in forecast has the wrong shape or values that cannot be shares.
    """
    advice = np.asarray(advice, dtype=float)
    shape = outlook.demand_items.shape
    if advice.shape != shape:
        raise ParameterError([f"stock advice must have a share for {shape} (categories, places), got {advice.shape}"])
    if not (np.isfinite(advice).all() and (advice >= 0.0).all()):
        raise ParameterError([f"stock advice must be finite and >= 0, got {advice.min():g} to {advice.max():g}"])
    return advice


def _outlook(
    params: StockParams,
    merchants: Merchants,
    place_of: NDArray[np.int64],
    saved_km: Floats,
    destination_share: Floats,
    seed: int,
) -> Outlook:
    """What these merchants expect: their own sizes, the cities' shares, and a year ago's sales with their drift."""
    market, categories, places = merchants.market, len(merchants.categories), len(params.places)
    own = np.arange(params.merchants)
    category, city = market.merchant_category[own], market.merchant_city[own]
    items = params.expected_orders * (1.0 - market.virtual_share) * merchants.size_share[own]
    items = items * merchants.order_items[own]
    demand, saved = np.zeros((categories, places)), np.zeros((categories, places))
    for place in range(places):
        region = np.where(place_of == place, destination_share, 0.0)
        nearer = saved_km > 0.0  # [cities, cities]
        np.add.at(demand[:, place], category, items * (nearer @ region)[city])
        np.add.at(saved[:, place], category, items * (saved_km @ region)[city])
    drift = np.empty(demand.shape)
    key = stream(seed, "parcels.stock_drift")
    for entity in range(drift.size):
        drift.flat[entity] = lognormal(key, entity, 0, 0.0, params.drift_sigma)
    past = demand * drift
    total = past.sum(axis=1, keepdims=True)
    return Outlook(
        merchants.categories,
        tuple(params.places),
        demand,
        np.divide(past, total, out=np.zeros_like(past), where=total > 0.0),
        np.divide(saved, demand, out=np.zeros_like(saved), where=demand > 0.0),
        np.exp(market.item_mu + 0.5 * market.item_sigma**2) * merchants.category_dm3_per_kg,
        np.array([place.capacity_m3 for place in params.places.values()]) * _DM3_PER_M3,
        params.placed_items,
    )


class Replenishment:
    """Orders again at a clock of every day what is missing of the placed stock, and puts it on the shelf when it comes."""

    def __init__(self, env: simpy.Environment, params: StockParams, placement: Placement, ledger: Ledger) -> None:
        self._env = env
        self._ledger = ledger
        self.placement = placement
        self._way_s = params.replenish_h * HOUR_S
        self.coming = np.zeros(placement.placed.shape)  # items, [categories, places]
        self.replenished = np.zeros(placement.placed.shape)  # items, [categories, places]
        if params.replenish_clock is not None:
            env.process(daily(env, [seconds(params.replenish_clock)], Turn.PICKUP, self._order))

    def _order(self) -> None:
        self._ledger.take_in()
        missing = self.placement.placed - self.placement.stock.left - self.coming
        missing = np.where(missing > 1e-6, missing, 0.0)  # not what rounding leaves
        if missing.any():
            self.coming += missing
            self._env.timeout(self._way_s).callbacks.append(lambda _: self._arrive(missing))

    def _arrive(self, items: Floats) -> None:
        self._ledger.take_in()
        self.coming -= items
        self.replenished += items
        self.placement.stock.left[:] += items


__all__ = ["Placement", "Replenishment", "check_stock", "no_stock", "place_stock"]
