"""The counter-based draws are uniform, and independent across streams, entities and draws, as far as tests can see.

Every test has fixed keys, so it passes or fails for good. Thresholds leave chance about one in 10,000.
"""

import math

import numpy as np
import pytest
from scipy import stats

from sim.draws import stream
from sim.kernels import kernel, random

KEY = stream(1, "test")
LEAST_P = 1e-4


@kernel
def fill(key, first_entity, entity_step, first_draw, draw_step, out):
    """out[i] = the uniform of entity first + i * step and draw first + i * step."""
    for i in range(out.size):
        out[i] = random.uniform(key, first_entity + i * entity_step, first_draw + i * draw_step)


@kernel
def fill_quantiles(p, out):
    for i in range(out.size):
        out[i] = random.normal_quantile(p[i])


@kernel
def fill_times(key, mean, mu, sigma, exponential, lognormal):
    for i in range(exponential.size):
        exponential[i] = random.exponential(key, i, 0, mean)
        lognormal[i] = random.lognormal(key, i, 1, mu, sigma)


@kernel
def fill_bits(key, entity, draw, out):
    for i in range(out.size):
        out[i] = random.bits(key, entity[i], draw[i])


def uniforms(n: int, key=KEY, entities=(0, 1), draws=(0, 0)) -> np.ndarray:
    out = np.empty(n)
    fill(key, entities[0], entities[1], draws[0], draws[1], out)
    return out


SEQUENCES = {
    "neighbouring entities": {"entities": (0, 1)},
    "entities far out": {"entities": (200_000_000, 1)},
    "every 1,000th entity": {"entities": (0, 1000)},
    "every 2**20th entity": {"entities": (0, 2**20)},
    "neighbouring draws of one entity": {"entities": (7, 0), "draws": (0, 1)},
    "the diagonal": {"entities": (0, 1), "draws": (0, 1)},
    "another key": {"key": np.uint64(0)},
}


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_uniforms_fill_many_bins_evenly(sequence) -> None:
    u = uniforms(1_000_000, **sequence)
    counts = np.bincount((u * 4096).astype(int), minlength=4096)
    assert LEAST_P < stats.chisquare(counts).pvalue < 1 - LEAST_P
    low_bits = np.bincount((u * 2**40).astype(np.int64) % 4096, minlength=4096)
    assert LEAST_P < stats.chisquare(low_bits).pvalue < 1 - LEAST_P


@pytest.mark.parametrize("sequence", SEQUENCES.values(), ids=SEQUENCES.keys())
def test_neighbours_in_a_sequence_are_independent(sequence) -> None:
    u = uniforms(1_000_000, **sequence)
    for lag in (1, 2, 3, 7, 64):
        assert abs(np.corrcoef(u[:-lag], u[lag:])[0, 1]) < 4 / math.sqrt(u.size)
    bins = (u * 32).astype(int)
    pairs = np.bincount(bins[:-1:2] * 32 + bins[1::2], minlength=1024)
    assert LEAST_P < stats.chisquare(pairs).pvalue < 1 - LEAST_P


@pytest.mark.parametrize(
    "other",
    [
        {"key": stream(1, "test2")},
        {"key": stream(2, "test")},
        {"key": KEY + np.uint64(1)},
        {"draws": (1, 0)},
        {"entities": (1, 1), "draws": (1, 0)},
    ],
    ids=["another stream", "another seed", "the next key", "the next draw", "the next entity and draw"],
)
def test_two_sequences_of_the_same_entities_are_independent(other) -> None:
    u, v = uniforms(1_000_000), uniforms(1_000_000, **other)
    assert abs(np.corrcoef(u, v)[0, 1]) < 4 / math.sqrt(u.size)
    pairs = np.bincount((u * 32).astype(int) * 32 + (v * 32).astype(int), minlength=1024)
    assert LEAST_P < stats.chisquare(pairs).pvalue < 1 - LEAST_P


