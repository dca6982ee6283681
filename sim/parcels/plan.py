"""From parameters to arrays: hubs, lanes, routes, ways and staffing of all carriers, numbered through.

hub   0 1 2 | 3 4 5 6 | ...     one block a carrier, in the config's order
lane  0 1 2 3 4 5 | 6 7 ...     one block a carrier, by (from, to)
outlet = carrier * cities + city
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.hub import Routes
from sim.kernels.random import lognormal
from sim.kernels.road import Roads
from sim.network import Network, NoWayError
from sim.params import ParameterError
from sim.params.parcels import CarrierParams, ParcelsParams
from sim.params.weather import WeatherParams
from sim.parcels.check import lanes_of
from sim.parcels.ways import Ends, dry_roads, links_of, roads_in_weather
from sim.parcels.weather import speed_shares
from sim.units import HOUR_S, seconds

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
    hour_parcels: Floats  # [hubs, hours], what each can sort in each hour of the run
    gate_s: Floats  # [hubs], to unload a parcel
    lane_from: Integers  # [lanes], hub
    lane_to: Integers  # [lanes], hub
    lane_km: Floats  # [lanes]
    train_km: tuple[tuple[float, ...], ...]  # of each carrier's trains
    roads: Roads  # ways of the lanes, then of the outlets
    couriers: Floats  # [carriers, cities]
    population: Floats  # [cities]
    routes: Routes


def make_plan(
    parcels: ParcelsParams, network: Network, destinations: Floats, seed: int, weather: WeatherParams | None = None
) -> Plan:
    """The plan of checked parameters. `destinations` are the cities' weights as receivers, float64[cities].

    A city is served by the hub with the shortest way by road, the first of equals.

    Raises
    ------
    ParameterError
        For a train between cities that no railway joins, and for weather that cannot be read.
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
    feeder_km = np.empty(hub_of.shape)
    next_lane = np.full((len(names), len(names)), -1, np.int32)
    lanes: list[tuple[int, int]] = []
    lane_counts: list[int] = []
    for i, (carrier, hubs) in enumerate(zip(parcels.carriers.values(), hub_ranges, strict=True)):
        own_km = hub_km[hubs.start : hubs.stop]
        hub_of[i] = hubs.start + np.argmin(own_km, axis=0)
        feeder_km[i] = own_km.min(axis=0)
        own_lanes = _numbered(carrier, hubs)
        _route(own_lanes, len(lanes), hub_km[:, hub_city], next_lane)
        lanes += own_lanes
        lane_counts.append(len(own_lanes))
    lane_from, lane_to = np.array(lanes, np.int32).reshape(-1, 2).T
    lane_km = hub_km[lane_from, hub_city[lane_to]]
    all_hubs = [hub for carrier in parcels.carriers.values() for hub in carrier.hubs.values()]
    sort_per_h = parcels.capacity.sort_factor * np.array([hub.sort_per_h for hub in all_hubs])
    ends = Ends(
        np.r_[hub_city[lane_from], hub_city[hub_of.reshape(-1)]],
        np.r_[hub_city[lane_to], np.tile(np.arange(hub_of.shape[1], dtype=np.int32), len(hub_ranges))],
        np.r_[lane_km, feeder_km.reshape(-1)],
    )
    return Plan(
        carriers=tuple(parcels.carriers),
        hubs=hub_ranges,
        lanes=_blocks(lane_counts),
        hub_city=hub_city,
        hub_carrier=np.array(owners, np.int32),
        sort_per_h=sort_per_h,
        storage_parcels=parcels.capacity.storage_factor * np.array([hub.storage_parcels for hub in all_hubs]),
        hour_parcels=sort_per_h[:, None] * _hour_shares(parcels),
        gate_s=HOUR_S / (parcels.sorting.gate_share * sort_per_h),
        lane_from=lane_from,
        lane_to=lane_to,
        lane_km=lane_km,
        train_km=_train_km(parcels, network),
        roads=_roads(ends, network, weather, parcels.horizon_days),
        population=geography.population.astype(np.float64),
        couriers=_staffing(parcels, destinations / destinations.sum(), seed),
        routes=Routes(
            hub_of,
            next_lane,
            parcels.lost_share,
            stream(seed, "parcels.lost"),
            parcels.sorting.again_share,
            stream(seed, "parcels.again"),
        ),
    )


