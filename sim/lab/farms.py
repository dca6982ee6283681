"""Servers that are switched off when idle: SimPy decides which are set up, the station's kernel works out who is served.

Decisions are due at arrivals and when a set-up ends. In between only departures happen, which the kernel works out: they call for
no further set-up, and which set-ups they make needless is the same whenever one looks, for those begun last are given up first.
"""

import math
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
import simpy
from pydantic import Field

from sim.clock import at
from sim.draws import stream
from sim.kernels import station as kernels
from sim.kernels.retrial_state import NO_LIMIT
from sim.lab.arrivals import Arrival, arrivals
from sim.lab.distributions import Service, Specification, Times
from sim.params import Params, build

if TYPE_CHECKING:
    import pandas as pd

ON_TURN, ARRIVAL_TURN = 2, 3


class FarmParams(Params):
    """What `farm` simulates."""

    arrival: Arrival
    service: Service
    setup: Service
    servers: int = Field(ge=1)
    at_once: int | None = Field(default=None, ge=1)
    jobs: int = Field(ge=1)
    seed: int = 1


def farm(
    *,
    arrival: Specification,
    service: Specification,
    setup: Specification,
    servers: int,
    at_once: int | None = None,
    jobs: int,
    seed: int = 1,
) -> "pd.DataFrame":
    """Simulate servers that are switched off as soon as they are idle, first come first served from empty; the table of jobs.

    Each job that finds no server switched on sets up one that is off, as far as there are any. A set-up that no waiting job
    needs any more is given up.

    Parameters
    ----------
    arrival, service : as in `station`
    setup : distribution of the time from off to on, such as `exponential(10.0)`
    servers : that may be on or in set-up
    at_once : most set-ups at the same time; None: no limit
    jobs : number of arrivals; the run ends when all of them have left
    seed : of the draws

    Returns
    -------
    One row a job, in order of arrival: `job`, `arrival_s`, `start_s`, `departure_s`, `wait_s`, `sojourn_s`.

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    given = {
        "arrival": arrival,
        "service": service,
        "setup": setup,
        "servers": servers,
        "at_once": at_once,
        "jobs": jobs,
        "seed": seed,
    }
    return _Farm(build(FarmParams, given)).run()


class _Farm:
    """The servers, and the set-ups under way."""

    def __init__(self, params: FarmParams) -> None:
        self.params = params
        self.env = simpy.Environment()
        self.arrival_s = arrivals(params.arrival, stream(params.seed, "lab.arrival"), params.jobs, math.inf)
        n = self.arrival_s.size
        self.jobs = kernels.empty_jobs(n)
        self.jobs["key"][:] = np.arange(n)
        self.jobs["service_s"][:] = params.service.draw(stream(params.seed, "lab.service"), n)
        # an arrival begins one set-up at most, and so does the end of another
        self.setup_s = params.setup.draw(stream(params.seed, "lab.setup"), 2 * n)
        self.departure_s = np.full(n, np.nan)
        self.stations = kernels.empty_stations(
            np.array([params.servers]), np.array([NO_LIMIT]), np.array([math.inf]), jobs=n
        )
        kernels.set_slots(0, 0, 0.0, self.stations, self.jobs)
        self.setups: list[simpy.Event] = []  # those under way, in the order in which they began
        self.begun = 0
        self.out = np.empty(n), np.empty(n, np.int32), np.empty(n, np.int8)

    def run(self) -> "pd.DataFrame":
        """Run until all jobs have left."""
        import pandas as pd

        self.env.process(self._arrive())
        self.env.run()
        self._advance(math.inf)
        start_s: Times = self.jobs["start_s"]
        return pd.DataFrame(
            {
                "job": np.arange(self.arrival_s.size),
                "arrival_s": self.arrival_s,
                "start_s": start_s,
                "departure_s": self.departure_s,
                "wait_s": start_s - self.arrival_s,
                "sojourn_s": self.departure_s - self.arrival_s,
            }
        )

    @property
    def _waiting(self) -> int:
        return int(self.stations.waiting[0])

    @property
    def _busy(self) -> int:
        return int(self.stations.busy[0])

    def _arrive(self) -> Generator[simpy.Event, Any, None]:
        for job, time_s in enumerate(self.arrival_s.tolist()):
            yield at(self.env, time_s, ARRIVAL_TURN)
            self._advance(time_s)
            kernels.set_slots(0, self._busy, time_s, self.stations, self.jobs)  # who is idle is off
            self._advance(math.nextafter(time_s, math.inf), job)
            self._set_up()

    def _set_up(self) -> None:
        """Give up the set-ups that nobody needs, and begin those that are missing."""
        needed = min(self._waiting, self.params.servers - self._busy)
        if self.params.at_once is not None:
            needed = min(needed, self.params.at_once)
        del self.setups[needed:]
        while len(self.setups) < needed:
            ready = at(self.env, self.env.now + self.setup_s[self.begun], ON_TURN)
            self.begun += 1
            self.setups.append(ready)
            ready.callbacks.append(self._switch_on)

    def _switch_on(self, ready: simpy.Event) -> None:
        """A set-up ends: unless it was given up, one server more takes a job."""
        now_s = self.env.now
        self._advance(now_s)
        self._set_up()
        if ready in self.setups:
            self.setups.remove(ready)
            kernels.set_slots(0, self._busy + 1, now_s, self.stations, self.jobs)
            self._set_up()

    def _advance(self, until_s: float, job: int | None = None) -> None:
        """Work out all departures before an instant, and the arrival of a job there."""
        inbox_s = self.arrival_s if job is None else self.arrival_s[job : job + 1]
        inbox_job = np.array([0 if job is None else job], np.int32)
        left = kernels.advance_station(
            0, until_s, inbox_s, inbox_job, int(job is not None), self.stations, self.jobs, *self.out
        )
        out_s, out_job, _ = self.out
        self.departure_s[out_job[:left]] = out_s[:left]
