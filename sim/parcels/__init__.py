"""Parcels: from the paid order through warehouse, pickup, hubs, line-haul and rail to the customer's signature."""

from sim.parcels.check import check
from sim.parcels.part import ParcelNetwork
from sim.parcels.stock import check_stock

__all__ = ["ParcelNetwork", "check", "check_stock"]
