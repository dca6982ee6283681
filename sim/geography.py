"""The cities of mainland China: where they lie, how many people live there, their shares of what is sent and received.

The table holds the prefecture-level divisions at the end of 2012, and the county-level ones that answer to their
province directly, each at the place that it is governed from. `sim.data.build` says where it comes from.
"""

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from sim.params import ParameterError
from sim.params.geography import GeographyParams


class UnknownCityError(KeyError):
    """A name that is not one of the geography's cities."""

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError would show the message in quotes


@dataclass(frozen=True, eq=False)
class Geography:
    """Cities in a fixed order: entry i of every array is about city i.

    Attributes
    ----------
    name : str[n], English, unique; the smaller of two cities of one name has its province added: Suzhou (Anhui)
    province : str[n], English names
    longitude, latitude : float64[n], degrees east and north (WGS 84)
    population : int64[n], people in the whole division, countryside included, census of November 2010
    """

    name: NDArray[np.str_]
    province: NDArray[np.str_]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    population: NDArray[np.int64]
    _index: Mapping[str, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", {name: i for i, name in enumerate(self.name.tolist())})

    def __len__(self) -> int:
        return len(self.name)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def index(self, name: str) -> int:
        """Position of a city.

        Raises
        ------
        UnknownCityError
            When there is no city of that name; the message proposes the closest.
        """
        if name not in self._index:
            raise UnknownCityError(self.unknown(name))
        return self._index[name]

    def unknown(self, name: str) -> str:
        """Message about a name that is not a city's, with the closest that is."""
        return f"{name!r} is not a city{_hint(name, self._index)}"


def load_geography() -> Geography:
    """The geography that ships with the package."""
    with resources.files("sim.data").joinpath("cities.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return Geography(
        name=np.array([row["name"] for row in rows]),
        province=np.array([row["province"] for row in rows]),
        longitude=np.array([float(row["longitude"]) for row in rows]),
        latitude=np.array([float(row["latitude"]) for row in rows]),
        population=np.array([int(row["population"]) for row in rows]),
    )


def origin_weights(params: GeographyParams, geography: Geography) -> NDArray[np.float64]:
    """Share of the country's parcels that each city sends: float64[n], sums to 1.

    A province sends in proportion to its `origin_items`. Within it the cities of `origin_share` send their shares and
    the others divide the rest by population. Raises `ParameterError` as `check` does.
    """
    check(params, geography)
    names, province = np.unique(geography.province, return_inverse=True)
    share = _of_cities(params.origin_share, geography, otherwise=0.0)
    others = np.where(share > 0, 0, geography.population)
    rest = np.clip(1 - np.bincount(province, share), 0, 1)
    share += (rest / np.maximum(np.bincount(province, others), 1))[province] * others
    items = np.array([params.origin_items[name] for name in names.tolist()])
    return _normalised(items[province] * share)


def destination_weights(params: GeographyParams, geography: Geography) -> NDArray[np.float64]:
    """Share of the country's parcels that each city receives: float64[n], sums to 1.

    A province receives in proportion to its population times its `spending`; within it a city does in proportion to its
    population times its `city_spending`, which is 1 when it is not named. Raises `ParameterError` as `check` does.
    """
    check(params, geography)
    names, province = np.unique(geography.province, return_inverse=True)
    spending = np.array([params.spending[name] for name in names.tolist()])
    within = geography.population * _of_cities(params.city_spending, geography, otherwise=1.0)
    of_province = spending * np.bincount(province, geography.population)
    return _normalised((of_province / np.bincount(province, within))[province] * within)


def check(params: GeographyParams, geography: Geography) -> None:
    """Compare the parameters with the cities.

    Raises
    ------
    ParameterError
        With one message for every unknown province or city, for provinces without a number, and for shares of cities
        that do not add up within their province.
    """
    problems = [
        *_province_problems("origin_items", params.origin_items, geography),
        *_province_problems("spending", params.spending, geography),
        *_city_problems("origin_share", params.origin_share, geography),
        *_city_problems("city_spending", params.city_spending, geography),
    ]
    if not problems:
        problems.extend(_share_problems(params, geography))
    if problems:
        raise ParameterError(problems)


def _province_problems(name: str, values: Mapping[str, float], geography: Geography) -> Iterator[str]:
    provinces = dict.fromkeys(geography.province.tolist())
    for province in values:
        if province not in provinces:
            yield f"geography.{name}.{province}: {province!r} is not a province{_hint(province, provinces)}"
    if missing := [province for province in provinces if province not in values]:
        yield f"geography.{name} must name every province, these are missing: {', '.join(missing)}"


def _city_problems(name: str, values: Mapping[str, float], geography: Geography) -> Iterator[str]:
    for city in values:
        if city not in geography:
            yield f"geography.{name}.{city}: {geography.unknown(city)}"


def _share_problems(params: GeographyParams, geography: Geography) -> Iterator[str]:
    share = _of_cities(params.origin_share, geography, otherwise=0.0)
    for province in np.unique(geography.province[share > 0]).tolist():
        inside = geography.province == province
        total = float(share[inside].sum())
        if total > 1 + 1e-9:
            yield f"geography.origin_share: the cities of {province} must share at most 1, got {total:g}"
        elif total < 1 - 1e-9 and share[inside].all():
            yield f"geography.origin_share: all cities of {province} are named and must share 1, got {total:g}"


def _of_cities(values: Mapping[str, float], geography: Geography, otherwise: float) -> NDArray[np.float64]:
    result = np.full(len(geography), otherwise)
    for city, value in values.items():
        result[geography.index(city)] = value
    return result


def _normalised(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _hint(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
