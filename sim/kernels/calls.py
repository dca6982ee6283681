"""One request at one station: what it draws when it gets there."""

import numpy as np

from sim.kernels import inlined
from sim.kernels.cell_state import EMPIRICAL, EXPONENTIAL, GAMMA, LOGNORMAL, STATIONS_MOST
from sim.kernels.random import bits, exponential, lognormal, uniform
from sim.kernels.recorders import ARRIVALS, RETRIED
from sim.kernels.station import CENTRAL
from sim.kernels.times import key_of_attempt, standard_gamma
from sim.kernels.visits import ATTEMPTS_MOST, attempt_of, step_of


@inlined
def call_number(step, attempt, station):
    """Number of a visit's call of a station, for its draws."""
    return (step * ATTEMPTS_MOST + attempt) * STATIONS_MOST + station


@inlined
def service_time(key, shopper, step, attempt, station, times):
    """Service time [s] of one try of one page at one station."""
    draw = call_number(step, attempt, station)
    if times.kind[station] == EXPONENTIAL:
        return exponential(key, shopper, draw, times.mean_s[station])
    if times.kind[station] == LOGNORMAL:
        return lognormal(key, shopper, draw, times.mu[station], times.sigma[station])
    if times.kind[station] == GAMMA:
        shape = times.shape[station]
        return standard_gamma(key_of_attempt(key, draw), shopper, shape) * (times.mean_s[station] / shape)
    if times.kind[station] == EMPIRICAL:
        return times.values_s[station, np.int64(uniform(key, shopper, draw) * times.values[station])]
    return times.mean_s[station]


@inlined
def arrive(job, station, time_s, dispatch, keys, client, routes, times, jobs, record):
    """A request reaches a station: draw what it needs there."""
    row = jobs[job]
    shopper, step, attempt = row.key, step_of(row.state), attempt_of(row.state)
    row.service_s = service_time(keys.service, shopper, step, attempt, station, times)
    share = times.error_share[station]
    row.error = share > 0.0 and uniform(keys.error, shopper, call_number(step, attempt, station)) < share
    if dispatch != CENTRAL:
        row.choice = bits(keys.dispatch, shopper, call_number(step, attempt, station))
    if routes.room[station] and time_s <= row.sent_s + client.timeout_s:
        row.sent_s = np.inf  # the browser shows a place in line and does not count the time
        row.serial += np.uint32(1)
    counts = record.site[np.int64(time_s), station]
    counts[ARRIVALS] += 1
    counts[RETRIED] += attempt > 0
