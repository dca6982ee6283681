"""What clients that try a station again consist of, in arrays, and the rules that they and its gate follow; see `retrial.py`."""

from typing import NamedTuple

import numpy as np

from sim.kernels.protection import new_breaker
from sim.kernels.station_state import NOBODY

# outcomes beyond those of the station
UNFINISHED = 3
FAILED = 4  # served, but the answer is an error

FOR_EVER = -1
NO_LIMIT = np.iinfo(np.int64).max

# entries of Orbit.tally
ARRIVED = 0
RETURNING = 1
FREE_TICKETS = 2
FIRST_ASKING = 3
LAST_ASKING = 4
ATTEMPTS = 5
OUTSIDE = 6  # clients in the waiting room
FIRST_OUTSIDE = 7
LAST_OUTSIDE = 8
TALLIES = 9


class Policy(NamedTuple):
    """What clients do about an attempt that came to nothing."""

    retries: int  # after the first attempt; FOR_EVER
    reasons: int  # bit 1 << outcome is set for what is tried again
    backoff: int
    jitter: int
    base_s: float
    factor: float
    cap_s: float
    deadline_s: float  # from an attempt until its client gives it up, inf: never
    failure_share: float  # of services whose answer is an error
    budget: float  # most tokens, inf: no budget
    budget_gain: float  # tokens for a success; a retry costs one


class Gate(NamedTuple):
    """What protects the station from its clients."""

    rate_per_s: float = np.inf  # of attempts that a token bucket lets pass, inf: all
    burst: float = 1.0  # tokens that it holds
    warm_up_s: float = 0.0  # from 0 s on, in which its rate grows
    cold_share: float = 1.0  # from this share of the full rate
    most: int = NO_LIMIT  # attempts inside at once
    waiting_room: int = 0  # places outside for those beyond; without one they are rejected
    window: int = 0  # answers that the circuit breaker remembers; 0: no breaker
    least_answers: int = 0  # that it needs before it opens
    open_share: float = 0.0  # of failures among them that opens it
    open_s: float = 0.0  # that it stays open
    trials: int = 0  # that it lets through then
    within_s: float = np.inf  # an attempt whose answer is expected later is shed
    mean_s: float = 0.0  # of a service, for that expectation
    slots: int = 0  # of the whole station, likewise
    degrade_above: int = NO_LIMIT  # waiting jobs, beyond which an attempt is served in degraded mode
    degraded_share: float = 1.0  # of the service time that it takes then


class Keys(NamedTuple):
    """Keys of the draws; the entity is the client, for all but the service also the draw is the attempt."""

    service: np.uint64
    choice: np.uint64
    failure: np.uint64
    backoff: np.uint64


class Clients(NamedTuple):
    """All clients, n rows. The caller sets what is marked; what is told of an attempt is that of the last."""

    arrival_s: np.ndarray  # float64[n], set, in order
    patience_s: np.ndarray  # float64[n], set where the station asks for it
    priority: np.ndarray  # int8[n], set
    attempts: np.ndarray  # int32[n]
    attempt_s: np.ndarray  # float64[n], instant of the last attempt
    entry_s: (
        np.ndarray
    )  # float64[n], its turn at the gate: later where it waits outside; NaN: not yet, or refused before
    start_s: np.ndarray  # float64[n], of its service
    finished_s: np.ndarray  # float64[n], end of its service, whether the client still waits for it or not
    departure_s: np.ndarray  # float64[n], the client is gone
    backoff_s: np.ndarray  # float64[n], all waits between attempts
    delay_s: np.ndarray  # float64[n], the last of them
    outcome: np.ndarray  # int8[n]
    place: np.ndarray  # int64[n], in the line outside, as the client was told; 0: let in or refused at once
    degraded: np.ndarray  # bool[n], to be served in degraded mode
    permit: np.ndarray  # int64[n], the circuit breaker's generation that let it through, or REFUSED
    asking: np.ndarray  # bool[n], waits for an answer
    ahead: np.ndarray  # int32[n], neighbours among those who ask, in order of their attempts
    behind: np.ndarray  # int32[n], or the next in the line outside
    key: np.ndarray  # int64[n], 0, 1, ..., decides ties of returns


