"""Distributions of times, as plain data: a kind and its parameters, checked by the station that they are given to.

    lab.exponential(2.0) -> {"kind": "exponential", "mean_s": 2.0} -> Exponential -> draw(key, n) -> float64[n]

Job i takes the draws of entity i of the stream, so that its time depends on nothing but the seed.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
import pydantic
from pydantic import Field, model_validator

from sim.kernels import times
from sim.params import Params
from sim.params.base import RuleError

Specification = dict[str, Any]
"""A distribution as a user writes it: {"kind": ..., parameters}."""

Times = np.ndarray[tuple[int], np.dtype[np.float64]]


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


def gamma(mean_s: float, cv: float) -> Specification:
    """Gamma times with a mean [s] and a coefficient of variation; its shape is 1 / cv**2."""
    return {"kind": "gamma", "mean_s": mean_s, "cv": cv}


def empirical(values_s: Sequence[float], weights: Sequence[float] | None = None) -> Specification:
    """One of the given times [s], each equally likely or in proportion to its weight."""
    given: Specification = {"kind": "empirical", "values_s": list(values_s)}
    return given if weights is None else given | {"weights": list(weights)}


class Timed(Params):
    """Times that are drawn one for each job."""

    if TYPE_CHECKING:  # a parameter of most, so that pydantic must not find it here

        @property
        def mean_s(self) -> float:
            """Mean time [s]."""

    @property
    def least_s(self) -> float:
        """No time is shorter [s]."""
        return 0.0

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        raise NotImplementedError

    def draw(self, key: np.uint64, n: int) -> Times:
        """Times of the jobs 0..n-1 [s]."""
        out_s = np.empty(n)
        times.draw_times(self.distribution(), key, out_s)
        return out_s

    def arrival_s(self, key: np.uint64, n: int) -> Times:
        """Instants of the first n arrivals whose gaps these times are [s]."""
        return np.cumsum(self.draw(key, n))

    def arrivals_before(self, horizon_s: float) -> float:
        """Expected number of arrivals whose gaps these times are; only about right for short horizons."""
        return horizon_s / self.mean_s


class Exponential(Timed):
    """Exponential times."""

    kind: Literal["exponential"]
    mean_s: float = Field(gt=0)

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        return times.Distribution(times.EXPONENTIAL, self.mean_s)


class Deterministic(Timed):
    """Always the same time."""

    kind: Literal["deterministic"]
    value_s: float = Field(gt=0)

    @property
    def mean_s(self) -> float:
        """The time itself [s]."""
        return self.value_s

    @property
    def least_s(self) -> float:
        """The time itself [s]."""
        return self.value_s

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        return times.Distribution(times.DETERMINISTIC, self.value_s)


class Lognormal(Timed):
    """Times whose logarithm is normal."""

    kind: Literal["lognormal"]
    mean_s: float = Field(gt=0)
    cv: float = Field(gt=0)

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        variance = math.log1p(self.cv**2)
        return times.Distribution(times.LOGNORMAL, math.log(self.mean_s) - variance / 2.0, math.sqrt(variance))


class Hyperexponential(Timed):
    """With the larger probability a short exponential time, else a long one; both carry half of the mean.

    Source: Whitt (1982), doi:10.1287/opre.30.1.125 (balanced means).
    """

    kind: Literal["hyperexponential"]
    mean_s: float = Field(gt=0)
    cv: float = Field(ge=1)

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        squared_cv = self.cv**2
        short_share = (1.0 + math.sqrt((squared_cv - 1.0) / (squared_cv + 1.0))) / 2.0
        short_mean_s, long_mean_s = self.mean_s / (2.0 * short_share), self.mean_s / (2.0 * (1.0 - short_share))
        return times.Distribution(times.HYPEREXPONENTIAL, short_share, short_mean_s, long_mean_s)


class Gamma(Timed):
    """Gamma times of any shape."""

    kind: Literal["gamma"]
    mean_s: float = Field(gt=0)
    cv: float = Field(gt=0)

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        shape = 1.0 / self.cv**2
        return times.Distribution(times.GAMMA, shape, self.mean_s / shape)


class Empirical(Timed):
    """One of given times."""

    kind: Literal["empirical"]
    values_s: tuple[Annotated[float, Field(ge=0)], ...] = Field(min_length=1)
    weights: tuple[Annotated[float, Field(ge=0)], ...] | None = None

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.values_s):
            raise RuleError([f"weights must be one a value, {len(self.values_s)} of them, got {len(self.weights)}"])
        if self.weights is not None and sum(self.weights) <= 0:
            raise RuleError(["weights must not all be 0"])
        if self.mean_s <= 0:
            raise RuleError(["values_s must not all be 0 [s]"])
        return self

    def _shares(self) -> Times:
        weights = np.ones(len(self.values_s)) if self.weights is None else np.array(self.weights)
        shares: Times = weights / weights.sum()
        return shares

    @property
    def mean_s(self) -> float:
        """Mean time [s]."""
        return float(self._shares() @ np.array(self.values_s))

    @property
    def least_s(self) -> float:
        """The shortest of the times that can come [s]."""
        return float(np.array(self.values_s)[self._shares() > 0].min())

    def distribution(self) -> times.Distribution:
        """What kernels draw from."""
        shares = self._shares()
        possible = shares > 0
        cumulative = np.cumsum(shares[possible])
        cumulative[-1] = 1.0
        return times.Distribution(times.EMPIRICAL, values=np.array(self.values_s)[possible], cumulative=cumulative)


Service = Annotated[
    Exponential | Deterministic | Lognormal | Hyperexponential | Gamma | Empirical, pydantic.Discriminator("kind")
]
