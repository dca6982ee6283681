"""Hubs against their storage, and the flows between them. Hubs and trips are in real parcels at every scale."""

import numpy as np
import pandas as pd

from sim.units import HOUR_S

KEY = ["carrier", "hub"]


def hub_table(hub_hours: pd.DataFrame, hubs: pd.DataFrame) -> pd.DataFrame:
    """One row a hub, worst first: by overflow hours, then by what was there against storage.

    Returns
    -------
    `carrier`, `hub`, `longitude`, `latitude`, `storage_parcels`, `sort_per_h`; `peak_parcels`, the most in the hub and at
    its gate together, `peak_share` of the storage and `peak_s`, its instant [s]; `overflow_h` hours; `gate_vehicles`, the
    most that waited at the gate; `arrived_parcels` in total, and of these `everyday_parcels`.
    """
    hours = hub_hours.assign(there=hub_hours["backlog_parcels"] + hub_hours["gate_parcels"])
    grouped = hours.groupby(KEY, observed=True)
    measured = grouped.agg(
        peak_parcels=("there", "max"),
        overflow_h=("overflow", "sum"),
        gate_vehicles=("gate_vehicles", "max"),
        arrived_parcels=("arrived_parcels", "sum"),
        everyday_parcels=("everyday_arrived_parcels", "sum"),
    )
    peaks = grouped["there"].idxmax() if len(hours) else pd.Series(dtype=np.int64)
    measured["peak_s"] = hours.loc[peaks.to_numpy(), "hour"].to_numpy() * HOUR_S
    columns = [*KEY, "longitude", "latitude", "storage_parcels", "sort_per_h"]
    table = _named(hubs[columns]).merge(_named(measured.reset_index()), on=KEY, how="left")
    counts = ["peak_parcels", "overflow_h", "gate_vehicles", "arrived_parcels", "everyday_parcels"]
    table[counts] = table[counts].astype(float).fillna(0.0)
    table["peak_share"] = table["peak_parcels"] / table["storage_parcels"]
    worst = table.sort_values(["overflow_h", "peak_share", *KEY], ascending=[False, False, True, True])
    return worst.reset_index(drop=True)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Carriers and hubs as plain names: categories of two tables do not merge."""
    return table.astype(dict.fromkeys(KEY, object))


def busy_end_s(hub_hours: pd.DataFrame, hubs: pd.DataFrame, share: float = 0.05) -> float:
    """Latest hour at whose end some hub holds festival parcels for more than `share` of its storage [s]; 0: none ever does."""
    grouped = hub_hours.groupby(KEY, observed=True)
    names = pd.MultiIndex.from_frame(_named(grouped.size().reset_index()[KEY]))
    storage = _named(hubs).set_index(KEY)["storage_parcels"].reindex(names).to_numpy()
    festival = hub_hours["backlog_parcels"].to_numpy() - hub_hours["everyday_backlog_parcels"].to_numpy()
    busy = festival > share * storage[grouped.ngroup().to_numpy()]
    return float(hub_hours["hour"].to_numpy()[busy].max(initial=0)) * HOUR_S


def hub_backlog(hub_hours: pd.DataFrame, hub_row: pd.Series) -> pd.DataFrame:
    """One hub by hour, in shares of its storage.

    `time_s`, `backlog`, of it `everyday`, `gate` (waiting there), `overflow` (bool).
    """
    rows = hub_hours[(hub_hours["carrier"] == hub_row["carrier"]) & (hub_hours["hub"] == hub_row["hub"])]
    rows = rows.sort_values("hour")
    storage = float(hub_row["storage_parcels"])
    return pd.DataFrame(
        {
            "time_s": rows["hour"].to_numpy() * HOUR_S,
            "backlog": rows["backlog_parcels"].to_numpy() / storage,
            "everyday": rows["everyday_backlog_parcels"].to_numpy() / storage,
            "gate": rows["gate_parcels"].to_numpy() / storage,
            "overflow": rows["overflow"].to_numpy(dtype=bool),
        }
    )


def flows(trips: pd.DataFrame, cities: pd.DataFrame) -> pd.DataFrame:
    """Parcels between each two cities, both ways and all carriers together, largest last.

    Returns
    -------
    `rail` (bool), `from_longitude`, `from_latitude`, `to_longitude`, `to_latitude` [degrees], `parcels`, and `late_h`: hours from
    departure to unloading beyond those of the lane's quickest trip, the mean over its parcels. A vehicle that is not unloaded
    when the run ends counts with the hours that it has been out by then.
    """
    origin, destination = trips["origin"].astype(str).to_numpy(), trips["destination"].astype(str).to_numpy()
    swapped = origin > destination
    table = pd.DataFrame(
        {
            "one": np.where(swapped, destination, origin),
            "other": np.where(swapped, origin, destination),
            "rail": trips["vehicle"].astype(str).str.contains("train").to_numpy(dtype=bool),
            "parcels": trips["load_parcels"].to_numpy(dtype=float),
            "late_h": trips["load_parcels"].to_numpy(dtype=float) * _late_h(trips),
        }
    )
    lanes = table.groupby(["one", "other", "rail"], as_index=False)[["parcels", "late_h"]].sum()
    lanes["late_h"] /= lanes["parcels"].clip(lower=1e-9)
    places = cities.assign(city=cities["city"].astype(str)).drop_duplicates("city").set_index("city")
    lanes = lanes[lanes["one"].isin(places.index) & lanes["other"].isin(places.index)]
    lanes = lanes.sort_values(["parcels", "one", "other", "rail"], ignore_index=True)
    ends = {
        f"{end}_{axis}": places.loc[lanes[city], axis].to_numpy(dtype=float)
        for end, city in (("from", "one"), ("to", "other"))
        for axis in ("longitude", "latitude")
    }
    kept = {name: lanes[name].to_numpy() for name in ("parcels", "late_h")}
    return pd.DataFrame({"rail": lanes["rail"].to_numpy(), **ends, **kept})


def _late_h(trips: pd.DataFrame) -> np.ndarray:
    """Hours from departure to unloading of each trip beyond the quickest journey by its kind of vehicle on its lane."""
    out_s = trips["arrive_s"] - trips["depart_s"]
    kind = trips["vehicle"].astype(str) == "train"
    lane = [trips["origin"].astype(str), trips["destination"].astype(str), kind]
    quickest_s = out_s.groupby(lane).transform("min")
    end_s = trips[["depart_s", "arrive_s", "unloaded_s"]].max(axis=None)
    taken_s = trips["unloaded_s"].fillna(end_s) - trips["depart_s"]
    return np.asarray((taken_s - quickest_s.fillna(taken_s)).clip(lower=0.0) / HOUR_S)
