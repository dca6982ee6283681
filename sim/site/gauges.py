"""What can be read off a running site: counts of its last whole seconds, as its operators see them."""

from collections.abc import Callable, Mapping

import numpy as np

from sim.kernels.recorders import (
    ARRIVALS,
    BUSY,
    ORDERS_LOST,
    OUTSIDE,
    PAGES_REJECTED,
    PAGES_SERVED,
    PAGES_TIMED_OUT,
    QUEUE,
    REQUESTS,
)
from sim.params.links import CHANNELS
from sim.site.levers import Bench

SITE = "site"
_SERVED, _REJECTED, _TIMED_OUT = 1, 2, 3  # columns of Record.site


class Gauges:
    """Reads the recorders of all cells over the whole seconds that end at env.now. Values are of the whole site at full scale."""

    def __init__(self, site: Bench) -> None:
        self._site = site
        self._reads: Mapping[str, Callable[[str, slice], float]] = {
            "failed_share": self._failed_share,
            "requests_per_s": self._requests_per_s,
            "orders_lost_per_s": self._orders_lost_per_s,
            "refused_share": self._refused_share,
            "wait_s": self._wait_s,
            "service_s": self._service_s,
            "busy_share": self._busy_share,
            "arrivals_per_s": self._arrivals_per_s,
            "working_share": self._working_share,
            "link_share": self._link_share,
        }

    def targets(self, metric: str) -> list[str]:
        """What a metric can be read of."""
        params = self._site.params
        if metric in ("failed_share", "requests_per_s", "orders_lost_per_s"):
            return [SITE]
        if metric == "link_share":
            links = params is not None and params.links is not None
            return [f"{region}/{channel}" for region in self._site.regions for channel in CHANNELS] if links else []
        return list(params.services) if params is not None else []

    def read(self, metric: str, target: str, window_s: float) -> float:
        """A metric over the last window_s seconds; over all there are at the start of the run; 0 before its first second."""
        self._site.advance()
        until = int(self._site.now_s())
        seconds = slice(max(0, until - max(1, int(window_s))), until)
        return self._reads[metric](target, seconds) if until > 0 else 0.0

    def _demand(self, seconds: slice) -> np.ndarray:
        counts = np.sum([cell.state.record.demand[seconds].sum(axis=0) for cell in self._site.cells], axis=0)
        return np.asarray(counts, np.int64)

    def _service(self, name: str, seconds: slice) -> np.ndarray:
        """Sums of the columns of Record.site over the seconds: int64[SITE_COLUMNS]."""
        row = self._site.services.index(name)
        counts = np.sum([cell.state.record.site[seconds, row].sum(axis=0) for cell in self._site.cells], axis=0)
        return np.asarray(counts, np.int64)

    def _failed_share(self, _: str, seconds: slice) -> float:
        """Share of the shoppers' pages answered with "system busy" or given up."""
        demand = self._demand(seconds)
        failed = demand[PAGES_REJECTED] + demand[PAGES_TIMED_OUT]
        return _ratio(failed, failed + demand[PAGES_SERVED])

    def _requests_per_s(self, _: str, seconds: slice) -> float:
        """Page requests of shoppers and of visitors from outside, whom the site cannot tell apart."""
        demand = self._demand(seconds)
        return self._per_s(demand[REQUESTS] + demand[OUTSIDE], seconds)

    def _orders_lost_per_s(self, _: str, seconds: slice) -> float:
        return self._per_s(self._demand(seconds)[ORDERS_LOST], seconds)

    def _refused_share(self, name: str, seconds: slice) -> float:
        """Share of the requests that left a service without an answer."""
        counts = self._service(name, seconds)
        refused = counts[_REJECTED] + counts[_TIMED_OUT]
        return _ratio(refused, refused + counts[_SERVED])

    def _wait_s(self, name: str, seconds: slice) -> float:
        """Mean wait in a service's queue by Little's law: mean queue over departures a second; what it has when none departs."""
        counts = self._service(name, seconds)
        length_s = self._length_s(seconds)
        gone = counts[_SERVED] + counts[_TIMED_OUT]
        return float(counts[QUEUE]) / float(gone) if gone > 0 else (float(length_s) if counts[QUEUE] > 0 else 0.0)

    def _service_s(self, name: str, seconds: slice) -> float:
        """Mean time that a service has worked on a request, of those served; 0 when none was."""
        row = self._site.services.index(name)
        worked_ns = sum(int(cell.state.record.service_ns[seconds, row].sum()) for cell in self._site.cells)
        return _ratio(1e-9 * worked_ns, self._service(name, seconds)[_SERVED])

    def _busy_share(self, name: str, seconds: slice) -> float:
        """Mean share of a service's present slots in use; 1 when it has none."""
        slots = self._slots(name)
        return 1.0 if slots == 0 else float(self._service(name, seconds)[BUSY]) / self._length_s(seconds) / slots

    def _arrivals_per_s(self, name: str, seconds: slice) -> float:
        return self._per_s(self._service(name, seconds)[ARRIVALS], seconds)

    def _per_s(self, count: int, seconds: slice) -> float:
        return float(count) / (self._length_s(seconds) * self._site.scale)

    @staticmethod
    def _length_s(seconds: slice) -> int:
        return int(seconds.stop) - int(seconds.start)

    def _working_share(self, name: str, _: slice) -> float:
        """Share of a service's machines that answer when they are asked: what monitoring of machines sees at once."""
        return self._site.working(name)

    def _link_share(self, name: str, seconds: slice) -> float:
        """Share of a link's present bandwidth that was used."""
        segments = [f"{region}/{channel}" for region in self._site.regions for channel in CHANNELS]
        row = segments.index(name)
        bits = sum(int(cell.state.record.link_bit[seconds, row].sum()) for cell in self._site.cells)
        bandwidth = sum(float(cell.state.links.bandwidth[row]) for cell in self._site.cells)
        return bits / self._length_s(seconds) / bandwidth

    def _slots(self, name: str) -> int:
        row = self._site.services.index(name)
        total = 0
        for cell in self._site.cells:
            stations = cell.state.stations
            first = stations.first[row]
            total += int(stations.lane_slots[first : first + stations.lanes[row]].sum())
        return total


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole > 0 else 0.0
