"""SimPy as anyone would write it: a process per customer, a resource per station."""

from collections.abc import Generator
from typing import Any

import simpy

from experiments._bench.workloads import Case, Serve, in_order
from sim.lab.distributions import Times


def prepare(case: Case) -> Serve:
    """The model of a case."""
    gaps = case.gap_s.tolist()
    times = [service_s.tolist() for service_s in case.service_s]

    def serve() -> Times:
        env = simpy.Environment()
        stations = [(simpy.Resource(env, case.servers), iter(service_s)) for service_s in times]
        departures_s: list[float] = []

        def customer() -> Generator[Any, Any, None]:
            for station, service_s in stations:
                needs_s = next(service_s)
                with station.request() as server:
                    yield server
                    yield env.timeout(needs_s)
            departures_s.append(env.now)

        def source() -> Generator[Any, Any, None]:
            for gap_s in gaps:
                yield env.timeout(gap_s)
                env.process(customer())

        env.process(source())
        env.run()
        return in_order(departures_s)

    return serve
