"""The ways that vehicles drive: from each lane's first hub to its second, and from each hub to the cities that it serves.

way   0 1 2 ... | lanes + 0 1 2 ...
      a lane      an outlet: carrier * cities + city, from the hub that serves it
"""

import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.road import Roads
from sim.network import Network

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


class Ends(NamedTuple):
    """Cities that each way joins, and its length."""

    origin: Integers  # [ways]
    destination: Integers  # [ways]
    km: Floats  # [ways]


class Links(NamedTuple):
    """All roads between two neighbouring cities."""

    number: dict[tuple[str, str], int]  # by both orders of the ends
    km: Floats  # [links]
    longitude: Floats  # [links], of the middle, degrees east
    latitude: Floats  # [links], degrees north


def dry_roads(ends: Ends) -> Roads:
    """Every way as one link of its own without weather."""
    ways = ends.km.size
    return Roads(np.arange(ways + 1, dtype=np.int32), np.arange(ways, dtype=np.int32), ends.km, np.empty((ways, 0)))


def roads_in_weather(ends: Ends, network: Network, links: Links, speed_share: Floats) -> Roads:
    """Every way as the links of the shortest one. speed_share: float64[links, hours]."""
    names = network.geography.name.tolist()
    paths = {int(origin): network.road_paths(names[origin]) for origin in np.unique(ends.origin)}
    first, on_ways = [0], []
    for origin, destination in zip(ends.origin.tolist(), ends.destination.tolist(), strict=True):
        path = paths[origin][names[destination]]
        on_ways += [links.number[link] for link in itertools.pairwise(path)]
        first.append(len(on_ways))
    return Roads(np.array(first, np.int32), np.array(on_ways, np.int32), links.km, speed_share)


def links_of(network: Network) -> Links:
    """The roads of a network, in its order."""
    number: dict[tuple[str, str], int] = {}
    km: list[float] = []
    middle: list[tuple[int, int]] = []
    geography = network.geography
    for one, other, length_km in network.graph.edges.data("road_km"):
        if length_km is not None:
            number[one, other] = number[other, one] = len(km)
            km.append(length_km)
            middle.append((geography.index(one), geography.index(other)))
    places = np.array(middle)
    return Links(
        number, np.array(km), geography.longitude[places].mean(axis=1), geography.latitude[places].mean(axis=1)
    )
