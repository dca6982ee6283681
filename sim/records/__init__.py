"""The tables that a run leaves behind, with columns, dtypes, units and meaning, and what goes through the ports.

Times are seconds on the run's axis; NaN in a time column means that it has not happened. Names (services, cities, carriers) are
categories. Counts are of the run, never scaled up: a row of `parcels` stands for `weight` parcels, see `Column.meaning`.
"""

from sim.records.counter import Counted, Counter, Survey
from sim.records.ports import OrderBatch, ServiceLoad, no_orders
from sim.records.schema import Column, Schema, SchemaError
from sim.records.tables import CHUNK_ROWS, TABLES, LargeTable, Tables, chunks, rows_of, table

__all__ = [
    "CHUNK_ROWS",
    "TABLES",
    "Column",
    "Counted",
    "Counter",
    "LargeTable",
    "OrderBatch",
    "Schema",
    "SchemaError",
    "ServiceLoad",
    "Survey",
    "Tables",
    "chunks",
    "no_orders",
    "rows_of",
    "table",
]
