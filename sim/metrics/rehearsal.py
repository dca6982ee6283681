"""The rehearsal: how its cases fared, and for how long the service with the fault worked for nobody.

An overloaded service is down when it finishes work that nobody waits for any more. Orders paid for each request that it finished
tell that apart from a quiet minute; the case without the fault says how many there should be.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

STEP_S = 10
DOWN_SHARE = 0.5
"""Share of the finished work that was in time, below which the service is down."""
NAMES = ("rehearsal_down_s", "rehearsal_down_planned_s", "rehearsal_lost_share", "rehearsal_lost_planned_share")


def rates_by_case(cases: pd.DataFrame, seconds: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What reached the service and what came of it, means of every ten seconds, scaled up to the real day.

    Parameters
    ----------
    cases, seconds : the tables rehearsal_cases and rehearsal_seconds

    Returns
    -------
    For each case: `time_s`, start of the step; `offered`, requests that reached the service; `in_time`, those of them that it
    finished and for which an order was paid; `too_late`, the others that it finished [1/s].
    """
    scale = float(cases["scale"].iloc[0])
    usual = _orders_for_each_served(seconds[seconds["case"] == cases["case"].iloc[0]])
    rates = {}
    for case in cases["case"]:
        own = seconds[seconds["case"] == case]
        by_step = own.groupby(own["second_s"] // STEP_S)[["arrivals", "served", "orders"]].sum()
        served = by_step["served"].to_numpy(dtype=float)
        in_time = np.minimum(by_step["orders"].to_numpy() / usual, served) if usual > 0 else np.zeros_like(served)
        length_s = own.groupby(own["second_s"] // STEP_S).size().to_numpy()
        rates[str(case)] = pd.DataFrame(
            {
                "time_s": by_step.index.to_numpy(dtype=float) * STEP_S,
                "offered": by_step["arrivals"].to_numpy() / (length_s * scale),
                "in_time": in_time / (length_s * scale),
                "too_late": (served - in_time) / (length_s * scale),
            }
        )
    return rates


def _orders_for_each_served(seconds: pd.DataFrame) -> float:
    served = int(seconds["served"].sum())
    return int(seconds["orders"].sum()) / served if served else 0.0


def outcomes(cases: pd.DataFrame, seconds: pd.DataFrame) -> pd.DataFrame:
    """One row a case, in their order, counts scaled up to the real day.

    Returns
    -------
    `case`; `down_s`, from the end of the fault until the service was last down, 0 when it was not, infinite when it still
    was at the end; `peak_offered` and `peak_in_time`, the most of any ten seconds [1/s]; `too_late_share` of what the service
    finished; `orders`, `orders_lost`, `lost_rmb` and `lost_share` of the orders paid and lost.
    """
    scale = float(cases["scale"].iloc[0])
    until_s = float(cases["fault_until_s"].max())
    rates = rates_by_case(cases, seconds)
    totals = seconds.groupby("case", observed=False)[["orders", "orders_lost", "lost_rmb"]].sum() / scale
    rows = []
    for case, rate in rates.items():
        finished = rate["in_time"] + rate["too_late"]
        orders, orders_lost, lost_rmb = (float(value) for value in totals.loc[case])
        wanted = orders + orders_lost
        rows.append(
            {
                "case": case,
                "down_s": _down_s(rate, until_s),
                "peak_offered": rate["offered"].max(),
                "peak_in_time": rate["in_time"].max(),
                "too_late_share": rate["too_late"].sum() / finished.sum() if finished.any() else 0.0,
                "orders": orders,
                "orders_lost": orders_lost,
                "lost_rmb": lost_rmb,
                "lost_share": orders_lost / wanted if wanted else 0.0,
            }
        )
    return pd.DataFrame(rows)


def _down_s(rates: pd.DataFrame, fault_until_s: float) -> float:
    """From the end of the fault to the end of the last step in which the service was down [s]."""
    finished = rates["in_time"] + rates["too_late"]
    down = ((finished > 0) & (rates["in_time"] < DOWN_SHARE * finished)).to_numpy()
    if not down.any():
        return 0.0
    if down[-1]:
        return float("inf")
    return max(float(rates["time_s"].to_numpy()[down][-1]) + STEP_S - fault_until_s, 0.0)


def rehearsal_kpis(tables: Mapping[str, pd.DataFrame]) -> dict[str, float | None]:
    """Key figures, the same at every scale; None where nothing was rehearsed, and for a service that did not come back.

    How long the service stayed down after its machines were back [s], and the share of the orders that was lost; both
    without and with the plan.
    """
    cases, seconds = tables.get("rehearsal_cases"), tables.get("rehearsal_seconds")
    if cases is None or seconds is None or cases.empty or seconds.empty:
        return dict.fromkeys(NAMES)
    _, fault, planned = outcomes(cases, seconds).itertuples(index=False)
    values = (fault.down_s, planned.down_s, fault.lost_share, planned.lost_share)
    return {name: float(value) if np.isfinite(value) else None for name, value in zip(NAMES, values, strict=True)}