def test_one_changed_bit_of_any_input_changes_half_of_the_output() -> None:
    rng = np.random.default_rng(0)
    entity, draw = rng.integers(0, 2**40, 2000), rng.integers(0, 2**16, 2000)
    base = np.empty(2000, np.uint64)
    fill_bits(KEY, entity, draw, base)
    for changed_bit in range(40):
        for changed in ((entity ^ (1 << changed_bit), draw), (entity, draw ^ (1 << changed_bit % 16))):
            out = np.empty(2000, np.uint64)
            fill_bits(KEY, changed[0], changed[1], out)
            share = np.unpackbits((out ^ base).view(np.uint8)).mean()
            assert share == pytest.approx(0.5, abs=4.5 * 0.5 / math.sqrt(2000 * 64))


def test_no_two_of_a_million_entities_draw_the_same_bits() -> None:
    out = np.empty(1_000_000, np.uint64)
    fill_bits(KEY, np.arange(out.size), np.zeros(out.size, np.int64), out)
    assert np.unique(out).size == out.size


def draw_that_gives(wanted: int) -> np.uint64:
    """The draw of key 0 and entity 0 whose bits are `wanted`: the mixer run backwards."""

    def unshift(x: int, shift: int) -> int:
        return x ^ (x >> shift) ^ (x >> 2 * shift)

    x = unshift(wanted, 31)
    x = unshift(x * pow(0x94D049BB133111EB, -1, 2**64) % 2**64, 27)
    x = unshift(x * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64, 30)
    return np.uint64((x * pow(0xD1342543DE82EF95, -1, 2**64) - 1) % 2**64)


def test_uniforms_stay_inside_the_open_interval_even_at_its_ends() -> None:
    first, last = draw_that_gives(0), draw_that_gives(2**64 - 1)
    assert random.bits(np.uint64(0), 0, first) == 0
    assert random.bits(np.uint64(0), 0, last) == 2**64 - 1
    assert random.uniform(np.uint64(0), 0, first) == 2.0**-53
    assert random.uniform(np.uint64(0), 0, last) == 1.0 - 2.0**-53
    assert random.exponential(np.uint64(0), 0, last, 1.0) > 0.0


def test_the_normal_quantile_is_that_of_scipy() -> None:
    p = np.concatenate(
        [np.linspace(1e-6, 1 - 1e-6, 200_001), np.geomspace(1e-16, 0.1, 2000), 1 - np.geomspace(1e-12, 0.1, 2000)]
    )
    out = np.empty(p.size)
    fill_quantiles(p, out)
    np.testing.assert_allclose(out, stats.norm.ppf(p), rtol=1.2e-9, atol=1e-12)


def test_exponentials_and_lognormals_have_their_moments_and_their_distribution() -> None:
    n, mean, mu, sigma = 1_000_000, 3.0, 0.4, 0.8
    exponential, lognormal = np.empty(n), np.empty(n)
    fill_times(KEY, mean, mu, sigma, exponential, lognormal)
    assert exponential.mean() == pytest.approx(mean, rel=4 / math.sqrt(n))
    assert exponential.var() == pytest.approx(mean**2, rel=4 * math.sqrt(8 / n))
    assert np.log(lognormal).mean() == pytest.approx(mu, abs=4 * sigma / math.sqrt(n))
    assert np.log(lognormal).std() == pytest.approx(sigma, rel=4 / math.sqrt(2 * n))
    assert stats.kstest(exponential, stats.expon(scale=mean).cdf).pvalue > LEAST_P
    assert stats.kstest(lognormal, stats.lognorm(s=sigma, scale=math.exp(mu)).cdf).pvalue > LEAST_P


def test_pick_finds_the_interval_that_holds_a_number() -> None:
    cumulative = np.array([0.2, 0.2, 0.7, 1.0])
    picked = [random.pick(cumulative, p) for p in (1e-9, 0.2, np.nextafter(0.2, 1), 0.7, 0.71, 1 - 1e-9)]
    assert picked == [0, 0, 2, 2, 3, 3]


def test_a_stream_is_named_by_seed_and_name_together() -> None:
    keys = {int(stream(seed, name)) for seed in range(50) for name in ("think", "parcels.weight", "1/think", "")}
    assert len(keys) == 200
    assert stream(1, "think") == stream(1, "think")
