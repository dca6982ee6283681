"""The key figures of a run, under fixed names."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from sim.metrics.cloud import cloud_kpis, machines_of_all
from sim.metrics.latency import percentiles
from sim.metrics.merchants import merchant_kpis
from sim.metrics.order_statistics import order_statistics
from sim.metrics.rehearsal import rehearsal_kpis
from sim.metrics.rush import rush_kpis
from sim.metrics.sales import busiest_minute_per_s, gmv_shares, of_the_day, sales_by_second
from sim.metrics.site import has_site, machine_hours, machines
from sim.records import chunks
from sim.units import DAY_S, HOUR_S, MINUTE_S

Figure = float | int | None


def kpis(
    tables: Mapping[str, pd.DataFrame],
    *,
    scale: float,
    seed: int,
    wall_s: float,
    peak_rss_bytes: int,
    shoppers: int,
) -> dict[str, Figure]:
    """Key figures of one run, not scaled up; None for a part that was off and for what has not happened.

    Visits, requests, orders and sales are of the festival day, [0, 86400) s; a visit that began before midnight counts.
    Parcels are rows. Hubs, trips and costs are in real parcels, vehicles and RMB at every scale. Rates are over all
    parcels, also those that are not signed or lost by the end of the run.

    Parameters
    ----------
    tables : by name, as in `sim.records.TABLES`; absent or empty tables mean that the part was off
    wall_s : wall time of the run [s]
    peak_rss_bytes : peak memory of the run [B]
    shoppers : shoppers simulated
    """
    return {
        "scale": scale,
        "seed": seed,
        "shoppers": shoppers,
        **_visits(tables),
        **_requests(tables),
        **_orders(tables),
        **_latency(tables),
        **_seen(tables),
        **rush_kpis(tables),
        **rehearsal_kpis(tables),
        **_parcels(tables),
        **_national(tables, scale),
        **_hubs(tables),
        **_machines(tables, scale),
        **_costs(tables),
        **merchant_kpis(tables),
        "wall_s": wall_s,
        "peak_rss_bytes": peak_rss_bytes,
    }


def _there(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame | None:
    found = tables.get(name)
    return None if found is None or found.empty else found


def _visits(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    seconds = _there(tables, "demand_seconds")
    if seconds is None:
        return {"visitors_first_minute": None, "visits": None}
    at = seconds["second_s"]
    return {
        "visitors_first_minute": int(seconds.loc[(at >= 0) & (at < MINUTE_S), "visitors"].sum()),
        "visits": int(seconds.loc[at < DAY_S, "visitors"].sum()),
    }


def _requests(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    seconds = _there(tables, "demand_seconds")
    if seconds is None or not has_site(tables):
        names = (
            "requests",
            "requests_rejected",
            "requests_timed_out",
            "orders_lost",
            "lost_rmb",
            "peak_requests_per_s",
        )
        return dict.fromkeys(names)
    day = of_the_day(seconds)
    return {
        "requests": int(day["requests"].sum()),
        "requests_rejected": int(day["rejected"].sum()),
        "requests_timed_out": int(day["timed_out"].sum()),
        "orders_lost": int(day["orders_lost"].sum()),
        "lost_rmb": float(day["lost_rmb"].sum()),
        "peak_requests_per_s": float(day["requests"].max()) if len(day) else 0.0,
    }


def _orders(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    sales = sales_by_second(tables)
    names = ("orders", "gmv_rmb", "peak_orders_per_s", "peak_minute_orders_per_s")
    if sales is None:
        return dict.fromkeys((*names, "gmv_share_0219", "gmv_share_1200", "gmv_share_1338"))
    orders = sales["orders"].to_numpy()
    values = (int(orders.sum()), float(sales["gmv_rmb"].sum()), float(orders.max()), busiest_minute_per_s(orders))
    shares = {f"gmv_share_{label.replace(':', '')}": _finite(share) for label, share in gmv_shares(sales).items()}
    return {**dict(zip(names, values, strict=True)), **shares}


def _latency(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    names = ("latency_p50_s", "latency_p99_s", "latency_p9999_s")
    latency = _there(tables, "page_latency")  # of the histograms the one by hour, which is the smaller
    if latency is None:
        return dict.fromkeys(names)
    values = percentiles(latency["latency_s"].to_numpy(), latency["count"].to_numpy(), (0.5, 0.99, 0.9999))
    return {name: _finite(float(value)) for name, value in zip(names, values, strict=True)}


def _seen(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """What shoppers see: mean time from request to page received, share of the page requests that failed."""
    minutes = _there(tables, "shopper_minutes")
    if minutes is None or not has_site(tables):
        return dict.fromkeys(("page_time_mean_s", "error_rate", "error_rate_first_hour"))
    minute = minutes["minute"]
    day, first_hour = minutes[minute < DAY_S / MINUTE_S], minutes[minute < HOUR_S / MINUTE_S]
    answered = int(day["answered"].sum())
    return {
        "page_time_mean_s": float(day["page_s"].sum() / answered) if answered else None,
        "error_rate": _error_rate(day),
        "error_rate_first_hour": _error_rate(first_hour),
    }


def _error_rate(minutes: pd.DataFrame) -> float | None:
    failed = int(minutes["failed"].sum())
    ended = failed + int(minutes["answered"].sum())
    return failed / ended if ended else None


def _national(tables: Mapping[str, pd.DataFrame], scale: float) -> dict[str, Figure]:
    """Of all the country's parcels, everyday ones included: the busiest day and 11 to 16 November."""
    names = ("national_peak_day_parcels", "national_peak_after_days", "national_six_days_parcels")
    days = _there(tables, "national_days")
    if days is None or days.empty:
        return dict.fromkeys(names)
    parcels = scale * (days["festival_parcels"] + days["everyday_parcels"]).to_numpy()
    peak = int(parcels.argmax())
    return dict(zip(names, (float(parcels[peak]), peak, float(parcels[:6].sum())), strict=True))


