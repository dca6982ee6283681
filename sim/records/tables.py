"""Tables: made by their schema, gathered by name, read in pieces."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.records import parcels, site
from sim.records.counter import Counter
from sim.records.schema import Schema, SchemaError

TABLES: dict[str, Schema] = {
    "demand_seconds": site.DEMAND_SECONDS,
    "site_seconds": site.SITE_SECONDS,
    "site_capacity": site.SITE_CAPACITY,
    "machines": site.MACHINES,
    "link_seconds": site.LINK_SECONDS,
    "shopper_minutes": site.SHOPPER_MINUTES,
    "contingency": site.CONTINGENCY,
    "latency": site.LATENCY,
    "page_latency": site.PAGE_LATENCY,
    "service_latency": site.SERVICE_LATENCY,
    "rehearsal_cases": site.REHEARSAL_CASES,
    "rehearsal_seconds": site.REHEARSAL_SECONDS,
    "orders": site.ORDERS,
    "parcels": parcels.PARCELS,
    "hub_hours": parcels.HUB_HOURS,
    "trips": parcels.TRIPS,
    "hubs": parcels.HUBS,
    "merchants": parcels.MERCHANTS,
    "carriers": parcels.CARRIERS,
    "stock": parcels.STOCK,
    "cities": parcels.CITIES,
    "areas": parcels.AREAS,
    "national_days": parcels.NATIONAL_DAYS,
    "road_hours": parcels.ROAD_HOURS,
    "lane_weather": parcels.LANE_WEATHER,
    "fleets": parcels.FLEETS,
    "parcel_hours": parcels.PARCEL_HOURS,
    "parcel_moves": parcels.PARCEL_MOVES,
    "lead_times": parcels.LEAD_TIMES,
    "tracking": parcels.TRACKING,
}


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


class LargeTable(NamedTuple):
    """A table that is made when it is asked for, as a whole or in pieces."""

    rows: int
    piece: Callable[[int, int], pd.DataFrame]  # its rows from the first to before the end
    columns: Callable[[int, int, Sequence[str]], pd.DataFrame] | None = None  # some columns of them, quicker than all
    counter: Counter | None = None


class Tables(Mapping[str, pd.DataFrame]):
    """A run's tables by name. A large one is made anew at every access; `chunks` gives it in pieces.

    ready : tables, or what makes them when they are first asked for
    """

    def __init__(
        self,
        ready: Mapping[str, pd.DataFrame | Callable[[], pd.DataFrame]],
        large: Mapping[str, LargeTable] | None = None,
    ) -> None:
        self._ready, self._large = dict(ready), dict(large or {})

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name in self._large:
            return self._large[name].piece(0, self._large[name].rows)
        found = self._ready[name]
        if not isinstance(found, pd.DataFrame):
            found = self._ready[name] = found()
        return found

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
            yield from chunks({name: self[name]}, name, columns, rows)
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

    def rows(self, name: str) -> int:
        """Number of rows of one table, known without making it."""
        return self._large[name].rows if name in self._large else len(self[name])

    def counter(self, name: str) -> Counter | None:
        """Who counts the rows of a large table without making it; None when nobody does."""
        return self._large[name].counter if name in self._large else None


def rows_of(tables: Mapping[str, pd.DataFrame], name: str) -> int:
    """Number of rows of one table; a large one is not made for this."""
    return tables.rows(name) if isinstance(tables, Tables) else len(tables[name])


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
