"""One station, for anyone who wants to test a queue: the same kernel that serves the site's requests.

arrival, service -> draws per job -> sim.kernels.station -> the table of jobs
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from pydantic import Field, model_validator

from sim.draws import stream
from sim.kernels import station as kernels
from sim.lab.distributions import Arrival, Service, Specification, Times
from sim.params import Params, build
from sim.params.base import RuleError

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = ("served", "rejected", "timed_out", "unfinished")
UNFINISHED = 3
MOST_JOBS = 2**31 - 1  # the kernel numbers its jobs with 32 bits
NO_LIMIT = np.iinfo(np.int64).max


class StationParams(Params):
    """What `station` simulates."""

    arrival: Arrival
    service: Service
    servers: int = Field(ge=1)
    slots: int = Field(ge=1)
    capacity: int | None
    timeout_s: float | None = Field(ge=0)
    jobs: int | None = Field(ge=1, le=MOST_JOBS)
    horizon_s: float | None = Field(gt=0)
    seed: int

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Rules over several parameters."""
        problems = []
        places = self.servers * self.slots
        if self.capacity is not None and self.capacity < places:
            problems.append(f"capacity must be >= servers x slots = {places}, got {self.capacity}")
        if self.jobs is None and self.horizon_s is None:
            problems.append("jobs or horizon_s must be given: nothing ends the run")
        if self.jobs is None and self.horizon_s is not None and self.horizon_s / self.arrival.mean_s > 0.99 * MOST_JOBS:
            problems.append(f"horizon_s must bring fewer than {MOST_JOBS:,} arrivals, got {self.horizon_s:g}")
        if problems:
            raise RuleError(problems)
        return self


class Served(NamedTuple):
    """What became of each job of a station. Arrays of equal length."""

    start_s: Times  # NaN: never started
    departure_s: Times  # NaN: unfinished
    outcome: np.ndarray[tuple[int], np.dtype[np.int8]]  # index into OUTCOMES


def station(
    *,
    arrival: Specification,
    service: Specification,
    servers: int = 1,
    slots: int = 1,
    capacity: int | None = None,
    timeout_s: float | None = None,
    jobs: int | None = None,
    horizon_s: float | None = None,
    seed: int = 1,
) -> "pd.DataFrame":
    """Simulate one station from empty, first come first served, and return its table of jobs.

    Parameters
    ----------
    arrival, service : distribution of the gaps between arrivals and of the service times, such as `poisson(48 / 60)`
        and `exponential(60.0)`; arrival takes any of them, service all but `poisson`
    servers, slots : machines, and places to serve in each; one queue feeds them all
    capacity : jobs that the whole station holds, waiting and in service; None: no limit
    timeout_s : longest wait [s], after which a job leaves unserved; None: no limit
    jobs : number of arrivals; without a horizon the run ends when all of them have left
    horizon_s : end of the run [s]; events at or after it do not happen. One of jobs and horizon_s has to be given
    seed : of the draws; equal seeds give equal jobs to every station, whatever its servers

    Returns
    -------
    One row a job, in order of arrival: `job`, `arrival_s`, `start_s` (NaN: never served), `departure_s` (when it left
    in whatever way; NaN: unfinished), `wait_s` (until the start or the timeout), `sojourn_s`, both NaN for rejected
    jobs, and the category `outcome`: served, rejected, timed_out or unfinished.

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    given = {
        "arrival": arrival,
        "service": service,
        "servers": servers,
        "slots": slots,
        "capacity": capacity,
        "timeout_s": timeout_s,
        "jobs": jobs,
        "horizon_s": horizon_s,
        "seed": seed,
    }
    params = build(StationParams, {name: _plain(value) for name, value in given.items()})
    arrival_s = _arrivals(params)
    service_s = params.service.draw(stream(params.seed, "lab.service"), arrival_s.size)
    places = params.servers * params.slots
    served = serve(
        arrival_s,
        service_s,
        slots=places,
        limit=NO_LIMIT if params.capacity is None else params.capacity - places,
        timeout_s=math.inf if params.timeout_s is None else params.timeout_s,
        end_s=math.inf if params.horizon_s is None else params.horizon_s,
    )
    return _table(arrival_s, served)


def serve(arrival_s: Times, service_s: Times, *, slots: int, limit: int, timeout_s: float, end_s: float) -> Served:
    """Send given jobs through one station.

    Parameters
    ----------
    arrival_s, service_s : float64[n], arrivals in order
    slots, limit : places to serve, and to wait
    timeout_s : longest wait, inf: none
    end_s : nothing at or after this instant happens; arrivals are before it
    """
    n = arrival_s.size
    stations = kernels.empty_stations(np.array([min(slots, n)]), np.array([limit]), np.array([timeout_s]))
    jobs = kernels.empty_jobs(n)
    jobs.key[:] = np.arange(n)
    jobs.service_s[:] = service_s
    out_s, out_job, out_kind = np.empty(n), np.empty(n, np.int32), np.empty(n, np.int8)
    inbox_job = np.arange(n, dtype=np.int32)
    left = kernels.advance_station(0, end_s, arrival_s, inbox_job, n, stations, jobs, out_s, out_job, out_kind)
    departure_s = np.full(n, np.nan)
    outcome = np.full(n, UNFINISHED, np.int8)
    departure_s[out_job[:left]] = out_s[:left]
    outcome[out_job[:left]] = out_kind[:left]
    return Served(jobs.start_s, departure_s, outcome)


def _plain(value: Any) -> Any:
    """NumPy's scalars as Python's, so that they are checked like them."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _arrivals(params: StationParams) -> Times:
    """Arrival times of all jobs before the horizon."""
    key = stream(params.seed, "lab.arrival")
    if params.horizon_s is None:
        assert params.jobs is not None
        return np.cumsum(params.arrival.draw(key, params.jobs))
    most = MOST_JOBS if params.jobs is None else params.jobs
    expected = params.horizon_s / params.arrival.mean_s
    n = int(min(most, expected + 10.0 * math.sqrt(expected) + 10.0))
    arrival_s = np.cumsum(params.arrival.draw(key, n))
    while arrival_s[-1] < params.horizon_s and n < most:
        n = min(most, 2 * n)
        arrival_s = np.cumsum(params.arrival.draw(key, n))
    return arrival_s[: np.searchsorted(arrival_s, params.horizon_s, side="left")]


def _table(arrival_s: Times, served: Served) -> "pd.DataFrame":
    import pandas as pd

    rejected = served.outcome == kernels.REJECTED
    queued_until_s = np.where(served.outcome == kernels.TIMED_OUT, served.departure_s, served.start_s)
    return pd.DataFrame(
        {
            "job": np.arange(arrival_s.size),
            "arrival_s": arrival_s,
            "start_s": served.start_s,
            "departure_s": served.departure_s,
            "wait_s": queued_until_s - arrival_s,
            "sojourn_s": np.where(rejected, np.nan, served.departure_s - arrival_s),
            "outcome": pd.Categorical.from_codes(served.outcome, categories=list(OUTCOMES)),
        },
        copy=False,
    )
