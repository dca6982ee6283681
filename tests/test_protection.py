"""The rules that protect a service: each against its plain twin, and by what it is for."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments._reference.protection import Breaker, Bucket
from sim.kernels import kernel
from sim.kernels import protection as rules

take_token = kernel(lambda *arguments: rules.take_token(*arguments))
comes_in_time = kernel(lambda *arguments: rules.comes_in_time(*arguments))
permit = kernel(lambda *arguments: rules.permit(*arguments))
tell = kernel(lambda *arguments: rules.tell(*arguments))
spend_retry = kernel(lambda *arguments: rules.spend_retry(*arguments))
earn_retry = kernel(lambda *arguments: rules.earn_retry(*arguments))

STATES = {"closed": rules.CLOSED, "open": rules.OPEN, "half open": rules.HALF_OPEN}


@settings(max_examples=100, deadline=None)
@given(
    gaps=st.lists(st.one_of(st.just(0.0), st.floats(0, 3)), max_size=80),
    rate_per_s=st.floats(0.1, 5),
    burst=st.floats(1, 8),
    warm_up_s=st.one_of(st.just(0.0), st.floats(0.5, 40)),
    cold_share=st.floats(0, 1),
)
def test_a_bucket_lets_pass_what_its_twin_lets_pass(gaps, rate_per_s, burst, warm_up_s, cold_share) -> None:
    state, twin = np.array([burst, 0.0]), Bucket(rate_per_s, burst, warm_up_s, cold_share)
    for now_s in np.cumsum(gaps):
        passed = take_token(state, now_s, rate_per_s, burst, 0.0, warm_up_s, cold_share)
        assert passed == twin.take(float(now_s))
        assert state[rules.TOKENS] == twin.tokens
        assert 0.0 <= state[rules.TOKENS] <= burst


def passing(offered_per_s: float, until_s: float, warm_up_s: float = 0.0) -> np.ndarray:
    """The instants of the requests that pass a bucket of 100/s with a burst of 50."""
    state = np.array([50.0, 0.0])
    asked_s = np.arange(round(offered_per_s * until_s)) / offered_per_s
    return asked_s[[take_token(state, now_s, 100.0, 50.0, 0.0, warm_up_s, 0.2) for now_s in asked_s]]


def test_a_full_bucket_under_half_too_much_refuses_first_after_a_second() -> None:
    passed_s = passing(150.0, 10.0)
    first_refused = np.flatnonzero(np.abs(passed_s - np.arange(passed_s.size) / 150.0) > 1e-9)[0]
    assert first_refused / 150.0 == pytest.approx(1.0, abs=2.01 / 150)
    assert 1048 <= passed_s.size <= 1050


def test_a_cold_bucket_gives_its_full_rate_only_after_the_warm_up() -> None:
    passed_s = passing(1000.0, 40.0, warm_up_s=20.0)
    in_warm_up = np.count_nonzero(passed_s < 20.0)
    assert in_warm_up == pytest.approx(50 + 100 * 20 * (0.2 + 1.0) / 2, abs=2)
    assert passed_s.size - in_warm_up == pytest.approx(100 * 20, abs=2)


@settings(max_examples=200, deadline=None)
@given(
    window=st.integers(1, 6),
    least_answers=st.integers(1, 6),
    failure_share=st.sampled_from([0.2, 0.5, 1.0]),
    trials=st.integers(1, 6),
    steps=st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(["ask", "fail", "succeed"]), st.integers(0, 9)), max_size=150
    ),
)
def test_a_breaker_is_in_the_state_of_its_twin(window, least_answers, failure_share, trials, steps) -> None:
    least_answers, trials = min(least_answers, window), min(trials, window)
    twin = Breaker(window, least_answers, failure_share, open_s=3.0, trials=trials)
    breaker, opened_s = np.zeros(rules.BREAKER_SIZE + window, np.int64), np.zeros(1)
    now_s, out = 0.0, []
    for gap_s, act, which in steps:
        now_s += gap_s
        if act == "ask":
            generation = permit(breaker, opened_s, now_s, 3.0, trials)
            expected = twin.permit(now_s)
            assert generation == (rules.REFUSED if expected is None else expected)
            if expected is not None:
                out.append(expected)
        elif out:
            generation = out.pop(which % len(out))
            tell(breaker, opened_s, now_s, generation, act == "fail", window, least_answers, failure_share, trials)
            twin.tell(now_s, generation, act == "fail")
        assert breaker[rules.STATE] == STATES[twin.state]
        assert breaker[rules.FAILURES] == sum(twin.answers)


def test_a_breaker_opens_waits_tries_and_closes() -> None:
    breaker, opened_s = np.zeros(rules.BREAKER_SIZE + 4, np.int64), np.zeros(1)

    def ask(now_s: float) -> int:
        return int(permit(breaker, opened_s, now_s, 10.0, 2))

    def answer(now_s: float, generation: int, failed: bool) -> None:
        tell(breaker, opened_s, now_s, generation, failed, 4, 4, 0.5, 2)

    late = ask(0.0)
    for failed in (False, False, True, True):
        answer(1.0, ask(1.0), failed)
    assert ask(10.9) == rules.REFUSED
    trials = [ask(11.0), ask(11.0)]
    assert ask(11.0) == rules.REFUSED
    answer(11.5, late, True)  # of the first state: not heard
    for trial in trials:
        answer(12.0, trial, False)
    assert breaker[rules.STATE] == rules.CLOSED
    assert ask(12.0) != rules.REFUSED


@pytest.mark.parametrize(
    ("waiting", "busy", "slots", "left_s", "comes"),
    [
        (0, 3, 4, 1.0, True),  # a slot is free: only the service itself
        (0, 3, 4, 0.9, False),
        (0, 4, 4, 1.25, True),  # one departure, then the service
        (0, 4, 4, 1.2, False),
        (7, 4, 4, 3.0, True),  # eight departures of four slots
        (8, 4, 4, 3.0, False),
        (0, 0, 0, math.inf, False),
    ],
)
def test_an_answer_that_would_come_too_late_is_foreseen(waiting, busy, slots, left_s, comes) -> None:
    assert comes_in_time(waiting, busy, slots, 1.0, left_s) == comes


def test_ten_successes_pay_for_one_retry_and_no_more_is_saved_than_the_budget_holds() -> None:
    tokens = np.array([1.0])
    assert spend_retry(tokens)
    assert not spend_retry(tokens)
    for _ in range(8):
        earn_retry(tokens, 2.0, 0.125)
    assert spend_retry(tokens)
    for _ in range(100):
        earn_retry(tokens, 2.0, 0.125)
    assert tokens[0] == 2.0


def test_a_limit_of_three_lets_a_third_in_and_no_fourth() -> None:
    has_room = kernel(lambda *arguments: rules.has_room(*arguments))
    assert has_room(2, 3)
    assert not has_room(3, 3)
