"""Stock near the customers or in one place: check E5."""

from sim import theory
from sim.lab.checks.check import Check, Measures
from sim.lab.stores import stores

ORDERS_PER_PERIOD = 400.0
IN_STOCK = 0.95  # share of the periods in which a shelf does not run out


def pooling(outlets: int, periods: int) -> Check:
    """Outlets with shelves of their own against one shelf for all, both with as much as keeps them in stock."""

    def outlets_of(load: float) -> int:
        return outlets if load == 1.0 else round(outlets * load) + 2

    def expected(load: float) -> Measures:
        return {"safety stock, pooled over separate": theory.pooled_safety_stock(outlets_of(load))}

    def simulate(seed: int, share: float, load: float) -> Measures:
        count, length = outlets_of(load), max(20, round(periods * share))
        separate = _level(count, False, length, seed) - ORDERS_PER_PERIOD
        pooled = _level(count, True, length, seed) - count * ORDERS_PER_PERIOD
        return {"safety stock, pooled over separate": pooled / (count * separate)}

    law = f"stock of {outlets} equal outlets that keeps {IN_STOCK:.0%} of the periods without a stock-out"
    return Check("E5", law, expected, simulate, "two outlets more", tolerance=0.002)


def _level(outlets: int, pooled: bool, periods: int, seed: int) -> int:
    """The lowest level that keeps a shelf in stock, by halving the range."""
    mean = ORDERS_PER_PERIOD * (outlets if pooled else 1)
    low, high = round(mean), round(mean + 10.0 * mean**0.5)
    while low < high:
        level = (low + high) // 2
        table = stores(
            orders_per_period=ORDERS_PER_PERIOD, level=level, outlets=outlets, pooled=pooled, periods=periods, seed=seed
        )
        if (table["missed_items"] == 0.0).mean() >= IN_STOCK:
            high = level
        else:
            low = level + 1
    return low


CHECKS = (pooling(9, periods=2_000),)
