"""Distributions of times, as plain data: a kind and its parameters, checked by the station that they are given to.

    lab.exponential(2.0) -> {"kind": "exponential", "mean_s": 2.0} -> Exponential -> draw(key, n) -> float64[n]

Job i takes draws 0, 1, ... of entity i of the stream, so that its time depends on nothing but the seed.
"""

import math
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
from pydantic import Field

from sim.kernels import kernel, random
from sim.params import Params

Specification = dict[str, Any]
"""A distribution as a user writes it: {"kind": ..., parameters}."""

Times = np.ndarray[tuple[int], np.dtype[np.float64]]


def poisson(rate_per_s: float) -> Specification:
    """Arrivals at random with a constant rate [1/s]."""
    return {"kind": "poisson", "rate_per_s": rate_per_s}


def exponential(mean_s: float) -> Specification:
    """Exponential times with a mean [s]."""
    return {"kind": "exponential", "mean_s": mean_s}


def deterministic(value_s: float) -> Specification:
    """Always the same time [s]."""
    return {"kind": "deterministic", "value_s": value_s}


def lognormal(mean_s: float, cv: float) -> Specification:
    """Lognormal times with a mean [s] and a coefficient of variation (standard deviation over mean)."""
    return {"kind": "lognormal", "mean_s": mean_s, "cv": cv}


def hyperexponential(mean_s: float, cv: float) -> Specification:
    """A mixture of two exponentials that carry half of the mean each, with a coefficient of variation of at least 1."""
    return {"kind": "hyperexponential", "mean_s": mean_s, "cv": cv}


@kernel
def _draw_exponential(key: np.uint64, mean_s: float, out_s: Times) -> None:
    for i in range(out_s.size):
        out_s[i] = random.exponential(key, i, 0, mean_s)


@kernel
def _draw_lognormal(key: np.uint64, mu: float, sigma: float, out_s: Times) -> None:
    for i in range(out_s.size):
        out_s[i] = random.lognormal(key, i, 0, mu, sigma)


@kernel
def _draw_hyperexponential(
    key: np.uint64, short_share: float, short_mean_s: float, long_mean_s: float, out_s: Times
) -> None:
    for i in range(out_s.size):
        mean_s = short_mean_s if random.uniform(key, i, 0) < short_share else long_mean_s
        out_s[i] = random.exponential(key, i, 1, mean_s)


class Exponential(Params):
    """Exponential times."""

    kind: Literal["exponential"]
    mean_s: float = Field(gt=0)

    def draw(self, key: np.uint64, n: int) -> Times:
        """Times of the jobs 0..n-1 [s]."""
        out_s = np.empty(n)
        _draw_exponential(key, self.mean_s, out_s)
        return out_s


class Poisson(Params):
    """Exponential gaps, given by their rate."""

    kind: Literal["poisson"]
    rate_per_s: float = Field(gt=0)

    @property
    def mean_s(self) -> float:
        """Mean gap [s]."""
        return 1.0 / self.rate_per_s

    def draw(self, key: np.uint64, n: int) -> Times:
        """Gaps before the jobs 0..n-1 [s]."""
        out_s = np.empty(n)
        _draw_exponential(key, self.mean_s, out_s)
        return out_s


class Deterministic(Params):
    """Always the same time."""

    kind: Literal["deterministic"]
    value_s: float = Field(gt=0)

    @property
    def mean_s(self) -> float:
        """The time itself [s]."""
        return self.value_s

    def draw(self, key: np.uint64, n: int) -> Times:
        """Times of the jobs 0..n-1 [s]; the key is not used."""
        return np.full(n, self.value_s)


class Lognormal(Params):
    """Times whose logarithm is normal."""

    kind: Literal["lognormal"]
    mean_s: float = Field(gt=0)
    cv: float = Field(gt=0)

    def draw(self, key: np.uint64, n: int) -> Times:
        """Times of the jobs 0..n-1 [s]."""
        variance = math.log1p(self.cv**2)
        out_s = np.empty(n)
        _draw_lognormal(key, math.log(self.mean_s) - variance / 2.0, math.sqrt(variance), out_s)
        return out_s


class Hyperexponential(Params):
    """With the larger probability a short exponential time, else a long one; both carry half of the mean.

    Source: Whitt (1982), doi:10.1287/opre.30.1.125 (balanced means).
    """

    kind: Literal["hyperexponential"]
    mean_s: float = Field(gt=0)
    cv: float = Field(ge=1)

    def draw(self, key: np.uint64, n: int) -> Times:
        """Times of the jobs 0..n-1 [s]."""
        squared_cv = self.cv**2
        short_share = (1.0 + math.sqrt((squared_cv - 1.0) / (squared_cv + 1.0))) / 2.0
        out_s = np.empty(n)
        short_mean_s, long_mean_s = self.mean_s / (2.0 * short_share), self.mean_s / (2.0 * (1.0 - short_share))
        _draw_hyperexponential(key, short_share, short_mean_s, long_mean_s, out_s)
        return out_s


Service = Annotated[Exponential | Deterministic | Lognormal | Hyperexponential, pydantic.Discriminator("kind")]
Arrival = Annotated[
    Poisson | Exponential | Deterministic | Lognormal | Hyperexponential, pydantic.Discriminator("kind")
]
