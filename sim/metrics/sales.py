"""Orders and sales of the festival day, from the site's seconds or, with the site off, from the orders themselves."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.units import DAY_S, seconds

SHARE_CLOCKS = ("02:19", "12:00", "13:38")
BUSIEST_WINDOW_S = 60


def sales_by_second(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Orders and sales of each second of the festival day, [0, 86400) s.

    `second_s`, `orders`, `gmv_rmb` and `orders_lost` (NaN when the site is off), unscaled. None when the tables hold
    neither seconds nor orders.
    """
    day = np.arange(int(DAY_S))
    recorded = tables.get("demand_seconds")
    if recorded is not None and len(recorded):
        recorded = of_the_day(recorded)
        at = recorded["second_s"].to_numpy()
        columns = {
            name: np.bincount(at, weights=recorded[name].to_numpy(), minlength=day.size)
            for name in ("orders", "gmv_rmb", "orders_lost")
        }
    else:
        orders = tables.get("orders")
        if orders is None or orders.empty:
            return None
        orders = orders[(orders["paid_s"] >= 0) & (orders["paid_s"] < DAY_S)]
        at = orders["paid_s"].to_numpy().astype(np.int64)
        columns = {
            "orders": np.bincount(at, minlength=day.size).astype(float),
            "gmv_rmb": np.bincount(at, weights=orders["value_rmb"].to_numpy(), minlength=day.size),
            "orders_lost": np.full(day.size, np.nan),
        }
    return pd.DataFrame({"second_s": day, **columns})


def of_the_day(by_second: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table by second that lie on the festival day."""
    return by_second[(by_second["second_s"] >= 0) & (by_second["second_s"] < DAY_S)]


def gmv_shares(sales: pd.DataFrame, clocks: Sequence[str] = SHARE_CLOCKS) -> dict[str, float]:
    """Share of the day's sales made before each clock time; NaN when nothing was sold."""
    reached = np.concatenate(([0.0], np.cumsum(sales["gmv_rmb"].to_numpy())))
    total = reached[-1]
    return {label: float(reached[int(seconds(label))] / total) if total > 0 else float("nan") for label in clocks}


def busiest_minute_per_s(orders: np.ndarray) -> float:
    """Mean orders per second of the busiest 60 consecutive seconds of `orders`, one value a second."""
    reached = np.concatenate(([0.0], np.cumsum(orders)))
    window = min(BUSIEST_WINDOW_S, orders.size)
    return float((reached[window:] - reached[:-window]).max() / window)


def cumulative_sales(sales: pd.DataFrame, *, scale: float, step_s: int = 60) -> pd.DataFrame:
    """Sales so far, scaled up to the real day: `time_s` [s] every `step_s` and `gmv_rmb` [RMB]."""
    reached = np.concatenate(([0.0], np.cumsum(sales["gmv_rmb"].to_numpy()))) / scale
    time_s = np.arange(0, reached.size, step_s)
    return pd.DataFrame({"time_s": time_s.astype(float), "gmv_rmb": reached[time_s]})


def against_published(sales: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """`published` with what `sales` (from `cumulative_sales`) had reached at the same instants as `simulated_rmb`."""
    simulated = np.interp(published["time_s"], sales["time_s"], sales["gmv_rmb"])
    return published.assign(simulated_rmb=simulated)
