"""The days that decisions are tried on: a seed, and a draw of everything that is uncertain."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sim.capacity.params import InputParams
from sim.draws import stream

VERIFICATION_FROM, SENSITIVITY_FROM = 1_000_000, 2_000_000  # seeds after the plan's own that no other step uses


class Day(NamedTuple):
    """A seed and, for each input, the quantile of its distribution that is met, in (0, 1)."""

    seed: int
    quantiles: tuple[float, ...]


def search_days(seed: int, count: int, inputs: int) -> list[Day]:
    """Days that stand for the whole distribution of the inputs: a Latin hypercube.

    Source: M. D. McKay, R. J. Beckman, W. J. Conover (1979), Technometrics 21(2), doi:10.2307/1268522.
    """
    shares = np.empty((count, 0))
    if inputs:
        from scipy.stats import qmc  # slow to import

        shares = qmc.LatinHypercube(d=inputs, rng=_draws(seed, "capacity.search")).random(count)
    return _days(seed, shares)


def fresh_days(seed: int, count: int, inputs: int) -> list[Day]:
    """Independent days that no search has seen; more of them begin with the same ones."""
    return _days(seed + VERIFICATION_FROM, _draws(seed, "capacity.verification").random((count, inputs)))


def given_days(seed: int, shares: np.ndarray, chance: np.ndarray) -> list[Day]:
    """Days with quantiles as given, float64[n, inputs], and a seed chosen by `chance`, float64[n] in [0, 1)."""
    seeds = seed + SENSITIVITY_FROM + np.floor(chance * 1_000_000).astype(np.int64)
    return [Day(int(one), tuple(row)) for one, row in zip(seeds, shares.tolist(), strict=True)]


def value(given: InputParams, quantile: float) -> float:
    """The value of an input, a number, at a quantile."""
    if given.kind == "uniform":
        assert given.low is not None
        assert given.high is not None
        return given.low + quantile * (given.high - given.low)
    from scipy.special import ndtri

    assert given.sigma is not None
    deviation = given.sigma * float(ndtri(min(max(quantile, 1e-9), 1 - 1e-9)))
    if given.kind == "normal":
        assert given.mean is not None
        return given.mean + deviation
    assert given.median is not None
    return given.median * float(np.exp(deviation))


def outcome(given: InputParams, quantile: float) -> str:
    """The outcome of an input, one of several, at a quantile."""
    assert given.outcomes is not None
    reached = 0.0
    for name, one in given.outcomes.items():
        reached += one.share
        if quantile < reached:
            return name
    return name


def described(inputs: Mapping[str, InputParams], day: Day) -> dict[str, float | str]:
    """What a day brings, by name of the input."""
    return {
        name: outcome(given, quantile) if given.outcomes is not None else value(given, quantile)
        for (name, given), quantile in zip(inputs.items(), day.quantiles, strict=True)
    }


def _days(first_seed: int, shares: np.ndarray) -> list[Day]:
    return [Day(first_seed + number, tuple(row)) for number, row in enumerate(shares.tolist())]


def _draws(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(int(stream(seed, name)))
