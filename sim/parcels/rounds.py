"""What all carriers do at the same clocks. They share nothing, so their rows may be moved on several threads."""

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
    """Starts the sort waves, the outlets' vans and the couriers' tours of all carriers.

    threads : to move rows on; no result depends on it
    """

    def __init__(self, yard: Yard, params: ParcelsParams, carriers: Sequence[Carrier], threads: int) -> None:
        self._yard = yard
        self._carriers = carriers
        workers = min(threads, len(carriers))
        self._pool = ThreadPoolExecutor(workers) if workers > 1 else None
        env, outlet_clocks, tour_clocks = yard.env, params.outlet_clocks, params.last_mile.tour_clocks
        env.process(every(env, params.wave_s, Turn.WAVE, self._wave))
        env.process(daily(env, [seconds(clock) for clock in outlet_clocks], Turn.OUTLET, self._deliver))
        env.process(daily(env, [seconds(clock) for clock in tour_clocks], Turn.TOUR, self._tour))

    def advance(self) -> None:
        """Let the sorters of all hubs do everything before now."""
        self._yard.lost += sum(self._each(lambda carrier: self._yard.sort(carrier.hubs)))

    def _wave(self) -> None:
        """A sort wave: full trucks leave."""
        self.advance()
        for carrier in self._carriers:
            carrier.line_haul(only_full=True)

    def _deliver(self) -> None:
        """The outlets' vans take what is sorted for them out of the hubs."""
        self.advance()
        self._yard.sent_back += sum(self._each(Carrier.deliver))
        for carrier in self._carriers:
            carrier.unload_gates()

    def _tour(self) -> None:
        """All couriers leave on a tour."""
        for signed, sent_back in self._each(Carrier.tour):
            self._yard.signed += signed
            self._yard.sent_back += sent_back

    def _each(self, act: Callable[[Carrier], T]) -> list[T]:
        return list((map if self._pool is None else self._pool.map)(act, self._carriers))
