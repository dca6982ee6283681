"""Small made-up tables in the schemas of `sim.records`, for the tests of measures, plots and reports; no model."""

import numpy as np
import pandas as pd

from sim.records import TABLES, table
from sim.units import DAY_S, HOUR_S

CITIES = {
    "Beijing": (116.4, 39.9, 21_000_000),
    "Shanghai": (121.5, 31.2, 24_000_000),
    "Guangzhou": (113.3, 23.1, 15_000_000),
    "Hangzhou": (120.2, 30.3, 9_000_000),
    "Chengdu": (104.1, 30.7, 15_000_000),
    "Zhengzhou": (113.6, 34.8, 9_000_000),
    "Wuhan": (114.3, 30.6, 10_000_000),
    "Harbin": (126.6, 45.8, 10_000_000),
    "Urumqi": (87.6, 43.8, 3_500_000),
    "Lhasa": (91.1, 29.7, 560_000),
    "Kunming": (102.7, 25.0, 6_600_000),
    "Sanya": (109.5, 18.3, 750_000),
}
CARRIERS = ("STO", "YTO", "ZTO")
HUB_CITIES = ("Shanghai", "Guangzhou", "Beijing", "Chengdu", "Zhengzhou")
SERVICES = ("gateway", "venue", "item", "trade", "payment")
PAGES = ("venue", "item", "order")


def synthetic_tables(
    parcels: int = 400, days: int = 10, seed: int = 0, scale: float = 0.001
) -> dict[str, pd.DataFrame]:
    """All tables of a made-up run with `parcels` parcels."""
    rng = np.random.default_rng(seed)
    return {
        **_site(rng, scale),
        "orders": _orders(rng),
        "parcels": _parcels(rng, parcels, days),
        **_road(rng, days),
        "cities": table(
            "cities",
            {
                "city": list(CITIES),
                "province": list(CITIES),
                "longitude": [place[0] for place in CITIES.values()],
                "latitude": [place[1] for place in CITIES.values()],
                "population": [place[2] for place in CITIES.values()],
            },
        ),
    }


def synthetic_parcels(parcels: int, days: int, seed: int) -> pd.DataFrame:
    """The table of parcels of such a run, alone."""
    return _parcels(np.random.default_rng(seed), parcels, days)


def empty_tables() -> dict[str, pd.DataFrame]:
    """All tables without rows."""
    return {name: table(name, {column: [] for column in schema}) for name, schema in TABLES.items()}


