"""salabim: a component per customer, a resource per station."""

from collections.abc import Generator
from typing import Any

import salabim

from experiments._bench.workloads import Case, Serve, in_order
from sim.lab.distributions import Times


def prepare(case: Case) -> Serve:
    """The model of a case; nothing is monitored, nothing traced."""
    gaps = case.gap_s.tolist()
    times = [service_s.tolist() for service_s in case.service_s]

    def serve() -> Times:
        env = salabim.Environment(yieldless=False, trace=False)
        stations = [
            (salabim.Resource(capacity=case.servers, monitor=False, env=env), iter(service_s)) for service_s in times
        ]
        departures_s: list[float] = []

        class Customer(salabim.Component):  # type: ignore[misc]
            def process(self) -> Generator[Any, Any, None]:
                for station, service_s in stations:
                    needs_s = next(service_s)
                    yield self.request(station)
                    yield self.hold(needs_s)
                    self.release(station)
                departures_s.append(env.now())

        class Source(salabim.Component):  # type: ignore[misc]
            def process(self) -> Generator[Any, Any, None]:
                for gap_s in gaps:
                    yield self.hold(gap_s)
                    Customer(env=env)

        Source(env=env)
        env.run()
        return in_order(departures_s)

    return serve
