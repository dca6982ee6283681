"""Single stations and lanes for anyone who wants to test a queue, on the kernels of the festival itself.

>>> from sim import lab
>>> jobs = lab.station(arrival=lab.poisson(0.8), service=lab.exponential(1.0), servers=1, jobs=1000, seed=1)
>>> list(jobs.columns)[:6]
['job', 'priority', 'arrival_s', 'start_s', 'finished_s', 'departure_s']
>>> list(jobs.columns)[6:]
['wait_s', 'sojourn_s', 'outcome', 'attempts', 'backoff_s', 'outside_s', 'place', 'degraded']
>>> parcels = lab.hub(arrival_per_period=9.0, capacity=10, headway_s=60.0, periods=100, seed=1)
>>> list(parcels.columns)
['arrival_s', 'depart_s', 'wait_s']
"""

from sim.lab.arrivals import poisson, sinusoid, steps
from sim.lab.distributions import deterministic, empirical, exponential, gamma, hyperexponential, lognormal
from sim.lab.farms import farm
from sim.lab.hubs import hub
from sim.lab.protection import circuit_breaker, concurrency_limit, degraded_mode, shedding, token_bucket
from sim.lab.retries import retry
from sim.lab.roads import road
from sim.lab.stations import station
from sim.lab.stores import stores
from sim.lab.tours import tours
from sim.lab.writes import contention

__all__ = [
    "circuit_breaker",
    "concurrency_limit",
    "contention",
    "degraded_mode",
    "deterministic",
    "empirical",
    "exponential",
    "farm",
    "gamma",
    "hub",
    "hyperexponential",
    "lognormal",
    "poisson",
    "retry",
    "road",
    "shedding",
    "sinusoid",
    "station",
    "steps",
    "stores",
    "token_bucket",
    "tours",
]
