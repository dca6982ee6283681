"""The graph of services and their waiting rooms: which hands a request on to which, in the order in which they are advanced."""

import networkx as nx
import numpy as np

from sim.kernels.cell_state import DETERMINISTIC, EMPIRICAL, EXPONENTIAL, GAMMA, LOGNORMAL, Routes, ServiceTimes
from sim.params import ParameterError
from sim.params.services import ServiceTimeParams
from sim.params.site import RouteParams, SiteParams

_KINDS = {
    "deterministic": DETERMINISTIC,
    "exponential": EXPONENTIAL,
    "lognormal": LOGNORMAL,
    "gamma": GAMMA,
    "empirical": EMPIRICAL,
}
_ROOM = " waiting room"


def stations_of(params: SiteParams, route: RouteParams) -> list[str]:
    """Names of the stations of a route: its services, each after its waiting room where it has one."""
    names = []
    for service in route.services:
        if params.services[service].waiting_room is not None:
            names.append(service + _ROOM)
        names.append(service)
    return names


def room_of(params: SiteParams, station: str) -> str | None:
    """The service that a station is the waiting room of, None when it is a service itself."""
    return None if station in params.services else station.removesuffix(_ROOM)


def service_graph(params: SiteParams) -> nx.DiGraph:
    """Directed graph with the stations as nodes and an edge wherever a page's route goes from one to the next.

    Raises
    ------
    ParameterError
        When the graph has a cycle: then no order of the services exists in which each sees all its arrivals in time.
    """
    graph = nx.DiGraph()
    for routes in params.pages.values():
        for route in routes:
            nx.add_path(graph, stations_of(params, route))
    graph.add_nodes_from(params.services)
    try:
        cycle = nx.find_cycle(graph)
    except nx.NetworkXNoCycle:
        return graph
    way = " -> ".join([cycle[0][0], *(called for _, called in cycle)])
    raise ParameterError([f"site.pages must call services without a cycle, got {way}"])


def topological_order(graph: nx.DiGraph) -> list[str]:
    """Services in an order in which each comes after all that call it; among equals by name."""
    return list(nx.lexicographical_topological_sort(graph))


def routes(params: SiteParams, pages: list[str], stations: list[str]) -> Routes:
    """The pages' routes as the kernels read them: rows of `pages`, stations in the order of `stations`."""
    ways = {page: [stations_of(params, route) for route in params.pages[page]] for page in pages}
    alternatives = max(len(way) for way in ways.values())
    longest = max(len(names) for way in ways.values() for names in way)
    cumulative = np.ones((len(pages), alternatives))
    station = np.zeros((len(pages), alternatives, longest), np.int32)
    legs = np.zeros((len(pages), alternatives), np.int32)
    for p, page in enumerate(pages):
        share = np.cumsum([route.share for route in params.pages[page]])
        cumulative[p, : len(share) - 1] = share[:-1]
        for r, names in enumerate(ways[page]):
            legs[p, r] = len(names)
            station[p, r, : len(names)] = [stations.index(name) for name in names]
    return Routes(
        cumulative,
        station,
        legs,
        priority=np.array([params.priorities.get(page, 0) for page in pages], np.int8),
        room=np.array([room_of(params, name) is not None for name in stations]),
    )


def service_times(params: SiteParams, stations: list[str], *, share: float) -> ServiceTimes:
    """Service time distributions of one cell's stations. A waiting room lets in at a steady rate: one after the other.

    share : of the whole site at full scale that one cell has
    """
    times = [_time_of(params, name, share) for name in stations]
    mean_s = np.array([time.expected_s for time in times])
    cv = np.array([time.cv or 0.0 for time in times])
    sigma = np.sqrt(np.log1p(cv**2))
    observed = [time.values_s or () for time in times]
    values_s = np.zeros((len(times), max([1, *map(len, observed)])))
    for row, values in enumerate(observed):
        values_s[row, : len(values)] = values
    return ServiceTimes(
        kind=np.array([_KINDS[time.kind] for time in times], np.int64),
        mean_s=mean_s,
        mu=np.log(mean_s) - sigma**2 / 2,
        sigma=sigma,
        shape=1 / np.where(cv > 0, cv, 1.0) ** 2,
        values_s=values_s,
        values=np.array([len(values) for values in observed], np.int64),
        error_share=np.array(
            [0.0 if room_of(params, name) else params.services[name].error_share for name in stations]
        ),
    )


def _time_of(params: SiteParams, station: str, share: float) -> ServiceTimeParams:
    service = room_of(params, station)
    if service is None:
        return params.services[station].service
    room = params.services[service].waiting_room
    assert room is not None
    return ServiceTimeParams(kind="deterministic", mean_s=1 / (room.rate_per_s * share))
