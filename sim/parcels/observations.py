"""Observed weather from a file: which city, which hour, how much rain and snow, how far one sees."""

import csv
import datetime
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.geography import Geography
from sim.params import ParameterError
from sim.params.weather import ObservationsParams
from sim.parcels.ways import Links

Floats = NDArray[np.float64]

COLUMNS = ("city", "hour", "rain_mm_per_h", "snow_mm_per_h", "sight_m")
EARTH_KM = 6371.0
MOST_TOLD = 10


class Observation(NamedTuple):
    """One row of the file; `hour` counts from t = 0, and sight is infinite where nobody wrote it down."""

    city: int
    hour: int
    rain_mm_per_h: float
    snow_mm_per_h: float
    sight_m: float


def observed(
    params: ObservationsParams, links: Links, geography: Geography, hours: int
) -> tuple[Floats, Floats, Floats]:
    """Rain [mm/h], snow [mm/h] and sight [m] on each link in each hour: three float64[links, hours].

    A link has the weather of the nearest city in the file, when that is within the radius; hours that are missing are clear.

    Raises
    ------
    ParameterError
        When the file cannot be read, lacks a column or has a bad row; one message each, with file and row.
    """
    rows = read_observations(params.file, geography)
    rain, snow = np.zeros((links.km.size, hours)), np.zeros((links.km.size, hours))
    sight_m = np.full((links.km.size, hours), np.inf)
    cities = sorted({row.city for row in rows})
    if not cities:
        return rain, snow, sight_m
    away_km = np.stack([_away_km(links, geography.longitude[city], geography.latitude[city]) for city in cities])
    nearest = np.where(away_km.min(axis=0) <= params.radius_km, away_km.argmin(axis=0), -1)
    near = {city: np.flatnonzero(nearest == place) for place, city in enumerate(cities)}
    for row in rows:
        if 0 <= row.hour < hours:
            rain[near[row.city], row.hour] = row.rain_mm_per_h
            snow[near[row.city], row.hour] = row.snow_mm_per_h
            sight_m[near[row.city], row.hour] = row.sight_m
    return rain, snow, sight_m


def read_observations(file: str, geography: Geography) -> list[Observation]:
    """The rows of a CSV with the columns `city, hour, rain_mm_per_h, snow_mm_per_h, sight_m`.

    `hour` is a whole number of hours after t = 0, or a date and clock, 2012-11-12T06:00, of any year: 11 November 00:00 is t = 0.
    Sight may be empty. Raises `ParameterError` as `observed` does.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ParameterError([f"weather.observations.file {file} cannot be read: {error.strerror}"]) from None
    reader = csv.DictReader(text.splitlines())
    if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
        raise ParameterError([f"{file} must have the columns {', '.join(COLUMNS)}; missing: {', '.join(missing)}"])
    rows: list[Observation] = []
    problems: list[str] = []
    for number, values in enumerate(reader, start=2):
        told = list(_problems(values, geography))
        problems += [f"{file} row {number}: {problem}" for problem in told]
        if not told:
            rain, snow = float(values["rain_mm_per_h"]), float(values["snow_mm_per_h"])
            sight_m = float(values["sight_m"]) if values["sight_m"] else math.inf
            rows.append(Observation(geography.index(values["city"]), _hour(values["hour"]), rain, snow, sight_m))
    if problems:
        more = len(problems) - MOST_TOLD
        raise ParameterError([*problems[:MOST_TOLD], *([f"{file}: {more} more bad values"] if more > 0 else [])])
    return rows


def _problems(values: dict[str, str], geography: Geography) -> Iterator[str]:
    if values["city"] not in geography:
        yield f"city: {geography.unknown(values['city'])}"
    try:
        _hour(values["hour"])
    except ValueError:
        yield f"hour must be a whole number or a date and clock like 2012-11-12T06:00, got {values['hour']!r}"
    for name in ("rain_mm_per_h", "snow_mm_per_h", "sight_m"):
        if not (name == "sight_m" and values[name] == "") and not _is_amount(values[name]):
            yield f"{name} must be a number >= 0, got {values[name]!r}"


def _is_amount(text: str | None) -> bool:
    try:
        return text is not None and 0.0 <= float(text) < math.inf
    except ValueError:
        return False


def _hour(text: str | None) -> int:
    """Hours after t = 0 of a label; raises `ValueError`."""
    label = text or ""
    if label.lstrip("-").isdigit():
        return int(label)
    time = datetime.datetime.fromisoformat(label)
    return math.floor((time - datetime.datetime(time.year, 11, 11)).total_seconds() / 3600.0)


def _away_km(links: Links, longitude: float, latitude: float) -> Floats:
    """Great-circle distances [km] of the links' middles from a place (haversine formula)."""
    east, north = np.radians(links.longitude - longitude), np.radians(links.latitude - latitude)
    share = (
        np.sin(north / 2) ** 2
        + np.cos(np.radians(latitude)) * np.cos(np.radians(links.latitude)) * np.sin(east / 2) ** 2
    )
    return np.asarray(2.0 * EARTH_KM * np.arcsin(np.sqrt(share)))
