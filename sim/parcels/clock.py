"""Daily clocks on the SimPy environment, and who goes first when two things happen at the same instant.

Rule for ties: vehicles that arrive or come back go first, in the order in which they left; then the carrier's own decisions in
the order of `Turn`; rows last, so that a decision never sees what happens to a row at its own instant. A carrier's trains that
leave at the same instant go in the config's order. Carriers share nothing.
"""

from collections.abc import Callable, Generator, Sequence
from enum import IntEnum

import simpy

from sim.clock import at
from sim.units import DAY_S

__all__ = ["Turn", "at", "daily", "every"]


class Turn(IntEnum):
    """Order of decisions at the same instant; SimPy's own events have 0 and 1."""

    VEHICLE = 1
    FORECAST = 2
    EVERYDAY = 3
    PICKUP = 4
    WAVE = 5
    TIMETABLE = 6
    TRAIN = 7
    OUTLET = 8
    TOUR = 9
    RECORD = 10
    ROW = 11


def daily(
    env: simpy.Environment, clocks_s: Sequence[float], turn: Turn, act: Callable[[], None]
) -> Generator[simpy.Event, None, None]:
    """Process: act at the same clocks, seconds since midnight and ascending, of every day from t = 0 on."""
    day = 0
    while True:
        for clock_s in clocks_s:
            yield at(env, day * DAY_S + clock_s, turn)
            act()
        day += 1


def every(
    env: simpy.Environment, period_s: float, turn: Turn, act: Callable[[], None], first: int = 1
) -> Generator[simpy.Event, None, None]:
    """Process: act at the multiples of period_s, from the `first` on."""
    count = first
    while True:
        yield at(env, count * period_s, turn)
        act()
        count += 1
