"""What stands in front of a station: circuit breaker, rate limit, concurrency limit, shedding, and the degraded mode.

    arrival -> token bucket -> concurrency limit -> breaker -> deadline -> [ simpler answer ] -> station
                                                       ^------ served in time, slow, shed, refused, timed out ------'

A guard judges by what has happened up to the instant of an arrival, so that a guarded station is advanced from arrival to
arrival. At one instant departures and timeouts come first, then the guards, then the arrival.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.protection import BREAKER_SIZE, REFUSED, comes_in_time, has_room, permit, take_token, tell
from sim.kernels.station import REJECTED, SERVED, advance_station

NO_LIMIT = np.iinfo(np.int64).max


class Guards(NamedTuple):
    """The guards of S stations; see `protection` for the rules."""

    any: np.ndarray  # bool[S], whether a station has one
    rate_per_s: np.ndarray  # float64[S], inf: no rate limit
    burst: np.ndarray  # float64[S], tokens that the bucket holds
    warm_up_s: np.ndarray  # float64[S], from t = 0 until the full rate
    cold_share: np.ndarray  # float64[S], of the full rate at t = 0
    most: np.ndarray  # int64[S], requests waiting and served; NO_LIMIT: no limit
    deadline_s: np.ndarray  # float64[S], from the page's request; inf: nothing is shed
    mean_s: np.ndarray  # float64[S], mean service, by which waits are foreseen
    window: np.ndarray  # int64[S], answers that the breaker judges by; 0: no breaker
    least_answers: np.ndarray  # int64[S]
    failure_share: np.ndarray  # float64[S]
    slow_s: np.ndarray  # float64[S]
    open_s: np.ndarray  # float64[S]
    trials: np.ndarray  # int64[S]
    simple_from: np.ndarray  # int64[S], waiting requests at which the degraded mode begins; NO_LIMIT: never
    simple_until: np.ndarray  # int64[S], at which it ends
    simple_share: np.ndarray  # float64[S], of the service time
    bucket: np.ndarray  # float64[S, 2], state of the token buckets
    breaker: np.ndarray  # int64[S, BREAKER_SIZE + W], state of the breakers
    opened_s: np.ndarray  # float64[S, 1], when they last opened
    simple: np.ndarray  # bool[S], degraded at present
    next_s: np.ndarray  # float64[1], the arrival that is let in
    next_job: np.ndarray  # int32[1]


def fresh_guards(rules: dict[str, np.ndarray]) -> Guards:
    """Guards at t = 0: full token buckets, closed breakers. rules: the fields from `rate_per_s` to `simple_share`."""
    n = rules["most"].size
    guarded = (
        (rules["rate_per_s"] < np.inf)
        | (rules["most"] < NO_LIMIT)
        | (rules["deadline_s"] < np.inf)
        | (rules["window"] > 0)
        | (rules["simple_from"] < NO_LIMIT)
    )
    return Guards(
        any=guarded,
        **rules,
        bucket=np.column_stack([rules["burst"], np.zeros(n)]),
        breaker=np.zeros((n, BREAKER_SIZE + int(rules["window"].max(initial=0))), np.int64),
        opened_s=np.zeros((n, 1)),
        simple=np.zeros(n, np.bool_),
        next_s=np.zeros(1),
        next_job=np.zeros(1, np.int32),
    )


@inlined
def _hear(station, time_s, generation, failed, guards):
    """Tell the breaker of an answer."""
    if guards.window[station] > 0:
        tell(
            guards.breaker[station], guards.opened_s[station], time_s, generation, failed, guards.window[station],
            guards.least_answers[station], guards.failure_share[station], guards.trials[station],
        )  # fmt: skip


@inlined
def _has_place(station, time_s, stations, guards):
    """Whether rate limit and concurrency limit let an arrival in."""
    bucket, rate_per_s, burst = guards.bucket[station], guards.rate_per_s[station], guards.burst[station]
    if rate_per_s < np.inf and not take_token(
        bucket, time_s, rate_per_s, burst, 0.0, guards.warm_up_s[station], guards.cold_share[station]
    ):
        return False
    return has_room(stations.waiting[station] + stations.busy[station], guards.most[station])


@inlined
def _is_in_time(station, time_s, sent_s, stations, guards):
    """Whether an answer may be expected before the deadline."""
    if guards.deadline_s[station] == np.inf:
        return True
    slots = stations.lanes[station] * stations.lane_slots[stations.first[station]]
    left_s = sent_s + guards.deadline_s[station] - time_s
    return comes_in_time(stations.waiting[station], stations.busy[station], slots, guards.mean_s[station], left_s)


@inlined
def _is_simple(station, waiting, guards):
    """Whether the station answers in its degraded mode, which begins and ends with the length of its queue."""
    if waiting >= guards.simple_from[station]:
        guards.simple[station] = True
    elif waiting <= guards.simple_until[station]:
        guards.simple[station] = False
    return guards.simple[station]


@kernel
def advance_guarded(station, end_s, in_s, in_job, n, stations, jobs, guards, out_s, out_job, out_kind):
    """Work out every event of a station with guards before end_s, and none at or after it.

    Parameters
    ----------
    in_s, in_job, n, out_s, out_job, out_kind : as of `station.advance_station`
    jobs : with `sent_s`, since when the browser waits, and `error`; `generation` and `simple` are results

    Returns the number of jobs that left.
    """
    left = 0
    heard = 0
    held = 0
    for i in range(n + 1):
        until_s = np.nextafter(in_s[i], np.inf) if i < n else end_s
        left += advance_station(
            station, until_s, guards.next_s, guards.next_job, held, stations, jobs,
            out_s[left:], out_job[left:], out_kind[left:],
        )  # fmt: skip
        held = 0
        while heard < left:
            job = out_job[heard]
            slow = out_s[heard] - jobs[job].arrival_s > guards.slow_s[station]
            failed = out_kind[heard] != SERVED or jobs[job].error or slow
            _hear(station, out_s[heard], jobs[job].generation, failed, guards)
            heard += 1
        if i == n:
            break
        time_s, job = in_s[i], in_job[i]
        jobs[job].generation = 0
        jobs[job].simple = False
        refused = not _has_place(station, time_s, stations, guards)
        if not refused and guards.window[station] > 0:
            jobs[job].generation = permit(
                guards.breaker[station], guards.opened_s[station], time_s, guards.open_s[station],
                guards.trials[station],
            )  # fmt: skip
            refused = jobs[job].generation == REFUSED
        if not refused and not _is_in_time(station, time_s, jobs[job].sent_s, stations, guards):
            _hear(station, time_s, jobs[job].generation, True, guards)
            refused = True
        if refused:
            jobs[job].arrival_s = time_s
            jobs[job].start_s = np.nan
            out_s[left] = time_s
            out_job[left] = job
            out_kind[left] = REJECTED
            left += 1
            heard += 1
            continue
        if _is_simple(station, stations.waiting[station], guards):
            jobs[job].simple = True
            jobs[job].service_s *= guards.simple_share[station]
        guards.next_s[0] = time_s
        guards.next_job[0] = job
        held = 1
    return left
