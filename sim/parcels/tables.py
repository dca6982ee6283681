"""The parcels part's tables, from its state at an instant."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.geography import Geography
from sim.kernels.rows import ROW
from sim.parcels.plan import Plan
from sim.parcels.record import VEHICLES, Departure, HubHours
from sim.parcels.yard import Yard
from sim.records import PARCELS, table

_STORED = frozenset(ROW.names or ())
_PLANNED_AHEAD = ("packed_s", "outlet_s", "signed_s")  # stamped when they are certain, which is before they happen


def parcels_table(yard: Yard, geography: Geography) -> pd.DataFrame:
    """Table `parcels`: what has happened before now; everything later is NaN."""
    ledger, plan = yard.ledger, yard.plan
    cities = pd.Index(geography.name.tolist())
    columns: dict[str, object] = {name: ledger.column(name) for name in PARCELS if name in _STORED}
    for name in _PLANNED_AHEAD:
        times_s = ledger.column(name)
        columns[name] = np.where(times_s < yard.env.now, times_s, np.nan)
    columns["parcel"] = np.arange(ledger.created, dtype=np.int64)
    columns["carrier"] = pd.Categorical.from_codes(ledger.column("carrier"), pd.Index(plan.carriers))
    columns["origin"] = pd.Categorical.from_codes(ledger.column("origin"), cities)
    columns["destination"] = pd.Categorical.from_codes(ledger.column("destination"), cities)
    return table("parcels", columns)


def hub_hours_table(yard: Yard, hours: HubHours, geography: Geography) -> pd.DataFrame:
    """Table `hub_hours`: one row an hour and hub."""
    columns: dict[str, object] = dict(hours.columns(yard.weight))
    columns["carrier"] = _named(np.tile(yard.plan.hub_carrier, hours.written), yard.plan.carriers)
    columns["hub"] = _named(np.tile(yard.plan.hub_city, hours.written), geography.name.tolist())
    return table("hub_hours", columns)


def trips_table(yard: Yard, geography: Geography) -> pd.DataFrame:
    """Table `trips`: every departure on a lane so far."""
    plan, trips = yard.plan, yard.trips
    fields = zip(*trips.departures, strict=True) if trips.departures else [[] for _ in Departure._fields]
    known = {name: np.array(values) for name, values in zip(Departure._fields, fields, strict=True)}
    lane = known.pop("lane").astype(np.int64)
    cities = geography.name.tolist()
    return table(
        "trips",
        {
            **known,
            "trip": np.arange(lane.size),
            "carrier": _named(known["carrier"].astype(np.int8), plan.carriers),
            "vehicle": _named(known["vehicle"].astype(np.int8), VEHICLES),
            "origin": _named(plan.hub_city[plan.lane_from[lane]], cities),
            "destination": _named(plan.hub_city[plan.lane_to[lane]], cities),
            "arrive_s": np.array(trips.arrive_s),
            "unloaded_s": np.array(trips.unloaded_s),
        },
    )


def hubs_table(plan: Plan, geography: Geography) -> pd.DataFrame:
    """Table `hubs`: what does not change about the hubs."""
    return table(
        "hubs",
        {
            "carrier": _named(plan.hub_carrier, plan.carriers),
            "hub": _named(plan.hub_city, geography.name.tolist()),
            "longitude": geography.longitude[plan.hub_city],
            "latitude": geography.latitude[plan.hub_city],
            "storage_parcels": plan.storage_parcels,
            "sort_per_h": plan.sort_per_h,
        },
    )


def cities_table(geography: Geography) -> pd.DataFrame:
    """Table `cities`: the geography's places."""
    return table(
        "cities",
        {
            "city": geography.name,
            "province": geography.province,
            "longitude": geography.longitude,
            "latitude": geography.latitude,
            "population": geography.population,
        },
    )


def _named(codes: NDArray[np.integer], names: tuple[str, ...] | list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, pd.Index(names))
