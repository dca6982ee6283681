"""Own cities and own roads and railways between them."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.geography import Geography, destination_weights, load_geography, origin_weights
from sim.network import KINDS, Network, build_network
from sim.own_data.read import Field, Table
from sim.params import ParameterError
from sim.params.data import DataParams
from sim.params.geography import GeographyParams

CITY_FIELDS = (
    Field("city", "text"),
    Field("province", "text"),
    Field("longitude", "number"),
    Field("latitude", "number"),
    Field("population", "whole", "> 0"),
    Field("sends", "number", ">= 0", optional=True),
    Field("receives", "number", ">= 0", optional=True),
)
LINK_FIELDS = (
    Field("origin", "text"),
    Field("destination", "text"),
    Field("kind", "text"),
    Field("km", "number", "> 0"),
)


class Places(NamedTuple):
    """Where everything is: cities, ways between them, and the cities' weights as senders and receivers, float64[cities]."""

    geography: Geography
    network: Network
    sends: NDArray[np.float64]
    receives: NDArray[np.float64]


def places(data: DataParams, params: GeographyParams) -> Places:
    """The user's places, or those that ship with the package; own cities need own links.

    Raises
    ------
    ParameterError
        With a message for each problem of the files, with row and column.
    """
    if (data.cities is None) != (data.links is None):
        raise ParameterError(["data.cities and data.links belong together: own cities need ways between them"])
    if data.cities is None or data.links is None:
        network = _packaged()
        geography = network.geography
        return Places(geography, network, origin_weights(params, geography), destination_weights(params, geography))
    cities = Table("data.cities", data.cities, CITY_FIELDS, data.day_zero)
    cities.unique("city")
    _within(cities, "longitude", 180.0)
    _within(cities, "latitude", 90.0)
    for name in ("sends", "receives"):
        if cities.rows and cities[name].dtype == float and not cities[name].sum() > 0:
            cities.tell(0, name, "must be > 0 in at least one row, got 0 in all")
    links = Table("data.links", data.links, LINK_FIELDS, data.day_zero)
    for end in ("origin", "destination"):
        links.known(end, cities["city"].tolist(), f"a city of {cities.file}")
    links.known("kind", KINDS, "road or rail")
    links.tell_all(
        links["origin"] == links["destination"], "destination", lambda _: "must be another city than the origin"
    )
    if not cities.rows:
        cities.problems.append(f"{cities.file} must have at least one row")
    if problems := [*cities.problems, *links.problems]:
        raise ParameterError(problems)
    geography = Geography(
        name=cities["city"].astype(str),
        province=cities["province"].astype(str),
        longitude=cities["longitude"],
        latitude=cities["latitude"],
        population=cities["population"].astype(np.int64),
    )
    try:
        rows = zip(*(links[field.name].tolist() for field in LINK_FIELDS), strict=True)
        network = build_network(geography, list(rows))
    except ParameterError as error:
        raise ParameterError(f"{links.file}: {problem}" for problem in error.problems) from None
    weights = (_weights(cities[name], geography.population) for name in ("sends", "receives"))
    return Places(geography, network, *weights)


@cache
def _packaged() -> Network:
    """The network that ships with the package: the same for every run of a process."""
    return build_network(load_geography())


def _weights(given: np.ndarray, population: np.ndarray) -> NDArray[np.float64]:
    """Shares of the cities; by population where nothing is given."""
    values = given if given.dtype == float else population.astype(float)
    return np.asarray(values / values.sum())


def _within(table: Table, column: str, limit: float) -> None:
    values = table[column]
    wrong = np.abs(values) > limit
    table.tell_all(
        wrong, column, lambda row: f"must be between -{limit:g} and {limit:g} [degrees], got {values[row]:g}"
    )