def _site(rng: np.random.Generator, scale: float) -> dict[str, pd.DataFrame]:
    second = np.arange(-600, int(DAY_S))
    crowd = 40.0 * np.exp(-np.maximum(second, 0) / 400.0) * (second >= 0) + 15.0 + 8.0 * np.sin(second / DAY_S * 6.0)
    requests = rng.poisson(crowd * 2)
    rejected = np.where((second >= 3) & (second < 120), requests // 8, 0)
    timed_out = np.where((second >= 5) & (second < 90), requests // 20, 0)
    orders = rng.poisson(crowd / 25)
    demand = table(
        "demand_seconds",
        {
            "second_s": second,
            "visitors": rng.poisson(crowd / 10),
            "requests": requests,
            "retries": rejected,
            "rejected": rejected,
            "timed_out": timed_out,
            "served": requests - rejected - timed_out,
            "gave_up": timed_out // 2,
            "orders": orders,
            "gmv_rmb": orders * 180.5,
            "orders_lost": timed_out // 3,
            "lost_rmb": (timed_out // 3) * 180.5,
        },
    )
    slots = 30
    near = second[(second >= -60) & (second < 900)]
    load = rng.poisson(np.interp(near, second, crowd))
    seconds = [
        {
            "second_s": near,
            "service": [service] * near.size,
            "arrivals": load,
            "served": np.minimum(load, slots),
            "rejected": np.zeros(near.size),
            "timed_out": np.zeros(near.size),
            "queue": np.maximum(load - slots, 0),
            "busy": np.minimum(load, slots),
        }
        for service in SERVICES
    ]
    joined: dict[str, object] = {name: np.concatenate([part[name] for part in seconds]) for name in seconds[0]}
    capacity: dict[str, object] = {
        "time_s": np.full(len(SERVICES), -600.0),
        "service": list(SERVICES),
        "machines": np.linspace(2.2, 7.7, len(SERVICES)),
        "slots": np.full(len(SERVICES), slots),
    }
    minutes, edges = np.arange(0, 1440), 0.01 * 1.25 ** np.arange(30)
    shape = rng.poisson(40 * np.exp(-0.5 * ((np.arange(30) - 12) / 4.0) ** 2), size=(minutes.size, len(PAGES), 30))
    minute, page, bucket = np.nonzero(shape)
    latency: dict[str, object] = {
        "minute": minutes[minute],
        "page": np.array(PAGES)[page],
        "latency_s": edges[bucket],
        "count": shape[minute, page, bucket],
    }
    return {
        "demand_seconds": demand,
        "site_seconds": table("site_seconds", joined),
        "site_capacity": table("site_capacity", capacity),
        "latency": table("latency", latency),
    }


def _orders(rng: np.random.Generator) -> pd.DataFrame:
    paid_s = np.sort(rng.uniform(0, DAY_S * 1.01, 600))
    columns: dict[str, object] = {
        "shopper": np.arange(600),
        "number": np.zeros(600),
        "paid_s": paid_s,
        "value_rmb": rng.lognormal(5, 0.6, 600),
        "channel": rng.choice(["pc", "wireless"], 600),
    }
    return table("orders", columns)


def _parcels(rng: np.random.Generator, n: int, days: int) -> pd.DataFrame:
    """Timestamps in order, cut at the horizon; every tenth has no line-haul, every fiftieth is lost on the road."""
    time_s = np.cumsum(rng.exponential(10 * HOUR_S, size=(8, n)), axis=0)
    time_s[0] = np.sort(rng.uniform(0, DAY_S, n))
    time_s[1:] += time_s[0]
    created, packed, picked, origin_hub, departed, destination_hub, outlet, out = time_s
    signed = out + rng.exponential(3 * HOUR_S, n)
    lost = np.full(n, np.nan)
    row = np.arange(n)
    departed[row % 10 == 9] = np.nan
    gone = row % 50 == 49
    lost[gone] = origin_hub[gone] + 60.0
    for later in (departed, destination_hub, outlet, out, signed):
        later[gone] = np.nan
    stages = [packed, picked, origin_hub, departed, destination_hub, outlet, out, signed, lost]
    for stage in stages:
        stage[stage > days * DAY_S] = np.nan
    names = [
        "packed_s",
        "picked_up_s",
        "origin_hub_s",
        "departed_s",
        "destination_hub_s",
        "outlet_s",
        "out_s",
        "signed_s",
        "lost_s",
    ]
    columns: dict[str, object] = {
        "parcel": row,
        "shopper": row,
        "orders": np.ones(n),
        "merchant": row % 40,
        "carrier": rng.choice(CARRIERS, n) if n else [],
        "origin": rng.choice(list(CITIES), n) if n else [],
        "destination": rng.choice(list(CITIES), n) if n else [],
        "weight_kg": np.ones(n),
        "created_s": created,
        "attempts": np.where(row % 20 == 0, 2, 1),
        **dict(zip(names, stages, strict=True)),
    }
    return table("parcels", columns)


def _road(rng: np.random.Generator, days: int) -> dict[str, pd.DataFrame]:
    hours = np.arange(1, days * 24 + 1)
    parts, hubs, trips = [], [], []
    for carrier in CARRIERS:
        for rank, city in enumerate(HUB_CITIES):
            storage = 400_000.0 / (rank + 1)
            backlog = storage * rng.uniform(0.5, 1.3) * np.exp(-0.5 * ((hours - 60 - 10 * rank) / 25) ** 2)
            gate = np.maximum(backlog - storage, 0)
            hubs.append((carrier, city, *CITIES[city][:2], storage, storage / 12))
            parts.append((hours, carrier, city, np.minimum(backlog, storage), gate))
            for other in HUB_CITIES:
                if other != city:
                    rail = {city, other} == {"Beijing", "Shanghai"}
                    trips.append((carrier, city, other, "train" if rail else "own truck", rng.uniform(2e4, 9e5)))
    size = len(parts)
    backlog = np.concatenate([part[3] for part in parts])
    gate = np.concatenate([part[4] for part in parts])
    hub_hours: dict[str, object] = {
        "hour": np.tile(hours, size),
        "carrier": np.repeat([part[1] for part in parts], hours.size),
        "hub": np.repeat([part[2] for part in parts], hours.size),
        "backlog_parcels": backlog,
        "gate_parcels": gate,
        "gate_vehicles": np.ceil(gate / 15_000),
        "overflow": gate > 0,
        **dict.fromkeys(("arrived_parcels", "sorted_parcels", "departed_parcels"), backlog / 12),
    }
    depart = np.arange(len(trips)) * HOUR_S
    trip_columns: dict[str, object] = {
        "trip": np.arange(len(trips)),
        "carrier": [trip[0] for trip in trips],
        "vehicle": [trip[3] for trip in trips],
        "vehicles": np.full(len(trips), 5),
        "origin": [trip[1] for trip in trips],
        "destination": [trip[2] for trip in trips],
        "depart_s": depart,
        "arrive_s": depart + 20 * HOUR_S,
        "unloaded_s": depart + 21 * HOUR_S,
        "load_parcels": [trip[4] for trip in trips],
        "capacity_parcels": np.full(len(trips), 1e6),
        "distance_km": np.full(len(trips), 1200.0),
        "cost_rmb": np.full(len(trips), 9000.0),
    }
    hub_names = ("carrier", "hub", "longitude", "latitude", "storage_parcels", "sort_per_h")
    hub_columns: dict[str, object] = {name: [hub[k] for hub in hubs] for k, name in enumerate(hub_names)}
    return {
        "hub_hours": table("hub_hours", hub_hours),
        "trips": table("trips", trip_columns),
        "hubs": table("hubs", hub_columns),
    }
