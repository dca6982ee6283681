"""The parcels part's tables, from its state at an instant."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sim.geography import Geography
from sim.kernels.convoys import DOCKING, NOT_A_TRIP, WAITING
from sim.kernels.lane import HIRED, OWN
from sim.kernels.rows import DAMAGED, EXCEPTIONS, NOTHING_WRONG, REFUSED, column
from sim.params.parcels import ParcelsParams
from sim.parcels.counter import parcel_counter
from sim.parcels.plan import Plan
from sim.parcels.record import VEHICLES, HubHours
from sim.parcels.yard import Yard
from sim.records import TABLES, LargeTable, table

_PLANNED_AHEAD = ("packed_s", "outlet_s", "signed_s", "returned_s", "exception_s", "sent_back_s")
"""Stamped when they are certain, which is before they happen."""


def large_parcels_table(yard: Yard, geography: Geography, threads: int) -> LargeTable:
    """Table `parcels` in pieces, at any later time as of then."""
    return LargeTable(
        yard.ledger.created,
        lambda first, end: parcels_table(yard, geography, first, end),
        lambda first, end, names: parcels_columns(yard, geography, first, end, names),
        parcel_counter(yard, geography, threads),
    )


def parcels_table(yard: Yard, geography: Geography, first: int = 0, end: int | None = None) -> pd.DataFrame:
    """Rows `first` to before `end` of table `parcels`: what has happened before now; everything later is NaN."""
    return parcels_columns(yard, geography, first, yard.ledger.created if end is None else end, list(TABLES["parcels"]))


def parcels_columns(yard: Yard, geography: Geography, first: int, end: int, names: Sequence[str]) -> pd.DataFrame:
    """Some columns of the same rows."""
    ledger, cities = yard.ledger, pd.Index(geography.name.tolist())
    rows, orders = ledger.piece(first, end)
    yard.stamp()

    def time_s(name: str) -> NDArray[Any]:
        times_s: NDArray[Any] = column(rows, orders, "exception_s" if name == "sent_back_s" else name)
        if name == "sent_back_s":
            times_s = np.where(np.isin(rows["exception"], (REFUSED, DAMAGED)), times_s, np.nan)
        return np.where(times_s < yard.env.now, times_s, np.nan) if name in _PLANNED_AHEAD else times_s

    def exception() -> pd.Categorical:
        known = np.where(np.isnan(time_s("exception_s")), NOTHING_WRONG, rows["exception"])
        return pd.Categorical.from_codes(known.astype(np.int8), pd.Index(EXCEPTIONS))

    def category() -> pd.Categorical:
        codes = ledger.merchants.market.merchant_category[orders.merchant]
        return pd.Categorical.from_codes(codes, pd.Index(ledger.merchants.categories))

    special: dict[str, Callable[[], object]] = {
        "parcel": lambda: np.arange(first, first + rows.size, dtype=np.int64),
        "carrier": lambda: pd.Categorical.from_codes(rows["carrier"], pd.Index(yard.plan.carriers)),
        "origin": lambda: pd.Categorical.from_codes(orders.origin, cities),
        "destination": lambda: pd.Categorical.from_codes(rows["destination"], cities),
        "category": category,
        "exception": exception,
    }
    made = {name: special[name]() if name in special else time_s(name) for name in names}
    return table("parcels", made, only=names)


def hub_hours_table(yard: Yard, hours: HubHours, geography: Geography) -> pd.DataFrame:
    """Table `hub_hours`: one row an hour and hub."""
    columns: dict[str, object] = dict(hours.columns(yard.weight))
    columns["carrier"] = _named(np.tile(yard.plan.hub_carrier, hours.written), yard.plan.carriers)
    columns["hub"] = _named(np.tile(yard.plan.hub_city, hours.written), geography.name.tolist())
    return table("hub_hours", columns)


def trips_table(yard: Yard, geography: Geography) -> pd.DataFrame:
    """Table `trips`: every departure on a lane so far."""
    plan, sent = yard.plan, yard.trips.rows
    arrive_s = sent["arrive_s"].copy()
    for convoys in yard.convoys:
        there = convoys[np.isin(convoys["state"], (DOCKING, WAITING)) & (convoys["trip"] != NOT_A_TRIP)]
        arrive_s[there["trip"]] = there["arrive_s"]
    cities = geography.name.tolist()
    return table(
        "trips",
        {
            "trip": np.arange(sent.size),
            "carrier": _named(sent["carrier"].astype(np.int8), plan.carriers),
            "vehicle": _named(sent["kind"].astype(np.int8), VEHICLES),
            "vehicles": sent["vehicles"],
            "origin": _named(plan.hub_city[plan.lane_from[sent["lane"]]], cities),
            "destination": _named(plan.hub_city[plan.lane_to[sent["lane"]]], cities),
            "depart_s": sent["depart_s"],
            "arrive_s": arrive_s,
            "unloaded_s": sent["unloaded_s"],
            "back_s": np.where(sent["back_s"] < yard.env.now, sent["back_s"], np.nan),
            "load_parcels": sent["rows"] * yard.weight,
            "load_kg": sent["grams"] / 1000.0,
            "capacity_parcels": sent["room_parcels"],
            "capacity_kg": sent["room_g"] / 1000.0,
            "distance_km": sent["km"],
            "cost_rmb": sent["rmb"],
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
