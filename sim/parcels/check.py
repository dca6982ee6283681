"""Everything that can be wrong between the parcels' parameters and the geography, found before anything is simulated."""

import math
from collections.abc import Iterator

import networkx as nx

from sim.geography import Geography
from sim.params import ParameterError
from sim.params.base import hint
from sim.params.parcels import CarrierParams, ParcelsParams

MOST_HUBS_TOLD = 3


def check(parcels: ParcelsParams, geography: Geography, *, weight: float) -> None:
    """Check what no single group can see: names of places, lanes between hubs, room for a row of `weight` parcels.

    Raises
    ------
    ParameterError
        With one message for each problem.
    """
    problems: list[str] = []
    for name, carrier in parcels.carriers.items():
        problems += _carrier(carrier, f"parcels.carriers.{name}", geography)
    problems += _pickups(parcels, weight)
    problems += list(_storage(parcels, weight)) or list(_convoys(parcels, weight))
    if problems:
        raise ParameterError(problems)


def lanes_of(carrier: CarrierParams) -> list[tuple[str, str]]:
    """The carrier's lanes as pairs of hubs, ordered by the hubs' order in the config."""
    hubs = list(carrier.hubs)
    if carrier.lanes == "complete":
        return [(origin, destination) for origin in hubs for destination in hubs if origin != destination]
    place = {hub: i for i, hub in enumerate(hubs)}
    return sorted(carrier.lanes, key=lambda lane: (place[lane[0]], place[lane[1]]))


def _carrier(carrier: CarrierParams, path: str, geography: Geography) -> Iterator[str]:
    for name in carrier.hubs:
        if name not in geography:
            yield f"{path}.hubs.{name}: {geography.unknown(name)}"
    if len(carrier.hubs) > 1 and carrier.own_trucks + carrier.hired_trucks == 0:
        yield f"{path}.own_trucks and hired_trucks must be at least 1 together to join its hubs, got 0 and 0"
    hubs = list(carrier.hubs)
    pairs = () if carrier.lanes == "complete" else carrier.lanes
    bad = [f"{path}.lanes.{i} {problem}" for i, pair in enumerate(pairs) for problem in _lane(pair, pairs[:i], hubs)]
    yield from bad
    if not bad:
        lanes = lanes_of(carrier)
        yield from _connection(hubs, lanes, path)
        for i, train in enumerate(carrier.trains):
            if (train.origin, train.destination) not in lanes:
                yield (
                    f"{path}.trains.{i} must run on one of the carrier's lanes, got {train.origin} to {train.destination}"
                )


def _convoys(parcels: ParcelsParams, weight: float) -> Iterator[str]:
    """A row that is heavier than a truck needs a convoy; without enough trucks for one a hub can never drain."""
    needed = math.ceil(weight / parcels.truck.capacity_parcels)
    for name, carrier in parcels.carriers.items():
        if len(carrier.hubs) > 1 and 0 < max(carrier.own_trucks, carrier.hired_trucks) < needed:
            yield (
                f"parcels.carriers.{name}.own_trucks or hired_trucks must be >= {needed} to carry one row, 1/scale = {weight:g} "
                f"[parcels], or its hubs can never drain, got {carrier.own_trucks} and {carrier.hired_trucks}"
            )


def _pickups(parcels: ParcelsParams, weight: float) -> Iterator[str]:
    for name, carrier in parcels.carriers.items():
        if carrier.pickup_per_day is not None and carrier.pickup_per_day < weight:
            yield (
                f"parcels.carriers.{name}.pickup_per_day must hold one row, >= 1/scale = {weight:g} [1/d], "
                f"got {carrier.pickup_per_day:g}"
            )


def _storage(parcels: ParcelsParams, weight: float) -> Iterator[str]:
    """Every hub must have room for a row; when the rows are too heavy for many of them, the scale is the problem."""
    factor = parcels.capacity.storage_factor
    small = sorted(
        (factor * hub.storage_parcels, f"parcels.carriers.{carrier}.hubs.{name}.storage_parcels")
        for carrier, params in parcels.carriers.items()
        for name, hub in params.hubs.items()
        if factor * hub.storage_parcels < weight
    )
    for storage, path in small[:MOST_HUBS_TOLD]:
        yield f"{path} must hold one row, >= 1/scale = {weight:g} [parcels], got {storage:g}"
    if (more := len(small) - MOST_HUBS_TOLD) > 0:
        yield f"scale must be larger, so that one row fits into the hubs: {more} more of them hold less than 1/scale"


def _lane(pair: tuple[str, str], earlier: tuple[tuple[str, str], ...], hubs: list[str]) -> Iterator[str]:
    yield from (f"must join hubs of the carrier, got {hub!r}{hint(hub, hubs)}" for hub in pair if hub not in hubs)
    if pair[0] == pair[1]:
        yield f"must join two different hubs, got {pair[0]!r} twice"
    if pair in earlier:
        yield f"repeats the lane {pair[0]} to {pair[1]}"


def _connection(hubs: list[str], lanes: list[tuple[str, str]], path: str) -> Iterator[str]:
    """A parcel must be able to get from every hub to every other."""
    graph: nx.DiGraph[str] = nx.DiGraph(lanes)
    graph.add_nodes_from(hubs)
    parts = sorted(nx.strongly_connected_components(graph), key=len, reverse=True)
    if len(parts) > 1:
        cut_off = sorted(hub for part in parts[1:] for hub in part)
        yield f"{path}.lanes must lead from every hub to every other; cut off one way or both: {', '.join(cut_off)}"
