"""The station in plain SimPy, a process per job: the specification that the kernel has to match bit for bit.

Ties are decided by the priority of SimPy's events. Whatever an event causes at once comes first, then departures, then
timeouts, then arrivals; within each the smaller job first. A change of slots or servers at an instant comes before them all.
"""

import math
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import simpy

RANKS = 2**80  # more than there are jobs: keeps the ranks of events apart
DEPARTURE, TIMEOUT, DEADLINE, ARRIVAL = RANKS, 2 * RANKS, 3 * RANKS, 4 * RANKS

SERVED, REJECTED, TIMED_OUT, UNFINISHED = range(4)
CENTRAL, RANDOM, ROUND_ROBIN, TWO_CHOICES, LEAST_CONNECTIONS = range(5)


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


class Slots(simpy.PriorityResource):  # type: ignore[misc]
    """Places to serve, whose number can be changed; jobs in service stay."""

    def __init__(self, env: simpy.Environment, slots: int) -> None:
        super().__init__(env, max(1, slots))  # SimPy wants a place at first
        self._capacity = slots

    @property
    def load(self) -> int:
        """Jobs waiting and in service."""
        return int(self.count) + len(self.queue)

    def resize(self, slots: int) -> None:
        """Have this many slots from now on."""
        self._capacity = slots
        while self.put_queue and self.count < slots:
            self._trigger_put(None)


class Visit(NamedTuple):
    """What a job brings to a station."""

    rank: int  # decides ties
    service_s: float
    patience_s: float = math.inf
    priority: int = 0
    choice: int = 0  # 64 random bits for the dispatcher


class Station:
    """Servers with their slots and their queues, finite, first come first served within a priority."""

    def __init__(
        self, env: simpy.Environment, slots: int, limit: int, servers: int = 1, dispatch: int = CENTRAL
    ) -> None:
        self.env = env
        self.lanes = [Slots(env, slots) for _ in range(servers)]
        self.open = servers
        self.limit = limit
        self.dispatch = dispatch
        self.turn = 0

    def lane_for(self, choice: int) -> Slots:
        """The lane that an arrival is sent to."""
        lanes = self.lanes[: self.open]
        if self.dispatch == CENTRAL or len(lanes) == 1:
            return lanes[0]
        if self.dispatch == ROUND_ROBIN:
            self.turn += 1
            return lanes[(self.turn - 1) % len(lanes)]
        if self.dispatch == LEAST_CONNECTIONS:
            return min(lanes, key=lambda lane: lane.load)
        one = lanes.pop((choice >> 32) * len(lanes) >> 32)
        if self.dispatch == RANDOM:
            return one
        other = lanes[(choice & 0xFFFFFFFF) * len(lanes) >> 32]
        return other if other.load < one.load else one

    def serve(self, visit: Visit, record: "Record") -> Generator[Any, Any, int]:
        """A job at the station, from its arrival on; returns its outcome."""
        slots = self.lane_for(visit.choice)
        if slots.count >= slots.capacity and len(slots.queue) >= self.limit:
            return REJECTED
        with slots.request(priority=visit.priority) as slot:
            if visit.patience_s == math.inf:
                yield slot
            else:
                yield slot | At(self.env, visit.patience_s, TIMEOUT + visit.rank)
            if not slot.triggered:
                return TIMED_OUT
            record.start_s = self.env.now
            yield At(self.env, visit.service_s, DEPARTURE + visit.rank)
        return SERVED


class Record:
    """The diary of one job."""

    def __init__(self) -> None:
        self.start_s = math.nan
        self.left_s = math.nan
        self.outcome = UNFINISHED


def run(
    arrival_s: Sequence[float],
    service_s: Sequence[float],
    slots: int,
    limit: int,
    timeout_s: float,
    end_s: float,
    slots_from: Sequence[tuple[float, int]] = (),
    *,
    servers: int = 1,
    dispatch: int = CENTRAL,
    lanes_from: Sequence[tuple[float, int]] = (),
    patience_s: Sequence[float] | None = None,
    priority: Sequence[int] | None = None,
    choice: Sequence[int] | None = None,
) -> list[Job]:
    """What becomes of each job before end_s.

    slots_from, lanes_from : (instant, slots of each open server, or servers that take jobs, from then on), in order of time;
        servers change before slots
    patience_s : of each job, instead of the timeout
    """
    env = simpy.Environment()
    station = Station(env, slots, limit, servers, dispatch)
    records = [Record() for _ in arrival_s]

    def live(job: int) -> Generator[Any, Any, None]:
        yield At(env, arrival_s[job], ARRIVAL + job)
        visit = Visit(
            rank=job,
            service_s=service_s[job],
            patience_s=timeout_s if patience_s is None else patience_s[job],
            priority=0 if priority is None else priority[job],
            choice=0 if choice is None else choice[job],
        )
        records[job].outcome = yield from station.serve(visit, records[job])
        records[job].left_s = env.now

    for job in range(len(arrival_s)):
        env.process(live(job))
    lanes_at, slots_at = dict(lanes_from), dict(slots_from)
    for instant_s in sorted({*lanes_at, *slots_at}):
        env.run(until=instant_s)
        station.open = lanes_at.get(instant_s, station.open)
        if instant_s in slots_at:
            for lane in station.lanes[: station.open]:
                lane.resize(slots_at[instant_s])
    env.run(until=None if end_s == math.inf else end_s)
    return [Job(record.start_s, record.left_s, record.outcome) for record in records]
