"""Distributions of times for kernels: a kind with its numbers, and the time that an entity draws from it."""

import math
from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.random import bits, exponential, lognormal, normal_quantile, pick, uniform

DETERMINISTIC = 0  # a: the time
EXPONENTIAL = 1  # a: mean
LOGNORMAL = 2  # a, b: mean and standard deviation of the logarithm
HYPEREXPONENTIAL = 3  # a: share of short times, b, c: mean of the short and of the long ones
GAMMA = 4  # a: shape, b: scale
EMPIRICAL = 5  # values, cumulative

_ATTEMPTS = np.uint64(0xA24BAED4963EE407)


class Distribution(NamedTuple):
    """A kind of distribution and what it needs; see the kinds for the meaning of a, b and c [s]."""

    kind: int
    a: float = 0.0
    b: float = 0.0
    c: float = 0.0
    values: np.ndarray = np.zeros(0)  # float64[V] [s]
    cumulative: np.ndarray = np.zeros(0)  # float64[V], share of the values up to each


@inlined
def standard_gamma(key, entity, shape):
    """Gamma of scale 1, any shape > 0; draw 0 belongs to shapes below 1, draws 2k+1 and 2k+2 to the k-th proposal.

    Source: Marsaglia, Tsang (2000), doi:10.1145/358407.358414; shapes below 1 by their section 6.
    """
    d = (shape if shape >= 1.0 else shape + 1.0) - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    draw = 1
    while True:
        x = normal_quantile(uniform(key, entity, draw))
        root = 1.0 + c * x
        if root > 0.0:
            v = root * root * root
            if math.log(uniform(key, entity, draw + 1)) < 0.5 * x * x + d * (1.0 - v + math.log(v)):
                break
        draw += 2
    if shape >= 1.0:
        return d * v
    return d * v * math.pow(uniform(key, entity, 0), 1.0 / shape)


@inlined
def time_of(distribution, key, entity):
    """The time that an entity draws [s]."""
    kind = distribution.kind
    if kind == DETERMINISTIC:
        return distribution.a
    if kind == EXPONENTIAL:
        return exponential(key, entity, 0, distribution.a)
    if kind == LOGNORMAL:
        return lognormal(key, entity, 0, distribution.a, distribution.b)
    if kind == HYPEREXPONENTIAL:
        mean_s = distribution.b if uniform(key, entity, 0) < distribution.a else distribution.c
        return exponential(key, entity, 1, mean_s)
    if kind == GAMMA:
        return distribution.b * standard_gamma(key, entity, distribution.a)
    return distribution.values[pick(distribution.cumulative, uniform(key, entity, 0))]


@inlined
def key_of_attempt(key, attempt):
    """The key of the draws of an attempt: that of the stream for the first, 0, and others for those that follow."""
    if attempt == 0:
        return key
    return bits(key ^ _ATTEMPTS, attempt, 0)


@kernel
def draw_times(distribution, key, out_s):
    """The times of the entities 0, 1, ... out_s: float64[n], the result [s]."""
    for i in range(out_s.size):
        out_s[i] = time_of(distribution, key, i)


@kernel
def draw_bits(key, out):
    """64 random bits for each of the entities 0, 1, ... out: uint64[n], the result."""
    for i in range(out.size):
        out[i] = bits(key, i, 0)


@kernel
def draw_classes(cumulative, key, out):
    """A class for each of the entities 0, 1, ... cumulative: float64[C], share of the classes up to each; out: int8[n]."""
    for i in range(out.size):
        out[i] = pick(cumulative, uniform(key, i, 0))


@kernel
def wave_instants(expected, mean_per_s, swing, period_s, out_s):
    """When the expected number of arrivals at rate mean_per_s (1 + swing sin(2 pi t / period_s)) reaches given numbers.

    Newton's method, kept between bounds that halve where it would leave them.

    Parameters
    ----------
    expected : float64[n], > 0
    out_s : float64[n], the result [s]
    """
    turn = 2.0 * math.pi / period_s
    for i in range(out_s.size):
        latest_s = expected[i] / mean_per_s
        earliest_s = max(0.0, latest_s - swing * period_s / math.pi)
        t_s = 0.5 * (earliest_s + latest_s)
        for _ in range(100):
            excess_s = t_s + swing / turn * (1.0 - math.cos(turn * t_s)) - expected[i] / mean_per_s
            if excess_s > 0.0:
                latest_s = t_s
            else:
                earliest_s = t_s
            slope = 1.0 + swing * math.sin(turn * t_s)
            next_s = t_s - excess_s / slope if slope > 0.0 else latest_s
            if not earliest_s < next_s < latest_s:
                next_s = 0.5 * (earliest_s + latest_s)
            if next_s == t_s or math.fabs(next_s - t_s) <= 1e-15 * next_s:
                break
            t_s = next_s
        out_s[i] = t_s