def _train_km(parcels: ParcelsParams, network: Network) -> tuple[tuple[float, ...], ...]:
    """Lengths of the trains' ways [km], by carrier."""
    problems = []
    lengths: list[tuple[float, ...]] = []
    for name, carrier in parcels.carriers.items():
        own = []
        for i, train in enumerate(carrier.trains):
            try:
                own.append(network.rail_km(train.origin, train.destination))
            except NoWayError as error:
                problems.append(f"parcels.carriers.{name}.trains.{i} must run on a railway: {error}")
        lengths.append(tuple(own))
    if problems:
        raise ParameterError(problems)
    return tuple(lengths)


def _hour_shares(parcels: ParcelsParams) -> Floats:
    """Share of a hub's sort rate in each hour of the run: float64[hours]. A shift lasts until the next one starts."""
    sorting = parcels.sorting
    shares = {int(seconds(label) // HOUR_S): share for label, share in sorting.shifts.items()}
    of_day = [shares[max((start for start in shares if start <= hour), default=max(shares))] for hour in range(24)]
    hour = np.arange(math.ceil(parcels.horizon_days * 24))
    hired = sum((one.share * (hour >= one.from_h) for one in sorting.hired), np.zeros(hour.size))
    return np.asarray(np.array(of_day)[hour % 24] + hired)


def _roads(ends: Ends, network: Network, weather: WeatherParams | None, days: float) -> Roads:
    if weather is None:
        return dry_roads(ends)
    links = links_of(network)
    return roads_in_weather(ends, network, links, speed_shares(weather, links, network.geography, math.ceil(days * 24)))


def _blocks(lengths: list[int]) -> tuple[range, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(range(end - length, end) for end, length in zip(ends, lengths, strict=True))


def _numbered(carrier: CarrierParams, hubs: range) -> list[tuple[int, int]]:
    number = dict(zip(carrier.hubs, hubs, strict=True))
    return [(number[origin], number[destination]) for origin, destination in lanes_of(carrier)]


def _route(lanes: list[tuple[int, int]], first_lane: int, km: Floats, next_lane: Integers) -> None:
    """Fill in, for one carrier, the lane on which each hub sends what is bound for another: the way of least kilometres."""
    for origin, destination, lane in _first_lanes(tuple((*lane, float(km[lane])) for lane in lanes)):
        next_lane[origin, destination] = first_lane + lane


@lru_cache(maxsize=64)
def _first_lanes(lanes: tuple[tuple[int, int, float], ...]) -> tuple[tuple[int, int, int], ...]:
    """Origin, destination and number of the first lane between them, on the way of least kilometres.

    lanes : origin, destination, km; the same in all runs of most sweeps
    """
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_weighted_edges_from(lanes)
    number = {(origin, destination): i for i, (origin, destination, _) in enumerate(lanes)}
    return tuple(
        (origin, destination, number[path[0], path[1]])
        for origin, paths in nx.all_pairs_dijkstra_path(graph)
        for destination, path in paths.items()
        if len(path) > 1
    )


def _staffing(parcels: ParcelsParams, destination_share: Floats, seed: int) -> Floats:
    """Couriers of each outlet: whole ones, at least one, by what the city should receive."""
    key = stream(seed, "parcels.staffing")
    sigma, factor = parcels.last_mile.staffing_sigma, parcels.capacity.couriers_factor
    couriers = np.empty((len(parcels.carriers), destination_share.size))
    for i, carrier in enumerate(parcels.carriers.values()):
        for city, share in enumerate(destination_share.tolist()):
            spread = lognormal(key, city, i, -0.5 * sigma * sigma, sigma)
            couriers[i, city] = max(1.0, round(factor * carrier.couriers * share * spread))
    return couriers
