"""Express trains: SimPy processes that run to a timetable on a carrier's lanes."""

from collections.abc import Generator

import simpy

from sim.kernels.lane import rows_on
from sim.kernels.rows import Chain
from sim.params.parcels import TrainParams
from sim.parcels.clock import Turn, at
from sim.parcels.record import NOT_A_TRIP, TRAIN
from sim.parcels.yard import Room, Way, Yard
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
        self._way = Way(carrier, TRAIN, lane, km, params.trip_rmb)
        self.set_wagons(1.0)
        self._depart_s = seconds(params.depart_clock)

    def set_wagons(self, factor: float) -> None:
        """So many times the timetable's wagons from the next departure on; without any it does not run."""
        wagons = round(self._params.wagons * factor)
        self._room = Room(1, wagons * self._params.wagon_parcels, round(1000 * wagons * self._params.wagon_kg))

    def kept_rows(self) -> int:
        """Rows that trucks must leave it now: as many as it can carry in the last `gather_s` before its departure, else none."""
        gathers = (self._depart_s - self._yard.env.now) % DAY_S <= self._params.gather_s
        return int(rows_on(1, self._yard.weight, self._room.parcels)) if gathers else 0

    def run(self) -> Process:
        """Process: depart every day."""
        yard = self._yard
        day = 0
        while True:
            yield at(yard.env, day * DAY_S + self._depart_s, Turn.TRAIN)
            day += 1
            yard.advance(self._way.carrier)
            before_s = yard.env.now - self._params.cutoff_s
            trip, rows = yard.load(self._way, self._room, int(yard.hubs.lanes.length[self.lane]), before_s)
            if trip != NOT_A_TRIP:
                yard.env.process(self._trip(trip, rows))
                yard.unload(int(yard.plan.lane_from[self.lane]))

    def _trip(self, trip: int, rows: Chain) -> Process:
        yard, params = self._yard, self._params
        yield at(yard.env, yard.env.now + params.travel_s + params.handling_s, Turn.VEHICLE)
        yield yard.at_gate(self.lane, 1, trip, rows)
