"""The graph of services: which service hands a request on to which, in the order in which stations are advanced."""

import networkx as nx
import numpy as np

from sim.kernels.cell_state import DETERMINISTIC, EXPONENTIAL, GAMMA, LOGNORMAL, Routes, ServiceTimes
from sim.params import ParameterError
from sim.params.site import SiteParams

_KINDS = {"deterministic": DETERMINISTIC, "exponential": EXPONENTIAL, "lognormal": LOGNORMAL, "gamma": GAMMA}


def service_graph(params: SiteParams) -> nx.DiGraph:
    """Directed graph with the services as nodes and an edge wherever a page's route goes from one to the next.

    Raises
    ------
    ParameterError
        When the graph has a cycle: then no order of the services exists in which each sees all its arrivals in time.
    """
    graph = nx.DiGraph()
    graph.add_nodes_from(params.services)
    for routes in params.pages.values():
        for route in routes:
            nx.add_path(graph, route.services)
    try:
        cycle = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return graph
    way = " -> ".join([cycle[0][0], *(called for _, called in cycle)])
    raise ParameterError([f"site.pages must call services without a cycle, got {way}"])


def topological_order(graph: nx.DiGraph) -> list[str]:
    """Services in an order in which each comes after all that call it; among equals by name."""
    return list(nx.lexicographical_topological_sort(graph))


def routes(params: SiteParams, pages: list[str], services: list[str]) -> Routes:
    """The pages' routes as the kernels read them: rows of `pages`, stations in the order of `services`."""
    alternatives = max(len(params.pages[page]) for page in pages)
    longest = max(len(route.services) for page in pages for route in params.pages[page])
    cumulative = np.ones((len(pages), alternatives))
    service = np.zeros((len(pages), alternatives, longest), np.int32)
    legs = np.zeros((len(pages), alternatives), np.int32)
    for p, page in enumerate(pages):
        share = np.cumsum([route.share for route in params.pages[page]])
        cumulative[p, : len(share) - 1] = share[:-1]
        for r, route in enumerate(params.pages[page]):
            legs[p, r] = len(route.services)
            service[p, r, : len(route.services)] = [services.index(name) for name in route.services]
    return Routes(cumulative, service, legs)


def answered_at_once(pages: list[str]) -> Routes:
    """Routes of a site that is switched off: no page calls a service."""
    n = len(pages)
    return Routes(np.ones((n, 1)), np.zeros((n, 1, 1), np.int32), np.zeros((n, 1), np.int32))


def service_times(params: SiteParams, services: list[str]) -> ServiceTimes:
    """Service time distributions in the order of `services`."""
    times = [params.services[name].service for name in services]
    mean_s = np.array([time.mean_s for time in times])
    cv = np.array([time.cv or 0.0 for time in times])
    sigma = np.sqrt(np.log1p(cv**2))
    return ServiceTimes(
        kind=np.array([_KINDS[time.kind] for time in times], np.int64),
        mean_s=mean_s,
        mu=np.log(mean_s) - sigma**2 / 2,
        sigma=sigma,
        shape=1 / np.where(cv > 0, cv, 1.0) ** 2,
    )


def no_service_times() -> ServiceTimes:
    """Service times of a site that is switched off."""
    return ServiceTimes(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0))
