"""Peakday: a station after the other, all customers at once, for nobody comes back.

Twice: by the recursion, which suits stations that nothing limits or changes, and event by event with the kernel that
serves the site's requests. At each station customers are numbered anew, in the order of their arrival there.
"""

import math

import numpy as np

from experiments._bench.workloads import Case, Serve
from sim.kernels import recursion
from sim.kernels import station as events
from sim.lab.distributions import Times

NO_LIMIT = np.iinfo(np.int64).max


def by_recursion(case: Case) -> Serve:
    """The kernel for stations without a limit, timeout or change."""
    n = case.gap_s.size
    slots = min(case.servers, n)

    def serve() -> Times:
        tree = recursion.empty_tree(slots)
        start_s, out_job = np.empty(n), np.empty(n, np.int32)
        time_s = np.cumsum(case.gap_s)
        for service_s in case.service_s:
            out_s = np.empty(n)
            recursion.serve_all(math.inf, time_s, service_s, slots, *tree, start_s, out_s, out_job)
            time_s = out_s
        return time_s

    return serve


def by_events(case: Case) -> Serve:
    """The kernel with all that a station may have."""
    n = case.gap_s.size
    slots = min(case.servers, n)

    def serve() -> Times:
        jobs = events.empty_jobs(n)
        jobs["key"][:] = np.arange(n)
        inbox_job, out_job, out_kind = np.arange(n, dtype=np.int32), np.empty(n, np.int32), np.empty(n, np.int8)
        time_s = np.cumsum(case.gap_s)
        for service_s in case.service_s:
            station = events.empty_stations(np.array([slots]), np.array([NO_LIMIT]), np.array([math.inf]))
            jobs["service_s"][:] = service_s
            out_s = np.empty(n)
            events.advance_station(0, math.inf, time_s, inbox_job, n, station, jobs, out_s, out_job, out_kind)
            time_s = out_s
        return time_s

    return serve
