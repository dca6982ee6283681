"""The gate in front of a station: what an attempt has to pass, and the waiting room for those whom there is no room for.

    rate limit --> concurrency limit, or the waiting room --> circuit breaker --> shedding --> degraded mode

The rules are those of `protection.py`; the rate limit comes first, so that what it refuses takes no place outside.
"""

import numpy as np

from sim.kernels import inlined
from sim.kernels.protection import REFUSED, comes_in_time, permit, take_token, tell
from sim.kernels.retrial_state import FIRST_OUTSIDE, LAST_OUTSIDE, OUTSIDE
from sim.kernels.station_state import NOBODY


@inlined
def within_rate(now_s, gate, orbit):
    """Whether an attempt passes the rate limit."""
    return gate.rate_per_s == np.inf or take_token(
        orbit.bucket, now_s, gate.rate_per_s, gate.burst, 0.0, gate.warm_up_s, gate.cold_share
    )


@inlined
def wait_outside(client, clients, tally):
    """A client takes the last place in the line outside and is told which it is."""
    last = tally[LAST_OUTSIDE]
    clients.behind[client] = NOBODY
    if last == NOBODY:
        tally[FIRST_OUTSIDE] = client
    else:
        clients.behind[last] = client
    tally[LAST_OUTSIDE] = client
    tally[OUTSIDE] += 1
    clients.place[client] = tally[OUTSIDE]


@inlined
def next_from_outside(clients, tally):
    """Take the first of the line outside, who is returned."""
    client = tally[FIRST_OUTSIDE]
    tally[FIRST_OUTSIDE] = clients.behind[client]
    if tally[FIRST_OUTSIDE] == NOBODY:
        tally[LAST_OUTSIDE] = NOBODY
    tally[OUTSIDE] -= 1
    return client


@inlined
def let_in(client, now_s, gate, clients, orbit, stations):
    """Whether an attempt for which there is room passes the circuit breaker and is not shed."""
    clients.entry_s[client] = now_s
    if gate.window > 0:
        clients.permit[client] = permit(orbit.breaker, orbit.opened_s, now_s, gate.open_s, gate.trials)
        if clients.permit[client] == REFUSED:
            return False
    waiting = stations.waiting[0]
    clients.degraded[client] = waiting > gate.degrade_above
    if gate.within_s == np.inf:
        return True
    mean_s = gate.mean_s * gate.degraded_share if clients.degraded[client] else gate.mean_s
    return comes_in_time(waiting, stations.busy[0], gate.slots, mean_s, gate.within_s)


@inlined
def tell_breaker(client, failed, now_s, gate, clients, orbit):
    """The circuit breaker hears what became of an attempt, if it let it through."""
    if gate.window > 0 and clients.permit[client] != REFUSED:
        tell(
            orbit.breaker,
            orbit.opened_s,
            now_s,
            clients.permit[client],
            failed,
            gate.window,
            gate.least_answers,
            gate.open_share,
            gate.trials,
        )
