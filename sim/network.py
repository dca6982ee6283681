"""Roads and railways between the cities: a checked NetworkX graph and the shortest ways in it.

Nodes are city names; an edge carries `road_km`, `rail_km` or both. Every city can be reached by road, so that a truck
never has to be told where it cannot go; the railway leaves some cities out.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.geography import Geography
from sim.params import ParameterError

KINDS = ("road", "rail")


class Link(NamedTuple):
    """One way between two cities, the same in both directions."""

    origin: str
    destination: str
    kind: str
    km: float


class NoWayError(Exception):
    """Two cities that no way of the wanted kind joins."""


@dataclass(frozen=True, eq=False)
class Network:
    """Cities joined by roads and railways.

    Attributes
    ----------
    geography : the cities
    graph : nodes are their names, in the geography's order; edges carry `road_km`, `rail_km` or both
    """

    geography: Geography
    graph: "nx.Graph[str]"

    def road_km(self, sources: Sequence[str]) -> NDArray[np.float64]:
        """Lengths of the shortest ways by road.

        Parameters
        ----------
        sources : names of cities

        Returns
        -------
        float64[len(sources), n], km: one row a source, columns in the geography's order

        Raises
        ------
        UnknownCityError
            When a source is not a city.
        """
        lengths = np.empty((len(sources), len(self.geography)))
        for row, source in zip(lengths, sources, strict=True):
            if source not in self._known_km:
                self.geography.index(source)
                reached = nx.single_source_dijkstra_path_length(self._roads, source, weight="road_km")
                self._known_km[source] = np.array([reached[city] for city in self.graph])
            row[:] = self._known_km[source]
        return lengths

    def road_path(self, origin: str, destination: str) -> list[str]:
        """Cities along the shortest way by road, both ends included."""
        return self._path(self._roads, origin, destination, "road")

    def road_paths(self, origin: str) -> dict[str, list[str]]:
        """For each city, the cities along the shortest way to it by road, both ends included."""
        self.geography.index(origin)
        return dict(nx.single_source_dijkstra_path(self._roads, origin, weight="road_km"))

    def rail_path(self, origin: str, destination: str) -> list[str]:
        """Cities along the shortest way by rail, both ends included.

        Raises
        ------
        UnknownCityError, NoWayError
            When an end is not a city, or when no railway joins the two.
        """
        return self._path(self._railways, origin, destination, "rail")

    def rail_km(self, origin: str, destination: str) -> float:
        """Length of the shortest way by rail [km]; errors as in `rail_path`."""
        return float(nx.path_weight(self._railways, self.rail_path(origin, destination), "rail_km"))

    def _path(self, ways: "nx.Graph[str]", origin: str, destination: str, kind: str) -> list[str]:
        self.geography.index(origin)
        self.geography.index(destination)
        try:
            return list(nx.dijkstra_path(ways, origin, destination, f"{kind}_km"))
        except nx.NetworkXNoPath:
            raise NoWayError(f"no {kind} joins {origin} and {destination}") from None

    @cached_property
    def _known_km(self) -> dict[str, NDArray[np.float64]]:
        """Rows of `road_km` that have been asked for."""
        return {}

    @cached_property
    def _roads(self) -> "nx.Graph[str]":
        return _ways(self.graph, "road_km")

    @cached_property
    def _railways(self) -> "nx.Graph[str]":
        return _ways(self.graph, "rail_km")


def load_links() -> list[Link]:
    """The links that ship with the package: roads and railways between neighbouring cities."""
    with resources.files("sim.data").joinpath("links.csv").open(encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        return [Link(origin, destination, kind, float(km)) for origin, destination, kind, km in rows]


def build_network(geography: Geography, links: Iterable[tuple[str, str, str, float]] | None = None) -> Network:
    """The network of a geography.

    Parameters
    ----------
    geography : the cities
    links : (from, to, "road" or "rail", km) each; those that ship with the package when None

    Raises
    ------
    ParameterError
        With one message for every link that names an unknown city or kind, joins a city with itself, repeats another or
        has no positive length; when all links are sound, with one message for the cities that no road reaches.
    """
    rows = load_links() if links is None else [Link(*link) for link in links]
    if problems := list(_problems(rows, geography)):
        raise ParameterError(problems)
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(geography.name.tolist())
    for origin, destination, kind, km in rows:
        graph.add_edge(origin, destination, **{f"{kind}_km": km})
    _require_roads_to_all(graph)
    return Network(geography, graph)


def _problems(links: Sequence[Link], geography: Geography) -> Iterator[str]:
    rows: dict[tuple[str, frozenset[str]], int] = {}
    for row, (origin, destination, kind, km) in enumerate(links):
        path = f"links[{row}] ({origin} - {destination})"
        for end, city in (("from", origin), ("to", destination)):
            if city not in geography:
                yield f"{path}: {end} {geography.unknown(city)}"
        if origin == destination:
            yield f"{path} must join two cities"
        if kind not in KINDS:
            yield f"{path}: kind must be {' or '.join(KINDS)}, got {kind!r}"
        if not (math.isfinite(km) and km > 0):
            yield f"{path}: km must be > 0 and finite [km], got {km!r}"
        first = rows.setdefault((kind, frozenset((origin, destination))), row)
        if first != row:
            yield f"{path}: the {kind} link is already given in links[{first}]"


def _require_roads_to_all(graph: "nx.Graph[str]") -> None:
    parts = sorted(nx.connected_components(_ways(graph, "road_km")), key=len, reverse=True)
    if len(parts) > 1:
        cut_off = [city for part in parts[1:] for city in sorted(part)]
        shown = ", ".join(cut_off[:5]) + (f" and {len(cut_off) - 5} more" if len(cut_off) > 5 else "")
        raise ParameterError([f"links must join all cities by road; no road joins the rest with {shown}"])


def _ways(graph: "nx.Graph[str]", length: str) -> "nx.Graph[str]":
    """All cities with only the edges that have this length, so that a shortest way cannot use the others."""
    ways: nx.Graph[str] = nx.Graph()
    ways.add_nodes_from(graph)
    ways.add_weighted_edges_from(((a, b, km) for a, b, km in graph.edges.data(length) if km is not None), weight=length)
    return ways
