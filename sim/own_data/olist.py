"""A public order table, in the layout of Olist's: what was ordered, handed over and delivered when, between which places.

It becomes the tables of a run, as far as an order table tells them, so that everything that reads a run's tables reads it too:
rates, care lists and lead times of real parcels beside simulated ones. And it becomes files of own data, to be played back.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.own_data.read import Field, Table
from sim.params import ParameterError
from sim.records import TABLES, table

if TYPE_CHECKING:
    import pandas as pd

FIELDS = (
    Field("order_id", "text"),
    Field("order_purchase_timestamp", "instant"),
    Field("order_approved_at", "instant", optional=True, blank=True),
    Field("order_delivered_carrier_date", "instant", blank=True),
    Field("order_delivered_customer_date", "instant", blank=True),
    Field("order_estimated_delivery_date", "instant", optional=True, blank=True),
    Field("customer_city", "text"),
    Field("customer_state", "text"),
    Field("seller_city", "text"),
    Field("seller_state", "text"),
    Field("seller_id", "text", optional=True, default="all"),
    Field("customer_unique_id", "text", optional=True),
    Field("price", "number", ">= 0", optional=True, default=0.0),
)
ONE_CARRIER = "all carriers"


class Imported(NamedTuple):
    """What an order table tells.

    `tables` in the schemas of `sim.records`: parcels, cities (without coordinates) and areas. `orders` and `places` are files of
    own data: orders to play back, and how many parcels each place sent and received. `late_share` is of those delivered and
    estimated; NaN without estimates.
    """

    tables: "dict[str, pd.DataFrame]"
    orders: "pd.DataFrame"
    places: "pd.DataFrame"
    late_share: float


def read_olist(file: str, day_zero: str) -> Imported:
    """Read an order table; t = 0 is 00:00 of `day_zero`, and orders before it are left out.

    Raises
    ------
    ParameterError
        With a message for each problem of the file, with row and column.
    """
    import pandas as pd

    rows = Table("file", file, FIELDS, day_zero)
    bought_s, handed_s, delivered_s = (
        rows[name]
        for name in ("order_purchase_timestamp", "order_delivered_carrier_date", "order_delivered_customer_date")
    )
    rows.tell_all(handed_s < bought_s, "order_delivered_carrier_date", lambda _: "must not be before the purchase")
    rows.tell_all(delivered_s < bought_s, "order_delivered_customer_date", lambda _: "must not be before the purchase")
    if rows.problems:
        raise ParameterError(rows.problems)
    kept = np.flatnonzero(bought_s >= 0)
    if not kept.size:
        raise ParameterError(
            [f"{file} must have an order on or after day_zero {day_zero}, got none in {rows.rows} rows"]
        )
    kept = kept[np.argsort(bought_s[kept], kind="stable")]
    origin, destination = _names(rows, "seller")[kept], _names(rows, "customer")[kept]
    place, names = pd.factorize(np.concatenate((origin, destination)))
    state = np.concatenate((rows["seller_state"][kept], rows["customer_state"][kept])).astype(str)
    of_place = state[np.unique(place, return_index=True)[1]]
    sent, received = (np.bincount(part, minlength=len(names)) for part in np.split(place, 2))
    buyer = rows["customer_unique_id"] if rows["customer_unique_id"][0] is not None else rows["order_id"]
    shopper, _ = pd.factorize(buyer[kept])
    nothing = np.full(kept.size, np.nan)
    # an order table dates the ends of the way only; what happens between hubs is not in it
    handed_s, delivered_s = handed_s[kept], delivered_s[kept]
    columns: dict[str, object] = dict.fromkeys((name for name in TABLES["parcels"] if name.endswith("_s")), nothing)
    columns |= {
        "parcel": np.arange(kept.size),
        "shopper": shopper,
        "orders": np.ones(kept.size),
        "merchant": pd.factorize(rows["seller_id"][kept])[0],
        "carrier": np.full(kept.size, ONE_CARRIER, dtype=object),
        "category": np.full(kept.size, "unknown", dtype=object),
        "items": np.ones(kept.size),
        "origin": origin,
        "destination": destination,
        "weight_kg": np.full(kept.size, np.nan),
        "created_s": bought_s[kept],
        "packed_s": handed_s,
        "picked_up_s": handed_s,
        "signed_s": delivered_s,
        "exception": np.full(kept.size, "none", dtype=object),
        "attempts": (~np.isnan(delivered_s)).astype(np.int8),
    }
    parcels = table("parcels", {name: columns[name] for name in TABLES["parcels"]})
    unknown = np.full(len(names), np.nan)
    cities = table(
        "cities",
        {
            "city": names,
            "province": of_place,
            "longitude": unknown,
            "latitude": unknown,
            "population": np.zeros(len(names)),
        },
    )
    areas = table("areas", {"carrier": [ONE_CARRIER] * len(names), "city": names, "hub": names})
    paid_at = pd.Timestamp(day_zero) + pd.to_timedelta(bought_s[kept], unit="s")
    orders = pd.DataFrame({"paid": paid_at, "shopper": shopper, "value_rmb": rows["price"][kept].astype(float)})
    places = pd.DataFrame({"city": names, "province": of_place, "sends": sent, "receives": received})
    late = delivered_s > rows["order_estimated_delivery_date"][kept].astype(float)
    known = ~np.isnan(delivered_s) & ~np.isnan(rows["order_estimated_delivery_date"][kept].astype(float))
    late_share = float(late[known].mean()) if known.any() else float("nan")
    return Imported({"parcels": parcels, "cities": cities, "areas": areas}, orders, places, late_share)


def _names(rows: Table, end: str) -> np.ndarray:
    """Places are told apart by city and state: there are many of one name."""
    pairs = zip(rows[f"{end}_city"].astype(str), rows[f"{end}_state"].astype(str), strict=True)
    return np.array([f"{city} ({state})" for city, state in pairs], dtype=object)
