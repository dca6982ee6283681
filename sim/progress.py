"""How far a run is, in work and not in simulated time: midnight's minutes take longer than the weeks after them."""

import math
from typing import NamedTuple

import numpy as np

from sim.demand.arrivals import arrival_curve
from sim.params.festival import FestivalParams
from sim.units import HOUR_S

# Processor time of one core [s], measured (docs/scale.md); only proportions matter.
_VISIT_S = 2.8e-6  # of a shopper on the site
_INSTANT_VISIT_S = 0.27e-6  # where pages answer at once: all visits are followed at the begin
_ROW_S = 0.5e-6  # of an order that becomes a parcel
_WAY_S = 0.5e-6  # of a parcel from its packing to its end
_DECISIONS_S = 2.0  # of the road, at any scale
_KEEP_ROW_S = 0.4e-6  # to write an order or a parcel
_PICTURES_S = 4.0
_TYPICAL_WAY_H = 60.0  # what is still to do with the parcels falls exponentially, about so fast


class Progress(NamedTuple):
    """How far a run is."""

    clock_s: float  # simulated
    end_s: float
    rows: int  # done: page requests and signed parcels
    phase: str
    share: float  # of the run's work that is done, in [0, 1]


class Work:
    """The work of a run and how much of it is behind.

    Parameters
    ----------
    params : of the run
    end_s : when it ends, on the simulated clock
    """

    def __init__(self, params: FestivalParams, end_s: float) -> None:
        curve = arrival_curve(params.demand)
        self._time_s, self._came = curve.time_s, curve.share
        self._end_s = end_s
        has_site, shoppers = params.site is not None, params.shoppers
        rows = params.orders.expected_parcels * params.scale if params.parcels is not None else 0.0
        self._rehearsal_s = 0.0
        if params.rehearsal is not None and params.site is not None:
            in_time = self._came_by(params.rehearsal.until_s) * params.rehearsal.scale * params.demand.shoppers
            self._rehearsal_s = len(params.rehearsal.cases(params.site)) * in_time * _VISIT_S
        self._at_once_s = 0.0 if has_site else shoppers * _INSTANT_VISIT_S
        self._arriving_s = (shoppers * _VISIT_S if has_site else 0.0) + rows * _ROW_S
        self._on_the_way_s = rows * _WAY_S
        self._deciding_s = _DECISIONS_S if rows else 0.0
        keeping_s = 2.0 * rows * _KEEP_ROW_S + _PICTURES_S
        self._all_s = keeping_s + sum(
            (self._rehearsal_s, self._at_once_s, self._arriving_s, self._on_the_way_s, self._deciding_s)
        )

    def share(self, clock_s: float, *, visits: float = 1.0) -> float:
        """Share of the work that is done when the simulated clock stands there.

        visits : share of the visits followed so far, where pages answer at once
        """
        clock_s = min(max(clock_s, 0.0), self._end_s)
        done_s = self._rehearsal_s + self._arriving_s * self._came_by(clock_s)
        done_s += self._at_once_s * visits if clock_s > 0 else 0.0
        done_s += self._on_the_way_s * -math.expm1(-clock_s / (_TYPICAL_WAY_H * HOUR_S))
        done_s += self._deciding_s * clock_s / self._end_s
        return done_s / self._all_s

    def _came_by(self, clock_s: float) -> float:
        return float(np.interp(clock_s, self._time_s, self._came))
