"""Closed forms of queueing theory: the known answers that simulations are held against.

A queue that is not stable has no steady state; its mean wait is reported as infinite. `offered_load` is arrival rate x
service time.
"""

import cmath
import math
from collections.abc import Sequence
from typing import NamedTuple


class FiniteQueue(NamedTuple):
    """Steady state of a station with a finite number of places."""

    blocked_share: float  # of arrivals, because the system was full
    queue: float  # jobs waiting, mean over time
    wait_s: float  # of the jobs that were let in
    utilisation: float  # busy servers / servers


class TruckQueue(NamedTuple):
    """Steady state of a place that a truck empties once a period."""

    left_behind: float  # parcels that the truck had no room for, mean over trucks
    wait_periods: float  # of a parcel, until it leaves on a truck


def erlang_b(servers: int, offered_load: float) -> float:
    """Share of the arrivals that M/G/c/c refuses because all servers are busy.

    The recursion in the number of servers is stable for any size.
    Source: Shortle, Thompson, Gross, Harris (2018), chapter 3, doi:10.1002/9781119453765.
    """
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = offered_load * blocked / (n + offered_load * blocked)
    return blocked


def erlang_c(servers: int, offered_load: float) -> float:
    """Share of the arrivals of M/M/c that have to wait; 1 when the queue is not stable.

    Source: Shortle, Thompson, Gross, Harris (2018), chapter 3, doi:10.1002/9781119453765.
    """
    if offered_load >= servers:
        return 1.0
    blocked = erlang_b(servers, offered_load)
    return blocked / (1.0 - offered_load / servers * (1.0 - blocked))


def mmc_wait_s(servers: int, arrival_per_s: float, service_s: float) -> float:
    """Mean wait in M/M/c [s]. Source: as `erlang_c`."""
    offered_load = arrival_per_s * service_s
    if offered_load >= servers:
        return math.inf
    return erlang_c(servers, offered_load) * service_s / (servers - offered_load)


def mmc_wait_quantile_s(share: float, servers: int, arrival_per_s: float, service_s: float) -> float:
    """Wait that a share of the jobs of M/M/c do not exceed [s]; 0 when that share does not wait at all.

    Who has to wait, waits exponentially long with rate (servers - offered load) / service time. Source: as `erlang_c`.
    """
    offered_load = arrival_per_s * service_s
    if offered_load >= servers:
        return math.inf
    waiting_share = erlang_c(servers, offered_load)
    if waiting_share <= 1.0 - share:
        return 0.0
    return math.log(waiting_share / (1.0 - share)) * service_s / (servers - offered_load)


def mmck(servers: int, places: int, arrival_per_s: float, service_s: float) -> FiniteQueue:
    """M/M/c/K: `places` counts the jobs in service too.

    Source: Shortle, Thompson, Gross, Harris (2018), chapter 3, doi:10.1002/9781119453765.
    """
    offered_load = arrival_per_s * service_s
    weight = [1.0]
    for n in range(1, places + 1):
        weight.append(weight[-1] * offered_load / min(n, servers))
        if weight[-1] > 1e200:  # only ratios count: keep the largest weights clear of overflow
            weight = [w * 1e-200 for w in weight]
    total = math.fsum(weight)
    blocked = weight[places] / total
    queue = math.fsum((n - servers) * weight[n] for n in range(servers + 1, places + 1)) / total
    admitted_per_s = arrival_per_s * (1.0 - blocked)
    return FiniteQueue(blocked, queue, queue / admitted_per_s, admitted_per_s * service_s / servers)


def mg1_wait_s(arrival_per_s: float, service_s: float, squared_cv: float) -> float:
    """Mean wait in M/G/1 [s].

    squared_cv is the variance of the service time over its squared mean (0: M/D/1, 1: M/M/1).
    Source: Pollaczek (1930), doi:10.1007/BF01194620.
    """
    utilisation = arrival_per_s * service_s
    if utilisation >= 1.0:
        return math.inf
    return utilisation * service_s * (1.0 + squared_cv) / (2.0 * (1.0 - utilisation))


def truck_queue(capacity: int, parcels_per_period: float) -> TruckQueue:
    """A truck with room for `capacity` parcels each period; a Poisson number of parcels comes evenly over the period.

    What is left behind follows X' = max(X + A - capacity, 0). Its generating function is
    c (z - 1) prod(z - z_k) / (z^capacity - A(z)), where z_k are the zeros of the denominator inside the unit circle,
    here in closed form through Lambert's W. The mean is its slope at 1.

    Source: Bailey (1954), doi:10.1111/j.2517-6161.1954.tb00149.x.
    """
    from scipy.special import lambertw

    if parcels_per_period >= capacity:
        return TruckQueue(math.inf, math.inf)
    fill = parcels_per_period / capacity
    zeros = (-lambertw(-fill * cmath.exp(2j * math.pi * k / capacity - fill)) / fill for k in range(1, capacity))
    sum_of_zeros = sum((1.0 / (1.0 - complex(zero))).real for zero in zeros)
    curvature = capacity * (capacity - 1) - parcels_per_period**2
    left_behind = sum_of_zeros - curvature / (2.0 * (capacity - parcels_per_period))
    return TruckQueue(left_behind, left_behind / parcels_per_period + 0.5)


