"""A forecast of each service's load for the predictive policy: what is expected, with an error drawn for each hour."""

import math
from collections.abc import Mapping

import numpy as np

from sim.draws import stream
from sim.kernels.random import normal_quantile, uniforms
from sim.units import HOUR_S


class Forecast:
    """Callable: the highest load of a service within an interval [1/s], as forecast.

    Parameters
    ----------
    expected_per_s : of each service in every second from t = 0 on, at full scale: float64[seconds] [1/s]
    error_share : of each service, standard deviation of the relative error, lognormal with mean 1, the same for a whole hour
    seed : of the run
    """

    def __init__(self, expected_per_s: Mapping[str, np.ndarray], error_share: Mapping[str, float], seed: int) -> None:
        self._per_s = {
            name: rates * _errors(error_share[name], seed, name, rates.size) for name, rates in expected_per_s.items()
        }

    def __call__(self, service: str, from_s: float, until_s: float) -> float:
        """The highest of the seconds that [from_s, until_s) touches; 0 beyond the end of what is forecast."""
        return float(self._per_s[service][math.floor(from_s) : math.ceil(until_s)].max(initial=0.0))


def _errors(error_share: float, seed: int, service: str, seconds: int) -> np.ndarray:
    """The factor of each second's forecast: float64[seconds]."""
    hours = np.arange(-(-seconds // int(HOUR_S)))
    drawn = np.empty(hours.size)
    uniforms(stream(seed, f"cloud.forecast.{service}"), hours, drawn)
    sigma = math.sqrt(math.log1p(error_share**2))
    factors = np.array([math.exp(sigma * normal_quantile(p) - sigma**2 / 2) for p in drawn.tolist()])
    return np.repeat(factors, int(HOUR_S))[:seconds]
