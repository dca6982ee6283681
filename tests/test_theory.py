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
