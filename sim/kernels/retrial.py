"""Clients that try a station again, event by event: no delay is too short, nothing is rounded to a window.

    new clients --+--> attempt --> rate limit --> [ station ] --> answer --> gone
                  |                                |  rejected, timed out, failed
      orbit (heap of returns) <--------------------+  back off, while retries and the budget last

An attempt is a job of the station. When the client gives it up at its deadline the work is done all the same, so a client may
have several jobs there; only the answer to the last counts.

Ties. Of events at one instant the station's come first, in its own order (departures, then the ends of patience), then the
clients' deadlines in the order of their attempts, then arrivals, new ones and returns alike in the order of the clients.
"""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.heap import sift_down, sift_up
from sim.kernels.protection import earn_retry, spend_retry, take_token
from sim.kernels.random import bits, uniform
from sim.kernels.station import NOBODY, OWN_PATIENCE, REJECTED, SERVED, TIMED_OUT, advance_station, next_event_s
from sim.kernels.times import key_of_attempt, time_of

# outcomes beyond those of the station
UNFINISHED = 3
FAILED = 4  # served, but the answer is an error

FOR_EVER = -1

# how long the k-th retry waits, before jitter
NO_BACKOFF = 0
FIXED = 1
GROWING = 2  # exponential growth, base x factor**(k - 1), up to the cap

# what jitter makes of a wait v (Brooker 2015, https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)
NO_JITTER = 0
EQUAL = 1  # v / 2 and a uniform share of the other half
FULL = 2  # uniform from 0 to v
DECORRELATED = 3  # uniform from the base to three times the last wait, up to the cap
MEMORYLESS = 4  # exponential with mean v

# what advance_clients returns
DONE = 0
MORE_TICKETS = 1

# entries of Orbit.tally
ARRIVED = 0
RETURNING = 1
FREE_TICKETS = 2
FIRST_ASKING = 3
LAST_ASKING = 4
ATTEMPTS = 5
TALLIES = 6

ATTEMPT_BITS = 24


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
    rate_per_s: float  # of attempts that a token bucket in front of the station lets pass, inf: all
    burst: float  # tokens that it holds
    warm_up_s: float  # from 0 s on, in which its rate grows
    cold_share: float  # from this share of the full rate


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
    start_s: np.ndarray  # float64[n], of its service
    finished_s: np.ndarray  # float64[n], end of its service, whether the client still waits for it or not
    departure_s: np.ndarray  # float64[n], the client is gone
    backoff_s: np.ndarray  # float64[n], all waits between attempts
    delay_s: np.ndarray  # float64[n], the last of them
    outcome: np.ndarray  # int8[n]
    asking: np.ndarray  # bool[n], waits for an answer
    ahead: np.ndarray  # int32[n], neighbours among those who ask, in order of their attempts
    behind: np.ndarray  # int32[n]
    key: np.ndarray  # int64[n], 0, 1, ..., decides ties of returns


class Orbit(NamedTuple):
    """Clients between two attempts."""

    return_s: np.ndarray  # float64[n], binary heap
    client: np.ndarray  # int32[n]
    tokens: np.ndarray  # float64[1], left in the budget
    bucket: np.ndarray  # float64[2], of the rate limit
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
        start_s=np.full(n, np.nan),
        finished_s=np.full(n, np.nan),
        departure_s=np.full(n, np.nan),
        backoff_s=np.zeros(n),
        delay_s=np.zeros(n),
        outcome=np.full(n, UNFINISHED, np.int8),
        asking=np.zeros(n, np.bool_),
        ahead=np.full(n, NOBODY, np.int32),
        behind=np.full(n, NOBODY, np.int32),
        key=np.arange(n, dtype=np.int64),
    )


