"""Ciw: a network of nodes."""

import ciw

from experiments._bench.workloads import Case, Serve, in_order
from sim.lab.distributions import Times


def prepare(case: Case) -> Serve:
    """The network of a case. Customers come until the last of the case is through; its sequences start anew after it."""
    n, stations = case.gap_s.size, len(case.service_s)
    gaps = [*case.gap_s.tolist(), float("inf")]
    times = [service_s.tolist() for service_s in case.service_s]
    routing = [[float(there == here + 1) for there in range(stations)] for here in range(stations)]

    def serve() -> Times:
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Sequential(gaps), *[None] * (stations - 1)],
            service_distributions=[ciw.dists.Sequential(service_s) for service_s in times],
            number_of_servers=[case.servers] * stations,
            routing=routing,
        )
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_customers(n, method="Complete")
        records = simulation.get_all_records()
        return in_order(sorted(record.exit_date for record in records if record.node == stations))

    return serve
