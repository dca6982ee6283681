"""Overload, retries and what protects from them: checks B1 to B8."""

from typing import Any

import numpy as np

from sim import theory
from sim.lab.arrivals import poisson, steps
from sim.lab.checks.check import Check, Measures
from sim.lab.distributions import deterministic, empirical, exponential
from sim.lab.protection import token_bucket
from sim.lab.retries import retry
from sim.lab.stations import station
from sim.lab.writes import contention


def _spike() -> Check:
    capacity_per_s, base_per_s, peak_per_s, length_s = 1000.0, 600.0, 3000.0, 60.0
    begin_s = 10.0
    end_s = begin_s + length_s

    def expected(load: float) -> Measures:
        fluid = theory.spike(capacity_per_s / load, base_per_s, peak_per_s, length_s)
        return {
            "backlog at the end of the spike": fluid.backlog,
            "longest wait [s]": fluid.longest_wait_s,
            "backlog cleared after [s]": fluid.cleared_s,
        }

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = station(
            arrival=steps((0.0, base_per_s), (begin_s, peak_per_s), (end_s, base_per_s)),
            service=exponential(load / capacity_per_s),
            horizon_s=end_s + 350.0,
            seed=seed,
        )
        arrival_s, departure_s, wait_s = (jobs[name].to_numpy() for name in ("arrival_s", "departure_s", "wait_s"))
        at_once = arrival_s[(arrival_s > end_s) & (wait_s == 0.0)]
        return {
            "backlog at the end of the spike": float(np.sum((arrival_s < end_s) & (departure_s >= end_s))),
            "longest wait [s]": float(np.nanmax(wait_s)),
            "backlog cleared after [s]": float(at_once[0]) - end_s,
        }

    return Check("B1", "spike of 3000/s for 60 s over 600/s, capacity 1000/s, in fluid", expected, simulate)


