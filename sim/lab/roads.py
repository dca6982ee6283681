"""One road, for anyone who wants to test a way through weather: the same kernel that drives the festival's trucks."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from sim.kernels.road import Crew, Roads, drive
from sim.params import Params, build
from sim.units import HOUR_S

if TYPE_CHECKING:
    import pandas as pd


class RoadParams(Params):
    """What `road` simulates."""

    distance_km: float = Field(gt=0)
    speed_kmh: float = Field(gt=0)
    slower_share: tuple[Annotated[float, Field(ge=0, le=1)], ...]
    depart_s: tuple[Annotated[float, Field(ge=0)], ...]
    wheel_h: float | None = Field(gt=0)
    stop_h: float = Field(ge=0)


def road(
    *,
    distance_km: float,
    speed_kmh: float,
    slower_share: Sequence[float] = (),
    depart_s: Sequence[float] = (0.0,),
    wheel_h: float | None = None,
    stop_h: float = 0.0,
) -> "pd.DataFrame":
    """Drive a road and return the table of vehicles.

    Parameters
    ----------
    distance_km, speed_kmh : its length, and the speed when it is dry
    slower_share : by how much weather slows it in each hour from t = 0 on; 1: closed, after the last hour it is dry
    depart_s : when vehicles leave
    wheel_h, stop_h : drivers stop for stop_h after so many hours at the wheel; None: never

    Returns
    -------
    One row a vehicle: `depart_s`, `arrive_s`, `travel_h`.

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    import pandas as pd

    params = build(
        RoadParams,
        {
            "distance_km": distance_km,
            "speed_kmh": speed_kmh,
            "slower_share": list(slower_share),
            "depart_s": list(depart_s),
            "wheel_h": wheel_h,
            "stop_h": stop_h,
        },
    )
    speed_share = 1.0 - np.array([params.slower_share])
    roads = Roads(np.array([0, 1], np.int32), np.zeros(1, np.int32), np.array([params.distance_km]), speed_share)
    wheel_s = math.inf if params.wheel_h is None else params.wheel_h * HOUR_S
    crew = Crew(wheel_s, params.stop_h * HOUR_S, math.inf, 0.0)
    left_s = np.array(params.depart_s)
    arrive_s = np.array(
        [drive(time_s, 0, False, HOUR_S / params.speed_kmh, math.inf, 0.0, crew, roads) for time_s in params.depart_s]
    )
    return pd.DataFrame({"depart_s": left_s, "arrive_s": arrive_s, "travel_h": (arrive_s - left_s) / HOUR_S})
