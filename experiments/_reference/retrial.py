"""Clients that try a station again, in plain SimPy: a process per client and one per attempt.

Ties: the station's events come first, then clients are let in from outside, then come the clients' deadlines in the order of
their attempts, then arrivals, new ones and returns alike in the order of the clients.
"""

import itertools
import math
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import simpy

from experiments._reference.protection import WHOLE, Breaker, Bucket
from experiments._reference.station import (
    ARRIVAL,
    DEADLINE,
    REJECTED,
    SERVED,
    TIMED_OUT,
    UNFINISHED,
    At,
    Record,
    Station,
    Visit,
)

FAILED = 4
RANK_BITS = 24
DOOR = DEADLINE - 1  # after the station's events


class Rules(NamedTuple):
    """What clients do about an attempt that came to nothing."""

    retries: float
    reasons: frozenset[int]
    backoff: str
    jitter: str
    base_s: float
    factor: float
    cap_s: float
    deadline_s: float
    budget: float
    budget_gain: float


class Protection(NamedTuple):
    """What is in front of the station."""

    rate_per_s: float = math.inf
    burst: float = 1.0
    warm_up_s: float = 0.0
    cold_share: float = 1.0
    most: float = math.inf  # attempts inside at once
    waiting_room: float = 0  # places for clients outside
    breaker: tuple[int, int, float, float, int] | None = None  # as `Breaker` takes them
    within_s: float = math.inf  # an attempt whose answer is expected later is shed
    mean_s: float = 0.0  # of a service, for that expectation
    degrade_above: float = math.inf  # waiting jobs
    degraded_share: float = 1.0


class Draws(NamedTuple):
    """What is drawn for a client and the number of an attempt, 0, 1, ..."""

    service_s: Callable[[int, int], float]
    choice: Callable[[int, int], int]
    fails: Callable[[int, int], bool]
    jitter: Callable[[int, int], float]  # uniform in (0, 1); of a retry 1, 2, ...


class Client:
    """The diary of a client."""

    def __init__(self) -> None:
        self.attempts = 0
        self.attempt_s = math.nan
        self.entry_s = math.nan
        self.place = 0
        self.degraded = False
        self.backoff_s = 0.0
        self.departure_s = math.nan
        self.finished_s = math.nan
        self.outcome = UNFINISHED
        self.last = Record()


