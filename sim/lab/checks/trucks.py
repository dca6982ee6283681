"""A truck a period: check E1."""

import numpy as np

from sim import theory
from sim.lab.checks.check import Check, Measures
from sim.lab.hubs import hub
from sim.units import MINUTE_S

WARM_UP_PERIODS = 1000


def truck(capacity: int, parcels: float, periods: int) -> Check:
    """A truck a minute; what the first `WARM_UP_PERIODS` bring is not measured. Its load is the parcels that come."""

    def expected(load: float) -> Measures:
        steady = theory.truck_queue(capacity, parcels * load)
        return {"parcels left behind": steady.left_behind, "mean wait [periods]": steady.wait_periods}

    def simulate(seed: int, share: float, load: float) -> Measures:
        in_all = max(1, round(periods * share)) + WARM_UP_PERIODS
        table = hub(arrival_per_period=parcels * load, capacity=capacity, headway_s=MINUTE_S, periods=in_all, seed=seed)
        arrival_s, depart_s = table["arrival_s"].to_numpy(), table["depart_s"].to_numpy()
        trucks_s = MINUTE_S * np.arange(WARM_UP_PERIODS, in_all)
        came = np.searchsorted(arrival_s, trucks_s, side="left")
        went = np.searchsorted(depart_s[~np.isnan(depart_s)], trucks_s, side="right")
        wait_s = table["wait_s"].to_numpy()[arrival_s >= trucks_s[0]]
        return {
            "parcels left behind": float(np.mean(came - went)),
            "mean wait [periods]": float(np.nanmean(wait_s)) / MINUTE_S,
        }

    return Check(
        "E1",
        f"a truck a period with room for {capacity}, {parcels:g} parcels come",
        expected,
        simulate,
        "3 % more parcels come",
    )


CHECKS = (
    truck(10, 9.0, periods=40_000),
    truck(30, 27.0, periods=20_000),
    truck(100, 90.0, periods=8_000),
)
