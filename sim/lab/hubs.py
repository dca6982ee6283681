"""One lane of a hub, for anyone who wants to test bulk departures: the same kernel that loads the festival's trucks."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sim.draws import stream
from sim.kernels.lane import depart_every, poisson_arrivals
from sim.kernels.rows import empty_queues, empty_rows
from sim.params import Params, build

if TYPE_CHECKING:
    import pandas as pd


class LaneParams(Params):
    """What `hub` simulates."""

    arrival_per_period: float = Field(gt=0)
    capacity: int = Field(ge=1)
    headway_s: float = Field(gt=0)
    periods: int = Field(ge=1)
    seed: int


def hub(
    *, arrival_per_period: float, capacity: int, headway_s: float = 1.0, periods: int = 10_000, seed: int = 1
) -> "pd.DataFrame":
    """Simulate a lane from empty: parcels come at random, a vehicle leaves each headway, and return its table of parcels.

    Parameters
    ----------
    arrival_per_period : mean number of parcels that come in a headway, a Poisson process
    capacity : parcels that a vehicle takes; first come, first served
    headway_s : time between departures [s]; the first leaves after one headway
    periods : number of departures
    seed : of the draws; equal seeds give equal arrivals, in periods, whatever the capacity

    Returns
    -------
    One row a parcel, in order of arrival: `arrival_s`, `depart_s` and `wait_s`, both NaN for what the last vehicle left behind.
    A parcel that comes at the instant of a departure waits for the next.

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    import pandas as pd

    params = build(
        LaneParams,
        {
            "arrival_per_period": arrival_per_period,
            "capacity": capacity,
            "headway_s": headway_s,
            "periods": periods,
            "seed": seed,
        },
    )
    arrival_s = _arrivals(params)
    depart_s = np.full(arrival_s.size, np.nan)
    rows = empty_rows(arrival_s.size)
    depart_every(params.headway_s, params.capacity, params.periods, empty_queues(1), arrival_s, rows, depart_s)
    return pd.DataFrame({"arrival_s": arrival_s, "depart_s": depart_s, "wait_s": depart_s - arrival_s}, copy=False)


def _arrivals(params: LaneParams) -> NDArray[np.float64]:
    """Arrival times [s] before the last departure."""
    key = stream(params.seed, "lab.hub_arrival")
    mean_s = params.headway_s / params.arrival_per_period
    end_s = params.headway_s * params.periods
    room = 1024
    while True:
        arrival_s = np.empty(room)
        count = poisson_arrivals(key, mean_s, end_s, arrival_s)
        if count < room:
            return arrival_s[:count]
        room *= 2