class Bench:
    """A station, its clients, and what is in front of it."""

    def __init__(
        self, env: simpy.Environment, station: Station, rules: Rules, protection: Protection, draws: Draws
    ) -> None:
        self.env = env
        self.station = station
        self.rules = rules
        self.protection = protection
        self.draws = draws
        self.tokens = rules.budget
        self.bucket = Bucket(protection.rate_per_s, protection.burst, protection.warm_up_s, protection.cold_share)
        self.breaker = None if protection.breaker is None else Breaker(*protection.breaker)
        self.inside = 0
        self.outside: deque[simpy.Event] = deque()
        self.attempts = itertools.count()

    @property
    def queue(self) -> int:
        """Jobs that wait at the station."""
        return sum(len(lane.queue) for lane in self.station.lanes)

    def expected_s(self, service_s: float) -> float:
        """When an answer may be expected, if services take so long."""
        slots = sum(int(lane.capacity) for lane in self.station.lanes)
        if sum(int(lane.count) for lane in self.station.lanes) < slots:
            return service_s
        return (self.queue + 1.0) * service_s / slots + service_s

    def open_door(self) -> Generator[Any, Any, None]:
        """Let the first in from outside, if there is room."""
        yield At(self.env, 0.0, DOOR)
        if self.outside and self.inside < self.protection.most:
            self.outside.popleft().succeed()

    def wait_s(self, client: int, retry: int, last_s: float) -> float:
        """How long a client backs off before a retry."""
        rules, u = self.rules, self.draws.jitter(client, retry)
        if rules.backoff == "none":
            return 0.0
        if rules.jitter == "decorrelated":
            return min(rules.cap_s, rules.base_s + u * (3.0 * last_s - rules.base_s))
        wait_s = rules.base_s
        if rules.backoff == "exponential":
            wait_s = min(rules.cap_s, wait_s * math.pow(rules.factor, retry - 1))
        jittered = {
            "none": lambda: wait_s,
            "equal": lambda: wait_s / 2.0 + u * (wait_s / 2.0),
            "full": lambda: u * wait_s,
            "memoryless": lambda: -wait_s * math.log(u),
        }
        return jittered[rules.jitter]()

    def attempt(self, diary: Client, visit: Visit, record: Record) -> Generator[Any, Any, int]:
        """An attempt at the station, which goes on whether its client waits for it or not."""
        outcome = yield from self.station.serve(visit, record)
        if outcome == SERVED and diary.last is record:
            diary.finished_s = self.env.now
        self.inside -= 1
        self.env.process(self.open_door())
        return outcome

    def ask(self, client: int, diary: Client, visit: Visit) -> Generator[Any, Any, int]:
        """An attempt as its client sees it; returns the outcome."""
        self.inside += 1
        answer = self.env.process(self.attempt(diary, visit, diary.last))
        if self.rules.deadline_s == math.inf:
            yield answer
        else:
            yield answer | At(self.env, self.rules.deadline_s, DEADLINE + next(self.attempts))
        if not answer.triggered:
            return TIMED_OUT
        if answer.value == SERVED and self.draws.fails(client, diary.attempts - 1):
            return FAILED
        return int(answer.value)

    def knock(
        self, client: int, diary: Client, patience_s: float, priority: int
    ) -> Generator[Any, Any, tuple[int, int | None]]:
        """An attempt in front of the gate; returns its outcome and the generation of the circuit breaker to hear it."""
        gate, draws, attempt = self.protection, self.draws, diary.attempts - 1
        if gate.rate_per_s < math.inf and not self.bucket.take(self.env.now):
            return REJECTED, None
        if self.inside >= gate.most:
            if len(self.outside) >= gate.waiting_room:
                return REJECTED, None
            turn = self.env.event()
            self.outside.append(turn)
            diary.place = len(self.outside)
            yield turn
        diary.entry_s = self.env.now
        generation = None
        if self.breaker is not None:
            generation = self.breaker.permit(self.env.now)
            if generation is None:
                self.env.process(self.open_door())
                return REJECTED, None
        diary.degraded = self.queue > gate.degrade_above
        share = gate.degraded_share if diary.degraded else 1.0
        if gate.within_s < math.inf and self.expected_s(gate.mean_s * share) > gate.within_s:
            self.env.process(self.open_door())
            return REJECTED, generation
        service_s, choice = draws.service_s(client, attempt) * share, draws.choice(client, attempt)
        visit = Visit((client << RANK_BITS) + attempt, service_s, patience_s, priority, choice)
        outcome = yield from self.ask(client, diary, visit)
        return outcome, generation

    def live(
        self, client: int, arrival_s: float, patience_s: float, priority: int, diary: Client
    ) -> Generator[Any, Any, None]:
        """The life of a client."""
        rules = self.rules
        wait_s = rules.base_s
        yield At(self.env, arrival_s, ARRIVAL + client)
        for attempt in itertools.count():
            diary.attempts += 1
            diary.attempt_s = self.env.now
            diary.entry_s = diary.finished_s = math.nan
            diary.place, diary.degraded = 0, False
            diary.last = Record()
            outcome, generation = yield from self.knock(client, diary, patience_s, priority)
            if self.breaker is not None and generation is not None:
                self.breaker.tell(self.env.now, generation, outcome != SERVED)
            if outcome == SERVED:
                self.tokens = min(rules.budget, self.tokens + rules.budget_gain)
            if outcome not in rules.reasons or attempt >= rules.retries or self.tokens < WHOLE:
                diary.outcome = outcome
                diary.departure_s = self.env.now
                return
            self.tokens = max(0.0, self.tokens - 1.0)
            wait_s = self.wait_s(client, attempt + 1, wait_s)
            diary.backoff_s += wait_s
            yield At(self.env, wait_s, ARRIVAL + client)


def run(
    arrival_s: Sequence[float],
    rules: Rules,
    draws: Draws,
    *,
    protection: Protection,
    slots: int,
    limit: int,
    end_s: float,
    servers: int,
    dispatch: int,
    patience_s: Sequence[float],
    priority: Sequence[int],
) -> list[Client]:
    """What becomes of each client before end_s."""
    env = simpy.Environment()
    bench = Bench(env, Station(env, slots, limit, servers, dispatch), rules, protection, draws)
    diaries = [Client() for _ in arrival_s]
    for client, diary in enumerate(diaries):
        env.process(bench.live(client, arrival_s[client], patience_s[client], priority[client], diary))
    env.run(until=None if end_s == math.inf else end_s)
    return diaries
