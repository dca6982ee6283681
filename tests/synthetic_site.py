"""Small made-up tables of a site, for the tests of measures, plots and reports; no model."""

import numpy as np
import pandas as pd

from sim.records import table
from sim.units import DAY_S

SERVICES = ("gateway", "venue", "item", "trade", "payment")
PAGES = ("venue", "item", "order")
SEGMENTS = (("mainland", "pc"), ("mainland", "wireless"), ("taiwan", "wireless"))


def site_tables(rng: np.random.Generator, scale: float) -> dict[str, pd.DataFrame]:
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
            "in_flight": load,
            "retried": np.zeros(near.size),
            "degraded": np.zeros(near.size),
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
    (others,) = rng.spawn(1)
    return {
        "demand_seconds": demand,
        "site_seconds": table("site_seconds", joined),
        "site_capacity": table("site_capacity", capacity),
        "latency": table("latency", latency),
        "link_seconds": _links(others),
        "shopper_minutes": _seen(others),
        "page_latency": _hourly_latency(others, "page_latency", "page", PAGES),
        "service_latency": _hourly_latency(others, "service_latency", "service", SERVICES),
    }


def _segments(rows: int) -> dict[str, object]:
    """Region and channel of so many rows for each segment, segment after segment."""
    return {
        "region": np.repeat([region for region, _ in SEGMENTS], rows),
        "channel": np.repeat([channel for _, channel in SEGMENTS], rows),
    }


def _links(rng: np.random.Generator) -> pd.DataFrame:
    """Links that are busy for an hour; that of the last segment is full for its first ten minutes."""
    second = np.arange(3600)
    bandwidth = np.repeat([8.0, 0.5, 0.2], second.size)
    load = np.concatenate([np.full(3600, 0.4), np.full(3600, 0.7), np.where(second < 600, 1.0, 0.3)])
    delivered = rng.poisson(40 * load)
    columns: dict[str, object] = {
        "second_s": np.tile(second, len(SEGMENTS)),
        "started": delivered,
        "delivered": delivered,
        "under_way": np.where(load == 1.0, 500, 3),
        "delivered_gbit": load * bandwidth,
        "bandwidth_gbit_per_s": bandwidth,
    }
    return table("link_seconds", columns | _segments(second.size))


def _seen(rng: np.random.Generator) -> pd.DataFrame:
    minute = np.arange(1440)
    n = minute.size * len(SEGMENTS)
    answered, failed = rng.poisson(30, n), np.where(np.tile(minute, len(SEGMENTS)) < 5, 6, 0)
    columns: dict[str, object] = {
        "minute": np.tile(minute, len(SEGMENTS)),
        "requests": answered + failed,
        "answered": answered,
        "failed": failed,
        "gave_up": failed // 3,
        "orders": rng.poisson(2, n),
        "orders_lost": failed // 6,
        "page_s": answered * np.repeat([0.4, 0.9, 1.8], minute.size),
    }
    return table("shopper_minutes", columns | _segments(minute.size))


def _hourly_latency(rng: np.random.Generator, name: str, what: str, labels: tuple[str, ...]) -> pd.DataFrame:
    """Histograms of a whole day by hour and label, the same shape for each segment."""
    shape = rng.poisson(30 * np.exp(-0.5 * ((np.arange(30) - 12) / 4.0) ** 2), size=(24, len(labels), 30))
    hour, label, bucket = np.nonzero(shape)
    columns: dict[str, object] = {
        "hour": np.tile(hour, len(SEGMENTS)),
        what: np.tile(np.array(labels)[label], len(SEGMENTS)),
        "latency_s": np.tile((0.01 * 1.25 ** np.arange(30))[bucket], len(SEGMENTS)),
        "count": np.tile(shape[hour, label, bucket], len(SEGMENTS)),
    }
    return table(name, columns | _segments(hour.size))


def order_table(rng: np.random.Generator) -> pd.DataFrame:
    paid_s = np.sort(rng.uniform(0, DAY_S * 1.01, 600))
    columns: dict[str, object] = {
        "shopper": np.arange(600),
        "number": np.zeros(600),
        "paid_s": paid_s,
        "value_rmb": rng.lognormal(5, 0.6, 600),
        "channel": rng.choice(["pc", "wireless"], 600),
    }
    return table("orders", columns)
