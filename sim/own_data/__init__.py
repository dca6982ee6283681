"""The user's own cities, networks and orders, from CSV or Parquet files; errors name file, row and column.

files -> read (types, rules, row numbers) -> places | carriers | orders -> what the festival is built from
"""

from sim.own_data.carriers import with_own_carriers
from sim.own_data.orders import Replay, read_orders
from sim.own_data.places import Places, places

__all__ = ["Places", "Replay", "places", "read_orders", "with_own_carriers"]
