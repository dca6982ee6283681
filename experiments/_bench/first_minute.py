"""The festival's first minute, the site alone: the kernels against the plain SimPy model that they are tested with.

Both are set up before the clock runs: SimPy takes longer for its processes of all shoppers of the day than for the minute.
"""

import numpy as np

from experiments._bench.measure import Turn
from experiments._bench.tools import PEAKDAY
from experiments._bench.workloads import Serve
from experiments._reference.site import ReferenceSite
from sim.compose import compose
from sim.festival import Festival
from sim.lab.distributions import Times
from sim.params import build
from sim.params.festival import FestivalParams
from sim.units import MINUTE_S

NAME = "the festival's first minute"
SCALE = 0.0002


def turns(*, seed: int, scale: float) -> list[Turn]:
    """What Peakday and SimPy have to do; the customers are requests for a page."""
    config = compose("festival_2012", [f"scale={SCALE * scale}", f"seed={seed}", "parcels=off", "threads=1"])
    params = build(FestivalParams, {name: value for name, value in config.items() if name != "output"})
    festival = Festival(params)
    expected = _first_minute(festival)
    return [
        Turn(PEAKDAY, festival.site.requests, lambda: _with_kernels(params), expected, ours=True),
        Turn("SimPy", festival.site.requests, lambda: _with_simpy(params), expected, ours=True),
    ]


def _first_minute(festival: Festival) -> Times:
    festival.env.run(until=MINUTE_S)
    orders = festival.site.bring_orders()
    return _in_order(orders.paid_s, orders.shopper, orders.number, orders.value_rmb)


def _with_kernels(params: FestivalParams) -> Serve:
    festival = Festival(params)
    return lambda: _first_minute(festival)


def _with_simpy(params: FestivalParams) -> Serve:
    model = ReferenceSite(params)

    def serve() -> Times:
        model.env.run(until=MINUTE_S)
        return _in_order(*np.array(model.orders, dtype=np.float64).reshape(-1, 4).T)

    return serve


def _in_order(*columns: np.ndarray) -> Times:
    """Who ordered when and for how much, in order of time, as one array."""
    orders = np.column_stack(columns).astype(np.float64)
    return orders[np.lexsort(orders.T[::-1])].ravel()
