"""The station in plain SimPy, a process per job: the specification that the kernel has to match bit for bit.

Ties are decided by the priority of SimPy's events. Whatever an event causes at once comes first, then departures, then
timeouts, then arrivals; within each the smaller job first. A change of the slots at an instant comes before them all.
"""

from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import simpy

JOBS = 2**40  # more than there are jobs: keeps the ranks of events apart
DEPARTURE, TIMEOUT, ARRIVAL = JOBS, 2 * JOBS, 3 * JOBS

SERVED, REJECTED, TIMED_OUT, UNFINISHED = range(4)


class Job(NamedTuple):
    """What becomes of one job; NaN: not yet."""

    start_s: float
    left_s: float
    outcome: int


class At(simpy.Event):  # type: ignore[misc]
    """A timeout that is ranked among the events of its instant."""

    def __init__(self, env: simpy.Environment, delay_s: float, rank: int) -> None:
        super().__init__(env)
        self._ok = True
        self._value = None
        env.schedule(self, priority=rank, delay=delay_s)


class Slots(simpy.Resource):  # type: ignore[misc]
    """Places to serve, whose number can be changed; jobs in service stay."""

    def resize(self, slots: int) -> None:
        """Have this many slots from now on."""
        self._capacity = slots
        while self.put_queue and self.count < slots:
            self._trigger_put(None)


class Station:
    """First come first served on n slots, a finite queue and a timeout on the wait."""

    def __init__(self, env: simpy.Environment, slots: int, limit: int, timeout_s: float) -> None:
        self.env = env
        self.slots = Slots(env, slots)
        self.limit = limit
        self.timeout_s = timeout_s
        self.jobs: list[Job] = []

    def visit(self, job: int, arrival_s: float, service_s: float) -> Generator[Any, Any, None]:
        """The life of one job."""
        self.jobs.append(Job(float("nan"), float("nan"), UNFINISHED))
        yield At(self.env, arrival_s, ARRIVAL + job)
        if self.slots.count >= self.slots.capacity and len(self.slots.queue) >= self.limit:
            self.jobs[job] = Job(float("nan"), self.env.now, REJECTED)
            return
        with self.slots.request() as slot:
            if self.timeout_s == float("inf"):
                yield slot
            else:
                yield slot | At(self.env, self.timeout_s, TIMEOUT + job)
            if not slot.triggered:
                self.jobs[job] = Job(float("nan"), self.env.now, TIMED_OUT)
                return
            start_s = self.env.now
            self.jobs[job] = Job(start_s, float("nan"), UNFINISHED)
            yield At(self.env, service_s, DEPARTURE + job)
            self.jobs[job] = Job(start_s, self.env.now, SERVED)


def run(
    arrival_s: Sequence[float],
    service_s: Sequence[float],
    slots: int,
    limit: int,
    timeout_s: float,
    end_s: float,
    changes: Sequence[tuple[float, int]] = (),
) -> list[Job]:
    """What becomes of each job before end_s. changes: (instant, slots from then on), in order of time."""
    env = simpy.Environment()
    station = Station(env, slots, limit, timeout_s)
    for job, (arrives_s, needs_s) in enumerate(zip(arrival_s, service_s, strict=True)):
        env.process(station.visit(job, arrives_s, needs_s))
    for instant_s, number in changes:
        env.run(until=instant_s)
        station.slots.resize(number)
    env.run(until=None if end_s == float("inf") else end_s)
    return station.jobs
