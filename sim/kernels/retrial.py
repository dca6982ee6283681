"""Clients that try a station again, event by event: no delay is too short, nothing is rounded to a window.

    new clients --+--> attempt --> gate --> [ station ] --> answer --> gone
                  |                 |           |  rejected, timed out, failed
      orbit (heap of returns) <-----+-----------+  back off, while retries and the budget last

    gate: rate limit --> concurrency limit, or the waiting room --> circuit breaker --> shedding --> degraded mode

An attempt is a job of the station. When the client gives it up at its deadline the work is done all the same, so a client may
have several jobs there; only the answer to the last counts.

Whoever finds as many attempts inside as the concurrency limit allows waits outside, in one line, while the waiting room has a
place; it knows no deadline. When one inside leaves the first outside is let in.

Ties. Of events at one instant the station's come first, in its own order (departures, then the ends of patience), then those
outside are let in, then come the clients' deadlines in the order of their attempts, then arrivals, new ones and returns
alike in the order of the clients.
"""

import math

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.gate import let_in, next_from_outside, tell_breaker, wait_outside, within_rate
from sim.kernels.heap import put_in_place
from sim.kernels.protection import REFUSED, earn_retry, has_room, spend_retry
from sim.kernels.random import bits, uniform
from sim.kernels.retrial_state import (
    ARRIVED,
    ATTEMPTS,
    FAILED,
    FIRST_ASKING,
    FOR_EVER,
    FREE_TICKETS,
    LAST_ASKING,
    OUTSIDE,
    RETURNING,
)
from sim.kernels.station import advance_station, next_event_s
from sim.kernels.station_state import NOBODY, OWN_PATIENCE, REJECTED, SERVED, TIMED_OUT
from sim.kernels.times import key_of_attempt, time_of

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

ATTEMPT_BITS = 24


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


@inlined
def _next_attempt(new_s, return_s, clients, orbit):
    """Take the client who makes the next attempt, a new one or one from the orbit, who is returned."""
    tally = orbit.tally
    arrived = tally[ARRIVED]
    if new_s < return_s or (new_s == return_s and arrived < orbit.client[0]):
        tally[ARRIVED] += 1
        return arrived
    client = np.int64(orbit.client[0])
    n = tally[RETURNING] - 1
    tally[RETURNING] = n
    if n > 0:
        last_s, last = orbit.return_s[n], orbit.client[n]
        put_in_place(orbit.return_s, orbit.client, 0, n, last_s, last, clients.key, orbit.place)
    return client


@inlined
def _begin_attempt(client, now_s, clients, tally):
    """A client makes an attempt."""
    clients.attempts[client] += 1
    clients.attempt_s[client] = now_s
    clients.entry_s[client] = np.nan
    clients.start_s[client] = np.nan
    clients.finished_s[client] = np.nan
    clients.place[client] = 0
    clients.degraded[client] = False
    clients.permit[client] = REFUSED
    tally[ATTEMPTS] += 1


@kernel
def _come_to_nothing(client, outcome, now_s, policy, gate, keys, clients, orbit):
    """An attempt came to nothing: its client backs off, or gives up."""
    tell_breaker(client, True, now_s, gate, clients, orbit)
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
    n = orbit.tally[RETURNING]
    put_in_place(orbit.return_s, orbit.client, n, n + 1, now_s + wait_s, client, clients.key, orbit.place)
    orbit.tally[RETURNING] = n + 1


@inlined
def _ticket(client, keys, service, gate, clients, orbit, tickets, stations, jobs):
    """Make an attempt a job of the station, which is returned."""
    orbit.tally[FREE_TICKETS] -= 1
    job = tickets.free[orbit.tally[FREE_TICKETS]]
    attempt = clients.attempts[client] - 1
    tickets.client[job] = client
    tickets.attempt[job] = attempt
    jobs[job].key = (client << ATTEMPT_BITS) + min(np.int64(attempt), (1 << ATTEMPT_BITS) - 1)
    service_s = time_of(service, key_of_attempt(keys.service, attempt), client)
    jobs[job].service_s = service_s * gate.degraded_share if clients.degraded[client] else service_s
    jobs[job].priority = clients.priority[client]
    jobs[job].choice = bits(keys.choice, client, attempt)
    if stations.timer[0] == OWN_PATIENCE:
        jobs[job].patience_s = clients.patience_s[client]
    return job


