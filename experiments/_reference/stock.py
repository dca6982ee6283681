"""Regional warehouses in plain SimPy: shelves that orders empty one by one, and that are filled up again."""

from typing import TYPE_CHECKING

import numpy as np
import simpy

from experiments._reference.places import Process, at
from sim.parcels.clock import Turn
from sim.parcels.merchants import Merchants
from sim.parcels.stock import place_stock
from sim.units import DAY_S, HOUR_S, seconds

if TYPE_CHECKING:
    from tests.parcel_case import Case


class Store:
    """All shelves of a case. What is placed before the day is taken from `sim.parcels.stock`."""

    def __init__(self, env: simpy.Environment, case: "Case", sellers: Merchants) -> None:
        self.env = env
        self.params = case.stock
        self.sellers = sellers
        self.shipped = self.missed = 0.0
        if case.stock is None:
            return
        self.geography = case.network.geography
        self.city = [self.geography.index(name) for name in case.stock.places]
        self.km = case.network.road_km(self.geography.name.tolist()).astype(float)
        self.full = place_stock(case.stock, sellers, case.network, case.destinations, case.seed, None).placed
        self.left = self.full.copy()
        self.coming = np.zeros(self.full.shape)
        if case.stock.replenish_clock is not None:
            env.process(self.replenish(seconds(case.stock.replenish_clock), case.stock.replenish_h * HOUR_S))

    def sender(self, merchant: int, destination: int, items: float) -> tuple[int, int]:
        """(packer, city) that sends an order: the regional warehouse of the customer's city, or the merchant."""
        home = int(self.sellers.market.merchant_city[merchant])
        if self.params is None or merchant >= self.params.merchants:
            return merchant, home
        to_customer = [self.km[city, destination] for city in self.city]
        place = to_customer.index(min(to_customer))
        shelf = int(self.sellers.market.merchant_category[merchant]), place
        if self.km[home, destination] <= to_customer[place]:
            return merchant, home
        if self.left[shelf] < items:
            self.missed += items
            return merchant, home
        self.left[shelf] -= items
        self.shipped += items
        return self.sellers.market.merchant_city.size + place, self.city[place]

    def replenish(self, clock_s: float, way_s: float) -> Process:
        day = 0
        while True:
            yield at(self.env, day * DAY_S + clock_s, Turn.PICKUP)
            missing = self.full - self.left - self.coming
            missing[missing <= 1e-6] = 0.0
            if missing.any():
                self.coming += missing
                self.env.process(self.arrive(missing, way_s))
            day += 1

    def arrive(self, items: np.ndarray, way_s: float) -> Process:
        yield self.env.timeout(way_s)
        self.coming -= items
        self.left += items
