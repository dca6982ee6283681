"""Parcels: from the paid order through warehouse, pickup, hubs, line-haul and rail to the customer's signature."""

from sim.parcels.check import check
from sim.parcels.part import ParcelNetwork

__all__ = ["ParcelNetwork", "check"]
