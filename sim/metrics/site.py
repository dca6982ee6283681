"""The site's night: requests, services, machines."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.units import HOUR_S

REQUEST_COLUMNS = ("visitors", "requests", "served", "rejected", "timed_out", "orders", "orders_lost")


def has_site(tables: Mapping[str, pd.DataFrame]) -> bool:
    """Whether pages were served by machines; the smallest table of a site tells, large ones need not be made for it."""
    capacity = tables.get("site_capacity")
    return capacity is not None and not capacity.empty


def requests_by_second(demand_seconds: pd.DataFrame, *, scale: float, start_s: int, end_s: int) -> pd.DataFrame:
    """Rates per second of [start_s, end_s), scaled up to the real day: `time_s` and one column per kind of event [1/s].

    Seconds that the table does not list are zeros.
    """
    return _rates(demand_seconds, scale=scale, start_s=start_s, end_s=end_s, step_s=1)


def requests_by_hour(demand_seconds: pd.DataFrame, *, scale: float, start_s: int, end_s: int) -> pd.DataFrame:
    """Mean rates of each hour of [start_s, end_s), scaled up to the real day: `time_s` and one column per kind [1/s]."""
    return _rates(demand_seconds, scale=scale, start_s=start_s, end_s=end_s, step_s=int(HOUR_S))


def _rates(demand_seconds: pd.DataFrame, *, scale: float, start_s: int, end_s: int, step_s: int) -> pd.DataFrame:
    second_s = demand_seconds["second_s"].to_numpy()
    within = (second_s >= start_s) & (second_s < end_s)
    step = (second_s[within] - start_s) // step_s
    steps = -(-(end_s - start_s) // step_s)
    columns = {
        name: np.bincount(step, weights=demand_seconds[name].to_numpy()[within], minlength=steps) / (step_s * scale)
        for name in REQUEST_COLUMNS
    }
    return pd.DataFrame({"time_s": start_s + step_s * np.arange(steps, dtype=float), **columns})


def service_load(
    site_seconds: pd.DataFrame, site_capacity: pd.DataFrame, *, scale: float, start_s: int, end_s: int
) -> dict[str, pd.DataFrame]:
    """Slots in use, requests waiting and slots there, by service and second, scaled up to the real day.

    A second that the table does not list for a service is one in which it was idle.

    Returns
    -------
    For each service, in order of first appearance: `time_s` (the second's end, when the counts were taken), `busy`,
    `queue`, `slots`; the latter NaN for a waiting room.
    """
    near = site_seconds[(site_seconds["second_s"] >= start_s) & (site_seconds["second_s"] < end_s)]
    time_s = np.arange(start_s, end_s) + 1.0
    loads = {}
    rooms = waiting_rooms(site_capacity)
    for service in services(site_seconds):
        rows = near[near["service"] == service]
        at = rows["second_s"].to_numpy() - start_s
        loads[service] = pd.DataFrame(
            {
                "time_s": time_s,
                "busy": np.bincount(at, weights=rows["busy"].to_numpy(), minlength=time_s.size) / scale,
                "queue": np.bincount(at, weights=rows["queue"].to_numpy(), minlength=time_s.size) / scale,
                "slots": np.nan if service in rooms else _in_force(site_capacity, service, "slots", time_s) / scale,
            }
        )
    return loads


def services(table: pd.DataFrame) -> list[str]:
    """Names of the services in a table, in order of their categories."""
    present = set(table["service"].cat.remove_unused_categories().cat.categories)
    return [str(service) for service in table["service"].cat.categories if service in present]


def waiting_rooms(site_capacity: pd.DataFrame) -> set[str]:
    """Names of the waiting rooms: they stand among the services, but have no machines."""
    most = site_capacity.groupby("service", observed=True)["machines"].max()
    return {str(service) for service in most.index[most == 0]}


def _in_force(site_capacity: pd.DataFrame, service: str, column: str, time_s: np.ndarray) -> np.ndarray:
    """Value of a capacity column at each time: that of the last change at or before it, NaN before the first."""
    changes = site_capacity[site_capacity["service"] == service].sort_values("time_s", kind="stable")
    values = np.concatenate(([np.nan], changes[column].to_numpy(dtype=float)))
    return values[np.searchsorted(changes["time_s"].to_numpy(), time_s, side="right")]


def machines(site_capacity: pd.DataFrame) -> pd.DataFrame:
    """Machines of all services together after each change: `time_s` (increasing) and `machines`, unscaled."""
    changes = site_capacity.sort_values("time_s", kind="stable")
    added = changes.groupby("service", observed=True)["machines"].diff().fillna(changes["machines"])
    by_time = added.groupby(changes["time_s"]).sum().cumsum()
    return pd.DataFrame({"time_s": by_time.index.to_numpy(dtype=float), "machines": by_time.to_numpy()})


def machine_hours(site_capacity: pd.DataFrame, end_s: float) -> float:
    """Machine hours from the first recorded change to `end_s`, unscaled."""
    steps = machines(site_capacity)
    starts_s = np.minimum(steps["time_s"].to_numpy(), end_s)
    return float(np.sum(steps["machines"].to_numpy() * np.diff(starts_s, append=end_s)) / HOUR_S)


def service_table(site_seconds: pd.DataFrame, site_capacity: pd.DataFrame, *, scale: float) -> pd.DataFrame:
    """One row a service over the whole run.

    Returns
    -------
    `service`; `machines` of the real day at the most; `machines_run`, the same at the run's scale before rounding;
    `slots`, the run's slots after rounding; `arrivals`, `peak_arrivals_per_s`, `peak_queue` scaled up to the real day;
    `busy_share` of the slots in the busiest minute; `rejected_share`, `timed_out_share`, `retried_share` and
    `degraded_share` of the arrivals, NaN without arrivals. A waiting room has no machines, slots and busy share: NaN.
    """
    rows = []
    rooms = waiting_rooms(site_capacity)
    for service in services(site_seconds):
        seconds_of = site_seconds[site_seconds["service"] == service].sort_values("second_s")
        changes = site_capacity[site_capacity["service"] == service]
        arrivals = seconds_of["arrivals"].to_numpy()
        total = arrivals.sum()
        is_room = service in rooms
        rows.append(
            {
                "service": service,
                "machines": np.nan if is_room else changes["machines"].max() / scale,
                "machines_run": np.nan if is_room else changes["machines"].max(),
                "slots": np.nan if is_room else changes["slots"].max(),
                "arrivals": total / scale,
                "peak_arrivals_per_s": arrivals.max() / scale,
                "peak_queue": seconds_of["queue"].max() / scale,
                "busy_share": np.nan if is_room else _busiest_share(seconds_of, site_capacity),
                **{
                    f"{name}_share": seconds_of[name].sum() / total if total else np.nan
                    for name in ("rejected", "timed_out", "retried", "degraded")
                },
            }
        )
    return pd.DataFrame(rows)


def _busiest_share(seconds_of_service: pd.DataFrame, site_capacity: pd.DataFrame) -> float:
    """Share of the slots in use at the ends of the seconds of the busiest minute."""
    minute = seconds_of_service["second_s"].to_numpy() // 60
    first = minute.min()
    busy = np.bincount(minute - first, weights=seconds_of_service["busy"].to_numpy())
    ends_s = 60.0 * first + np.arange(60 * busy.size) + 1.0
    slots = _in_force(site_capacity, str(seconds_of_service["service"].iloc[0]), "slots", ends_s)
    return float(np.nanmax(busy / slots.reshape(-1, 60).sum(axis=1)))
