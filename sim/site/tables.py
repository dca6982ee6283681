"""The site's tables, from what its cells have recorded."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from sim.kernels.random import uniforms
from sim.kernels.recorders import BUSY, LINK_COLUMNS, QUEUE, RETRIED, SEEN_COLUMNS, SIMPLE, Record, latency_edges_s
from sim.params.links import CHANNELS
from sim.records import LargeTable, OrderBatch, no_orders, table

_SUMMED = (
    "demand",
    "money_fen",
    "site",
    "link",
    "link_bit",
    "seen",
    "seen_ns",
    "latency",
    "page_latency",
    "service_latency",
    "service_ns",
)
_DEMAND = ("visitors", "requests", "retries", "rejected", "timed_out", "served", "gave_up", "orders", "orders_lost")
_SITE = {"arrivals": 0, "served": 1, "rejected": 2, "timed_out": 3, "retried": RETRIED, "degraded": SIMPLE}
_SEEN = ("requests", "answered", "failed", "gave_up", "orders", "orders_lost")
_LINK = ("started", "delivered", "under_way")


class Names(NamedTuple):
    """What the rows of the recorders stand for."""

    pages: Sequence[str]
    stations: Sequence[str]
    regions: Sequence[str]


def totals(records: Sequence[Record]) -> Record:
    """The recorders of all cells added up, in their order; orders and traces are the first cell's."""
    first, *others = records
    if not others:
        return first
    summed = {}
    for name in _SUMMED:
        total = getattr(first, name).copy()
        for other in others:
            total += getattr(other, name)
        summed[name] = total
    return first._replace(**summed)


def demand_seconds(recorded: Record) -> pd.DataFrame:
    """Table `demand_seconds`: the seconds in which something happened."""
    seconds = np.flatnonzero(recorded.demand[:, : len(_DEMAND)].any(axis=1))
    columns: dict[str, object] = {name: recorded.demand[seconds, i] for i, name in enumerate(_DEMAND)}
    money_rmb = recorded.money_fen[seconds] / 100
    return table(
        "demand_seconds", columns | {"second_s": seconds, "gmv_rmb": money_rmb[:, 0], "lost_rmb": money_rmb[:, 1]}
    )


def shopper_minutes(recorded: Record, names: Names) -> pd.DataFrame:
    """Table `shopper_minutes`: the site as shoppers of each region and channel see it."""
    assert len(_SEEN) == SEEN_COLUMNS
    minute, segment = _places(_any(recorded.seen))
    rows = recorded.seen[minute, segment]
    columns: dict[str, object] = {name: rows[:, i] for i, name in enumerate(_SEEN)}
    columns |= {"minute": minute, "page_s": recorded.seen_ns[minute, segment] / 1e9}
    return table("shopper_minutes", columns | _segments(segment, names))


def site_seconds(recorded: Record, names: Names) -> pd.DataFrame:
    """Table `site_seconds`: each service in the seconds in which it had something to do."""
    second, station = _places(_any(recorded.site))
    rows = recorded.site[second, station]
    columns: dict[str, object] = {name: rows[:, i] for name, i in _SITE.items()}
    columns |= {"queue": rows[:, QUEUE], "busy": rows[:, BUSY], "in_flight": rows[:, QUEUE] + rows[:, BUSY]}
    columns |= {"second_s": second, "service": pd.Categorical.from_codes(station, pd.Index(names.stations))}
    return table("site_seconds", columns)


def link_seconds(recorded: Record, names: Names, gbit_per_s: np.ndarray) -> pd.DataFrame:
    """Table `link_seconds`: each access link in the seconds in which it carried something. gbit_per_s: its bandwidth."""
    assert len(_LINK) == LINK_COLUMNS
    second, link = _places(_any(recorded.link))
    rows = recorded.link[second, link]
    columns: dict[str, object] = {name: rows[:, i] for i, name in enumerate(_LINK)}
    columns |= {
        "second_s": second,
        "delivered_gbit": recorded.link_bit[second, link] / 1e9,
        "bandwidth_gbit_per_s": gbit_per_s[link],
    }
    return table("link_seconds", columns | _segments(link, names))


def latency(recorded: Record, names: Names) -> pd.DataFrame:
    """Table `latency`: histogram of page times by minute and page."""
    minute, page, bucket = _places(recorded.latency)
    return table(
        "latency",
        {
            "minute": minute,
            "page": pd.Categorical.from_codes(page, pd.Index(names.pages)),
            "latency_s": latency_edges_s()[bucket],
            "count": recorded.latency[minute, page, bucket],
        },
    )


def page_latency(recorded: Record, names: Names) -> pd.DataFrame:
    """Table `page_latency`: histogram of page times by hour, page, region and channel."""
    return _by_segment("page_latency", recorded.page_latency, "page", names.pages, names)


def service_latency(recorded: Record, names: Names) -> pd.DataFrame:
    """Table `service_latency`: histogram of the time in each service by hour, region and channel."""
    return _by_segment("service_latency", recorded.service_latency, "service", names.stations, names)


def orders(batch: OrderBatch, channel_key: np.uint64, wireless_share: float) -> pd.DataFrame:
    """Table `orders`, with the channels that their shoppers come by."""
    drawn = np.empty(batch.shopper.size)
    uniforms(channel_key, batch.shopper, drawn)
    channel = pd.Categorical.from_codes((drawn < wireless_share).astype(np.int8), list(CHANNELS))
    return table("orders", batch._asdict() | {"channel": channel})


def orders_in_pieces(batches: Sequence[OrderBatch], channel_key: np.uint64, wireless_share: float) -> LargeTable:
    """Table `orders` of batches that follow one another; of a whole day it would take as much memory again."""
    starts = np.cumsum([0, *(batch.paid_s.size for batch in batches)]).tolist()

    def piece(first: int, end: int) -> pd.DataFrame:
        own = [
            OrderBatch(*(column[max(first - start, 0) : end - start] for column in batch))
            for batch, start in zip(batches, starts, strict=False)
            if start < end and start + batch.paid_s.size > first
        ]
        columns = (np.concatenate(column) for column in zip(*(own or [no_orders()]), strict=True))
        return orders(OrderBatch(*columns), channel_key, wireless_share)

    return LargeTable(starts[-1], piece)


def _by_segment(name: str, counts: np.ndarray, what: str, labels: Sequence[str], names: Names) -> pd.DataFrame:
    hour, row, segment, bucket = _places(counts)
    columns: dict[str, object] = {
        "hour": hour,
        what: pd.Categorical.from_codes(row, pd.Index(labels)),
        "latency_s": latency_edges_s()[bucket],
        "count": counts[hour, row, segment, bucket],
    }
    return table(name, columns | _segments(segment, names))


def _any(counts: np.ndarray) -> np.ndarray:
    """As `counts.any(axis=-1)`, many times as fast where the last axis is short."""
    return np.asarray(reduce(np.bitwise_or, np.moveaxis(counts, -1, 0)) != 0)


def _places(counts: ArrayLike) -> tuple[np.ndarray, ...]:
    """As `np.nonzero`, five times as fast for several dimensions."""
    array = np.asarray(counts)
    return tuple(np.unravel_index(np.flatnonzero(array.reshape(-1) != 0), array.shape))


def _segments(segment: np.ndarray, names: Names) -> dict[str, object]:
    """Region and channel of rows of the recorders."""
    region, channel = np.divmod(segment, len(CHANNELS))
    return {
        "region": pd.Categorical.from_codes(region, pd.Index(names.regions)),
        "channel": pd.Categorical.from_codes(channel, pd.Index(CHANNELS)),
    }
