"""The weather on every road in every hour of a run, as the share of the dry speed that it leaves.

fronts that move, observations of cities  ->  rain, snow, sight at the middle of each link in the middle of each hour  ->  speed
"""

import numpy as np
from numpy.typing import NDArray

from sim.geography import Geography
from sim.params.weather import FogFrontParams, FrontParams, ResponseParams, WeatherParams, WetFrontParams
from sim.parcels.observations import observed
from sim.parcels.ways import Links

Floats = NDArray[np.float64]

KM_PER_DEGREE = 111.195  # of a great circle on a sphere of 6 371 km


def speed_shares(weather: WeatherParams, links: Links, geography: Geography, hours: int) -> Floats:
    """Share of the dry speed on each link in each hour from t = 0 on: float64[links, hours]; 0: closed.

    Raises
    ------
    ParameterError
        When the file of observations cannot be read; with file and row.
    """
    shares = np.ones((links.km.size, hours))
    if weather.observations is not None:
        rain, snow, sight_m = observed(weather.observations, links, geography, hours)
        shares = speed_share(weather.response, rain, snow, sight_m)
    for front in weather.fronts:
        strength = strength_of(front, links.longitude, links.latitude, hours)
        nothing, clear = np.zeros(1), np.full(1, np.inf)
        if isinstance(front, FogFrontParams):
            with np.errstate(divide="ignore"):
                sight_m = front.sight_m / strength  # a beam is weakened in proportion to what floats in the air
            of_front = speed_share(weather.response, nothing, nothing, sight_m)
        else:
            of_front = speed_share(weather.response, *_wet(front, strength), clear)
        np.minimum(shares, of_front, out=shares)
    return shares


def _wet(front: WetFrontParams, strength: Floats) -> tuple[Floats, Floats]:
    """Rain and snow [mm/h] of a front."""
    falls, nothing = front.peak_mm_per_h * strength, np.zeros(1)
    return (falls, nothing) if front.kind == "rain" else (nothing, falls)


def speed_share(response: ResponseParams, rain_mm_per_h: Floats, snow_mm_per_h: Floats, sight_m: Floats) -> Floats:
    """Share of the dry speed in some weather; the worst cause counts alone. Arrays that broadcast together."""
    share = np.ones(np.broadcast_shapes(rain_mm_per_h.shape, snow_mm_per_h.shape, sight_m.shape))
    for falls, steps in ((rain_mm_per_h, response.rain), (snow_mm_per_h, response.snow)):
        for wet in steps:
            np.minimum(share, np.where(falls >= wet.from_mm_per_h, wet.speed_share, 1.0), out=share)
    for dim in response.sight:
        np.minimum(share, np.where(sight_m < dim.below_m, dim.speed_share, 1.0), out=share)
    return share


def strength_of(front: FrontParams, longitude: Floats, latitude: Floats, hours: int) -> Floats:
    """Strength of a front at places in the middle of each hour: float64[places, hours], 1 in its middle, 0 outside.

    Places are laid on a plane around the front's first middle; over a thousand kilometres that is off by a few per cent.
    """
    east_km = (longitude - front.longitude_deg) * KM_PER_DEGREE * np.cos(np.radians(front.latitude_deg))
    north_km = (latitude - front.latitude_deg) * KM_PER_DEGREE
    heading = np.radians(front.heading_deg)
    age_h = np.arange(hours) + 0.5 - front.start_h
    ahead_km = (east_km * np.sin(heading) + north_km * np.cos(heading))[:, None] - front.speed_kmh * age_h
    aside_km = (east_km * np.cos(heading) - north_km * np.sin(heading))[:, None]
    depth = 1.0 - (2.0 * ahead_km / front.width_km) ** 2
    breadth = 1.0 - (2.0 * aside_km / front.length_km) ** 2
    alive = (age_h >= 0.0) & (age_h < front.duration_h)
    return np.asarray(np.maximum(depth, 0.0) * np.maximum(breadth, 0.0) * alive)