def _parcels(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """Of the parcels; they are read in pieces, as there may be more of them than fit into memory twice."""
    if "parcels" not in tables or (_there(tables, "hubs") is None and next(chunks(tables, "parcels"), None) is None):
        names = ("parcels", "parcels_signed", "parcels_lost", "parcels_returned", "parcels_damaged")
        times = ("signed_share_day7", "signed_share_1118_1500", "lead_time_median_h", "lead_time_p95_h")
        return dict.fromkeys((*names, *times, "hubs_first_day_parcels"))
    rows = signed = lost = returned = damaged = first_day = 0
    by_s = (7 * DAY_S, 7 * DAY_S + 15 * HOUR_S)
    signed_by = np.zeros(len(by_s), np.int64)
    for piece in chunks(tables, "parcels", ("origin_hub_s", "signed_s", "returned_s", "lost_s", "exception")):
        signed_s = piece["signed_s"].to_numpy()
        rows += len(piece)
        signed += int(np.count_nonzero(~np.isnan(signed_s)))
        lost += int(np.count_nonzero(~np.isnan(piece["lost_s"].to_numpy())))
        returned += int(np.count_nonzero(~np.isnan(piece["returned_s"].to_numpy())))
        damaged += int(np.count_nonzero((piece["exception"] == "damaged").to_numpy()))
        first_day += int(np.count_nonzero(piece["origin_hub_s"].to_numpy() < DAY_S))
        signed_by += [np.count_nonzero(signed_s <= time_s) for time_s in by_s]
    median_s, late_s = order_statistics(lambda: _leads_s(tables), rows, (0.5, 0.95))
    return {
        "parcels": rows,
        "parcels_signed": signed,
        "parcels_lost": lost,
        "parcels_returned": returned,
        "parcels_damaged": damaged,
        "signed_share_day7": float(signed_by[0] / rows) if rows else None,
        "signed_share_1118_1500": float(signed_by[1] / rows) if rows else None,
        "lead_time_median_h": _hours(median_s),
        "lead_time_p95_h": _hours(late_s),
        "hubs_first_day_parcels": first_day,
    }


def _leads_s(tables: Mapping[str, pd.DataFrame]) -> Iterator[np.ndarray]:
    """From order to signed [s], of those that are signed."""
    for piece in chunks(tables, "parcels", ("created_s", "signed_s")):
        lead_s = piece["signed_s"].to_numpy() - piece["created_s"].to_numpy()
        yield lead_s[~np.isnan(lead_s)]


def _hours(time_s: float | None) -> float | None:
    return None if time_s is None else time_s / HOUR_S


def _hubs(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    hours = _there(tables, "hub_hours")
    if hours is None:
        return {"hub_overflow_h": None, "overflow_hubs": None}
    overflowing = hours[hours["overflow"]]
    return {
        "hub_overflow_h": len(overflowing),
        "overflow_hubs": int(overflowing.groupby(["carrier", "hub"], observed=True).ngroups),
    }


def _machines(tables: Mapping[str, pd.DataFrame], scale: float) -> dict[str, Figure]:
    """Machine hours until the last second in which shoppers asked for anything or were answered."""
    capacity, seconds = _there(tables, "site_capacity"), _there(tables, "demand_seconds")
    if capacity is None or seconds is None:
        return {"peak_machines": None, "machine_hours": None}
    end_s = float(seconds["second_s"].max()) + 1.0
    if (cloud := _there(tables, "machines")) is not None:
        return machines_of_all(cloud, capacity, end_s, scale)
    return {
        "peak_machines": float(machines(capacity)["machines"].max()),
        "machine_hours": machine_hours(capacity, end_s),
    }


def _costs(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    """Trips, machines by the hour, and what both cost together."""
    trips, cloud = _trips(tables), cloud_kpis(tables)
    costs = [cost for cost in (trips["cost_rmb"], cloud["machine_cost_rmb"]) if cost is not None]
    return {**trips, **cloud, "cost_rmb": sum(costs) if costs else None}


def _trips(tables: Mapping[str, pd.DataFrame]) -> dict[str, Figure]:
    trips = tables.get("trips")
    if trips is None or (trips.empty and _there(tables, "hubs") is None):
        return dict.fromkeys(("truck_trips", "train_trips", "cost_rmb"))
    train = trips["vehicle"].astype(str).str.contains("train").to_numpy(dtype=bool)
    vehicles = trips["vehicles"].to_numpy()
    return {
        "truck_trips": int(vehicles[~train].sum()),
        "train_trips": int(np.count_nonzero(train)),
        "cost_rmb": float(trips["cost_rmb"].sum()),
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
