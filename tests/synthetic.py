"""Small made-up tables in the schemas of `sim.records`, for the tests of measures, plots and reports; no model."""

import numpy as np
import pandas as pd

from sim.metrics import missing_summaries
from sim.records import TABLES, table
from sim.units import DAY_S, HOUR_S
from tests.synthetic_site import order_table, site_tables

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
CASES = ("no fault", "fault", "fault and plan")


def synthetic_tables(
    parcels: int = 400, days: int = 10, seed: int = 0, scale: float = 0.001
) -> dict[str, pd.DataFrame]:
    """All tables of a made-up run with `parcels` parcels."""
    rng = np.random.default_rng(seed)
    tables = {
        **site_tables(rng, scale),
        "machines": synthetic_machines(),
        **synthetic_rehearsal([[4] * 9, [4, 0, 0, 0, 1, 1, 4, 4, 2], [4, 2, *[4] * 7]], [[4] * 9] * 3),
        "orders": order_table(rng),
        "parcels": _parcels(rng, parcels, days),
        **_road(rng, days),
        **_sellers(),
        "cities": synthetic_cities(),
        "areas": synthetic_areas(),
    }
    return tables | missing_summaries(tables)


def summaries_of(parcels: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The summaries of a made-up table of parcels."""
    return missing_summaries({"parcels": parcels, "cities": synthetic_cities(), "areas": synthetic_areas()})


def synthetic_machines() -> pd.DataFrame:
    """The machines of a made-up cloud of two services: some boot after a minute, serve, and are drained after ten."""
    columns: dict[str, object] = {name: np.zeros(10) for name in TABLES["machines"]}
    columns |= {
        "time_s": np.repeat([0, 60, 200, 600, 660], 2),
        "service": ["item", "trade"] * 5,
        "slots_per_machine": np.full(10, 2),
        "machine_h": np.repeat([0.0, 0.2, 1.7, 6.2, 6.8], 2),
        "cost_rmb": np.repeat([0.0, 0.3, 2.5, 9.3, 10.2], 2),
    }
    counts = {
        "ordered": [10, 40, 40, 40, 40],
        "booting": [0, 30, 0, 0, 0],
        "serving": [10, 10, 40, 15, 15],
        "draining": [0, 0, 0, 25, 0],
    }
    return table("machines", columns | {name: np.repeat(count, 2) for name, count in counts.items()})


def synthetic_rehearsal(in_time: list[list[int]], served: list[list[int]]) -> dict[str, pd.DataFrame]:
    """A made-up rehearsal with a fault from 10 s to 20 s: orders and requests a second, for each case and ten seconds."""
    seconds = 10 * len(in_time[0])
    schema = TABLES["rehearsal_seconds"]
    columns: dict[str, object] = {name: np.zeros(3 * seconds) for name in schema if name != "case"}
    lost = np.repeat([0, 3, 1], seconds)
    columns |= {
        "case": pd.Categorical.from_codes(np.repeat([0, 1, 2], seconds), list(CASES)),
        "second_s": np.tile(np.arange(seconds), 3),
        "orders": np.repeat(np.concatenate(in_time), 10),
        "served": np.repeat(np.concatenate(served), 10),
        "arrivals": 2 * np.repeat(np.concatenate(served), 10),
        "orders_lost": lost,
        "lost_rmb": 100.0 * lost,
    }
    cases: dict[str, object] = {
        "case": list(CASES),
        "scale": [0.5] * 3,
        "service": ["payment"] * 3,
        "machines": [6] * 3,
        "fault_machines": [np.nan, 3, 3],
        "fault_from_s": [np.nan, 10, 10],
        "fault_until_s": [np.nan, 20, 20],
        "plan": ["", "", "services.payment.queue 100 → 20"],
    }
    return {
        "rehearsal_cases": table("rehearsal_cases", cases),
        "rehearsal_seconds": table("rehearsal_seconds", columns),
    }


def synthetic_cities() -> pd.DataFrame:
    """The cities of all made-up runs."""
    return table(
        "cities",
        {
            "city": list(CITIES),
            "province": [name[:2] for name in CITIES],
            "longitude": [place[0] for place in CITIES.values()],
            "latitude": [place[1] for place in CITIES.values()],
            "population": [place[2] for place in CITIES.values()],
        },
    )


def synthetic_areas() -> pd.DataFrame:
    """Every city is served by the nearest hub of each carrier, as the crow flies over a flat map."""
    nearest = [
        min(HUB_CITIES, key=lambda hub: np.hypot(CITIES[hub][0] - place[0], CITIES[hub][1] - place[1]))
        for place in CITIES.values()
    ]
    return table(
        "areas",
        {
            "carrier": np.repeat(CARRIERS, len(CITIES)),
            "city": list(CITIES) * len(CARRIERS),
            "hub": nearest * len(CARRIERS),
        },
    )


def synthetic_parcels(parcels: int, days: int, seed: int) -> pd.DataFrame:
    """The table of parcels of such a run, alone."""
    return _parcels(np.random.default_rng(seed), parcels, days)


def empty_tables() -> dict[str, pd.DataFrame]:
    """All tables without rows."""
    return {name: table(name, {column: [] for column in schema}) for name, schema in TABLES.items()}


def _parcels(rng: np.random.Generator, n: int, days: int) -> pd.DataFrame:
    """Timestamps in order, cut at the horizon; every tenth has no line-haul, every fiftieth is lost on the road.

    Every twentieth is not handed over at first, every sixtieth refused and sent back.
    """
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
    refused = (row % 60 == 7) & ~gone
    sent_back = np.where(refused, signed, np.nan)
    returned = sent_back + 30 * HOUR_S
    signed[refused] = np.nan
    exception = np.where(gone, "lost", np.where(refused, "refused", np.where(row % 20 == 0, "not at home", "none")))
    exception_s = np.where(gone, lost, np.where(refused, sent_back, np.where(row % 20 == 0, out, np.nan)))
    stages = [
        packed,
        picked,
        origin_hub,
        departed,
        destination_hub,
        outlet,
        out,
        sent_back,
        signed,
        returned,
        lost,
        exception_s,
    ]
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
        "sent_back_s",
        "signed_s",
        "returned_s",
        "lost_s",
        "exception_s",
    ]
    columns: dict[str, object] = {
        "parcel": row,
        "shopper": row,
        "orders": np.ones(n),
        "merchant": row % 40,
        "carrier": rng.choice(CARRIERS, n) if n else [],
        "origin": rng.choice(list(CITIES), n) if n else [],
        "destination": rng.choice(list(CITIES), n) if n else [],
        "category": np.where(row % 2, "clothing", "home") if n else [],
        "items": np.ones(n),
        "weight_kg": np.ones(n),
        "created_s": created,
        "exception": np.where(np.isnan(exception_s), "none", exception) if n else [],
        "attempts": np.where(row % 20 == 0, 2, 1),
        **dict(zip(names, stages, strict=True)),
    }
    return table("parcels", columns)


def _sellers() -> dict[str, pd.DataFrame]:
    """Two merchants and what the carriers took from them; nobody stocks forward."""
    merchants: dict[str, object] = {
        "merchant": [0, 1],
        "city": ["Hangzhou", "Shanghai"],
        "category": ["clothing", "home"],
        "carrier": [CARRIERS[0], CARRIERS[-1]],
        "size_share": [0.7, 0.3],
        "hands": [70.0, 30.0],
        "parcels": [700.0, 300.0],
        "packed_parcels": [690.0, 300.0],
        "picked_up_parcels": [680.0, 300.0],
        "kept_parcels": [600.0, 290.0],
        "forward_parcels": [0.0, 0.0],
        "last_packed_s": [3 * DAY_S, 2 * DAY_S],
        "postage_rmb": [6800.0, 3000.0],
    }
    carriers: dict[str, object] = {column: np.zeros(len(CARRIERS)) for column in TABLES["carriers"]}
    carriers["carrier"] = list(CARRIERS)
    return {
        "merchants": table("merchants", merchants),
        "carriers": table("carriers", carriers),
        "stock": table("stock", {column: [] for column in TABLES["stock"]}),
    }


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
    hub_hours |= {
        f"everyday_{name}": 0.3 * np.asarray(values) for name, values in hub_hours.items() if name.endswith("_parcels")
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
        "back_s": depart + 41 * HOUR_S,
        "load_parcels": [trip[4] for trip in trips],
        "load_kg": [2.2 * trip[4] for trip in trips],
        "capacity_parcels": np.full(len(trips), 1e6),
        "capacity_kg": np.full(len(trips), 3e6),
        "distance_km": np.full(len(trips), 1200.0),
        "cost_rmb": np.full(len(trips), 9000.0),
    }
    hub_names = ("carrier", "hub", "longitude", "latitude", "storage_parcels", "sort_per_h")
    hub_columns: dict[str, object] = {name: [hub[k] for hub in hubs] for k, name in enumerate(hub_names)}
    return {
        "hub_hours": table("hub_hours", hub_hours),
        "trips": table("trips", trip_columns),
        "national_days": table(
            "national_days",
            {
                "day": np.arange(days),
                "festival_parcels": 2e7 / (1.0 + np.arange(days)),
                "everyday_parcels": np.full(days, 1.5e7),
                "everyday_delivered_parcels": np.full(days, 1.2e7),
            },
        ),
        "road_hours": table(
            "road_hours",
            {
                "hour": np.arange(24 * days),
                "slow_km": 5_000.0 * np.sin(np.arange(24 * days) / 8.0) ** 2,
                "closed_km": np.where(np.arange(24 * days) % 48 < 12, 900.0, 0.0),
                "held_lanes": np.where(np.arange(24 * days) % 48 < 12, 7, 0),
            },
        ),
        "fleets": table(
            "fleets",
            {
                "carrier": np.repeat(CARRIERS, 2),
                "vehicle": ["own truck", "hired truck"] * len(CARRIERS),
                "vehicles": np.full(2 * len(CARRIERS), 60),
            },
        ),
        "hubs": table("hubs", hub_columns),
    }
