"""The cloud: machines against load, what they cost, and what all machines of the site come to."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.metrics.site import machine_hours, machines, services

ALIVE = ("booting", "warming", "serving", "draining")


def cloud_kpis(tables: Mapping[str, pd.DataFrame]) -> dict[str, float | None]:
    """Of the cloud's machines, real ones at every scale; None when it was off."""
    table = tables.get("machines")
    if table is None or table.empty:
        return {"machine_cost_rmb": None, "cloud_machine_h": None, "cloud_peak_machines": None}
    last = _last(table)
    return {
        "machine_cost_rmb": float(last["cost_rmb"].sum()),
        "cloud_machine_h": float(last["machine_h"].sum()),
        "cloud_peak_machines": float(running(table).max()),
    }


def machines_of_all(
    cloud: pd.DataFrame, site_capacity: pd.DataFrame, end_s: float, scale: float
) -> dict[str, float | int | None]:
    """Machines of all services, at the run's scale: those of the cloud from order to stop, the others as planned.

    Parameters
    ----------
    cloud, site_capacity : the tables machines and site_capacity
    end_s : end of the hours of the machines that are not the cloud's
    """
    owned = set(services(cloud))
    others = site_capacity[~site_capacity["service"].isin(list(owned))]
    hours = 0.0
    together = running(cloud) * scale
    if len(others):
        steps = machines(others).set_index("time_s")["machines"]
        at = together.index.union(steps.index)
        together = together.reindex(at).ffill() + steps.reindex(at).ffill()
        hours = machine_hours(others, end_s)
    return {
        "peak_machines": float(together.max()),
        "machine_hours": hours + scale * float(_last(cloud)["machine_h"].sum()),
    }


def running(table: pd.DataFrame) -> pd.Series:
    """Machines of all services of the cloud that are paid, from each change on; index: `time_s`."""
    alive = table.assign(alive=table[list(ALIVE)].sum(axis=1))
    by_service = alive.pivot_table("alive", "time_s", "service", aggfunc="last", observed=True)
    return by_service.ffill().sum(axis=1)


def servers_and_load(
    table: pd.DataFrame,
    site_seconds: pd.DataFrame,
    *,
    scale: float,
    end_s: int,
    step_s: int,
) -> dict[str, pd.DataFrame]:
    """Machines against load, by service, of the real day.

    Parameters
    ----------
    table, site_seconds : the tables machines and site_seconds
    end_s, step_s : the night from 0 to end_s, in steps of so many seconds

    Returns
    -------
    For each service of the cloud: `time_s`, end of the step; machines then: `serving`, `warming`, `booting`, `draining`; `load`,
    the machines' worth of requests in service and waiting, mean of the step's seconds.
    """
    time_s = np.arange(step_s, end_s + step_s, step_s, dtype=float)
    loads = {}
    for service in services(table):
        own = table[table["service"] == service]
        at = np.searchsorted(own["time_s"].to_numpy(), time_s, side="right") - 1
        seconds = site_seconds[(site_seconds["service"] == service) & (site_seconds["second_s"] < time_s[-1])]
        load, per_machine = np.zeros(time_s.size), int(own["slots_per_machine"].iloc[0])
        step = seconds["second_s"].to_numpy() // step_s
        np.add.at(load, step, seconds["in_flight"].to_numpy() / (per_machine * scale * step_s))
        counts = {name: own[name].to_numpy()[at] for name in ALIVE}
        loads[service] = pd.DataFrame({"time_s": time_s, **counts, "load": load})
    return loads


def together(loads: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The sum over all services of what `servers_and_load` gives."""
    first, *others = loads.values()
    total = first.copy()
    for other in others:
        total[[*ALIVE, "load"]] += other[[*ALIVE, "load"]]
    return total


def service_costs(table: pd.DataFrame) -> pd.DataFrame:
    """One row a service of the cloud, in their order.

    Returns
    -------
    `service`; `start`, machines at t = 0; `most`, machines paid at once; `ordered` and `failed` since t = 0; `machine_h`;
    `cost_rmb`.
    """
    rows = []
    for service in services(table):
        own = table[table["service"] == service]
        first, last = own.iloc[0], own.iloc[-1]
        start = first[list(ALIVE)].sum()
        rows.append(
            {
                "service": service,
                "start": int(start),
                "most": int(own[list(ALIVE)].sum(axis=1).max()),
                "ordered": int(last["ordered"] - first["ordered"]),
                "failed": int(last["failed"]),
                "machine_h": float(last["machine_h"]),
                "cost_rmb": float(last["cost_rmb"]),
            }
        )
    return pd.DataFrame(rows)


def peak_machines(table: pd.DataFrame) -> dict[str, int]:
    """The most machines of each service that served at once: last year's peak, this year's normal."""
    served = table.groupby("service", observed=True, sort=False)["serving"].max()
    return {str(service): int(most) for service, most in served.items()}


def frontier(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows (`cost_rmb`, `orders_lost`) that no other row beats in both, by cost."""
    by_cost = rows.sort_values(["cost_rmb", "orders_lost"], kind="stable")
    best = by_cost["orders_lost"].cummin()
    return by_cost[by_cost["orders_lost"] < best.shift(fill_value=np.inf)].reset_index(drop=True)


def _last(table: pd.DataFrame) -> pd.DataFrame:
    return table.groupby("service", observed=True).last()
