"""What all carriers do at the same clocks. They share nothing, so their rows may be moved on several threads."""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sim.params.parcels import ParcelsParams
from sim.parcels.carrier import Carrier
from sim.parcels.clock import Turn, daily, every
from sim.parcels.yard import Yard
from sim.units import seconds

T = TypeVar("T")


class Rounds:
    """Starts the pickups, the sort waves, the timetable, the outlets' vans and the couriers' tours of all carriers.

    threads : to move rows on; no result depends on it
    """

    def __init__(self, yard: Yard, params: ParcelsParams, carriers: Sequence[Carrier], threads: int) -> None:
        self._yard = yard
        self._carriers = carriers
        workers = min(threads, len(carriers))
        self._advanced_s = (0.0, 0.0)  # to when all hubs have been advanced
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        env = yard.env
        for clocks, turn, act in (
            (params.pickup_clocks, Turn.PICKUP, self._pick_up),
            (params.timetable_clocks, Turn.TIMETABLE, self._timetable),
            (params.outlet_clocks, Turn.OUTLET, self._deliver),
            (params.last_mile.tour_clocks, Turn.TOUR, self._tour),
        ):
            env.process(daily(env, [seconds(clock) for clock in clocks], turn, act))
        env.process(every(env, params.wave_s, Turn.WAVE, self._wave))

    def advance(self, *, before_vehicles: bool = False) -> None:
        """Let all hubs do everything before now, and all vehicles that arrive by then come in.

        before_vehicles : without those that arrive at this very instant, whose turn is yet to come
        """
        yard = self._yard
        through_s = math.nextafter(yard.env.now, -math.inf) if before_vehicles else yard.env.now
        if self._advanced_s == (yard.env.now, through_s):
            return
        self._advanced_s = yard.env.now, through_s
        everybody = range(len(self._carriers))
        yard.make_room()
        if self._pool is None:
            yard.sort(everybody, through_s)
        else:
            self._each(lambda carrier: yard.sort(range(carrier.number, carrier.number + 1), through_s))
        yard.note(everybody)

    def _pick_up(self) -> None:
        """Vans collect what the merchants have packed; where one carrier's limit fills another's vans, one after the other."""
        ledger = self._yard.ledger
        ledger.take_in()
        if ledger.is_limited:
            for carrier in self._carriers:
                carrier.pick_up()
        else:
            self._each(Carrier.pick_up)
        for carrier in self._carriers:
            carrier.send_vans()

    def _wave(self) -> None:
        """A sort wave: full trucks leave."""
        self._line_haul(only_full=True)

    def _timetable(self) -> None:
        """The timetable's hour: whatever is there leaves."""
        self._line_haul(only_full=False)

    def _line_haul(self, *, only_full: bool) -> None:
        self._yard.ledger.take_in()  # now and then, so that there are never too many new ones
        self.advance()
        loaded = self._each(lambda carrier: carrier.load_trucks(only_full=only_full))
        for carrier, departures in zip(self._carriers, loaded, strict=True):
            carrier.fleet.send(departures)
        self._yard.unload_all()

    def _deliver(self) -> None:
        """The outlets' vans take what is sorted for them out of the hubs."""
        self.advance()
        for sent_back, returned in self._each(Carrier.deliver):
            self._yard.sent_back += sent_back
            self._yard.returned += returned
        self._yard.unload_all()

    def _tour(self) -> None:
        """All couriers leave on a tour."""
        for signed, sent_back in self._each(Carrier.tour):
            self._yard.signed += signed
            self._yard.sent_back += sent_back

    def _each(self, act: Callable[[Carrier], T]) -> list[T]:
        return list((map if self._pool is None else self._pool.map)(act, self._carriers))
