"""Clients that try a station again, in plain SimPy: a process per client and one per attempt.

Ties: the station's events come first, then the clients' deadlines in the order of their attempts, then arrivals, new ones and
returns alike in the order of the clients.
"""

import itertools
import math
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

import simpy

from experiments._reference.protection import WHOLE, Bucket
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
    rate_per_s: float
    burst: float
    warm_up_s: float
    cold_share: float


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
        self.backoff_s = 0.0
        self.departure_s = math.nan
        self.finished_s = math.nan
        self.outcome = UNFINISHED
        self.last = Record()


class Bench:
    """A station, its clients and the budget that they share."""

    def __init__(self, env: simpy.Environment, station: Station, rules: Rules, draws: Draws) -> None:
        self.env = env
        self.station = station
        self.rules = rules
        self.draws = draws
        self.tokens = rules.budget
        self.bucket = Bucket(rules.rate_per_s, rules.burst, rules.warm_up_s, rules.cold_share)
        self.attempts = itertools.count()

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
        return outcome

    def ask(self, client: int, diary: Client, visit: Visit) -> Generator[Any, Any, int]:
        """An attempt as its client sees it; returns the outcome."""
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

    def live(
        self, client: int, arrival_s: float, patience_s: float, priority: int, diary: Client
    ) -> Generator[Any, Any, None]:
        """The life of a client."""
        rules, draws = self.rules, self.draws
        wait_s = rules.base_s
        yield At(self.env, arrival_s, ARRIVAL + client)
        for attempt in itertools.count():
            diary.attempts += 1
            diary.attempt_s = self.env.now
            diary.last = Record()
            diary.finished_s = math.nan
            outcome = REJECTED
            if rules.rate_per_s == math.inf or self.bucket.take(self.env.now):
                rank = (client << RANK_BITS) + attempt
                service_s, choice = draws.service_s(client, attempt), draws.choice(client, attempt)
                outcome = yield from self.ask(client, diary, Visit(rank, service_s, patience_s, priority, choice))
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
    bench = Bench(env, Station(env, slots, limit, servers, dispatch), rules, draws)
    diaries = [Client() for _ in arrival_s]
    for client, diary in enumerate(diaries):
        env.process(bench.live(client, arrival_s[client], patience_s[client], priority[client], diary))
    env.run(until=None if end_s == math.inf else end_s)
    return diaries
