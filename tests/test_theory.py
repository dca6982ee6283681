"""The closed forms give the numbers of the checks, and agree with chains that are solved state by state."""

import math

import numpy as np
import pytest
from scipy import stats

from sim import theory


def test_erlang_b_gives_the_published_blocking() -> None:
    assert theory.erlang_b(10, 10) == pytest.approx(0.214582, abs=5e-7)
    assert theory.erlang_b(100, 90) == pytest.approx(0.026957, abs=5e-7)
    assert theory.erlang_b(1000, 1000) == pytest.approx(0.024812, abs=5e-7)


def test_a_call_centre_of_50_at_96_percent_makes_69_percent_wait() -> None:
    arrival_per_s, service_s = 48 / 60, 60.0
    assert theory.erlang_c(50, 48) == pytest.approx(0.6945, abs=5e-5)
    assert theory.mmc_wait_s(50, arrival_per_s, service_s) == pytest.approx(20.83, abs=5e-3)
    assert theory.mmc_wait_quantile_s(0.9, 50, arrival_per_s, service_s) == pytest.approx(58.14, abs=5e-3)


def test_the_quantile_of_the_wait_is_zero_for_the_share_that_does_not_wait() -> None:
    assert theory.mmc_wait_quantile_s(0.3, 50, 48 / 60, 60.0) == 0.0
    assert theory.mmc_wait_quantile_s(0.31, 50, 48 / 60, 60.0) > 0.0


def test_the_mean_wait_is_the_integral_of_its_quantiles() -> None:
    shares = (np.arange(5000) + 0.5) / 5000
    quantiles = [theory.mmc_wait_quantile_s(share, 4, 3.2, 1.0) for share in shares]
    assert np.mean(quantiles) == pytest.approx(theory.mmc_wait_s(4, 3.2, 1.0), rel=1e-3)


@pytest.mark.parametrize(("arrival_per_s", "blocked", "queue"), [(9.0, 0.029510, 2.30525), (12.0, 0.179666, 6.26049)])
def test_ten_servers_with_twenty_places_block_as_published(arrival_per_s: float, blocked: float, queue: float) -> None:
    steady = theory.mmck(10, 20, arrival_per_s, 1.0)
    assert steady.blocked_share == pytest.approx(blocked, abs=1e-6)
    assert steady.queue == pytest.approx(queue, abs=1e-5)


def test_the_finite_queue_without_waiting_places_is_erlang_b_and_with_very_many_is_erlang_c() -> None:
    assert theory.mmck(1000, 1000, 1000.0, 1.0).blocked_share == pytest.approx(theory.erlang_b(1000, 1000), rel=1e-12)
    assert theory.mmck(4, 2000, 3.2, 1.0).wait_s == pytest.approx(theory.mmc_wait_s(4, 3.2, 1.0), rel=1e-12)


def test_the_finite_queue_solves_the_balance_equations() -> None:
    servers, places, arrival_per_s, service_s = 3, 7, 2.5, 1.3
    rates = np.zeros((places + 1, places + 1))
    for n in range(places):
        rates[n, n + 1] = arrival_per_s
        rates[n + 1, n] = min(n + 1, servers) / service_s
    generator = rates - np.diag(rates.sum(axis=1))
    share = np.linalg.lstsq(np.vstack([generator.T, np.ones(places + 1)]), np.r_[np.zeros(places + 1), 1.0])[0]
    steady = theory.mmck(servers, places, arrival_per_s, service_s)
    assert steady.blocked_share == pytest.approx(share[-1], rel=1e-9)
    assert steady.queue == pytest.approx(np.maximum(np.arange(places + 1) - servers, 0) @ share, rel=1e-9)
    assert steady.utilisation == pytest.approx(np.minimum(np.arange(places + 1), servers) @ share / servers, rel=1e-9)


def test_pollaczek_khinchine_gives_the_waits_of_the_checks() -> None:
    assert theory.mg1_wait_s(0.8, 1.0, 0.0) == pytest.approx(2.0)
    assert theory.mg1_wait_s(0.9, 1.0, 0.0) == pytest.approx(4.5)
    assert theory.mg1_wait_s(0.8, 1.0, 4.0) == pytest.approx(10.0)
    assert theory.mg1_wait_s(0.8, 1.0, 1.0) == pytest.approx(theory.mmc_wait_s(1, 0.8, 1.0))