class Orbit(NamedTuple):
    """Clients between two attempts, and the state of what they share."""

    return_s: np.ndarray  # float64[n], binary heap
    client: np.ndarray  # int32[n]
    place: np.ndarray  # int32[n], where each client is in it
    tokens: np.ndarray  # float64[1], left in the retry budget
    bucket: np.ndarray  # float64[2], of the rate limit
    breaker: np.ndarray  # int64[BREAKER_SIZE + window]
    opened_s: np.ndarray  # float64[1], when it last opened
    tally: np.ndarray  # int64[TALLIES]
    inbox_s: np.ndarray  # float64[1], scratch
    inbox_job: np.ndarray  # int32[1], scratch


class Tickets(NamedTuple):
    """Attempts that are at the station; a ticket has the row of its job."""

    client: np.ndarray  # int32[J]
    attempt: np.ndarray  # int32[J]
    free: np.ndarray  # int32[J], rows that are free, as a stack
    out_s: np.ndarray  # float64[J], scratch
    out_job: np.ndarray  # int32[J], scratch
    out_kind: np.ndarray  # int8[J], scratch


def new_clients(arrival_s: np.ndarray, patience_s: np.ndarray | None, priority: np.ndarray) -> Clients:
    """Clients who are still to come."""
    n = arrival_s.size
    return Clients(
        arrival_s=arrival_s,
        patience_s=np.zeros(0) if patience_s is None else patience_s,
        priority=priority,
        attempts=np.zeros(n, np.int32),
        attempt_s=np.full(n, np.nan),
        entry_s=np.full(n, np.nan),
        start_s=np.full(n, np.nan),
        finished_s=np.full(n, np.nan),
        departure_s=np.full(n, np.nan),
        backoff_s=np.zeros(n),
        delay_s=np.zeros(n),
        outcome=np.full(n, UNFINISHED, np.int8),
        place=np.zeros(n, np.int64),
        degraded=np.zeros(n, np.bool_),
        permit=np.zeros(n, np.int64),
        asking=np.zeros(n, np.bool_),
        ahead=np.full(n, NOBODY, np.int32),
        behind=np.full(n, NOBODY, np.int32),
        key=np.arange(n, dtype=np.int64),
    )


def empty_orbit(n: int, tickets: int, policy: Policy, gate: Gate) -> Orbit:
    """An orbit for n clients, none of whom has come.

    All tickets are free, the budget and the bucket of tokens are full, the circuit breaker is closed.
    """
    tally = np.zeros(TALLIES, np.int64)
    tally[FREE_TICKETS] = tickets
    tally[[FIRST_ASKING, LAST_ASKING, FIRST_OUTSIDE, LAST_OUTSIDE]] = NOBODY
    return Orbit(
        return_s=np.zeros(n),
        client=np.zeros(n, np.int32),
        place=np.zeros(n, np.int32),
        tokens=np.full(1, policy.budget),
        bucket=np.array([gate.burst, 0.0]),
        breaker=new_breaker(gate.window),
        opened_s=np.zeros(1),
        tally=tally,
        inbox_s=np.zeros(1),
        inbox_job=np.zeros(1, np.int32),
    )


def free_tickets(n: int) -> Tickets:
    """Room for n attempts at the station."""
    return Tickets(
        client=np.zeros(n, np.int32),
        attempt=np.zeros(n, np.int32),
        free=np.arange(n, dtype=np.int32)[::-1].copy(),
        out_s=np.zeros(n),
        out_job=np.zeros(n, np.int32),
        out_kind=np.zeros(n, np.int8),
    )
