"""Optimistic writes: the kernel against plain SimPy, and what backoff does for them."""

from typing import Any

import numpy as np
import pytest
import simpy

from sim import lab
from sim.draws import stream
from sim.kernels import kernel, random
from sim.kernels.optimistic import LEGS
from sim.lab.writes import contention
from sim.params import ParameterError

uniform_at = kernel(lambda key, client, draw: random.uniform(key, client, draw))
quantile_at = kernel(lambda p: random.normal_quantile(p))


def calls_in_simpy(clients: int, base_s: float | None, seed: int) -> int:
    """Writes that are tried in all; full jitter over waits that double from base_s up to 2 s, or no backoff."""
    env = simpy.Environment()
    key = stream(seed, "lab.contention/0")
    written = 0
    calls = 0

    def live(client: int):
        nonlocal written, calls
        failures, extra_s = 0, 0.0
        while True:
            first = LEGS * failures
            legs_s = [abs(0.010 + 0.002 * quantile_at(uniform_at(key, client, first + k))) for k in range(1, 5)]
            yield env.timeout(extra_s + legs_s[0])
            read = written
            yield env.timeout(legs_s[1] + legs_s[2])
            calls += 1
            if read == written:
                written += 1
                return
            failures += 1
            wait_s = 0.0
            if base_s is not None:
                wait_s = uniform_at(key, client, LEGS * failures) * min(2.0, base_s * 2.0 ** (failures - 1))
            yield env.timeout(legs_s[3] + wait_s)

    for client in range(clients):
        env.process(live(client))
    env.run()
    return calls


@pytest.mark.parametrize("seed", range(5))
def test_as_many_writes_are_tried_as_in_the_plain_model(seed: int) -> None:
    assert contention(clients=40, retry=lab.retry(), seed=seed)[0] == calls_in_simpy(40, None, seed)
    jittered = lab.retry(backoff="exponential", base_s=0.01, cap_s=2.0, jitter="full")
    assert contention(clients=40, retry=jittered, seed=seed)[0] == calls_in_simpy(40, 0.01, seed)


def test_jitter_takes_most_of_the_work_away() -> None:
    waits: dict[str, Any] = {"backoff": "exponential", "base_s": 0.01, "cap_s": 2.0}
    none, plain, equal, full, decorrelated = (
        contention(clients=100, retry=policy, runs=50).mean()
        for policy in (
            lab.retry(),
            lab.retry(**waits),
            *(lab.retry(**waits, jitter=jitter) for jitter in ("equal", "full", "decorrelated")),
        )
    )
    assert none > plain > 2 * equal
    assert equal > full
    assert decorrelated < 2 * full


def test_one_client_writes_once_and_runs_differ() -> None:
    assert list(contention(clients=1, retry=lab.retry(), runs=3)) == [1, 1, 1]
    assert np.unique(contention(clients=50, retry=lab.retry(), runs=10)).size > 3


def test_what_cannot_be_simulated_is_told() -> None:
    with pytest.raises(ParameterError, match="clients must be >= 1, got 0"):
        contention(clients=0, retry=lab.retry())
