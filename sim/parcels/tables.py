"""The parcels part's tables, from its state at an instant."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.geography import Geography
from sim.kernels.rows import COLUMNS, EXCEPTIONS, NOTHING_WRONG, column
from sim.params.parcels import ParcelsParams
from sim.parcels.plan import Plan
from sim.parcels.record import HIRED, OWN, VEHICLES, Departure, HubHours
from sim.parcels.yard import Yard
from sim.records import PARCELS, LargeTable, table

_PLANNED_AHEAD = ("packed_s", "outlet_s", "signed_s", "returned_s", "exception_s", "sent_back_s")
"""Stamped when they are certain, which is before they happen."""


def large_parcels_table(yard: Yard, geography: Geography) -> LargeTable:
    """Table `parcels` in pieces, at any later time as of then."""
    return LargeTable(yard.ledger.created, lambda first, end: parcels_table(yard, geography, first, end))


def parcels_table(yard: Yard, geography: Geography, first: int = 0, end: int | None = None) -> pd.DataFrame:
    """Rows `first` to before `end` of table `parcels`: what has happened before now; everything later is NaN."""
    ledger, plan = yard.ledger, yard.plan
    rows = ledger.rows[first : ledger.created if end is None else end]
    cities = pd.Index(geography.name.tolist())
    columns: dict[str, object] = {name: column(rows, name) for name in PARCELS if name in COLUMNS}
    columns["sent_back_s"] = np.asarray(columns["returned_s"]) - yard.outlets.doors.return_s
    for name in _PLANNED_AHEAD:
        times_s = np.asarray(columns[name])
        columns[name] = np.where(times_s < yard.env.now, times_s, np.nan)
    known = np.where(np.isnan(np.asarray(columns["exception_s"], float)), NOTHING_WRONG, rows["exception"])
    columns["exception"] = pd.Categorical.from_codes(known.astype(np.int8), pd.Index(EXCEPTIONS))
    columns["parcel"] = np.arange(first, first + rows.size, dtype=np.int64)
    columns["carrier"] = pd.Categorical.from_codes(rows["carrier"], pd.Index(plan.carriers))
    columns["category"] = pd.Categorical.from_codes(
        ledger.merchants.market.merchant_category[rows["merchant"]], pd.Index(ledger.merchants.categories)
    )
    columns["origin"] = pd.Categorical.from_codes(rows["origin"], cities)
    columns["destination"] = pd.Categorical.from_codes(rows["destination"], cities)
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
            "back_s": np.array(trips.back_s),
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


def areas_table(plan: Plan, geography: Geography) -> pd.DataFrame:
    """Table `areas`: which hub of each carrier serves each city."""
    cities, (carriers, places) = geography.name.tolist(), plan.routes.hub_of.shape
    return table(
        "areas",
        {
            "carrier": _named(np.repeat(np.arange(carriers, dtype=np.int8), places), plan.carriers),
            "city": _named(np.tile(np.arange(places, dtype=np.int16), carriers), cities),
            "hub": _named(plan.hub_city[plan.routes.hub_of.reshape(-1)], cities),
        },
    )


def fleets_table(parcels: ParcelsParams) -> pd.DataFrame:
    """Table `fleets`: how many vehicles each carrier has."""
    rows = [
        (number, kind, count)
        for number, carrier in enumerate(parcels.carriers.values())
        for kind, count in ((OWN, carrier.own_trucks), (HIRED, carrier.hired_trucks))
    ]
    carrier, vehicle, vehicles = np.array(rows, np.int32).T
    return table(
        "fleets",
        {
            "carrier": _named(carrier, tuple(parcels.carriers)),
            "vehicle": _named(vehicle, VEHICLES),
            "vehicles": vehicles,
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