def _late_work(capacity: int, jobs: int) -> Check:
    """Answers in time when late work is done all the same; the largest queue is so long that no answer is in time."""
    arrival_per_s, service_s, deadline_s, warm_up_s = 120.0, 0.01, 1.0, 100.0
    hopeless = theory.in_time_per_s(capacity, arrival_per_s, service_s, deadline_s) < 0.001

    def expected(load: float) -> Measures:
        if hopeless and load != 1.0:
            return {"answers in time [1/s]": 1.0 / service_s}
        longer = 1.0 if hopeless else load
        return {"answers in time [1/s]": theory.in_time_per_s(capacity, arrival_per_s, service_s * longer, deadline_s)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        table = station(
            arrival=poisson(arrival_per_s),
            service=exponential(service_s * (1.0 if hopeless else load)),
            capacity=capacity,
            timeout_s=deadline_s,
            cancel=hopeless and load != 1.0,
            jobs=round(jobs * share) + round(warm_up_s * arrival_per_s),
            seed=seed,
        )
        table = table[table["arrival_s"] >= warm_up_s]
        return {"answers in time [1/s]": arrival_per_s * float((table["outcome"] == "served").mean())}

    law = f"M/M/1/{capacity}, 120/s on 100/s, client's deadline 1 s, late work is done"
    if hopeless:
        return Check("B2", law, expected, simulate, "late work is cancelled", tolerance=0.001)
    return Check("B2", law, expected, simulate)


def _failures(failure_share: float, jobs: int) -> Check:
    def share_of(load: float) -> float:
        return failure_share if load == 1.0 else 0.9 * failure_share

    def expected(load: float) -> Measures:
        return _as_measures(theory.retried(share_of(load), 3))

    def simulate(seed: int, share: float, load: float) -> Measures:
        return _retried_requests(seed, round(jobs * share), share_of(load), retry(3, backoff="fixed", base_s=1.0))

    law = f"a share of {failure_share:g} of the attempts fails, 3 retries"
    return Check("B3", law, expected, simulate, "every tenth failure is missed")


def _retry_budget(failure_share: float, gain: float, jobs: int) -> Check:
    def gain_of(load: float) -> float:
        return gain if load == 1.0 else 1.2 * gain

    def expected(load: float) -> Measures:
        return _as_measures(theory.retried_on_budget(failure_share, gain_of(load)))

    def simulate(seed: int, share: float, load: float) -> Measures:
        policy = retry(3, backoff="fixed", base_s=1.0, budget=10.0, budget_gain=gain_of(load))
        return _retried_requests(seed, round(jobs * share), failure_share, policy)

    law = f"B3 with a retry budget: a success earns {gain:g}, a retry costs 1"
    return Check("B5", law, expected, simulate, "a success earns a fifth more", tolerance=2e-4)


def _as_measures(result: theory.Retried) -> Measures:
    return {"attempts per request": result.attempts, "share of requests answered": result.success_share}


def _retried_requests(seed: int, jobs: int, failure_share: float, policy: dict[str, Any]) -> Measures:
    """Requests to a station with a server for each."""
    table = station(
        arrival=poisson(1.0),
        service=exponential(0.1),
        servers=1000,
        failure_share=failure_share,
        retry=policy,
        jobs=jobs,
        seed=seed,
    )
    return {
        "attempts per request": float(table["attempts"].mean()),
        "share of requests answered": float((table["outcome"] == "served").mean()),
    }


def _after_a_flood(
    arrival_per_s: float,
    queue: int,
    recovers: bool,
    planted: str,
    *,
    wrong_retries: int = 4,
    wrong_queue: int | None = None,
) -> Check:
    """Whether the load that follows a flood is served: the retries of those who time out may keep the queue full for ever.

    The error that is planted, a wrong number of retries or a wrong queue, turns its fate.
    Source: Bronson, Aghayev, Charapko, Zhu (2021), Metastable failures in distributed systems, doi:10.1145/3458336.3465286.
    """
    settled_s = 600.0

    def expected(load: float) -> Measures:
        return {"share of requests answered": float(recovers if load == 1.0 else not recovers)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        wrong = load != 1.0
        table = station(
            arrival=steps((0.0, arrival_per_s), (60.0, 95.0), (120.0, arrival_per_s)),
            service=exponential(0.1),
            capacity=1 + (wrong_queue if wrong and wrong_queue is not None else queue),
            timeout_s=3.0,
            cancel=False,
            retry=retry(wrong_retries if wrong else 4, on=["timed_out"]),
            horizon_s=settled_s + max(200.0, 1000.0 * share),
            seed=seed,
        )
        late = table[(table["arrival_s"] >= settled_s) & (table["outcome"] != "unfinished")]
        return {"share of requests answered": float((late["outcome"] == "served").mean())}

    fate = "recovers" if recovers else "stays dead"
    law = (
        f"{arrival_per_s:g}/s on 10/s after a flood of 95/s for 60 s, queue of {queue}, timeout 3 s, 4 retries: {fate}"
    )
    return Check("B4", law, expected, simulate, planted, tolerance=0.05)


def _optimistic_writes(name: str, calls: float, tolerance: float, policy: dict[str, Any]) -> Check:
    """Calls as estimated with the program of Brooker (2015); its exponent starts at 1, hence twice the base at first."""

    def expected(load: float) -> Measures:
        return {"calls": calls * load}  # calls grow at least in proportion to the clients

    def simulate(seed: int, share: float, load: float) -> Measures:
        clients = 100 if load == 1.0 else round(100 * load) + 1
        return {
            "calls": float(contention(clients=clients, retry=policy, runs=max(1, round(100 * share)), seed=seed).mean())
        }

    law = f"100 clients each win one optimistic write, {name}"
    return Check("B6", law, expected, simulate, "3 % more clients", tolerance)


def _token_bucket() -> Check:
    rate_per_s, burst, offered_per_s, horizon_s = 100.0, 50.0, 150.0, 10.0

    def expected(load: float) -> Measures:
        filled_per_s = rate_per_s * load
        return {
            "requests that pass in 10 s": burst + filled_per_s * horizon_s,
            "first refused after [0.01 s]": 100.0 * burst / (offered_per_s - filled_per_s),
        }

    def simulate(seed: int, share: float, load: float) -> Measures:
        table = station(
            arrival=deterministic(1.0 / offered_per_s),
            service=deterministic(0.001),
            servers=1000,
            rate_limit=token_bucket(rate_per_s * load, burst),
            horizon_s=horizon_s,
            seed=seed,
        )
        refused = (table["outcome"] == "rejected").to_numpy()
        return {
            "requests that pass in 10 s": float(np.sum(~refused)),
            "first refused after [0.01 s]": 100.0 * float(table["arrival_s"].to_numpy()[refused][0]),
        }

    law = "token bucket of 100/s with a burst of 50, offered 150/s"
    return Check("B7", law, expected, simulate, "3 % more tokens", tolerance=2.0)


def _fan_out(fan_out: int, slow: float, requests: int) -> Check:
    def slow_of(load: float) -> float:
        return slow if load == 1.0 else 1.1 * slow

    def expected(load: float) -> Measures:
        return {"share of slow requests": theory.slow_share(fan_out, slow_of(load))}

    def simulate(seed: int, share: float, load: float) -> Measures:
        table = station(
            arrival=deterministic(1e-3),
            service=empirical([0.001, 0.1], [1.0 - slow_of(load), slow_of(load)]),
            servers=1000,
            jobs=fan_out * max(1, round(requests * share)),
            seed=seed,
        )
        slow_answers = (table["sojourn_s"].to_numpy() > 0.05).reshape(-1, fan_out)
        return {"share of slow requests": float(slow_answers.any(axis=1).mean())}

    law = f"fan-out of {fan_out}, each slow with {100 * slow:g} %"
    return Check("B8", law, expected, simulate, "a tenth more of them are slow")


_WAITS: dict[str, Any] = {"base_s": 0.010, "cap_s": 2.0}

CHECKS = (
    _spike(),
    *(_late_work(capacity, jobs=400_000) for capacity in (10, 50, 100, 120, 200)),
    *(_failures(failure_share, jobs) for failure_share, jobs in ((0.1, 400_000), (0.5, 50_000), (1.0, 10_000))),
    _after_a_flood(1.5, 100, True, "20 retries", wrong_retries=20),
    *(_after_a_flood(rate, 100, False, "no retries", wrong_retries=0) for rate in (5.0, 7.0, 8.0)),
    *(_after_a_flood(rate, 25, True, "queue of 1000", wrong_queue=1000) for rate in (5.0, 7.0, 8.0, 9.0)),
    _retry_budget(0.5, 0.1, jobs=200_000),
    _optimistic_writes("no backoff", 2426, 10, retry()),
    _optimistic_writes("exponential backoff", 1846, 20, retry(backoff="exponential", **_WAITS)),
    _optimistic_writes("equal jitter", 812, 3, retry(backoff="exponential", jitter="equal", **_WAITS)),
    _optimistic_writes("full jitter", 796, 3, retry(backoff="exponential", jitter="full", **_WAITS)),
    _token_bucket(),
    _fan_out(100, 0.01, requests=2000),
)
