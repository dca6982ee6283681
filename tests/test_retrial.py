"""Clients that try again: the kernel against plain SimPy, client by client and bit by bit."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments._reference import retrial as reference
from sim.draws import stream
from sim.kernels import kernel, random, retrial_state
from sim.kernels import station as kernels
from sim.kernels.times import DETERMINISTIC, EXPONENTIAL, Distribution, key_of_attempt, time_of
from sim.lab.retries import serve_clients

INFINITY = math.inf
BACKOFFS = ("none", "fixed", "exponential")
JITTERS = ("none", "equal", "full", "decorrelated", "memoryless")

time_at = kernel(lambda service, key, client, attempt: time_of(service, key_of_attempt(key, attempt), client))
bits_at = kernel(lambda key, client, attempt: random.bits(key, client, attempt))
uniform_at = kernel(lambda key, client, draw: random.uniform(key, client, draw))


def keys_of(seed: int) -> retrial_state.Keys:
    return retrial_state.Keys(*(stream(seed, name) for name in ("service", "choice", "failure", "backoff")))


def run_kernel(case: dict[str, Any], stops_s=(), tickets=4) -> retrial_state.Clients:
    """The rows of all clients."""
    rules = case["rules"]
    policy = retrial_state.Policy(
        retries=retrial_state.FOR_EVER if rules.retries == INFINITY else rules.retries,
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
    )
    patience_s = np.array(case["patience_s"])
    clients = retrial_state.new_clients(np.array(case["arrival_s"]), patience_s, np.array(case["priority"], np.int8))
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
    serve_clients(
        clients,
        policy,
        gate_of(case["protection"], case),
        keys,
        case["service"],
        stations,
        stops_s=stops_s,
        tickets=tickets,
    )
    return clients


def gate_of(protection: reference.Protection, case: dict[str, Any]) -> retrial_state.Gate:
    """What the kernel is told of the twin's protection."""
    window, least_answers, open_share, open_s, trials = protection.breaker or (0, 0, 0.0, 0.0, 0)
    return retrial_state.Gate(
        rate_per_s=protection.rate_per_s,
        burst=protection.burst,
        warm_up_s=protection.warm_up_s,
        cold_share=protection.cold_share,
        most=int(min(protection.most, retrial_state.NO_LIMIT)),
        waiting_room=int(min(protection.waiting_room, retrial_state.NO_LIMIT)),
        window=window,
        least_answers=least_answers,
        open_share=open_share,
        open_s=open_s,
        trials=trials,
        within_s=protection.within_s,
        mean_s=protection.mean_s,
        slots=case["slots"] * case["servers"],
        degrade_above=int(min(protection.degrade_above, retrial_state.NO_LIMIT)),
        degraded_share=protection.degraded_share,
    )


def run_reference(case: dict[str, Any]) -> list[reference.Client]:
    keys = keys_of(case["seed"])
    draws = reference.Draws(
        service_s=lambda client, attempt: time_at(case["service"], keys.service, client, attempt),
        choice=lambda client, attempt: int(bits_at(keys.choice, client, attempt)),
        fails=lambda client, attempt: uniform_at(keys.failure, client, attempt) < case["failure_share"],
        jitter=lambda client, retry: uniform_at(keys.backoff, client, retry),
    )
    names = ("protection", "slots", "limit", "end_s", "servers", "dispatch", "patience_s", "priority")
    station = {name: case[name] for name in names}
    return reference.run(case["arrival_s"], case["rules"], draws, **station)


def assert_equal_client_by_client(clients: retrial_state.Clients, expected: list[reference.Client]) -> None:
    told = (
        "attempts",
        "outcome",
        "attempt_s",
        "entry_s",
        "finished_s",
        "departure_s",
        "backoff_s",
        "place",
        "degraded",
    )
    for name in told:
        np.testing.assert_array_equal(getattr(clients, name), [getattr(diary, name) for diary in expected], name)
    np.testing.assert_array_equal(clients.start_s, [diary.last.start_s for diary in expected])


