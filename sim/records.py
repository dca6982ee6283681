"""The schemas of all tables that a run leaves behind: columns, dtypes, units and meaning.

Times are seconds on the run's axis; NaN in a time column means that it has not happened. Names (services, cities, carriers) are
categories. Counts are of the run, never scaled up: a row of `parcels` stands for `weight` parcels, see `Column.meaning`.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd


class Column(NamedTuple):
    """One column: NumPy dtype or "category", unit ("" where there is none) and meaning."""

    dtype: str
    unit: str
    meaning: str


class OrderBatch(NamedTuple):
    """Paid orders on their way from the site to the parcels: arrays of equal length, sorted by (paid_s, shopper, number)."""

    paid_s: np.ndarray  # float64[n]
    shopper: np.ndarray  # int64[n]
    number: np.ndarray  # int64[n], the shopper's first order is 0
    value_rmb: np.ndarray  # float64[n]


def no_orders() -> OrderBatch:
    """An empty batch."""
    return OrderBatch(np.empty(0), np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


Schema = dict[str, Column]

DEMAND_SECONDS: Schema = {
    "second_s": Column("int32", "s", "start of the second"),
    "visitors": Column("int32", "shoppers", "shoppers who made their first request"),
    "requests": Column("int32", "requests", "page requests sent, retries included"),
    "retries": Column("int32", "requests", "of these, repeated after a rejection or a timeout"),
    "rejected": Column("int32", "requests", "answered with 'system busy'"),
    "timed_out": Column("int32", "requests", "given up by the client after its timeout"),
    "served": Column("int32", "requests", "pages answered"),
    "gave_up": Column("int32", "shoppers", "shoppers who left after their last try failed"),
    "orders": Column("int32", "orders", "orders paid"),
    "gmv_rmb": Column("float64", "RMB", "value of the orders paid"),
    "orders_lost": Column("int32", "orders", "orders that a shopper wanted and gave up on because the site failed"),
    "lost_rmb": Column("float64", "RMB", "value of the orders lost"),
}

SITE_SECONDS: Schema = {
    "second_s": Column("int32", "s", "start of the second"),
    "service": Column("category", "", "name of the service"),
    "arrivals": Column("int32", "requests", "requests that reached the service"),
    "served": Column("int32", "requests", "requests that it finished"),
    "rejected": Column("int32", "requests", "requests refused because its queue was full"),
    "timed_out": Column("int32", "requests", "requests that left its queue after the timeout"),
    "queue": Column("int32", "requests", "requests waiting at the end of the second, all cells"),
    "busy": Column("int32", "slots", "slots in use at the end of the second, all cells"),
}

SITE_CAPACITY: Schema = {
    "time_s": Column("float64", "s", "instant of the change"),
    "service": Column("category", "", "name of the service"),
    "machines": Column("float64", "machines", "machines from then on, at the run's scale before rounding"),
    "slots": Column("int32", "slots", "slots from then on, all cells, after rounding"),
}

LATENCY: Schema = {
    "minute": Column("int32", "min", "minute of the answer, counted from t = 0"),
    "page": Column("category", "", "name of the page"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: request sent to page answered"),
    "count": Column("int64", "requests", "pages answered in this bucket"),
}

ORDERS: Schema = {
    "shopper": Column("uint32", "", "the shopper's id"),
    "number": Column("uint8", "", "which order of this shopper, from 0"),
    "paid_s": Column("float64", "s", "instant of the payment"),
    "value_rmb": Column("float64", "RMB", "value of the basket"),
    "channel": Column("category", "", "pc or wireless"),
}

PARCELS: Schema = {
    "parcel": Column("int64", "", "row number, in order of creation; the row stands for 1/scale parcels"),
    "shopper": Column("int64", "", "the shopper's id"),
    "orders": Column("int16", "orders", "orders packed together in it"),
    "merchant": Column("int32", "", "the merchant's rank by size, from 0"),
    "carrier": Column("category", "", "carrier"),
    "origin": Column("category", "", "city it is shipped from"),
    "destination": Column("category", "", "city it is shipped to"),
    "weight_kg": Column("float32", "kg", "weight of one parcel"),
    "created_s": Column("float64", "s", "order paid, parcel due at the merchant's warehouse"),
    "packed_s": Column("float64", "s", "picked, packed and ready at the merchant's door"),
    "picked_up_s": Column("float64", "s", "taken by the carrier's pickup outlet"),
    "origin_hub_s": Column("float64", "s", "unloaded into the origin hub"),
    "departed_s": Column(
        "float64", "s", "left the origin hub by line-haul; NaN also when origin and destination hub are one"
    ),
    "destination_hub_s": Column("float64", "s", "unloaded into the destination hub"),
    "outlet_s": Column("float64", "s", "arrived at the delivery outlet"),
    "out_s": Column("float64", "s", "out for delivery, last attempt so far"),
    "signed_s": Column("float64", "s", "signed by the customer"),
    "lost_s": Column("float64", "s", "found to be lost"),
    "attempts": Column("int8", "attempts", "delivery attempts so far"),
}

HUB_HOURS: Schema = {
    "hour": Column("int32", "h", "hour that ends the interval, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "hub": Column("category", "", "city of the hub"),
    "arrived_parcels": Column("float64", "parcels", "parcels unloaded in the hour"),
    "sorted_parcels": Column("float64", "parcels", "parcels sorted in the hour"),
    "departed_parcels": Column("float64", "parcels", "parcels that left in the hour"),
    "backlog_parcels": Column("float64", "parcels", "parcels in the hub at the hour's end"),
    "gate_parcels": Column("float64", "parcels", "parcels on vehicles that wait at its gate at the hour's end"),
    "gate_vehicles": Column("int32", "vehicles", "vehicles that wait at its gate at the hour's end"),
    "overflow": Column("bool", "", "vehicles had to wait at the gate for storage at the hour's end"),
}

TRIPS: Schema = {
    "trip": Column("int64", "", "row number, in order of departure"),
    "carrier": Column("category", "", "carrier"),
    "vehicle": Column("category", "", "own truck, hired truck or train"),
    "vehicles": Column("int32", "vehicles", "how many of them drove together"),
    "origin": Column("category", "", "city of departure"),
    "destination": Column("category", "", "city of arrival"),
    "depart_s": Column("float64", "s", "departure"),
    "arrive_s": Column("float64", "s", "arrival at the gate"),
    "unloaded_s": Column("float64", "s", "unloaded; later than the arrival when the hub was full"),
    "load_parcels": Column("float64", "parcels", "parcels on board"),
    "capacity_parcels": Column("float64", "parcels", "what the vehicles hold together"),
    "distance_km": Column("float64", "km", "length of the way"),
    "cost_rmb": Column("float64", "RMB", "cost of the trip"),
}

HUBS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "hub": Column("category", "", "city of the hub"),
    "longitude": Column("float64", "degrees", "east"),
    "latitude": Column("float64", "degrees", "north"),
    "storage_parcels": Column("float64", "parcels", "storage limit"),
    "sort_per_h": Column("float64", "parcels/h", "sort rate"),
}

CITIES: Schema = {
    "city": Column("category", "", "name"),
    "province": Column("category", "", "province"),
    "longitude": Column("float64", "degrees", "east"),
    "latitude": Column("float64", "degrees", "north"),
    "population": Column("int64", "people", "population"),
}

TABLES: dict[str, Schema] = {
    "demand_seconds": DEMAND_SECONDS,
    "site_seconds": SITE_SECONDS,
    "site_capacity": SITE_CAPACITY,
    "latency": LATENCY,
    "orders": ORDERS,
    "parcels": PARCELS,
    "hub_hours": HUB_HOURS,
    "trips": TRIPS,
    "hubs": HUBS,
    "cities": CITIES,
}


class SchemaError(Exception):
    """A table does not have the columns that its schema lists."""


def table(name: str, columns: dict[str, object]) -> pd.DataFrame:
    """A table of the named schema: columns in its order, with its dtypes.

    Parameters
    ----------
    name : a key of `TABLES`
    columns : one array for each of the schema's columns, all of one length

    Raises
    ------
    SchemaError
        When a column is missing or not in the schema.
    """
    schema = TABLES[name]
    if columns.keys() != schema.keys():
        wrong = sorted(columns.keys() ^ schema.keys())
        raise SchemaError(f"table {name} must have the columns of its schema, these differ: {', '.join(wrong)}")
    return pd.DataFrame({column: _typed(columns[column], schema[column].dtype) for column in schema}, copy=False)


def _typed(values: object, dtype: str) -> object:
    if dtype == "category":
        return values if isinstance(values, pd.Categorical) else pd.Categorical(np.asarray(values, dtype=object))
    return np.asarray(values, dtype=dtype)
