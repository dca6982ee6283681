"""Counter-based draws for kernels: each is a function of (key, entity, draw), with no state.

The mixer is the finaliser of SplitMix64 in Stafford's variant 13 (Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195), applied
once to the key and the entity and once more to the draw, so that neighbours in either are independent.
"""

import math

import numpy as np

from sim.kernels import inlined, kernel

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SILVER = np.uint64(0xD1342543DE82EF95)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_S30 = np.uint64(30)
_S27 = np.uint64(27)
_S31 = np.uint64(31)
_S12 = np.uint64(12)


@inlined
def bits(key, entity, draw):
    """uint64 with 64 random bits; key uint64, entity and draw non-negative integers."""
    x = key + np.uint64(entity) * _GOLDEN
    x = (x ^ (x >> _S30)) * _MULTIPLIER_1
    x = (x ^ (x >> _S27)) * _MULTIPLIER_2
    x = (x ^ (x >> _S31)) + (np.uint64(draw) + np.uint64(1)) * _SILVER
    x = (x ^ (x >> _S30)) * _MULTIPLIER_1
    x = (x ^ (x >> _S27)) * _MULTIPLIER_2
    return x ^ (x >> _S31)


@inlined
def uniform(key, entity, draw):
    """float64 in the open interval (0, 1): the middles of 2**52 equal cells, so that a logarithm is always finite."""
    return (np.float64(bits(key, entity, draw) >> _S12) + 0.5) * 2.220446049250313e-16


@kernel
def uniforms(key, entities, drawn):
    """First uniform draw of each entity. entities: integers[n]; drawn: float64[n], the result."""
    for i in range(entities.size):
        drawn[i] = uniform(key, entities[i], 0)


@kernel
def uniform_table(key, drawn):
    """Uniform draws of many entities, a row each. drawn: float64[entities, draws], the result."""
    for entity in range(drawn.shape[0]):
        for draw in range(drawn.shape[1]):
            drawn[entity, draw] = uniform(key, entity, draw)


@inlined
def exponential(key, entity, draw, mean):
    """Exponential with the given mean."""
    return -mean * math.log(uniform(key, entity, draw))


@inlined
def normal_quantile(p):
    """Standard normal quantile, relative error below 1.2e-9 in 0 < p < 1 (Acklam's rational approximation, 2003)."""
    if p < 0.02425 or p > 0.97575:
        q = math.sqrt(-2.0 * math.log(p if p < 0.5 else 1.0 - p))
        tail = (
            (
                (
                    ((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838e00) * q
                    - 2.549732539343734e00
                )
                * q
                + 4.374664141464968e00
            )
            * q
            + 2.938163982698783e00
        ) / (
            (
                ((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996e00) * q
                + 3.754408661907416e00
            )
            * q
            + 1.0
        )
        return tail if p < 0.5 else -tail
    q = p - 0.5
    r = q * q
    return (
        (
            (
                (
                    ((-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02) * r
                    + 1.383577518672690e02
                )
                * r
                - 3.066479806614716e01
            )
            * r
            + 2.506628277459239e00
        )
        * q
    ) / (
        (
            (((-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02) * r + 6.680131188771972e01)
            * r
            - 1.328068155288572e01
        )
        * r
        + 1.0
    )


@inlined
def lognormal(key, entity, draw, mu, sigma):
    """Lognormal whose logarithm has mean mu and standard deviation sigma."""
    return math.exp(mu + sigma * normal_quantile(uniform(key, entity, draw)))


@inlined
def pick(cumulative, p):
    """Index of the interval of a cumulative distribution that holds p.

    cumulative: float64[n], non-decreasing, last 1.0. p: in (0, 1). Returns the smallest i with p <= cumulative[i].
    """
    low = 0
    high = cumulative.size - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] < p:
            low = middle + 1
        else:
            high = middle
    return low
