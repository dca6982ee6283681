"""Cimba: a process per server, which takes the next customer from its station's container."""

from functools import cache
from itertools import pairwise
from typing import Any

import cimba as cb
import numpy as np

from experiments._bench.workloads import Case, Serve
from sim.lab.distributions import Times

NEVER_S = 1e15  # from here on Cimba keeps statistics of its containers, which nobody asks for


def prepare(case: Case) -> Serve:
    """The model of a case, which ends itself when the last customer has left."""
    n = case.gap_s.size
    line_class, station_class = _classes(case.servers)
    stations = [station_class() for _ in case.service_s]
    for station, service_s in zip(stations, case.service_s, strict=True):
        station.service_s = cb.inputs.trace(service_s)
    for station, following in pairwise(stations):
        station.following = following
    stations[-1].customers = n
    stations[-1].departures_s.capture()
    line = line_class()
    line.stations, line.customers, line.gap_s = stations, n, cb.inputs.trace(case.gap_s)
    experiment = cb.Experiment(line, window=cb.Window(warmup=NEVER_S, duration=1.0))

    def serve() -> Times:
        results = experiment.run(workers=1, on_failure="raise")
        return np.asarray(results[stations[-1]].departures_s.trial(0, 0)[1], dtype=np.float64)

    return serve


@cache
def _classes(servers: int) -> tuple[Any, Any]:
    """The classes of lines and stations, which are compiled once for each number of servers."""

    class Station(cb.Model):  # type: ignore[misc]
        service_s: cb.Input[float]
        queue: cb.Container
        departures_s: cb.Dataset = cb.Dataset()
        customers: cb.Param[int] = 0
        following: Any = None  # a reference to another station, as Cimba reads it below

        @cb.process(copies=servers)  # type: ignore[untyped-decorator]
        def server(self) -> None:
            while True:
                self.queue.get(1)
                cb.hold(self.service_s.next())
                if self.customers == 0:
                    self.following.queue.put(1)
                    continue
                self.departures_s.record(cb.now())
                if self.departures_s.sample_count() == self.customers:
                    cb.end_trial()

    Station.__annotations__["following"] = cb.Ref[Station] | None

    class Line(cb.Model):  # type: ignore[misc]
        gap_s: cb.Input[float]
        customers: cb.Param[int]
        stations: list[Station]

        @cb.process  # type: ignore[untyped-decorator]
        def source(self) -> None:
            for _ in range(self.customers):
                cb.hold(self.gap_s.next())
                self.stations[0].queue.put(1)

    return Line, Station
