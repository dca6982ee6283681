"""Clients that try again: the kernel against plain SimPy, client by client and bit by bit."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments._reference import retrial as reference
from sim.draws import stream
from sim.kernels import kernel, random, retrial
from sim.kernels import station as kernels
from sim.kernels.times import DETERMINISTIC, EXPONENTIAL, Distribution, key_of_attempt, time_of
from sim.lab.retries import serve_clients

INFINITY = math.inf
BACKOFFS = ("none", "fixed", "exponential")
JITTERS = ("none", "equal", "full", "decorrelated", "memoryless")

time_at = kernel(lambda service, key, client, attempt: time_of(service, key_of_attempt(key, attempt), client))
bits_at = kernel(lambda key, client, attempt: random.bits(key, client, attempt))
uniform_at = kernel(lambda key, client, draw: random.uniform(key, client, draw))


def keys_of(seed: int) -> retrial.Keys:
    return retrial.Keys(*(stream(seed, name) for name in ("service", "choice", "failure", "backoff")))


def run_kernel(case: dict[str, Any], stops_s=(), tickets=4) -> retrial.Clients:
    """The rows of all clients."""
    rules = case["rules"]
    policy = retrial.Policy(
        retries=retrial.FOR_EVER if rules.retries == INFINITY else rules.retries,
        reasons=sum(1 << reason for reason in rules.reasons),
        backoff=BACKOFFS.index(rules.backoff),
        jitter=JITTERS.index(rules.jitter),
        base_s=rules.base_s,
        factor=rules.factor,
        cap_s=rules.cap_s,
        deadline_s=rules.deadline_s,
        failure_share=case["failure_share"],
        budget=rules.budget,
        budget_gain=rules.budget_gain,
        rate_per_s=rules.rate_per_s,
        burst=rules.burst,
        warm_up_s=rules.warm_up_s,
        cold_share=rules.cold_share,
    )
    patience_s = np.array(case["patience_s"])
    clients = retrial.new_clients(np.array(case["arrival_s"]), patience_s, np.array(case["priority"], np.int8))
    stations = kernels.empty_stations(
        np.array([case["slots"]]),
        np.array([case["limit"]]),
        np.array([INFINITY]),
        servers=np.array([case["servers"]]),
        dispatch=np.array([case["dispatch"]]),
        own_patience=np.array([bool(np.isfinite(patience_s).any())]),
        priorities=2,
        jobs=tickets,
    )
    stops_s = (*sorted(stop_s for stop_s in stops_s if stop_s < case["end_s"]), case["end_s"])
    keys = keys_of(case["seed"])
    serve_clients(clients, policy, keys, case["service"], stations, stops_s=stops_s, tickets=tickets)
    return clients


def run_reference(case: dict[str, Any]) -> list[reference.Client]:
    keys = keys_of(case["seed"])
    draws = reference.Draws(
        service_s=lambda client, attempt: time_at(case["service"], keys.service, client, attempt),
        choice=lambda client, attempt: int(bits_at(keys.choice, client, attempt)),
        fails=lambda client, attempt: uniform_at(keys.failure, client, attempt) < case["failure_share"],
        jitter=lambda client, retry: uniform_at(keys.backoff, client, retry),
    )
    station = {
        name: case[name] for name in ("slots", "limit", "end_s", "servers", "dispatch", "patience_s", "priority")
    }
    return reference.run(case["arrival_s"], case["rules"], draws, **station)


def assert_equal_client_by_client(clients: retrial.Clients, expected: list[reference.Client]) -> None:
    for name in ("attempts", "outcome", "attempt_s", "finished_s", "departure_s", "backoff_s"):
        np.testing.assert_array_equal(getattr(clients, name), [getattr(diary, name) for diary in expected], name)
    np.testing.assert_array_equal(clients.start_s, [diary.last.start_s for diary in expected])


@st.composite
def cases(draw) -> dict[str, Any]:
    """Clients with any policy at a station of any kind; with whole numbers nearly everything happens at the same instants."""
    whole_numbers = draw(st.booleans())
    n = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    dispatch = draw(st.integers(kernels.CENTRAL, kernels.LEAST_CONNECTIONS))
    servers = 1 if dispatch == kernels.CENTRAL else draw(st.integers(1, 3))
    times_s = st.integers(0, 4).map(float) if whole_numbers else st.floats(0.05, 4.0)
    jitter = "none" if whole_numbers else draw(st.sampled_from(JITTERS))
    backoff = "exponential" if jitter == "decorrelated" else draw(st.sampled_from(BACKOFFS))
    end_s = draw(st.one_of(st.just(INFINITY), st.integers(1, 60).map(float)))
    retries = draw(st.one_of(st.integers(0, 5), st.just(INFINITY)))
    base_s = draw(times_s)
    if retries == INFINITY and end_s == INFINITY:  # must come to an end
        retries = 7
    if retries == INFINITY and (backoff == "none" or base_s == 0.0):
        backoff, base_s = "fixed", 1.0
    base_s = max(base_s, 0.5) if retries == INFINITY else base_s
    patience_s = np.full(n, INFINITY)
    if draw(st.booleans()):
        patience_s = rng.integers(0, 5, n).astype(float) if whole_numbers else rng.exponential(2.0, n)
    reasons = draw(st.frozensets(st.sampled_from([kernels.REJECTED, kernels.TIMED_OUT, reference.FAILED])))
    return {
        "arrival_s": np.cumsum(rng.integers(0, 3, n) if whole_numbers else rng.exponential(1.0, n)).astype(float),
        "service": Distribution(DETERMINISTIC if whole_numbers else EXPONENTIAL, draw(times_s) + 1.0),
        "patience_s": patience_s,
        "priority": [int(level) for level in rng.integers(0, 2, n)],
        "slots": draw(st.integers(1, 3)),
        "servers": servers,
        "dispatch": dispatch,
        "limit": draw(st.one_of(st.integers(0, 4), st.just(10**9))),
        "end_s": end_s,
        "failure_share": draw(st.sampled_from([0.0, 0.4])),
        "seed": draw(st.integers(0, 2**32)),
        "rules": reference.Rules(
            retries=retries,
            reasons=reasons,
            backoff=backoff,
            jitter=jitter,
            base_s=base_s,
            factor=draw(st.sampled_from([1.0, 2.0, 3.0])),
            cap_s=draw(st.one_of(st.integers(1, 20).map(float), st.just(INFINITY))),
            deadline_s=draw(st.one_of(times_s, st.just(INFINITY))),
            budget=draw(st.one_of(st.just(INFINITY), st.integers(0, 3).map(float))),
            budget_gain=0.25,
            rate_per_s=draw(st.sampled_from([INFINITY, 0.5])),
            burst=draw(st.sampled_from([1.0, 3.0])),
            warm_up_s=draw(st.sampled_from([0.0, 16.0])),
            cold_share=0.25,
        ),
    }


@settings(max_examples=400, deadline=None)
@given(case=cases())
def test_each_client_tries_and_leaves_at_the_instants_of_the_reference(case) -> None:
    assert_equal_client_by_client(run_kernel(case), run_reference(case))


@settings(max_examples=100, deadline=None)
@given(case=cases(), stops_s=st.lists(st.floats(0.25, 60), max_size=30), tickets=st.integers(1, 50))
def test_neither_stops_nor_room_change_a_bit(case, stops_s, tickets: int) -> None:
    whole, cut = run_kernel(case), run_kernel(case, stops_s, tickets)
    for name in whole._fields:
        np.testing.assert_array_equal(getattr(whole, name), getattr(cut, name), name)


CROWD: dict[str, Any] = {
    "service": Distribution(EXPONENTIAL, 3.0),
    "slots": 4,
    "servers": 1,
    "dispatch": kernels.CENTRAL,
    "limit": 12,
    "end_s": 900.0,
    "failure_share": 0.1,
    "seed": 7,
}
PATIENT = reference.Rules(
    retries=5,
    reasons=frozenset({kernels.REJECTED, kernels.TIMED_OUT, reference.FAILED}),
    backoff="exponential",
    jitter="full",
    base_s=0.5,
    factor=2.0,
    cap_s=20.0,
    deadline_s=6.0,
    budget=INFINITY,
    budget_gain=0.1,
    rate_per_s=INFINITY,
    burst=1.0,
    warm_up_s=0.0,
    cold_share=1.0,
)


@pytest.mark.parametrize(
    ("rules", "dispatch"),
    [
        (PATIENT, kernels.CENTRAL),
        (PATIENT._replace(jitter="decorrelated", retries=INFINITY), kernels.TWO_CHOICES),
        (PATIENT._replace(backoff="none", budget=10.0), kernels.ROUND_ROBIN),
        (PATIENT._replace(rate_per_s=1.5, burst=4.0, warm_up_s=100.0, cold_share=0.5), kernels.RANDOM),
    ],
)
def test_two_thousand_clients_in_a_crowd_equal_the_reference(rules, dispatch: int) -> None:
    rng = np.random.default_rng(3)
    case = CROWD | {
        "rules": rules,
        "dispatch": dispatch,
        "servers": 1 if dispatch == kernels.CENTRAL else 4,
        "slots": 4 if dispatch == kernels.CENTRAL else 1,
        "arrival_s": np.cumsum(rng.exponential(0.6, 2000)),
        "patience_s": np.full(2000, INFINITY),
        "priority": [int(level) for level in rng.integers(0, 2, 2000)],
    }
    expected = run_reference(case)
    assert len({diary.outcome for diary in expected}) >= 2
    assert sum(diary.attempts - 1 for diary in expected if diary.attempts) >= 10
    assert_equal_client_by_client(run_kernel(case), expected)
    assert_equal_client_by_client(run_kernel(case, tuple(np.arange(0.5, 900.0, 0.5))), expected)


def one_client(**rules) -> retrial.Clients:
    """A client whose every attempt fails, at a station with nobody else."""
    case = CROWD | {
        "service": Distribution(DETERMINISTIC, 1.0),
        "failure_share": 1.0,
        "arrival_s": [0.0],
        "patience_s": [INFINITY],
        "priority": [0],
        "rules": PATIENT._replace(deadline_s=INFINITY, jitter="none", **rules),
    }
    return run_kernel(case)


def test_waits_double_up_to_the_cap() -> None:
    clients = one_client(retries=4, base_s=1.0, cap_s=5.0)
    assert clients.attempts[0] == 5
    assert clients.backoff_s[0] == 1.0 + 2.0 + 4.0 + 5.0
    assert clients.departure_s[0] == 5 * 1.0 + 12.0
    assert clients.outcome[0] == retrial.FAILED


def test_a_budget_of_two_pays_for_two_retries() -> None:
    assert one_client(retries=4, budget=2.0).attempts[0] == 3


def test_what_is_not_a_reason_is_not_tried_again() -> None:
    assert one_client(reasons=frozenset({kernels.REJECTED})).attempts[0] == 1
