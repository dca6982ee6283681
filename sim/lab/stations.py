"""One station, for anyone who wants to test a queue: the same kernel that serves the site's requests.

arrival, service, ... -> draws -> sim.kernels.station, or sim.kernels.retrial where clients look after themselves -> table
"""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.draws import stream
from sim.kernels import recursion, retrial_state, times
from sim.kernels import station as kernels
from sim.lab.arrivals import arrivals
from sim.lab.distributions import Specification, Times
from sim.lab.protection import gate_of
from sim.lab.retries import FIRST_TICKETS, policy_of, serve_clients
from sim.lab.station_params import DISPATCHES, MOST_JOBS, Dispatch, StationParams
from sim.params import build

if TYPE_CHECKING:
    import pandas as pd

OUTCOMES = ("served", "rejected", "timed_out", "unfinished", "failed")


class Served(NamedTuple):
    """What became of each job of a station. Arrays of equal length."""

    start_s: Times  # NaN: never started
    departure_s: Times  # NaN: unfinished
    outcome: np.ndarray[tuple[int], np.dtype[np.int8]]  # index into OUTCOMES


def station(
    *,
    arrival: Specification,
    service: Specification,
    servers: int = 1,
    slots: int = 1,
    dispatch: Dispatch = "central",
    capacity: int | None = None,
    timeout_s: float | None = None,
    cancel: bool = True,
    patience: Specification | None = None,
    priority: tuple[float, ...] | None = None,
    failure_share: float = 0.0,
    rate_limit: dict[str, Any] | None = None,
    concurrency: dict[str, Any] | None = None,
    breaker: dict[str, Any] | None = None,
    shed: dict[str, Any] | None = None,
    degrade: dict[str, Any] | None = None,
    retry: dict[str, Any] | None = None,
    jobs: int | None = None,
    horizon_s: float | None = None,
    seed: int = 1,
) -> "pd.DataFrame":
    """Simulate one station from empty, first come first served, and return its table of jobs.

    Parameters
    ----------
    arrival : distribution of the gaps between arrivals, such as `poisson(48 / 60)`, or `steps` or `sinusoid`
    service : distribution of the service times, such as `exponential(60.0)`; each attempt draws its own
    servers, slots : machines, and places to serve in each
    dispatch : central: one queue feeds all servers; else each has its own, and an arrival goes to one at random, to each in
        turn (round_robin), to the one with fewer jobs of two at random (two_choices) or of all (least_connections)
    capacity : jobs that a queue and the slots it feeds hold, so of the whole station under central dispatch, of each server
        under any other; None: no limit
    timeout_s : how long a client waits [s]; None: without end. With cancel, for its service to start: then the job leaves the
        queue. Without cancel, for its answer: then the client leaves, and the work is done all the same
    patience : distribution of how long each job waits in the queue before it leaves unserved; it counts as timed out
    priority : shares of the jobs in the classes 0, 1, ..., of which the smallest is served first, without pre-emption
    failure_share : of the services, whose answer is an error
    rate_limit : a bucket of tokens in front of the station, see `token_bucket`
    concurrency : most attempts inside at once, and a waiting room for those beyond, see `concurrency_limit`
    breaker : rejects all for a while when too many of the last attempts came to nothing, see `circuit_breaker`
    shed : rejects an attempt whose answer would come too late, see `shedding`
    degrade : serves faster while the queue is long, see `degraded_mode`
    retry : what clients do about an attempt that was rejected, timed out or failed, see `retry`; None: nothing
    jobs : number of arrivals; without a horizon the run ends when all of them have left
    horizon_s : end of the run [s]; events at or after it do not happen. One of jobs and horizon_s has to be given
    seed : of the draws; equal seeds give equal jobs to every station, whatever its servers

    Returns
    -------
    One row a job, in order of arrival: `job`, `priority`, `arrival_s`; of its last attempt `start_s` and `finished_s` of the
    service (NaN: not yet, or never; the end may come after the client has gone) and `wait_s` in the queue; `departure_s` of the
    client in whatever way (NaN: unfinished); `sojourn_s` from arrival to departure (`wait_s` and `sojourn_s` are NaN for rejected
    jobs); the category `outcome`: served, rejected, timed_out, unfinished or failed; `attempts`, and `backoff_s` between them;
    of its last attempt `outside_s` in the waiting room (NaN: refused before, or still there), its `place` in that line (0: none),
    and whether it was let in to be served `degraded`. An attempt passes, in this order, rate limit, concurrency limit, breaker
    and shedding; what one of them refuses is rejected.

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    given = {
        "arrival": arrival,
        "service": service,
        "servers": servers,
        "slots": slots,
        "dispatch": dispatch,
        "capacity": capacity,
        "timeout_s": timeout_s,
        "cancel": cancel,
        "patience": patience,
        "priority": priority,
        "failure_share": failure_share,
        "rate_limit": rate_limit,
        "concurrency": concurrency,
        "breaker": breaker,
        "shed": shed,
        "degrade": degrade,
        "retry": retry,
        "jobs": jobs,
        "horizon_s": horizon_s,
        "seed": seed,
    }
    params = build(StationParams, {name: _plain(value) for name, value in given.items()})
    clients = _clients(params)
    if params.plain:
        _pass_through(params, clients)
    else:
        _look_after_themselves(params, clients)
    return _table(clients)


def _advance(stations: kernels.Stations, jobs: kernels.Jobs, arrival_s: Times, end_s: float) -> Served:
    """Send jobs through station 0 in one window: by the recursion where it does the same."""
    n = arrival_s.size
    jobs["key"][:] = np.arange(n)
    out_s, out_job, out_kind = np.empty(n), np.empty(n, np.int32), np.full(n, kernels.SERVED, np.int8)
    if n > 0 and recursion.suits(stations, 0, n):
        slots = min(int(stations.lane_slots[0]), n)
        start_s, service_s, tree = np.empty(n), np.ascontiguousarray(jobs["service_s"]), recursion.empty_tree(slots)
        left = recursion.serve_all(end_s, arrival_s, service_s, slots, *tree, start_s, out_s, out_job)
        jobs["start_s"][:] = start_s
    else:
        inbox_job = np.arange(n, dtype=np.int32)
        left = kernels.advance_station(0, end_s, arrival_s, inbox_job, n, stations, jobs, out_s, out_job, out_kind)
    departure_s = np.full(n, np.nan)
    outcome = np.full(n, retrial_state.UNFINISHED, np.int8)
    departure_s[out_job[:left]] = out_s[:left]
    outcome[out_job[:left]] = out_kind[:left]
    return Served(jobs["start_s"], departure_s, outcome)


def _plain(value: Any) -> Any:
    """NumPy's scalars and arrays as Python's numbers and lists, so that they are checked like them."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value.tolist() if isinstance(value, np.ndarray) else value