@inlined
def _answer(job, outcome, now_s, policy, gate, keys, clients, orbit, tickets, jobs):
    """A job left the station: tell its client, if that still asks for it."""
    client = tickets.client[job]
    attempt = tickets.attempt[job]
    tally = orbit.tally
    tickets.free[tally[FREE_TICKETS]] = job
    tally[FREE_TICKETS] += 1
    if clients.attempts[client] != attempt + 1:
        return
    if outcome == SERVED:
        clients.start_s[client] = jobs[job].start_s
        clients.finished_s[client] = now_s
    if not clients.asking[client]:
        return
    _stop_asking(client, clients, tally)
    if outcome != SERVED:
        _come_to_nothing(client, outcome, now_s, policy, gate, keys, clients, orbit)
    elif policy.failure_share > 0.0 and uniform(keys.failure, client, attempt) < policy.failure_share:
        _come_to_nothing(client, FAILED, now_s, policy, gate, keys, clients, orbit)
    else:
        tell_breaker(client, False, now_s, gate, clients, orbit)
        clients.outcome[client] = SERVED
        clients.departure_s[client] = now_s
        earn_retry(orbit.tokens, policy.budget, policy.budget_gain)


@kernel
def advance_clients(end_s, policy, gate, keys, service, clients, orbit, tickets, stations, jobs):
    """Work out every event of the clients and of station 0 before end_s, and none at or after it.

    Returns DONE, or MORE_TICKETS when all tickets are out at the instant of an attempt: add rows and call again.
    """
    tally = orbit.tally
    now_s = 0.0
    while True:
        client = NOBODY
        room = has_room(tickets.free.size - tally[FREE_TICKETS], gate.most)
        if room and tally[OUTSIDE] > 0:  # somebody inside has left just now, so that a ticket is free
            client = next_from_outside(clients, tally)
        else:
            station_s = next_event_s(0, stations, jobs)
            deadline_s = np.inf
            if tally[FIRST_ASKING] != NOBODY:
                deadline_s = clients.entry_s[tally[FIRST_ASKING]] + policy.deadline_s
            arrived = tally[ARRIVED]
            new_s = clients.arrival_s[arrived] if arrived < clients.arrival_s.size else np.inf
            return_s = orbit.return_s[0] if tally[RETURNING] > 0 else np.inf
            attempt_s = min(new_s, return_s)
            now_s = min(station_s, min(deadline_s, attempt_s))
            if not now_s < end_s:
                break
            if now_s < station_s:
                if deadline_s <= attempt_s:
                    client = tally[FIRST_ASKING]
                    _stop_asking(client, clients, tally)
                    _come_to_nothing(client, TIMED_OUT, now_s, policy, gate, keys, clients, orbit)
                    continue
                if tally[FREE_TICKETS] == 0:
                    return MORE_TICKETS
                client = _next_attempt(new_s, return_s, clients, orbit)
                _begin_attempt(client, now_s, clients, tally)
                passes = within_rate(now_s, gate, orbit)
                if passes and not room and tally[OUTSIDE] < gate.waiting_room:
                    wait_outside(client, clients, tally)
                    continue
                if not (passes and room):
                    _come_to_nothing(client, REJECTED, now_s, policy, gate, keys, clients, orbit)
                    continue
        arriving = 0
        if client != NOBODY:
            if not let_in(client, now_s, gate, clients, orbit, stations):
                _come_to_nothing(client, REJECTED, now_s, policy, gate, keys, clients, orbit)
                continue
            _ask(client, clients, tally)
            orbit.inbox_s[0] = now_s
            orbit.inbox_job[0] = _ticket(client, keys, service, gate, clients, orbit, tickets, stations, jobs)
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
            _answer(job, kind, tickets.out_s[i], policy, gate, keys, clients, orbit, tickets, jobs)
    return DONE
