"""Closed forms of queueing theory: the known answers that simulations are held against.

A queue that is not stable has no steady state; its mean wait is reported as infinite. `offered_load` is arrival rate x
service time.
"""

import cmath
import math
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