def _clients(params: StationParams) -> retrial_state.Clients:
    """All who arrive before the end, with what they bring."""
    most = MOST_JOBS if params.jobs is None else params.jobs
    horizon_s = math.inf if params.horizon_s is None else params.horizon_s
    arrival_s = arrivals(params.arrival, stream(params.seed, "lab.arrival"), most, horizon_s)
    n = arrival_s.size
    priority = np.zeros(n, np.int8)
    if params.priority is not None:
        cumulative = np.cumsum(params.priority) / np.sum(params.priority)
        times.draw_classes(cumulative, stream(params.seed, "lab.priority"), priority)
    patience_s = None
    if params.patience is not None:
        patience_s = params.patience.draw(stream(params.seed, "lab.patience"), n)
        if params.cancel and params.timeout_s is not None:
            patience_s = np.minimum(patience_s, params.timeout_s)
    return retrial_state.new_clients(arrival_s, patience_s, priority)


def _stations(params: StationParams, jobs: int) -> kernels.Stations:
    """The idle station, with room for so many jobs."""
    central = params.dispatch == "central"
    return kernels.empty_stations(
        np.array([min(params.places, max(1, jobs)) if central else params.slots]),
        np.array([retrial_state.NO_LIMIT if params.capacity is None else params.capacity - params.places]),
        np.array([params.timeout_s if params.timeout_s is not None and params.cancel else math.inf]),
        servers=np.array([1 if central else params.servers]),
        dispatch=np.array([DISPATCHES[params.dispatch]]),
        own_patience=np.array([params.patience is not None]),
        priorities=1 if params.priority is None else len(params.priority),
        jobs=jobs,
    )


def _pass_through(params: StationParams, clients: retrial_state.Clients) -> None:
    """One attempt each, all in one window; fills the clients' rows."""
    n = clients.arrival_s.size
    jobs = kernels.empty_jobs(n)
    jobs["service_s"][:] = params.service.draw(stream(params.seed, "lab.service"), n)
    jobs["priority"][:] = clients.priority
    if params.patience is not None:
        jobs["patience_s"][:] = clients.patience_s
    if params.dispatch in ("random", "two_choices"):
        times.draw_bits(stream(params.seed, "lab.choice"), jobs["choice"])
    end_s = math.inf if params.horizon_s is None else params.horizon_s
    served = _advance(_stations(params, n), jobs, clients.arrival_s, end_s)
    clients.attempts[:] = 1
    clients.attempt_s[:] = clients.entry_s[:] = clients.arrival_s
    clients.start_s[:] = served.start_s
    clients.departure_s[:] = served.departure_s
    clients.outcome[:] = served.outcome
    clients.finished_s[:] = np.where(served.outcome == kernels.SERVED, served.departure_s, np.nan)


def _look_after_themselves(params: StationParams, clients: retrial_state.Clients) -> None:
    """Clients with deadlines, failures and retries, event by event; fills their rows."""
    names = ("lab.service", "lab.choice", "lab.failure", "lab.backoff")
    serve_clients(
        clients,
        policy_of(params.retry, deadline_s=params.deadline_s, failure_share=params.failure_share),
        gate_of(
            params.rate_limit,
            params.concurrency,
            params.breaker,
            params.degrade,
            within_s=params.within_s,
            mean_s=params.service.mean_s,
            slots=params.servers * params.slots,
        ),
        retrial_state.Keys(*(stream(params.seed, name) for name in names)),
        params.service.distribution(),
        _stations(params, FIRST_TICKETS),
        stops_s=(math.inf if params.horizon_s is None else params.horizon_s,),
    )


def _table(clients: retrial_state.Clients) -> "pd.DataFrame":
    import pandas as pd

    timed_out = clients.outcome == kernels.TIMED_OUT
    queued_until_s = np.where(timed_out & np.isnan(clients.start_s), clients.departure_s, clients.start_s)
    rejected = clients.outcome == kernels.REJECTED
    return pd.DataFrame(
        {
            "job": np.arange(clients.arrival_s.size),
            "priority": clients.priority,
            "arrival_s": clients.arrival_s,
            "start_s": clients.start_s,
            "finished_s": clients.finished_s,
            "departure_s": clients.departure_s,
            "wait_s": queued_until_s - clients.entry_s,
            "sojourn_s": np.where(rejected, np.nan, clients.departure_s - clients.arrival_s),
            "outcome": pd.Categorical.from_codes(clients.outcome, categories=list(OUTCOMES)),
            "attempts": clients.attempts,
            "backoff_s": clients.backoff_s,
            "outside_s": clients.entry_s - clients.attempt_s,
            "place": clients.place,
            "degraded": clients.degraded,
        },
        copy=False,
    )
