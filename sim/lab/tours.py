"""Tours of couriers, for anyone who doubts the formula: the shortest ones, worked out exactly."""

import math
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from sim.draws import stream
from sim.kernels.tours import shortest_tours
from sim.params import Params, build

if TYPE_CHECKING:
    import pandas as pd

MOST_STOPS = 16  # the work doubles with each


class ToursParams(Params):
    """What `tours` works out."""

    stops: Annotated[int, Field(ge=2, le=MOST_STOPS)]
    area_km2: float = Field(gt=0)
    tours: int = Field(ge=1)
    seed: int = Field(ge=0)


def tours(*, stops: int, area_km2: float, tours: int, seed: int) -> "pd.DataFrame":
    """The shortest tours through random stops in an area, a square whose opposite edges are joined.

    Returns
    -------
    One row a tour: `length_km`.

    Raises
    ------
    ParameterError
        With one message for every parameter that is out of range.

    Examples
    --------
    >>> tours(stops=2, area_km2=4.0, tours=1, seed=1).shape
    (1, 1)
    """
    import pandas as pd

    params = build(ToursParams, {"stops": stops, "area_km2": area_km2, "tours": tours, "seed": seed})
    length_km = np.empty(params.tours)
    shortest_tours(
        stream(params.seed, "lab.tours"),
        math.sqrt(params.area_km2),
        np.empty((params.stops, params.stops)),
        np.empty((1 << (params.stops - 1), params.stops - 1)),
        length_km,
    )
    return pd.DataFrame({"length_km": length_km})