@st.composite
def protections(draw, whole_numbers: bool) -> reference.Protection:
    """Any of what may be in front of the station, and often several."""

    def perhaps(strategy, otherwise):
        return draw(st.one_of(st.just(otherwise), strategy))

    window = draw(st.integers(1, 5))
    breaker = st.tuples(
        st.just(window),
        st.integers(1, window),
        st.sampled_from([0.3, 0.5, 1.0]),
        st.sampled_from([1.0, 3.0]) if whole_numbers else st.floats(0.1, 5.0),
        st.integers(1, window),
    )
    return reference.Protection(
        rate_per_s=perhaps(st.just(0.5), INFINITY),
        burst=draw(st.sampled_from([1.0, 3.0])),
        warm_up_s=draw(st.sampled_from([0.0, 16.0])),
        cold_share=0.25,
        most=perhaps(st.integers(1, 6), INFINITY),
        waiting_room=draw(st.one_of(st.integers(0, 5), st.just(INFINITY))),
        breaker=perhaps(breaker, None),
        within_s=perhaps(st.sampled_from([2.0, 4.0]), INFINITY),
        mean_s=draw(st.sampled_from([1.0, 2.0])),
        degrade_above=perhaps(st.integers(0, 3), INFINITY),
        degraded_share=0.25,
    )


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
        ),
        "protection": draw(protections(whole_numbers)),
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
)
OPEN = reference.Protection()


@pytest.mark.parametrize(
    ("rules", "protection", "dispatch"),
    [
        (PATIENT, OPEN, kernels.CENTRAL),
        (PATIENT._replace(jitter="decorrelated", retries=INFINITY), OPEN, kernels.TWO_CHOICES),
        (PATIENT._replace(backoff="none", budget=10.0), OPEN, kernels.ROUND_ROBIN),
        (PATIENT, OPEN._replace(rate_per_s=1.5, burst=4.0, warm_up_s=100.0, cold_share=0.5), kernels.RANDOM),
        (PATIENT, OPEN._replace(most=9), kernels.CENTRAL),
        (PATIENT, OPEN._replace(most=6, waiting_room=INFINITY, degrade_above=0, degraded_share=0.5), kernels.CENTRAL),
        (PATIENT, OPEN._replace(breaker=(20, 10, 0.5, 8.0, 3)), kernels.CENTRAL),
        (PATIENT, OPEN._replace(within_s=6.0, mean_s=3.0, breaker=(50, 20, 0.6, 5.0, 5)), kernels.LEAST_CONNECTIONS),
    ],
)
def test_two_thousand_clients_in_a_crowd_equal_the_reference(rules, protection, dispatch: int) -> None:
    rng = np.random.default_rng(3)
    case = CROWD | {
        "rules": rules,
        "protection": protection,
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
    assert any(diary.place > 3 for diary in expected) == (protection.waiting_room > 0)
    assert any(diary.degraded for diary in expected) == (protection.degrade_above < INFINITY)
    assert_equal_client_by_client(run_kernel(case), expected)
    assert_equal_client_by_client(run_kernel(case, tuple(np.arange(0.5, 900.0, 0.5))), expected)


def one_client(**rules) -> retrial_state.Clients:
    """A client whose every attempt fails, at a station with nobody else."""
    case = CROWD | {
        "service": Distribution(DETERMINISTIC, 1.0),
        "failure_share": 1.0,
        "arrival_s": [0.0],
        "patience_s": [INFINITY],
        "priority": [0],
        "protection": OPEN,
        "rules": PATIENT._replace(deadline_s=INFINITY, jitter="none", **rules),
    }
    return run_kernel(case)


def test_waits_double_up_to_the_cap() -> None:
    clients = one_client(retries=4, base_s=1.0, cap_s=5.0)
    assert clients.attempts[0] == 5
    assert clients.backoff_s[0] == 1.0 + 2.0 + 4.0 + 5.0
    assert clients.departure_s[0] == 5 * 1.0 + 12.0
    assert clients.outcome[0] == retrial_state.FAILED


def test_a_budget_of_two_pays_for_two_retries() -> None:
    assert one_client(retries=4, budget=2.0).attempts[0] == 3


def test_what_is_not_a_reason_is_not_tried_again() -> None:
    assert one_client(reasons=frozenset({kernels.REJECTED})).attempts[0] == 1