class ImpatientQueue(NamedTuple):
    """Steady state of a station whose jobs leave the queue when their patience ends."""

    abandoned_share: float  # of arrivals
    wait_s: float  # in the queue, of all jobs
    queue: float  # jobs waiting, mean over time
    utilisation: float  # busy servers / servers


class RetrialQueue(NamedTuple):
    """Steady state of a station without a queue whose blocked customers come back."""

    blocked_share: float  # of new arrivals
    orbit: float  # customers between two attempts, mean over time


class Spike(NamedTuple):
    """A spike of demand in fluid."""

    backlog: float  # jobs at its end
    longest_wait_s: float
    cleared_s: float  # from the end of the spike until the backlog is gone


class Retried(NamedTuple):
    """Requests that are tried again when they fail."""

    attempts: float  # per request
    success_share: float  # of the requests


def erlang_a(servers: int, arrival_per_s: float, service_s: float, patience_s: float) -> ImpatientQueue:
    """M/M/c+M: exponential patience with a mean. The queue is cut where nobody is left in it.

    Source: Palm (1957), Research on telephone traffic carried by full availability groups, Tele 1;
    Garnett, Mandelbaum, Reiman (2002), doi:10.1287/msom.4.3.208.7753.
    """
    most = servers + 50 + math.ceil(10.0 * max(1.0, arrival_per_s * patience_s))
    weight = [1.0]
    for n in range(1, most + 1):
        leaving_per_s = min(n, servers) / service_s + max(n - servers, 0) / patience_s
        weight.append(weight[-1] * arrival_per_s / leaving_per_s)
        if weight[-1] > 1e200:  # only ratios count: keep the largest weights clear of overflow
            weight = [w * 1e-200 for w in weight]
    total = math.fsum(weight)
    queue = math.fsum((n - servers) * weight[n] for n in range(servers + 1, most + 1)) / total
    busy = math.fsum(min(n, servers) * weight[n] for n in range(most + 1)) / total
    return ImpatientQueue(queue / patience_s / arrival_per_s, queue / arrival_per_s, queue, busy / servers)


def priority_waits_s(arrivals_per_s: Sequence[float], service_s: float) -> list[float]:
    """Mean wait of each class in a non-pre-emptive priority M/M/1, the first class first [s].

    Source: Cobham (1954), doi:10.1287/opre.2.1.70.
    """
    residual_s = sum(arrivals_per_s) * service_s**2
    waits_s = []
    used = 0.0
    for arrival_per_s in arrivals_per_s:
        before, used = used, used + arrival_per_s * service_s
        waits_s.append(residual_s / ((1.0 - before) * (1.0 - used)) if used < 1.0 else math.inf)
    return waits_s


def mm1_retrial_orbit(arrival_per_s: float, service_s: float, return_per_s: float) -> float:
    """Mean number in orbit of M/M/1 without a queue, whose blocked customers each come back at a constant rate.

    Source: Falin, Templeton (1997), Retrial Queues, section 1.2, ISBN 978-0-412-78550-4.
    """
    load = arrival_per_s * service_s
    if load >= 1.0:
        return math.inf
    return load**2 / (1.0 - load) + load * arrival_per_s / ((1.0 - load) * return_per_s)


