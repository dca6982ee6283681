"""Single stations and lanes for anyone who wants to test a queue, on the kernels of the festival itself.

>>> from sim import lab
>>> jobs = lab.station(arrival=lab.poisson(0.8), service=lab.exponential(1.0), servers=1, jobs=1000, seed=1)
>>> list(jobs.columns)
['job', 'arrival_s', 'start_s', 'departure_s', 'wait_s', 'sojourn_s', 'outcome']
>>> parcels = lab.hub(arrival_per_period=9.0, capacity=10, headway_s=60.0, periods=100, seed=1)
>>> list(parcels.columns)
['arrival_s', 'depart_s', 'wait_s']
"""

from sim.lab.distributions import deterministic, exponential, hyperexponential, lognormal, poisson
from sim.lab.hubs import hub
from sim.lab.stations import station

__all__ = ["deterministic", "exponential", "hub", "hyperexponential", "lognormal", "poisson", "station"]
