"""The whole country's express parcels by day: the festival's, and everyday ones, as carriers picked them up."""

import math

import numpy as np
import pandas as pd

from sim.kernels.rows import NOT_YET, TICKS_PER_S
from sim.parcels.everyday_traffic import EverydayTraffic
from sim.parcels.ledger import Ledger
from sim.records import CHUNK_ROWS, table
from sim.units import DAY_S


def national_days_table(ledger: Ledger, everyday: EverydayTraffic | None, now_s: float, weight: float) -> pd.DataFrame:
    """Table `national_days`: parcels that carriers picked up on each day that has begun."""
    days = math.ceil(now_s / DAY_S)
    festival = np.zeros(days, np.int64)
    ticks = ledger.rows["picked_up_tick"][: ledger.created]
    for first in range(0, ticks.size, CHUNK_ROWS):
        piece = ticks[first : first + CHUNK_ROWS]
        day = piece[piece != NOT_YET] // np.uint32(DAY_S * TICKS_PER_S)
        festival += np.bincount(day, minlength=days)[:days]
    return table(
        "national_days",
        {
            "day": np.arange(days),
            "festival_parcels": festival * weight,
            "everyday_parcels": np.zeros(days) if everyday is None else everyday.national_parcels(days).astype(float),
            "everyday_delivered_parcels": np.zeros(days) if everyday is None else everyday.delivered_parcels(days),
        },
    )
