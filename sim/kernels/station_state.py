"""What stations and their jobs consist of, in arrays; see `station.py`."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.kernels.departures import Departures, idle_slots, with_leaves

# what became of a job that left
SERVED = 0
REJECTED = 1
TIMED_OUT = 2

# dispatch: how an arrival finds its lane
CENTRAL = 0
RANDOM = 1
ROUND_ROBIN = 2
TWO_CHOICES = 3  # the shorter of two lanes drawn at random (Mitzenmacher 2001, doi:10.1109/71.963420)
LEAST_CONNECTIONS = 4

# how the next timeout of a station is found
FIRST_IN_LINE = 0  # one queue and one timeout for all: the first in line is the next
BY_DEADLINE = 1  # a heap of deadlines, one timeout for all
OWN_PATIENCE = 2  # a heap of deadlines, each job has its own patience

NOBODY = -1


class Stations(NamedTuple):
    """State of all stations of one cell: S stations, N lanes in all, P priorities."""

    dispatch: np.ndarray  # int64[S]
    timer: np.ndarray  # int64[S]
    limit: np.ndarray  # int64[S], waiting places of each of its lanes
    timeout_s: np.ndarray  # float64[S], longest wait; inf: none
    first: np.ndarray  # int64[S], its first lane
    lanes: np.ndarray  # int64[S], lanes that take new jobs; may change while jobs are present
    turn: np.ndarray  # int64[S], jobs dispatched so far
    busy: np.ndarray  # int64[S], jobs in service
    waiting: np.ndarray  # int64[S], jobs in queues
    departures: Departures  # the jobs in service
    deadline_s: np.ndarray  # float64[S, D], deadlines of the waiting jobs as a binary heap; unused with FIRST_IN_LINE
    deadline_job: np.ndarray  # int32[S, D]
    lane_slots: np.ndarray  # int64[N], slots of the lane; may change while jobs are present
    lane_busy: np.ndarray  # int64[N]
    lane_waiting: np.ndarray  # int64[N]
    head: np.ndarray  # int32[N, P], first job of the lane's queue of each priority
    tail: np.ndarray  # int32[N, P], last job of it


JOB = np.dtype(
    [
        ("key", np.int64),  # set: the job's identity, decides ties
        ("service_s", np.float64),  # set: time that it needs at the present station
        ("arrival_s", np.float64),  # at the present station
        ("start_s", np.float64),  # start of service there
        ("lane", np.int32),
        ("ahead", np.int32),  # the neighbours in its queue
        ("behind", np.int32),
        ("place", np.int32),  # its place in the heap of deadlines
        ("priority", np.int8),  # set: 0 is served first
        ("choice", np.uint64),  # set where a station dispatches at random: random bits
        ("patience_s", np.float64),  # set where a station asks for it: longest wait there
    ],
    align=True,
)
"""A job that stations hold; rows are reused. The caller sets what is marked before it hands a job over."""

Jobs = NDArray[np.void]
"""Records with at least the fields of JOB: a kernel is compiled for whatever else its caller keeps in them."""


def empty_stations(
    slots: np.ndarray,
    limit: np.ndarray,
    timeout_s: np.ndarray,
    *,
    servers: np.ndarray | None = None,
    dispatch: np.ndarray | None = None,
    own_patience: np.ndarray | None = None,
    priorities: int = 1,
    jobs: int = 0,
) -> Stations:
    """Idle stations.

    Parameters
    ----------
    slots : int64[S], slots of each lane: of the whole station under central dispatch, else of one server
    limit : int64[S], waiting places of each lane
    timeout_s : float64[S], longest wait, inf: none
    servers : int64[S], lanes; 1 under central dispatch, which is the default
    dispatch : int64[S], default CENTRAL
    own_patience : bool[S], whether jobs bring their own patience; default no
    priorities : number of priority classes
    jobs : most jobs that may wait, for the heaps of deadlines
    """
    n = slots.size
    servers = np.ones(n, np.int64) if servers is None else servers.astype(np.int64)
    dispatch = np.zeros(n, np.int64) if dispatch is None else dispatch.astype(np.int64)
    own = np.zeros(n, np.bool_) if own_patience is None else own_patience
    in_line = (servers == 1) & (priorities == 1)
    lanes = int(servers.sum())
    timer = np.where(own, OWN_PATIENCE, np.where(in_line | np.isinf(timeout_s), FIRST_IN_LINE, BY_DEADLINE))
    deadlines = max(1, jobs) if (timer != FIRST_IN_LINE).any() else 1
    return Stations(
        dispatch=dispatch,
        timer=timer.astype(np.int64),
        limit=limit.astype(np.int64),
        timeout_s=timeout_s.astype(np.float64),
        first=np.concatenate([[0], np.cumsum(servers)[:-1]]).astype(np.int64),
        lanes=servers,
        turn=np.zeros(n, np.int64),
        busy=np.zeros(n, np.int64),
        waiting=np.zeros(n, np.int64),
        departures=idle_slots(slots * servers),
        deadline_s=np.zeros((n, deadlines)),
        deadline_job=np.zeros((n, deadlines), np.int32),
        lane_slots=np.repeat(slots.astype(np.int64), servers),
        lane_busy=np.zeros(lanes, np.int64),
        lane_waiting=np.zeros(lanes, np.int64),
        head=np.full((lanes, priorities), NOBODY, np.int32),
        tail=np.full((lanes, priorities), NOBODY, np.int32),
    )


def with_room(stations: Stations, slots: int, s: int | None = None) -> Stations:
    """The same stations with room for so many jobs in service at station s; None: at each."""
    needed = np.zeros(stations.busy.size, np.int64)
    needed[slice(None) if s is None else s] = slots
    if (needed <= stations.departures.leaves).all():
        return stations
    return stations._replace(departures=with_leaves(stations.departures, needed))


def empty_jobs(n: int) -> Jobs:
    """Room for n jobs: JOB[n]."""
    jobs = np.zeros(n, JOB)
    jobs["patience_s"] = np.inf
    jobs["start_s"] = np.nan
    for neighbour in ("ahead", "behind", "place"):
        jobs[neighbour] = NOBODY
    return jobs