def mmc_retrial(servers: int, arrival_per_s: float, service_s: float, return_per_s: float) -> RetrialQueue:
    """M/M/c without a queue, whose blocked customers each come back at a constant rate.

    The chain over (customers in orbit, busy servers) is solved level by level, from an orbit so full that it does not matter
    what happens there. Source: Falin, Templeton (1997), Retrial Queues, sections 2.2 and 2.6, ISBN 978-0-412-78550-4.
    """
    import numpy as np

    if arrival_per_s * service_s >= servers:
        return RetrialQueue(1.0, math.inf)
    most = 200 + math.ceil(20.0 * mm1_retrial_orbit(arrival_per_s / servers, service_s, return_per_s))
    busy = np.arange(servers + 1)
    up = np.zeros((servers + 1, servers + 1))
    up[servers, servers] = arrival_per_s  # a blocked arrival joins the orbit
    serving = np.diag(np.where(busy < servers, arrival_per_s, 0.0)[:-1], 1) + np.diag(busy[1:] / service_s, -1)

    def level(orbit: int) -> tuple[np.ndarray, np.ndarray]:
        """Rates within a level and to the level below."""
        down = np.diag(np.full(servers, orbit * return_per_s), 1)
        leaving = serving.sum(axis=1) + down.sum(axis=1) + (up.sum(axis=1) if orbit < most else 0.0)
        return serving - np.diag(leaving), down

    # the share of level n is that of level n - 1 times rate[n]
    rate = [np.zeros_like(up)] * (most + 1)
    within, down = level(most)
    for orbit in range(most, 0, -1):
        rate[orbit] = up @ np.linalg.inv(-within)
        within_below, down_below = level(orbit - 1)
        within, down = within_below + rate[orbit] @ down, down_below
    share = np.linalg.lstsq(np.vstack([within.T, np.ones(servers + 1)]), np.r_[np.zeros(servers + 1), 1.0])[0]
    total, blocked, orbiting = 1.0, float(share[servers]), 0.0
    for orbit in range(1, most + 1):
        share = share @ rate[orbit]
        total += float(share.sum())
        blocked += float(share[servers])
        orbiting += orbit * float(share.sum())
    return RetrialQueue(blocked / total, orbiting / total)


def two_choices_sojourn_s(utilisation: float, service_s: float) -> float:
    """Mean time in a system of very many servers, when each job joins the shorter of two queues drawn at random [s].

    Source: Mitzenmacher (2001), doi:10.1109/71.963420.
    """
    if utilisation >= 1.0:
        return math.inf
    return service_s * math.fsum(utilisation ** (2.0**i - 2.0) for i in range(1, 60))


def sinusoid_load(mean_per_s: float, swing: float, period_s: float, service_s: float) -> tuple[float, float]:
    """Largest mean number of jobs in Mt/M/infinity, and when in the period that is [s].

    The arrival rate is mean_per_s x (1 + swing x sin(2 pi t / period_s)).
    Source: Eick, Massey, Whitt (1993), doi:10.1287/mnsc.39.2.241.
    """
    turn = 2.0 * math.pi / period_s
    peak = mean_per_s * service_s * (1.0 + swing / math.hypot(1.0, turn * service_s))
    return peak, period_s / 4.0 + math.atan(turn * service_s) / turn


def spike(capacity_per_s: float, base_per_s: float, peak_per_s: float, length_s: float) -> Spike:
    """Demand of peak_per_s for a while, of base_per_s before and after, in fluid: jobs are infinitely small.

    Source: Newell (1982), Applications of Queueing Theory, chapter 2, doi:10.1007/978-94-009-5970-5.
    """
    backlog = (peak_per_s - capacity_per_s) * length_s
    return Spike(backlog, backlog / capacity_per_s, backlog / (capacity_per_s - base_per_s))


def in_time_per_s(places: int, arrival_per_s: float, service_s: float, deadline_s: float) -> float:
    """Answers of M/M/1/K that come within a deadline of the arrival [1/s], when late work is done all the same.

    Who finds n jobs stays an Erlang time of n + 1 services. Source: Shortle, Thompson, Gross, Harris (2018), chapter 3,
    doi:10.1002/9781119453765.
    """
    from scipy.special import gammainc

    load = arrival_per_s * service_s
    total = math.fsum(load**n for n in range(places + 1))
    in_time = math.fsum(load**n * float(gammainc(n + 1, deadline_s / service_s)) for n in range(places))
    return arrival_per_s * in_time / total


def retried(failure_share: float, retries: int) -> Retried:
    """Attempts that fail independently, each request with so many retries: sums of a geometric series."""
    attempts = math.fsum(failure_share**k for k in range(retries + 1))
    return Retried(attempts, 1.0 - failure_share ** (retries + 1))


def retried_on_budget(failure_share: float, gain: float) -> Retried:
    """Retries that are paid by successes: each puts `gain` tokens into a bucket that is always empty, a retry takes one.

    With r retries per request, r = gain x (1 - failure share) x (1 + r). The retries allowed must be more than that.
    """
    attempts = 1.0 / (1.0 - gain * (1.0 - failure_share))
    return Retried(attempts, (1.0 - failure_share) * attempts)


def slow_share(fan_out: int, slow: float) -> float:
    """Share of the requests that wait for at least one slow answer, of `fan_out` asked at once.

    Source: Dean, Barroso (2013), doi:10.1145/2408776.2408794.
    """
    return 1.0 - (1.0 - slow) ** fan_out


def pooled_safety_stock(outlets: int) -> float:
    """Safety stock of one store for so many equal, independent outlets, as a share of what they need with stock of their own.

    Both keep the same chance of running out; demand is nearly normal. Source: Eppen (1979), doi:10.1287/mnsc.25.5.498.
    """
    return 1.0 / math.sqrt(outlets)
