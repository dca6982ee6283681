"""Arrivals at a station: gaps of any distribution, or a Poisson process whose rate is constant, in steps or a wave.

A rate that changes is a change of clock: the k-th arrival comes when the expected number of arrivals reaches the k-th point
of a Poisson process of rate 1, whose points depend on nothing but the seed. Source: Çinlar (1975), Introduction to
Stochastic Processes, chapter 4.7.
"""

import math
from typing import Annotated, Literal, Self

import numpy as np
import pydantic
from pydantic import Field, model_validator

from sim.kernels import times
from sim.lab.distributions import (
    Deterministic,
    Empirical,
    Exponential,
    Gamma,
    Hyperexponential,
    Lognormal,
    Specification,
    Timed,
    Times,
)
from sim.params import Params
from sim.params.base import RuleError

_UNIT = times.Distribution(times.EXPONENTIAL, 1.0)


def poisson(rate_per_s: float) -> Specification:
    """Arrivals at random with a constant rate [1/s]."""
    return {"kind": "poisson", "rate_per_s": rate_per_s}


def steps(*rates: tuple[float, float]) -> Specification:
    """Arrivals at random whose rate changes in steps: pairs (from_s, rate_per_s), the first from 0 s."""
    return {"kind": "steps", "from_s": [s for s, _ in rates], "rate_per_s": [rate for _, rate in rates]}


def sinusoid(mean_per_s: float, swing: float, period_s: float) -> Specification:
    """Arrivals at random with rate mean_per_s x (1 + swing x sin(2 pi t / period_s))."""
    return {"kind": "sinusoid", "mean_per_s": mean_per_s, "swing": swing, "period_s": period_s}


class Poisson(Timed):
    """Exponential gaps, given by their rate."""

    kind: Literal["poisson"]
    rate_per_s: float = Field(gt=0)

    @property
    def mean_s(self) -> float:
        """Mean gap [s]."""
        return 1.0 / self.rate_per_s

    def distribution(self) -> times.Distribution:
        """What kernels draw gaps from."""
        return times.Distribution(times.EXPONENTIAL, self.mean_s)


class Changing(Params):
    """A Poisson process whose rate depends on time."""

    def arrivals_before(self, horizon_s: float) -> float:
        """Expected number of arrivals before an instant."""
        raise NotImplementedError

    def _instants(self, expected: Times) -> Times:
        """When the expected number of arrivals reaches each of these numbers [s]."""
        raise NotImplementedError

    def arrival_s(self, key: np.uint64, n: int) -> Times:
        """Instants of the first n arrivals [s]."""
        gaps = np.empty(n)
        times.draw_times(_UNIT, key, gaps)
        return self._instants(np.cumsum(gaps))


class Steps(Changing):
    """A rate that is constant between given instants."""

    kind: Literal["steps"]
    from_s: tuple[Annotated[float, Field(ge=0)], ...] = Field(min_length=1)
    rate_per_s: tuple[Annotated[float, Field(ge=0)], ...]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        problems = []
        if len(self.rate_per_s) != len(self.from_s):
            problems.append(f"rate_per_s must be one a step, {len(self.from_s)} of them, got {len(self.rate_per_s)}")
        elif self.rate_per_s[-1] <= 0:
            problems.append(f"rate_per_s must be > 0 [1/s] in the last step, got {self.rate_per_s[-1]:g}")
        if self.from_s[0] != 0:
            problems.append(f"from_s must begin with 0 [s], got {self.from_s[0]:g}")
        if any(later <= earlier for earlier, later in zip(self.from_s, self.from_s[1:], strict=False)):
            problems.append(f"from_s must increase, got {list(self.from_s)}")
        if problems:
            raise RuleError(problems)
        return self

    def _expected(self) -> Times:
        """Expected arrivals before each step."""
        return np.concatenate([[0.0], np.cumsum(np.diff(self.from_s) * self.rate_per_s[:-1])])

    def arrivals_before(self, horizon_s: float) -> float:
        """Expected number of arrivals before an instant."""
        step = int(np.searchsorted(self.from_s, horizon_s, side="right")) - 1
        return float(self._expected()[step] + (horizon_s - self.from_s[step]) * self.rate_per_s[step])

    def _instants(self, expected: Times) -> Times:
        before = self._expected()
        step = np.searchsorted(before, expected, side="right") - 1
        instants: Times = np.array(self.from_s)[step] + (expected - before[step]) / np.array(self.rate_per_s)[step]
        return instants


class Sinusoid(Changing):
    """A rate that swings around its mean, upwards first."""

    kind: Literal["sinusoid"]
    mean_per_s: float = Field(gt=0)
    swing: float = Field(ge=0, le=1)
    period_s: float = Field(gt=0)

    def arrivals_before(self, horizon_s: float) -> float:
        """Expected number of arrivals before an instant."""
        turn = 2.0 * math.pi / self.period_s
        return self.mean_per_s * (horizon_s + self.swing / turn * (1.0 - math.cos(turn * horizon_s)))

    def _instants(self, expected: Times) -> Times:
        instants_s = np.empty(expected.size)
        times.wave_instants(expected, self.mean_per_s, self.swing, self.period_s, instants_s)
        return instants_s


Arrival = Annotated[
    Poisson | Steps | Sinusoid | Exponential | Deterministic | Lognormal | Hyperexponential | Gamma | Empirical,
    pydantic.Discriminator("kind"),
]


def arrivals(arrival: "Timed | Changing", key: np.uint64, most: int, horizon_s: float) -> Times:
    """Instants of all arrivals before the horizon, `most` of them at most [s]."""
    if math.isinf(horizon_s):
        return arrival.arrival_s(key, most)
    expected = arrival.arrivals_before(horizon_s)
    n = int(min(most, expected + 10.0 * math.sqrt(expected) + 10.0))
    arrival_s = arrival.arrival_s(key, n)
    while arrival_s[-1] < horizon_s and n < most:
        n = min(most, 2 * n)
        arrival_s = arrival.arrival_s(key, n)
    return arrival_s[: np.searchsorted(arrival_s, horizon_s, side="left")]
