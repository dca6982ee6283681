"""Express trains: SimPy processes that run to a timetable on a carrier's lanes."""

import math
from collections.abc import Generator

import numpy as np
import simpy

from sim.kernels.convoys import NO_LANE, set_out
from sim.kernels.lane import SENT, TRAIN, load, rows_on
from sim.params.parcels import TrainParams
from sim.parcels.clock import Turn, at
from sim.parcels.yard import Yard
from sim.units import DAY_S, seconds

Process = Generator[simpy.Event, None, None]


class Train:
    """One train a day on a lane: it takes what was sorted before its cut-off, first come, first served.

    Parameters
    ----------
    yard : where it loads and unloads
    params : its timetable, wagons and terminals
    carrier, lane : their numbers
    km : length of its way
    """

    def __init__(self, yard: Yard, params: TrainParams, carrier: int, lane: int, km: float) -> None:
        self.lane = lane
        self._yard = yard
        self._params = params
        self._carrier, self._km = carrier, km
        self.set_wagons(1.0)
        self._depart_s = seconds(params.depart_clock)

    def set_wagons(self, factor: float) -> None:
        """So many times the timetable's wagons from the next departure on; without any it does not run."""
        wagons = round(self._params.wagons * factor)
        self._room_parcels = float(wagons * self._params.wagon_parcels)
        self._room_g = round(1000 * wagons * self._params.wagon_kg)

    def kept_rows(self) -> int:
        """Rows that trucks must leave it now: as many as it can carry in the last `gather_s` before its departure, else none."""
        gathers = (self._depart_s - self._yard.env.now) % DAY_S <= self._params.gather_s
        return int(rows_on(1, self._yard.weight, self._room_parcels)) if gathers else 0

    def run(self) -> Process:
        """Process: depart every day."""
        yard = self._yard
        day = 0
        while True:
            yield at(yard.env, day * DAY_S + self._depart_s, Turn.TRAIN)
            day += 1
            yard.advance(self._carrier)
            if self._leaves():
                hub = int(yard.plan.lane_from[self.lane])
                yard.unload(hub, hub + 1)

    def _leaves(self) -> bool:
        """Load what there is and depart with it; with nothing it does not run."""
        yard, hubs, lane, now_s = self._yard, self._yard.hubs, self.lane, self._yard.env.now
        first, last, rows, grams = load(
            hubs.lanes,
            lane,
            int(hubs.lanes.length[lane]),
            now_s - self._params.cutoff_s,
            self._room_parcels,
            self._room_g,
            yard.weight,
            now_s,
            yard.ledger.rows,
            hubs.lane_g,
        )
        if rows == 0:
            return False
        hub = yard.plan.lane_from[lane]
        hubs.stored[hub] -= rows
        hubs.departed[hub] += rows
        arrive_s = now_s + self._params.travel_s + self._params.handling_s
        sent = np.zeros(1, SENT)
        for name, value in {
            "carrier": self._carrier,
            "kind": TRAIN,
            "vehicles": 1,
            "lane": lane,
            "rows": rows,
            "grams": grams,
            "room_g": self._room_g,
            "depart_s": now_s,
            "room_parcels": self._room_parcels,
            "km": self._km,
            "rmb": self._params.trip_rmb,
            "arrive_s": math.nan,
            "unloaded_s": math.nan,
            "back_s": math.nan,
        }.items():
            sent[name] = value
        trip = yard.trips.depart(sent)
        yard.make_room(1)
        convoys, to = yard.convoys[self._carrier], int(yard.plan.lane_to[lane])
        set_out(to, arrive_s, first, last, rows, 1, trip, NO_LANE, yard.docks, convoys)
        return True
