"""queueing-tool: a queue server per station; those who leave one are the arrivals of the next."""

from collections.abc import Iterable

import numpy as np
import queueing_tool

from experiments._bench.workloads import Case, Serve, in_order
from sim.lab.distributions import Times


def prepare(case: Case) -> Serve:
    """The queue servers of a case."""
    n = case.gap_s.size
    times = [service_s.tolist() for service_s in case.service_s]

    def departures(arrivals_s: Iterable[float], services_s: list[float]) -> list[float]:
        arrival_s, service_s = iter(arrivals_s), iter(services_s)
        server = queueing_tool.QueueServer(
            num_servers=case.servers,
            arrival_f=lambda now_s: next(arrival_s, np.inf),
            service_f=lambda now_s: now_s + next(service_s),
            active_cap=n,
        )
        server.set_active()
        left_s: list[float] = []
        while len(left_s) < n:
            if server.next_event() is not None:
                left_s.append(server.current_time)
        return left_s

    def serve() -> Times:
        time_s = np.cumsum(case.gap_s).tolist()
        for service_s in times:
            time_s = departures(time_s, service_s)
        return in_order(time_s)

    return serve
