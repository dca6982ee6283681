"""The schemas of all tables that a run leaves behind: columns, dtypes, units and meaning.

Times are seconds on the run's axis; NaN in a time column means that it has not happened. Names (services, cities, carriers) are
categories. Counts are of the run, never scaled up: a row of `parcels` stands for `weight` parcels, see `Column.meaning`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
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


class ServiceLoad(NamedTuple):
    """What a service of the site does: means over an interval, of the run and not scaled up."""

    busy: float  # slots in use
    waiting: float  # requests in its queues


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
    "in_flight": Column("int32", "requests", "requests waiting or served at the end of the second, all cells"),
    "retried": Column("int32", "requests", "of the arrivals, repeated after a rejection or a timeout"),
    "degraded": Column("int32", "requests", "of those that left, given the simpler answer of the degraded mode"),
}

LINK_SECONDS: Schema = {
    "second_s": Column("int32", "s", "start of the second"),
    "region": Column("category", "", "where the shoppers are"),
    "channel": Column("category", "", "pc or wireless"),
    "started": Column("int32", "pages", "answered pages that the site began to send"),
    "delivered": Column("int32", "pages", "pages that arrived whole"),
    "under_way": Column("int32", "pages", "pages on their way at the end of the second, all cells"),
    "delivered_gbit": Column("float64", "Gbit", "size of the pages that arrived"),
    "bandwidth_gbit_per_s": Column("float64", "Gbit/s", "bandwidth of the link at the run's scale"),
}

SHOPPER_MINUTES: Schema = {
    "minute": Column("int32", "min", "minute, counted from t = 0"),
    "region": Column("category", "", "where the shoppers are"),
    "channel": Column("category", "", "pc or wireless"),
    "requests": Column("int32", "requests", "page requests sent, retries included"),
    "answered": Column("int32", "requests", "pages answered"),
    "failed": Column("int32", "requests", "page requests that were rejected or timed out"),
    "gave_up": Column("int32", "shoppers", "shoppers who left after their last try failed"),
    "orders": Column("int32", "orders", "orders paid"),
    "orders_lost": Column("int32", "orders", "orders that a shopper wanted and gave up on because the site failed"),
    "page_s": Column("float64", "s", "time from request to answer, summed over the pages answered"),
}

SITE_CAPACITY: Schema = {
    "time_s": Column("float64", "s", "instant of the change"),
    "service": Column("category", "", "name of the service"),
    "machines": Column("float64", "machines", "machines from then on, at the run's scale before rounding"),
    "slots": Column("int32", "slots", "slots from then on, all cells, after rounding"),
}

MACHINES: Schema = {
    "time_s": Column("float64", "s", "instant of a change; numbers hold from then on"),
    "service": Column("category", "", "name of the service"),
    "slots_per_machine": Column("int32", "slots", "slots of one of its machines"),
    "ordered": Column(
        "int32", "machines", "machines ordered so far, of the real day at every scale, as all that follow"
    ),
    "booting": Column("int32", "machines", "machines ordered that do not run yet"),
    "warming": Column("int32", "machines", "machines that warm up and give a part of their slots"),
    "serving": Column("int32", "machines", "machines that serve"),
    "draining": Column("int32", "machines", "machines that finish what they have and take nothing new"),
    "failed": Column("int32", "machines", "machines so far whose boot failed"),
    "machine_h": Column("float64", "h", "machine hours so far, each machine from its order to its stop"),
    "cost_rmb": Column("float64", "RMB", "what they cost"),
}

LATENCY: Schema = {
    "minute": Column("int32", "min", "minute of the answer, counted from t = 0"),
    "page": Column("category", "", "name of the page"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: request sent to page received"),
    "count": Column("int64", "requests", "pages answered in this bucket"),
}

CONTINGENCY: Schema = {
    "time_s": Column("float64", "s", "instant"),
    "who": Column("category", "", "fault or plan"),
    "what": Column("category", "", "struck, mended; detected, acted, undone, guard tripped"),
    "value": Column("float64", "", "severity of the fault, reading of the metric, or amount of the action"),
}

REHEARSAL_CASES: Schema = {
    "case": Column("category", "", "no fault, fault, or fault and plan"),
    "scale": Column("float64", "", "share of the day's shoppers that the rehearsal simulates"),
    "service": Column("category", "", "service whose machines fail"),
    "machines": Column("int32", "machines", "its machines before the fault, at full scale"),
    "fault_machines": Column("float64", "machines", "what is left of them, at full scale; NaN: no fault"),
    "fault_from_s": Column("float64", "s", "begin of the fault; NaN: no fault"),
    "fault_until_s": Column("float64", "s", "end of the fault, all machines are back; NaN: no fault"),
    "plan": Column("category", "", "what the plan changes; empty: no plan"),
}

REHEARSAL_SECONDS: Schema = {
    "case": Column("category", "", "see rehearsal_cases"),
    "second_s": Column("int32", "s", "start of the second"),
    "requests": Column("int32", "requests", "page requests sent to the site, retries included"),
    "retries": Column("int32", "requests", "of these, repeated after a rejection or a timeout"),
    "orders": Column("int32", "orders", "orders paid: the goodput, pages answered before the browser gave up"),
    "gmv_rmb": Column("float64", "RMB", "value of the orders paid"),
    "orders_lost": Column("int32", "orders", "orders that a shopper wanted and gave up on because the site failed"),
    "lost_rmb": Column("float64", "RMB", "value of the orders lost"),
    "arrivals": Column("int32", "requests", "requests that reached the service with the fault"),
    "served": Column("int32", "requests", "requests that it finished, whether or not the browser still waited"),
    "rejected": Column("int32", "requests", "requests that it refused because its queue was full"),
    "timed_out": Column("int32", "requests", "requests that left its queue after the timeout"),
    "queue": Column("int32", "requests", "requests waiting there at the end of the second"),
    "busy": Column("int32", "slots", "slots in use there at the end of the second"),
}

PAGE_LATENCY: Schema = {
    "hour": Column("int32", "h", "hour of the answer, counted from t = 0"),
    "page": Column("category", "", "name of the page"),
    "region": Column("category", "", "where the shopper is"),
    "channel": Column("category", "", "pc or wireless"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: request sent to page received"),
    "count": Column("int64", "requests", "pages answered in this bucket"),
}

SERVICE_LATENCY: Schema = {
    "hour": Column("int32", "h", "hour of the service's end, counted from t = 0"),
    "service": Column("category", "", "name of the service"),
    "region": Column("category", "", "where the shopper is"),
    "channel": Column("category", "", "pc or wireless"),
    "latency_s": Column("float64", "s", "upper edge of the histogram's bucket: arrival at the service to its end"),
    "count": Column("int64", "requests", "requests served in this bucket"),
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
    "category": Column("category", "", "what is in it: the merchant's category"),
    "items": Column("uint8", "items", "items in one parcel"),
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
    "out_s": Column("float64", "s", "out for delivery, last attempt so far; also of what then waits in a locker"),
    "sent_back_s": Column("float64", "s", "sent back to the merchant: damaged on the way, or refused at the door"),
    "signed_s": Column("float64", "s", "signed by the customer"),
    "returned_s": Column("float64", "s", "back at the merchant's"),
    "lost_s": Column("float64", "s", "found to be lost"),
    "exception_s": Column("float64", "s", "the gravest thing that went wrong was noticed"),
    "exception": Column("category", "", "what it was: none, not at home, wrong address, refused, damaged, lost"),
    "attempts": Column("int8", "attempts", "delivery attempts so far"),
}

HUB_HOURS: Schema = {
    "hour": Column("int32", "h", "hour that ends the interval, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "hub": Column("category", "", "city of the hub"),
    "arrived_parcels": Column("float64", "parcels", "parcels unloaded in the hour"),
    "everyday_arrived_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "sorted_parcels": Column("float64", "parcels", "parcels sorted in the hour"),
    "everyday_sorted_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "departed_parcels": Column("float64", "parcels", "parcels that left in the hour"),
    "everyday_departed_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "backlog_parcels": Column("float64", "parcels", "parcels in the hub at the hour's end"),
    "everyday_backlog_parcels": Column("float64", "parcels", "of these, everyday ones"),
    "gate_parcels": Column("float64", "parcels", "parcels on vehicles that wait at its gate at the hour's end"),
    "everyday_gate_parcels": Column("float64", "parcels", "of these, everyday ones"),
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
    "back_s": Column("float64", "s", "back at its hub, empty and free; NaN for trains"),
    "load_parcels": Column("float64", "parcels", "parcels on board"),
    "load_kg": Column("float64", "kg", "their weight"),
    "capacity_parcels": Column("float64", "parcels", "what the vehicles hold together"),
    "capacity_kg": Column("float64", "kg", "what the vehicles may carry together"),
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

MERCHANTS: Schema = {
    "merchant": Column("int64", "", "rank by size, from 0"),
    "city": Column("category", "", "city of its warehouse"),
    "category": Column("category", "", "what it sells"),
    "carrier": Column("category", "", "the carrier that it prefers"),
    "size_share": Column("float64", "share", "its share of all orders that it may expect"),
    "hands": Column("float64", "people", "its own staff that picks, packs and labels"),
    "parcels": Column("float64", "parcels", "parcels ordered"),
    "packed_parcels": Column("float64", "parcels", "of these, packed"),
    "picked_up_parcels": Column("float64", "parcels", "of these, picked up by a carrier"),
    "kept_parcels": Column("float64", "parcels", "of these, picked up in the time that the merchant had promised"),
    "forward_parcels": Column("float64", "parcels", "of its parcels, those sent from a regional warehouse"),
    "last_packed_s": Column("float64", "s", "when its latest parcel was packed"),
    "postage_rmb": Column("float64", "RMB", "what the carriers charge for the parcels picked up"),
}

STOCK: Schema = {
    "place": Column("category", "", "city of the regional warehouse"),
    "category": Column("category", "", "category of goods"),
    "placed_items": Column("float64", "items", "placed there before the day"),
    "replenished_items": Column("float64", "items", "came later"),
    "coming_items": Column("float64", "items", "on the way there"),
    "shipped_items": Column("float64", "items", "sent to customers"),
    "left_items": Column("float64", "items", "left"),
    "missed_items": Column("float64", "items", "asked for when too little was left, and sent by the merchants"),
    "saved_km": Column("float64", "parcel-km", "way by road that is shorter than from the merchants, over all parcels"),
}

CARRIERS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "pickup_per_day": Column("float64", "1/d", "parcels that it picks up in a day at most; NaN: no limit"),
    "parcel_rmb": Column("float64", "RMB", "price of a parcel"),
    "kg_rmb": Column("float64", "RMB/kg", "price of a kilogram on top"),
    "picked_up_parcels": Column("float64", "parcels", "parcels picked up"),
    "refused_parcels": Column("float64", "parcels", "parcels that it had no room for, each counted once"),
    "switched_parcels": Column("float64", "parcels", "of these, handed to another carrier"),
    "postage_rmb": Column("float64", "RMB", "what it charges for the parcels picked up"),
}

CITIES: Schema = {
    "city": Column("category", "", "name"),
    "province": Column("category", "", "province"),
    "longitude": Column("float64", "degrees", "east"),
    "latitude": Column("float64", "degrees", "north"),
    "population": Column("int64", "people", "population"),
}

FLEETS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "vehicle": Column("category", "", "own truck or hired truck"),
    "vehicles": Column("int32", "vehicles", "how many of them it has"),
}

AREAS: Schema = {
    "carrier": Column("category", "", "carrier"),
    "city": Column("category", "", "name of the city"),
    "hub": Column("category", "", "city of the carrier's hub that serves it"),
}

ROAD_HOURS: Schema = {
    "hour": Column("int32", "h", "hour that begins, counted from t = 0"),
    "slow_km": Column("float64", "km", "roads on which weather slows vehicles"),
    "closed_km": Column("float64", "km", "roads that weather closes"),
    "held_lanes": Column("int32", "lanes", "lanes without trucks because of a forecast, all carriers"),
}

LANE_WEATHER: Schema = {
    "hour": Column("int32", "h", "hour that begins, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "origin": Column("category", "", "city of a hub"),
    "destination": Column("category", "", "city of another hub of the carrier"),
    "speed_share": Column(
        "float64", "share", "speed on the slowest lane of the usual way, of that on dry roads; 0: closed somewhere"
    ),
}

NATIONAL_DAYS: Schema = {
    "day": Column("int32", "d", "day counted from 11 November"),
    "festival_parcels": Column("float64", "parcels", "the festival's parcels that carriers picked up on the day"),
    "everyday_parcels": Column("float64", "parcels", "all others that the country's carriers picked up on the day"),
    "everyday_delivered_parcels": Column("float64", "parcels", "everyday parcels that left the last hub on the day"),
}

PARCEL_HOURS: Schema = {
    "hour": Column("int32", "h", "instant, counted from t = 0"),
    "carrier": Column("category", "", "carrier"),
    "state": Column("category", "", "what the parcels have come to by then, see `sim.metrics.stages`"),
    "parcels": Column("int64", "parcels", "rows of `parcels` in this state at the instant"),
}

PARCEL_MOVES: Schema = {
    "day": Column("int32", "d", "day counted from t = 0, at whose end the parcels have come to `after`"),
    "before": Column("category", "", "state at the day's begin, or not ordered"),
    "after": Column("category", "", "state at its end"),
    "parcels": Column("int64", "parcels", "rows of `parcels` that went from one to the other, or stayed"),
}

LEAD_TIMES: Schema = {
    "carrier": Column("category", "", "carrier"),
    "distance": Column("category", "", "band of the great-circle distance between origin and destination"),
    "within_h": Column("float64", "h", "upper edge of the quarter of an hour from order to signed; NaN: not signed"),
    "parcels": Column("int64", "parcels", "rows of `parcels` in this bin"),
}

TRACKING: Schema = {
    "time_s": Column("float64", "s", "as of this instant"),
    "by": Column("category", "", "carrier, merchant, lane, city or province"),
    "group": Column("category", "", "which one; a lane is named after its carrier and the hubs at its ends"),
    "parcels": Column("int64", "parcels", "rows of `parcels` ordered by then; the following counts are among them"),
    "picked_up": Column("int64", "parcels", "picked up by the carrier"),
    "in_transit": Column("int64", "parcels", "picked up, and neither signed nor otherwise at their end"),
    "signed": Column("int64", "parcels", "signed by the customer"),
    "exceptions": Column("int64", "parcels", "something went wrong with them"),
    "not_shipped": Column("int64", "parcels", "not picked up, though ordered more than three days before"),
    "long_in_transit": Column("int64", "parcels", "in transit for more than four days"),
    "just_signed": Column("int64", "parcels", "signed in the last 24 hours"),
}

TABLES: dict[str, Schema] = {
    "demand_seconds": DEMAND_SECONDS,
    "site_seconds": SITE_SECONDS,
    "site_capacity": SITE_CAPACITY,
    "machines": MACHINES,
    "link_seconds": LINK_SECONDS,
    "shopper_minutes": SHOPPER_MINUTES,
    "contingency": CONTINGENCY,
    "latency": LATENCY,
    "page_latency": PAGE_LATENCY,
    "service_latency": SERVICE_LATENCY,
    "rehearsal_cases": REHEARSAL_CASES,
    "rehearsal_seconds": REHEARSAL_SECONDS,
    "orders": ORDERS,
    "parcels": PARCELS,
    "hub_hours": HUB_HOURS,
    "trips": TRIPS,
    "hubs": HUBS,
    "merchants": MERCHANTS,
    "carriers": CARRIERS,
    "stock": STOCK,
    "cities": CITIES,
    "areas": AREAS,
    "national_days": NATIONAL_DAYS,
    "road_hours": ROAD_HOURS,
    "lane_weather": LANE_WEATHER,
    "fleets": FLEETS,
    "parcel_hours": PARCEL_HOURS,
    "parcel_moves": PARCEL_MOVES,
    "lead_times": LEAD_TIMES,
    "tracking": TRACKING,
}


class SchemaError(Exception):
    """A table does not have the columns that its schema lists."""


def table(name: str, columns: dict[str, object], *, only: Sequence[str] | None = None) -> pd.DataFrame:
    """A table of the named schema: columns in its order, with its dtypes.

    Parameters
    ----------
    name : a key of `TABLES`
    columns : one array for each of the schema's columns, all of one length
    only : the columns that are wanted, in this order; None: all of the schema

    Raises
    ------
    SchemaError
        When a column is missing or not in the schema.
    """
    schema = TABLES[name] if only is None else {column: TABLES[name][column] for column in only}
    if columns.keys() != schema.keys():
        wrong = sorted(columns.keys() ^ schema.keys())
        raise SchemaError(f"table {name} must have the columns of its schema, these differ: {', '.join(wrong)}")
    return pd.DataFrame({column: _typed(columns[column], schema[column].dtype) for column in schema}, copy=False)


class Survey(NamedTuple):
    """What is asked about all parcels. C carriers and N cities, numbered as in the `Counter` that is asked."""

    at_s: np.ndarray  # float64[T], instants at which parcels stand somehow, see `sim.metrics.tracking`
    limits_s: tuple[
        float, float, float
    ]  # when a parcel is late: from order to pickup, to the signature, and a signature old
    hub_of: np.ndarray  # int64[C, N], number of the place of the carrier's hub that serves the city
    hubs: int
    band_of: np.ndarray  # int64[N, N], band of the distance between two cities
    bands: int
    bin_s: float  # width of the bins of lead times, whole seconds
    moves_days: int


class Counted(NamedTuple):
    """How many parcels; S states and B kinds of standing as in `sim.metrics`."""

    entered: np.ndarray  # int64[C, S, hours], entered a state by a whole hour and not by the one before
    moves: np.ndarray  # int64[days, S + 1, S + 1], in which state before and after each day; 0: not ordered
    leads: np.ndarray  # int64[C, bands, bins], from order to signature; bin 0: not signed
    by_lane: np.ndarray  # int64[T, C, hubs, hubs, B], ordered by an instant
    by_city: np.ndarray  # int64[T, N, B], of destination
    by_merchant: np.ndarray  # int64[T, merchants, B]


class Counter(NamedTuple):
    """Counts all parcels of a table without making the table."""

    carriers: tuple[str, ...]
    cities: tuple[str, ...]
    answer: Callable[[Survey], Counted]


class LargeTable(NamedTuple):
    """A table that is made when it is asked for, as a whole or in pieces."""

    rows: int
    piece: Callable[[int, int], pd.DataFrame]  # its rows from the first to before the end
    columns: Callable[[int, int, Sequence[str]], pd.DataFrame] | None = None  # some columns of them, quicker than all
    counter: Counter | None = None


class Tables(Mapping[str, pd.DataFrame]):
    """A run's tables by name. A large one is made anew at every access; `chunks` gives it in pieces."""

    def __init__(self, ready: Mapping[str, pd.DataFrame], large: Mapping[str, LargeTable] | None = None) -> None:
        self._ready, self._large = dict(ready), dict(large or {})

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name in self._large:
            return self._large[name].piece(0, self._large[name].rows)
        return self._ready[name]

    def __contains__(self, name: object) -> bool:
        return name in self._large or name in self._ready  # without making it

    def __iter__(self) -> Iterator[str]:
        yield from self._large
        yield from self._ready

    def __len__(self) -> int:
        return len(self._large) + len(self._ready)

    def __or__(self, more: Mapping[str, pd.DataFrame]) -> "Tables":
        large = more._large if isinstance(more, Tables) else {}
        ready = more._ready if isinstance(more, Tables) else more
        return Tables({**self._ready, **ready}, {**self._large, **large})

    def chunks(self, name: str, columns: Sequence[str] | None, rows: int) -> Iterator[pd.DataFrame]:
        """One table in pieces; see `sim.records.chunks`."""
        if name not in self._large:
            yield from chunks(self._ready, name, columns, rows)
            return
        whole = self._large[name]
        for first in range(0, whole.rows, rows):
            end = min(first + rows, whole.rows)
            if columns is None:
                yield whole.piece(first, end)
            elif whole.columns is None:
                yield whole.piece(first, end)[list(columns)]
            else:
                yield whole.columns(first, end, columns)

    def counter(self, name: str) -> Counter | None:
        """Who counts the rows of a large table without making it; None when nobody does."""
        return self._large[name].counter if name in self._large else None


CHUNK_ROWS = 1_000_000


def chunks(
    tables: Mapping[str, pd.DataFrame], name: str, columns: Sequence[str] | None = None, rows: int = CHUNK_ROWS
) -> Iterator[pd.DataFrame]:
    """One table in pieces of at most `rows` rows: what does not fit into memory as a whole can be read or written like this.

    Tables that know how to give pieces of themselves have a method `chunks(name, columns, rows)`.

    Parameters
    ----------
    tables : by name
    name : of the table
    columns : those that are needed; None: all
    """
    if hasattr(tables, "chunks"):
        yield from tables.chunks(name, columns, rows)
        return
    whole = tables[name] if columns is None else tables[name][list(columns)]
    for first in range(0, len(whole), rows):
        yield whole.iloc[first : first + rows]


def _typed(values: object, dtype: str) -> object:
    if dtype == "category":
        return values if isinstance(values, pd.Categorical) else pd.Categorical(np.asarray(values, dtype=object))
    return np.asarray(values, dtype=dtype)
