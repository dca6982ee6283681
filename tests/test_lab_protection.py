"""What protects a station of the lab: limits, the waiting room, circuit breaker, shedding, degraded mode."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim import lab
from sim.params import ParameterError

CROWDED: dict[str, Any] = {"arrival": lab.poisson(3.6), "service": lab.exponential(1.0), "servers": 4}
EVERY_SECOND: dict[str, Any] = {"arrival": lab.deterministic(1.0)}


def problems(**arguments) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        lab.station(**CROWDED | {"jobs": 5} | arguments)
    return caught.value.problems


def test_a_concurrency_limit_refuses_whom_a_finite_queue_refuses() -> None:
    limited = lab.station(**CROWDED, jobs=2000, concurrency=lab.concurrency_limit(7))
    finite = lab.station(**CROWDED, jobs=2000, capacity=7)
    assert (limited["outcome"] == "rejected").sum() > 50
    same = ["start_s", "departure_s", "wait_s", "outcome"]
    pd.testing.assert_frame_equal(limited[same], finite[same])


def test_it_limits_what_is_inside_though_its_clients_are_gone() -> None:
    jobs = lab.station(
        **EVERY_SECOND,
        service=lab.deterministic(10.0),
        timeout_s=10.0,
        cancel=False,
        concurrency=lab.concurrency_limit(2),
        jobs=20,
    )
    let_in_s = jobs.loc[jobs["outcome"] != "rejected", "arrival_s"]
    assert list(let_in_s) == [1.0, 2.0, 11.0]
    assert list(jobs.loc[jobs["arrival_s"].isin(let_in_s), "finished_s"]) == [11.0, 21.0, 31.0]


def test_who_waits_outside_is_let_in_when_a_server_falls_free_and_leaves_as_from_a_queue() -> None:
    outside = lab.station(**CROWDED, jobs=2000, concurrency=lab.concurrency_limit(4, waiting_room=None))
    queue = lab.station(**CROWDED, jobs=2000)
    assert (queue["wait_s"] > 0).sum() > 1000
    np.testing.assert_array_equal(outside["departure_s"], queue["departure_s"])
    np.testing.assert_array_equal(outside["outside_s"], queue["wait_s"])
    assert (outside["wait_s"] == 0.0).all()


def test_visitors_outside_are_told_their_place_and_no_timeout_finds_them() -> None:
    jobs = lab.station(
        **EVERY_SECOND,
        service=lab.deterministic(4.0),
        timeout_s=0.5,
        concurrency=lab.concurrency_limit(1, waiting_room=3),
        jobs=7,
    )
    # served from 1, 5, 9, ... s; at 5 s the second goes in just before the fifth comes
    assert list(jobs["place"]) == [0, 1, 2, 3, 3, 0, 0]
    assert list(jobs["outcome"]) == ["served"] * 5 + ["rejected"] * 2
    np.testing.assert_array_equal(jobs["outside_s"], [0.0, 3.0, 6.0, 9.0, 12.0, np.nan, np.nan])
    np.testing.assert_array_equal(jobs["departure_s"], [5.0, 9.0, 13.0, 17.0, 21.0, 6.0, 7.0])


def test_visitors_who_are_still_outside_at_the_end_are_unfinished() -> None:
    jobs = lab.station(
        **EVERY_SECOND,
        service=lab.deterministic(4.0),
        concurrency=lab.concurrency_limit(1, waiting_room=None),
        horizon_s=6.0,
    )
    assert list(jobs["outcome"]) == ["served"] + ["unfinished"] * 4
    assert list(jobs["place"]) == [0, 1, 2, 3, 3]
    np.testing.assert_array_equal(jobs["outside_s"], [0.0, 3.0, np.nan, np.nan, np.nan])


def test_a_breaker_opens_after_failures_waits_and_tries_one() -> None:
    jobs = lab.station(
        **EVERY_SECOND,
        service=lab.deterministic(0.5),
        failure_share=1.0,
        breaker=lab.circuit_breaker(4, open_s=5.0),
        jobs=16,
    )
    # the fourth failure is told at 4.5 s; trials at 10 s, told at 10.5 s, and at 16 s
    failed_s = jobs.loc[jobs["outcome"] == "failed", "arrival_s"]
    assert list(failed_s) == [1.0, 2.0, 3.0, 4.0, 10.0, 16.0]
    assert (jobs["outcome"] == "rejected").sum() == 10


def test_a_breaker_closes_when_its_trials_succeed() -> None:
    jobs = lab.station(
        arrival=lab.steps((0.0, 40.0), (20.0, 2.0)),
        service=lab.exponential(0.1),
        capacity=5,
        breaker=lab.circuit_breaker(20, open_s=1.0, trials=3),
        horizon_s=100.0,
    )
    late = jobs[(jobs["arrival_s"] > 30.0) & (jobs["arrival_s"] < 90.0)]
    assert (jobs.loc[jobs["arrival_s"] < 20.0, "outcome"] == "rejected").mean() > 0.7
    assert (late["outcome"] == "served").all()


def test_what_is_not_shed_is_answered_in_time_and_the_server_is_never_idle_for_it() -> None:
    late: dict[str, Any] = {
        "arrival": lab.poisson(3.0),
        "service": lab.deterministic(1.0),
        "timeout_s": 4.0,
        "cancel": False,
        "jobs": 3000,
    }
    kept, shed = lab.station(**late), lab.station(**late, shed=lab.shedding())
    assert (kept["outcome"] == "served").mean() < 0.01
    assert set(shed["outcome"]) == {"served", "rejected"}
    assert (shed["outcome"] == "served").sum() >= 0.99 * shed["arrival_s"].max()
    assert shed["sojourn_s"].max() <= 4.0


def test_a_degraded_answer_takes_its_share_of_the_time() -> None:
    jobs = lab.station(
        arrival=lab.deterministic(1.0), service=lab.deterministic(4.0), degrade=lab.degraded_mode(1, 0.125), jobs=6
    )
    # none, one, then two and more wait; at 5 s the second goes into service just before the fifth comes
    assert list(jobs["degraded"]) == [False, False, False, True, True, True]
    np.testing.assert_array_equal(jobs["departure_s"], [5.0, 9.0, 13.0, 13.5, 14.0, 14.5])
    assert (jobs["outcome"] == "served").all()


def test_a_degraded_mode_carries_twice_the_load_that_a_station_can() -> None:
    crowd: dict[str, Any] = {"arrival": lab.poisson(8.0), "service": lab.exponential(1.0), "servers": 4, "jobs": 20_000}
    jobs = lab.station(**crowd, degrade=lab.degraded_mode(20, 0.1))
    assert jobs["wait_s"].max() < 20.0
    # a share d of degraded answers balances the load: 8 x (1 - 0.9 d) = 4
    assert jobs["degraded"].mean() == pytest.approx(5 / 9, abs=0.02)


def test_protection_that_refuses_nobody_changes_nothing() -> None:
    never: dict[str, Any] = {
        "concurrency": lab.concurrency_limit(10**6),
        "breaker": lab.circuit_breaker(100, open_s=1.0, failure_share=1.0),
        "shed": lab.shedding(1e9),
        "degrade": lab.degraded_mode(10**6, 0.1),
    }
    pd.testing.assert_frame_equal(lab.station(**CROWDED, jobs=1000), lab.station(**CROWDED, jobs=1000, **never))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"concurrency": lab.concurrency_limit(0)}, "concurrency.most must be >= 1, got 0"),
        (
            {"concurrency": lab.concurrency_limit(1, waiting_room=-1)},
            "concurrency.waiting_room must be >= 0, got -1",
        ),
        ({"breaker": lab.circuit_breaker(0, open_s=1.0)}, "breaker.window must be >= 1, got 0"),
        ({"breaker": lab.circuit_breaker(5, open_s=0.0)}, "breaker.open_s must be > 0 [s], got 0.0"),
        (
            {"breaker": lab.circuit_breaker(5, open_s=1.0, trials=6)},
            "breaker.trials must be <= window = 5, got 6",
        ),
        (
            {"breaker": lab.circuit_breaker(5, open_s=1.0, least_answers=7)},
            "breaker.least_answers must be <= window = 5, got 7",
        ),
        (
            {"breaker": lab.circuit_breaker(5, open_s=1.0, failure_share=0.0)},
            "breaker.failure_share must be > 0 [share], got 0.0",
        ),
        (
            {"shed": lab.shedding()},
            "shed.within_s is missing [s]: there is no timeout of clients whose work is not cancelled",
        ),
        (
            {"shed": lab.shedding(0.5)},
            "shed.within_s must be >= the mean service = 1 [s], got 0.5: else all is shed",
        ),
        ({"degrade": lab.degraded_mode(-1, 0.5)}, "degrade.above must be >= 0, got -1"),
        ({"degrade": lab.degraded_mode(1, 0.0)}, "degrade.share must be > 0 [share], got 0.0"),
        (
            {"retry": lab.retry(None, backoff="fixed", base_s=1.0), "timeout_s": 2.0, "cancel": False},
            "horizon_s must be given: retries for ever may keep the station busy with late work for ever",
        ),
    ],
)
def test_protection_that_makes_no_sense_is_refused(arguments: dict[str, Any], told: str) -> None:
    assert problems(**arguments) == [told]