def empty_orbit(n: int, tickets: int, policy: Policy) -> Orbit:
    """An orbit for n clients, none of whom has come; all tickets are free, the budget and the bucket of tokens are full."""
    tally = np.zeros(TALLIES, np.int64)
    tally[FREE_TICKETS] = tickets
    tally[FIRST_ASKING] = tally[LAST_ASKING] = NOBODY
    return Orbit(
        return_s=np.zeros(n),
        client=np.zeros(n, np.int32),
        tokens=np.full(1, policy.budget),
        bucket=np.array([policy.burst, 0.0]),
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


@inlined
def backoff_time(policy, retry, last_s, u):
    """Wait before a retry [s]. retry: 1, 2, ...; last_s: wait before the last; u: uniform in (0, 1)."""
    if policy.backoff == NO_BACKOFF:
        return 0.0
    if policy.jitter == DECORRELATED:
        least_s = last_s if retry > 1 else policy.base_s
        return min(policy.cap_s, policy.base_s + u * (3.0 * least_s - policy.base_s))
    wait_s = policy.base_s
    if policy.backoff == GROWING:
        wait_s = min(policy.cap_s, policy.base_s * math.pow(policy.factor, float(retry - 1)))
    if policy.jitter == EQUAL:
        return wait_s / 2.0 + u * (wait_s / 2.0)
    if policy.jitter == FULL:
        return u * wait_s
    if policy.jitter == MEMORYLESS:
        return -wait_s * math.log(u)
    return wait_s


@inlined
def _ask(client, clients, tally):
    """A client begins to wait for an answer: last in the line of deadlines."""
    clients.asking[client] = True
    last = tally[LAST_ASKING]
    clients.ahead[client] = last
    clients.behind[client] = NOBODY
    if last == NOBODY:
        tally[FIRST_ASKING] = client
    else:
        clients.behind[last] = client
    tally[LAST_ASKING] = client


@inlined
def _stop_asking(client, clients, tally):
    """A client no longer waits for an answer."""
    clients.asking[client] = False
    ahead = clients.ahead[client]
    behind = clients.behind[client]
    if ahead == NOBODY:
        tally[FIRST_ASKING] = behind
    else:
        clients.behind[ahead] = behind
    if behind == NOBODY:
        tally[LAST_ASKING] = ahead
    else:
        clients.ahead[behind] = ahead


@kernel
def _come_to_nothing(client, outcome, now_s, policy, keys, clients, orbit):
    """An attempt came to nothing: its client backs off, or gives up."""
    retry = clients.attempts[client]
    tried_again = (policy.reasons >> outcome) & 1
    left = policy.retries == FOR_EVER or retry <= policy.retries
    if not (tried_again and left and spend_retry(orbit.tokens)):
        clients.outcome[client] = outcome
        clients.departure_s[client] = now_s
        return
    wait_s = backoff_time(policy, retry, clients.delay_s[client], uniform(keys.backoff, client, retry))
    clients.delay_s[client] = wait_s
    clients.backoff_s[client] += wait_s
    sift_up(orbit.return_s, orbit.client, orbit.tally[RETURNING], now_s + wait_s, client, clients.key)
    orbit.tally[RETURNING] += 1


@kernel
def _answer(job, outcome, now_s, policy, keys, clients, orbit, tickets, jobs):
    """A job left the station: tell its client, if that still asks for it."""
    client = tickets.client[job]
    attempt = tickets.attempt[job]
    tally = orbit.tally
    tickets.free[tally[FREE_TICKETS]] = job
    tally[FREE_TICKETS] += 1
    if clients.attempts[client] != attempt + 1:
        return
    if outcome == SERVED:
        clients.start_s[client] = jobs.start_s[job]
        clients.finished_s[client] = now_s
    if not clients.asking[client]:
        return
    _stop_asking(client, clients, tally)
    if outcome != SERVED:
        _come_to_nothing(client, outcome, now_s, policy, keys, clients, orbit)
    elif policy.failure_share > 0.0 and uniform(keys.failure, client, attempt) < policy.failure_share:
        _come_to_nothing(client, FAILED, now_s, policy, keys, clients, orbit)
    else:
        clients.outcome[client] = SERVED
        clients.departure_s[client] = now_s
        earn_retry(orbit.tokens, policy.budget, policy.budget_gain)


@kernel
def advance_clients(end_s, policy, keys, service, clients, orbit, tickets, stations, jobs):
    """Work out every event of the clients and of station 0 before end_s, and none at or after it.

    Returns DONE, or MORE_TICKETS when all tickets are out at the instant of an attempt: add rows and call again.
    """
    tally = orbit.tally
    while True:
        station_s = next_event_s(0, stations, jobs)
        deadline_s = np.inf
        if tally[FIRST_ASKING] != NOBODY:
            deadline_s = clients.attempt_s[tally[FIRST_ASKING]] + policy.deadline_s
        arrived = tally[ARRIVED]
        new_s = clients.arrival_s[arrived] if arrived < clients.arrival_s.size else np.inf
        return_s = orbit.return_s[0] if tally[RETURNING] > 0 else np.inf
        attempt_s = min(new_s, return_s)
        arriving = 0
        if station_s <= deadline_s and station_s <= attempt_s:
            now_s = station_s
            if not now_s < end_s:
                break
        elif deadline_s <= attempt_s:
            if not deadline_s < end_s:
                break
            client = tally[FIRST_ASKING]
            _stop_asking(client, clients, tally)
            _come_to_nothing(client, TIMED_OUT, deadline_s, policy, keys, clients, orbit)
            continue
        else:
            now_s = attempt_s
            if not now_s < end_s:
                break
            if tally[FREE_TICKETS] == 0:
                return MORE_TICKETS
            if new_s < return_s or (new_s == return_s and arrived < orbit.client[0]):
                client = arrived
                tally[ARRIVED] += 1
            else:
                client = np.int64(orbit.client[0])
                n = tally[RETURNING] - 1
                tally[RETURNING] = n
                if n > 0:
                    sift_down(orbit.return_s, orbit.client, n, orbit.return_s[n], orbit.client[n], clients.key)
            attempt = clients.attempts[client]
            clients.attempts[client] += 1
            clients.attempt_s[client] = now_s
            clients.start_s[client] = np.nan
            clients.finished_s[client] = np.nan
            tally[ATTEMPTS] += 1
            if policy.rate_per_s < np.inf and not take_token(
                orbit.bucket, now_s, policy.rate_per_s, policy.burst, 0.0, policy.warm_up_s, policy.cold_share
            ):
                _come_to_nothing(client, REJECTED, now_s, policy, keys, clients, orbit)
                continue
            _ask(client, clients, tally)
            tally[FREE_TICKETS] -= 1
            job = tickets.free[tally[FREE_TICKETS]]
            tickets.client[job] = client
            tickets.attempt[job] = attempt
            jobs.key[job] = (client << ATTEMPT_BITS) + min(np.int64(attempt), (1 << ATTEMPT_BITS) - 1)
            jobs.service_s[job] = time_of(service, key_of_attempt(keys.service, attempt), client)
            jobs.priority[job] = clients.priority[client]
            jobs.choice[job] = bits(keys.choice, client, attempt)
            if stations.timer[0] == OWN_PATIENCE:
                jobs.patience_s[job] = clients.patience_s[client]
            orbit.inbox_s[0] = now_s
            orbit.inbox_job[0] = job
            arriving = 1
        left = advance_station(
            0,
            np.nextafter(now_s, np.inf),
            orbit.inbox_s,
            orbit.inbox_job,
            arriving,
            stations,
            jobs,
            tickets.out_s,
            tickets.out_job,
            tickets.out_kind,
        )
        for i in range(left):
            job, kind = tickets.out_job[i], tickets.out_kind[i]
            _answer(job, kind, tickets.out_s[i], policy, keys, clients, orbit, tickets, jobs)
    return DONE
