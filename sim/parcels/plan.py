"""From parameters to arrays: hubs, lanes, routes, ways and staffing of all carriers, numbered through.

hub   0 1 2 | 3 4 5 6 | ...     one block a carrier, in the config's order
lane  0 1 2 3 4 5 | 6 7 ...     one block a carrier, by (from, to)
outlet = carrier * cities + city
"""

from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.hub import Routes
from sim.kernels.random import lognormal
from sim.network import Network
from sim.params.parcels import CarrierParams, ParcelsParams
from sim.parcels.check import lanes_of
from sim.units import HOUR_S

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Plan:
    """The carriers' networks as arrays."""

    carriers: tuple[str, ...]
    hubs: tuple[range, ...]  # of each carrier
    lanes: tuple[range, ...]  # of each carrier
    hub_city: Integers  # [hubs]
    hub_carrier: Integers  # [hubs]
    sort_per_h: Floats  # [hubs]
    storage_parcels: Floats  # [hubs]
    lane_from: Integers  # [lanes], hub
    lane_to: Integers  # [lanes], hub
    lane_km: Floats  # [lanes]
    lane_transit_s: Floats  # [lanes], by truck
    train_km: tuple[tuple[float, ...], ...]  # of each carrier's trains
    feeder_s: Floats  # [carriers, cities], between the city's outlet and its hub, handling included
    tour_parcels: Floats  # [carriers, cities], what the couriers carry on one tour
    routes: Routes


def make_plan(parcels: ParcelsParams, network: Network, destinations: Floats, seed: int) -> Plan:
    """The plan of checked parameters. `destinations` are the cities' weights as receivers, float64[cities].

    A city is served by the hub with the shortest way by road, the first of equals.
    """
    geography = network.geography
    names = [name for carrier in parcels.carriers.values() for name in carrier.hubs]
    owners = [i for i, carrier in enumerate(parcels.carriers.values()) for _ in carrier.hubs]
    distinct = sorted(set(names))
    to_cities_km = network.road_km(distinct)
    hub_km = to_cities_km[[distinct.index(name) for name in names]]  # [hubs, cities]
    hub_city = np.array([geography.index(name) for name in names], np.int32)
    hub_ranges = _blocks([len(carrier.hubs) for carrier in parcels.carriers.values()])

    hub_of = np.empty((len(hub_ranges), len(geography.name)), np.int32)
    feeder_s = np.empty(hub_of.shape)
    next_lane = np.full((len(names), len(names)), -1, np.int32)
    lanes: list[tuple[int, int]] = []
    lane_counts: list[int] = []
    for i, (carrier, hubs) in enumerate(zip(parcels.carriers.values(), hub_ranges, strict=True)):
        own_km = hub_km[hubs.start : hubs.stop]
        hub_of[i] = hubs.start + np.argmin(own_km, axis=0)
        feeder_s[i] = own_km.min(axis=0) / parcels.feeder.speed_kmh * HOUR_S + parcels.feeder.handling_s
        own_lanes = _numbered(carrier, hubs)
        _route(own_lanes, len(lanes), hub_km[:, hub_city], next_lane)
        lanes += own_lanes
        lane_counts.append(len(own_lanes))
    lane_from, lane_to = np.array(lanes, np.int32).reshape(-1, 2).T
    lane_km = hub_km[lane_from, hub_city[lane_to]]
    return Plan(
        carriers=tuple(parcels.carriers),
        hubs=hub_ranges,
        lanes=_blocks(lane_counts),
        hub_city=hub_city,
        hub_carrier=np.array(owners, np.int32),
        sort_per_h=np.array([hub.sort_per_h for carrier in parcels.carriers.values() for hub in carrier.hubs.values()]),
        storage_parcels=np.array(
            [hub.storage_parcels for carrier in parcels.carriers.values() for hub in carrier.hubs.values()]
        ),
        lane_from=lane_from,
        lane_to=lane_to,
        lane_km=lane_km,
        lane_transit_s=lane_km / parcels.truck.speed_kmh * HOUR_S + parcels.truck.handling_s,
        train_km=tuple(
            tuple(network.rail_km(train.origin, train.destination) for train in carrier.trains)
            for carrier in parcels.carriers.values()
        ),
        feeder_s=feeder_s,
        tour_parcels=_staffing(parcels, destinations / destinations.sum(), seed),
        routes=Routes(hub_of, next_lane, parcels.lost_share, stream(seed, "parcels.lost")),
    )


def _blocks(lengths: list[int]) -> tuple[range, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(range(end - length, end) for end, length in zip(ends, lengths, strict=True))


def _numbered(carrier: CarrierParams, hubs: range) -> list[tuple[int, int]]:
    number = dict(zip(carrier.hubs, hubs, strict=True))
    return [(number[origin], number[destination]) for origin, destination in lanes_of(carrier)]


def _route(lanes: list[tuple[int, int]], first_lane: int, km: Floats, next_lane: Integers) -> None:
    """Fill in, for one carrier, the lane on which each hub sends what is bound for another: the way of least kilometres."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_weighted_edges_from(
        (origin, destination, float(km[origin, destination])) for origin, destination in lanes
    )
    lane_of = {lane: first_lane + i for i, lane in enumerate(lanes)}
    for origin, paths in nx.all_pairs_dijkstra_path(graph):
        for destination, path in paths.items():
            if len(path) > 1:
                next_lane[origin, destination] = lane_of[path[0], path[1]]


def _staffing(parcels: ParcelsParams, destination_share: Floats, seed: int) -> Floats:
    """Parcels that go out on one tour of each outlet: whole couriers, at least one, by what the city should receive."""
    key = stream(seed, "parcels.staffing")
    sigma = parcels.last_mile.staffing_sigma
    couriers = np.empty((len(parcels.carriers), destination_share.size))
    for i, carrier in enumerate(parcels.carriers.values()):
        for city, share in enumerate(destination_share.tolist()):
            planned = carrier.couriers * share * lognormal(key, city, i, -0.5 * sigma * sigma, sigma)
            couriers[i, city] = max(1.0, round(planned))
    return couriers * parcels.last_mile.tour_parcels