@pytest.mark.parametrize(
    ("capacity", "parcels", "left", "wait"),
    [(10, 9, 3.10124, 0.84458), (30, 27, 2.25293, 0.58344), (100, 90, 1.11001, 0.51233)],
)
def test_a_truck_filled_to_nine_tenths_leaves_behind_as_published(
    capacity: int, parcels: int, left: float, wait: float
) -> None:
    steady = theory.truck_queue(capacity, parcels)
    assert steady.left_behind == pytest.approx(left, abs=5e-6)
    assert steady.wait_periods == pytest.approx(wait, abs=5e-6)


@pytest.mark.parametrize(("capacity", "parcels"), [(1, 0.7), (4, 3.1), (10, 9.0)])
def test_the_truck_queue_is_the_steady_state_of_its_markov_chain(capacity: int, parcels: float) -> None:
    states = 400
    chain = np.zeros((states, states))
    for state in range(states):
        share = stats.poisson.pmf(np.arange(states + capacity), parcels)
        np.add.at(chain[state], np.clip(state + np.arange(states + capacity) - capacity, 0, states - 1), share)
    steady = np.linalg.lstsq(np.vstack([chain.T - np.eye(states), np.ones(states)]), np.r_[np.zeros(states), 1.0])[0]
    assert theory.truck_queue(capacity, parcels).left_behind == pytest.approx(np.arange(states) @ steady, rel=1e-8)


def test_a_queue_that_is_not_stable_waits_for_ever() -> None:
    assert theory.erlang_c(2, 2.0) == 1.0
    assert theory.mmc_wait_s(2, 2.0, 1.0) == math.inf
    assert theory.mmc_wait_quantile_s(0.5, 2, 2.0, 1.0) == math.inf
    assert theory.mg1_wait_s(1.0, 1.0, 1.0) == math.inf
    assert theory.truck_queue(10, 10).wait_periods == math.inf


def steady_state(rates: np.ndarray) -> np.ndarray:
    """Shares of time in the states of a Markov chain, from its rates."""
    generator = rates - np.diag(rates.sum(axis=1))
    balance = np.vstack([generator.T, np.ones(len(rates))])
    return np.asarray(np.linalg.lstsq(balance, np.r_[np.zeros(len(rates)), 1.0])[0])


def test_impatient_callers_leave_and_wait_as_published() -> None:
    steady = theory.erlang_a(50, 48 / 60, 60.0, 120.0)
    assert steady.abandoned_share == pytest.approx(0.03091, abs=5e-6)
    assert steady.wait_s == pytest.approx(3.709, abs=5e-4)
    assert steady.queue == pytest.approx(2.968, abs=5e-4)
    assert steady.utilisation == pytest.approx(0.9303, abs=5e-5)


def test_without_end_to_their_patience_callers_wait_as_in_erlang_c_and_with_none_as_in_erlang_b() -> None:
    assert theory.erlang_a(4, 2.0, 1.0, 1e4).wait_s == pytest.approx(theory.mmc_wait_s(4, 2.0, 1.0), rel=1e-3)
    assert theory.erlang_a(4, 2.0, 1.0, 1e-9).abandoned_share == pytest.approx(theory.erlang_b(4, 2.0), rel=1e-6)


def test_priority_shifts_waits_but_conserves_them() -> None:
    waits_s = theory.priority_waits_s([0.3, 0.5], 1.0)
    assert waits_s == pytest.approx([1.142857, 5.714286], abs=1e-6)
    together_s = theory.mg1_wait_s(0.8, 1.0, 1.0)
    assert 0.3 * waits_s[0] + 0.5 * waits_s[1] == pytest.approx(0.8 * together_s)  # Kleinrock's conservation law
    assert theory.priority_waits_s([0.5, 0.6], 1.0)[1] == math.inf


@pytest.mark.parametrize(("return_per_s", "orbit"), [(0.1, 17.9667), (1.0, 3.2667), (10.0, 1.79667)])
def test_the_orbit_of_one_server_is_as_published(return_per_s: float, orbit: float) -> None:
    assert theory.mm1_retrial_orbit(0.7, 1.0, return_per_s) == pytest.approx(orbit, abs=5e-5)
    assert theory.mmc_retrial(1, 0.7, 1.0, return_per_s).orbit == pytest.approx(orbit, abs=5e-5)
    assert theory.mmc_retrial(1, 0.7, 1.0, return_per_s).blocked_share == pytest.approx(0.7)


