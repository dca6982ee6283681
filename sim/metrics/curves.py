"""The curves of a run that a what-if lays over those of other runs: one long table, on the same places in every run."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from sim.metrics.parcels import parcels_in, states
from sim.metrics.sales import cumulative_sales, sales_by_second
from sim.metrics.site import has_site
from sim.units import HOUR_S

Tables = Mapping[str, pd.DataFrame]

MIDNIGHT_S, MIDNIGHT_STEP_S = (-60, 600), 10
SALES_STEP_S = 600
LEAD_BIN_H, LEAD_END_H = 6.0, 504.0
HUB = "hub: "


def curves(tables: Tables, *, scale: float) -> pd.DataFrame:
    """Curves of a run, those of parts that were off left out: `curve`, `x` and `y`.

    requests, failed, orders, orders lost (1/s, of the real day, mean of the ten seconds from `x` [s] on); sales (RMB of the real
    day by `x` [s]); signed (share of all parcels by `x` [s]); in hubs (parcels there and on vehicles at their gates at `x` [s]),
    overflowing (hubs that let vehicles wait for storage); lead time (share of all parcels signed in the six hours after `x` [h]);
    and for each hub "hub: CARRIER CITY", what is in it and at its gate as a share of its storage.
    """
    found = [frame for part in (_site, _sales, _parcels, _hubs) for frame in part(tables, scale)]
    empty = pd.DataFrame({"curve": pd.Series(dtype=object), "x": np.empty(0), "y": np.empty(0)})
    return pd.concat(found, ignore_index=True) if found else empty


def _curve(name: str, x: np.ndarray, y: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"curve": name, "x": np.asarray(x, dtype=float), "y": np.asarray(y, dtype=float)})


def _site(tables: Tables, scale: float) -> Iterator[pd.DataFrame]:
    seconds = tables.get("demand_seconds")
    if seconds is None or seconds.empty or not has_site(tables):
        return
    start_s, end_s = MIDNIGHT_S
    near = seconds[(seconds["second_s"] >= start_s) & (seconds["second_s"] < end_s)]
    step = (near["second_s"].to_numpy() - start_s) // MIDNIGHT_STEP_S
    x = np.arange(start_s, end_s, MIDNIGHT_STEP_S)
    columns = {
        "requests": near["requests"],
        "failed": near["rejected"] + near["timed_out"],
        "orders": near["orders"],
        "orders lost": near["orders_lost"],
    }
    for name, counts in columns.items():
        y = np.bincount(step, weights=counts.to_numpy(), minlength=x.size) / (MIDNIGHT_STEP_S * scale)
        yield _curve(name, x, y)


def _sales(tables: Tables, scale: float) -> Iterator[pd.DataFrame]:
    by_second = sales_by_second(tables)
    if by_second is not None:
        sales = cumulative_sales(by_second, scale=scale, step_s=SALES_STEP_S)
        yield _curve("sales", sales["time_s"].to_numpy(), sales["gmv_rmb"].to_numpy())


def _parcels(tables: Tables, scale: float) -> Iterator[pd.DataFrame]:
    del scale  # shares need no scaling
    hours, leads = tables.get("parcel_hours"), tables.get("lead_times")
    if hours is None or leads is None or hours.empty:
        return
    total = max(parcels_in(hours), 1)
    at_s = np.arange(0.0, LEAD_END_H + 1.0) * HOUR_S
    yield _curve("signed", at_s, states(hours, at_s)["signed"].to_numpy() / total)
    signed = leads.dropna(subset="within_h")
    bin_ = (np.ceil(signed["within_h"].to_numpy() / LEAD_BIN_H) - 1).astype(np.int64)
    bins = int(LEAD_END_H / LEAD_BIN_H)
    count = np.bincount(np.clip(bin_, 0, bins - 1), weights=signed["parcels"].to_numpy(), minlength=bins)
    yield _curve("lead time", LEAD_BIN_H * np.arange(bins), count / total)


def _hubs(tables: Tables, scale: float) -> Iterator[pd.DataFrame]:
    del scale  # hubs are in real parcels at every scale
    hours, hubs = tables.get("hub_hours"), tables.get("hubs")
    if hours is None or hubs is None or hours.empty:
        return
    there = hours.assign(there=hours["backlog_parcels"] + hours["gate_parcels"], hub=_name(hours))
    together = there.groupby("hour")[["there", "overflow"]].sum()
    at_s = together.index.to_numpy() * HOUR_S
    yield _curve("in hubs", at_s, together["there"].to_numpy())
    yield _curve("overflowing", at_s, together["overflow"].to_numpy())
    storage = dict(zip(_name(hubs), hubs["storage_parcels"], strict=True))
    for name, own in there.groupby("hub", sort=True):
        own = own.sort_values("hour")
        yield _curve(f"{HUB}{name}", own["hour"].to_numpy() * HOUR_S, own["there"].to_numpy() / storage[name])


def _name(table: pd.DataFrame) -> pd.Series:
    return table["carrier"].astype(str) + " " + table["hub"].astype(str)
