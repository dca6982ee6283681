"""Stores that are filled up every period, for anyone who wants to test a stock: the festival's shelves, one by one."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.draws import stream
from sim.kernels.stock import Stock, serve_periods
from sim.params import Params, build

if TYPE_CHECKING:
    import pandas as pd


class StoresParams(Params):
    """What `stores` simulates."""

    orders_per_period: float = Field(gt=0)
    level: int = Field(ge=0)
    outlets: int = Field(ge=1)
    pooled: bool
    periods: int = Field(ge=1)
    seed: int


def stores(
    *,
    orders_per_period: float,
    level: int,
    outlets: int = 1,
    pooled: bool = False,
    periods: int = 1000,
    seed: int = 1,
) -> "pd.DataFrame":
    """Simulate outlets that sell from shelves of their own, or all from one, filled up to a level before every period.

    Parameters
    ----------
    orders_per_period : mean number of orders of one item at each outlet in a period; Poisson, independent
    level : items on each shelf when a period begins
    outlets : number of outlets
    pooled : whether all of them sell from one shelf
    periods : number of periods
    seed : of the draws; equal seeds give equal orders, whatever the level and whether pooled or not

    Returns
    -------
    One row a period and shelf: `period`, `shelf`, `shipped_items`, `missed_items`, `left_items`. Nobody waits for a missed item.

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    import pandas as pd

    params = build(
        StoresParams,
        {
            "orders_per_period": orders_per_period,
            "level": level,
            "outlets": outlets,
            "pooled": pooled,
            "periods": periods,
            "seed": seed,
        },
    )
    shelves = 1 if params.pooled else params.outlets
    stock = Stock(
        merchants=1,
        place_of=np.zeros(params.outlets, np.int16) if params.pooled else np.arange(params.outlets, dtype=np.int16),
        place_city=np.zeros(shelves, np.int16),
        saved_km=np.ones((1, params.outlets), np.float32),
        left=np.zeros((1, shelves)),
        shipped=np.zeros((1, shelves)),
        missed=np.zeros((1, shelves)),
        spared_km=np.zeros((1, shelves)),
    )
    items = np.empty((3, params.periods, shelves))
    orders = _poisson(params.orders_per_period)
    serve_periods(stream(params.seed, "lab.stores_orders"), orders, float(params.level), stock, items)
    shipped, missed, left = items.reshape(3, -1)
    return pd.DataFrame(
        {
            "period": np.repeat(np.arange(params.periods), shelves),
            "shelf": np.tile(np.arange(shelves), params.periods),
            "shipped_items": shipped,
            "missed_items": missed,
            "left_items": left,
        },
        copy=False,
    )


def _poisson(mean: float) -> NDArray[np.float64]:
    """Cumulative Poisson distribution from 0 on; it ends with exactly 1.0."""
    most = math.ceil(mean + 12.0 * math.sqrt(mean) + 40.0)
    count = np.arange(most + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(count[1:]))])
    sums = np.cumsum(np.exp(count * math.log(mean) - mean - log_factorial))
    sums[-1] = 1.0
    return np.asarray(np.minimum(sums, 1.0))