def test_the_orbit_of_ten_servers_is_as_published_and_solves_its_chain() -> None:
    steady = theory.mmc_retrial(10, 8.0, 1.0, 1.0)
    assert steady == pytest.approx((0.279240, 4.35379), rel=2e-6)
    most, servers = 60, 2
    state = np.arange((most + 1) * (servers + 1)).reshape(most + 1, servers + 1)
    rates = np.zeros((state.size, state.size))
    for orbit in range(most + 1):
        for busy in range(servers + 1):
            if busy < servers:
                rates[state[orbit, busy], state[orbit, busy + 1]] += 1.1
                if orbit:
                    rates[state[orbit, busy], state[orbit - 1, busy + 1]] += 2.0 * orbit
            elif orbit < most:
                rates[state[orbit, busy], state[orbit + 1, busy]] += 1.1
            if busy:
                rates[state[orbit, busy], state[orbit, busy - 1]] += busy / 0.9
    share = steady_state(rates).reshape(state.shape)
    steady = theory.mmc_retrial(servers, 1.1, 0.9, 2.0)
    assert steady == pytest.approx((share[:, servers].sum(), np.arange(most + 1) @ share.sum(axis=1)), rel=1e-8)
    assert theory.mmc_retrial(2, 2.0, 1.0, 1.0).orbit == math.inf


def test_two_choices_make_the_time_in_system_small() -> None:
    assert theory.two_choices_sojourn_s(0.9, 1.0) == pytest.approx(2.6141, abs=5e-5)
    assert theory.two_choices_sojourn_s(0.7, 1.0) == pytest.approx(1.6145, abs=5e-5)
    assert theory.two_choices_sojourn_s(1.0, 1.0) == math.inf


def test_the_load_lags_behind_a_wave_of_arrivals() -> None:
    peak, peak_s = theory.sinusoid_load(100 / 3600, 0.6, 24 * 3600.0, 3600.0)
    assert peak == pytest.approx(158.044, abs=5e-4)
    assert peak_s / 3600 == pytest.approx(6.978, abs=5e-4)
    # the same from the integral: load(t) is the mean of the rate at t less a service time's age, exponential
    ages_s = np.linspace(0.0, 40 * 3600.0, 200_001)
    rate = 100 / 3600 * (1 + 0.6 * np.sin(2 * np.pi * (peak_s - ages_s) / (24 * 3600)))
    assert np.trapezoid(rate * np.exp(-ages_s / 3600), ages_s) == pytest.approx(peak, rel=1e-6)


def test_a_spike_leaves_a_backlog_that_takes_long_to_clear() -> None:
    assert theory.spike(1000.0, 600.0, 3000.0, 60.0) == (120_000.0, 120.0, 300.0)


@pytest.mark.parametrize(
    ("places", "in_time"), [(10, 96.890), (50, 99.998), (100, 67.653), (120, 10.278), (200, 0.000)]
)
def test_a_longer_queue_answers_fewer_in_time(places: int, in_time: float) -> None:
    assert theory.in_time_per_s(places, 120.0, 0.01, 1.0) == pytest.approx(in_time, abs=5e-4)


def test_with_all_the_time_in_the_world_all_who_are_let_in_are_answered_in_time() -> None:
    steady = theory.mmck(1, 10, 120.0, 0.01)
    assert theory.in_time_per_s(10, 120.0, 0.01, 1e3) == pytest.approx(120.0 * (1 - steady.blocked_share))


def test_retries_multiply_the_attempts_and_a_budget_bounds_them() -> None:
    assert theory.retried(0.1, 3) == pytest.approx((1.111, 0.9999))
    assert theory.retried(0.5, 3) == pytest.approx((1.875, 0.9375))
    assert theory.retried(1.0, 3) == (4.0, 0.0)
    assert theory.retried_on_budget(0.5, 0.1) == pytest.approx((1.0526, 0.5263), abs=5e-5)
    assert theory.retried_on_budget(1.0, 0.1) == (1.0, 0.0)


def test_a_fan_out_of_a_hundred_is_slow_for_most() -> None:
    assert theory.slow_share(100, 0.01) == pytest.approx(0.6340, abs=5e-5)
