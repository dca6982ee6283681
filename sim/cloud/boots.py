"""How long each machine takes to boot, and whether it fails: a function of seed, service and the machine's number."""

import math

import numpy as np

from sim.draws import stream
from sim.kernels.random import uniforms
from sim.kernels.times import DETERMINISTIC, LOGNORMAL, Distribution, draw_times
from sim.params.cloud import CloudParams


class Boots:
    """The boots of one service's machines: lognormal, until the health check that notices the machine.

    Parameters
    ----------
    params : of the cloud
    seed : of the run
    service : its name
    """

    def __init__(self, params: CloudParams, seed: int, service: str) -> None:
        sigma = math.sqrt(math.log1p(params.boot_cv**2))
        self._distribution = (
            Distribution(LOGNORMAL, math.log(params.boot_s) - sigma**2 / 2, sigma)
            if params.boot_cv > 0
            else Distribution(DETERMINISTIC, params.boot_s)
        )
        self._check_s = params.check_s
        self._failure_share = params.boot_failure_share
        self._boot_key = stream(seed, f"cloud.boot.{service}")
        self._failure_key = stream(seed, f"cloud.failure.{service}")
        self._boot_s = np.zeros(0)

    def boot_s(self, numbers: np.ndarray) -> np.ndarray:
        """Time from order to boot of the machines of these numbers, a multiple of the time between checks [s]."""
        most = int(numbers.max(initial=-1)) + 1
        if most > self._boot_s.size:
            drawn = np.empty(2 * most)
            draw_times(self._distribution, self._boot_key, drawn)
            self._boot_s = self._check_s * np.ceil(drawn / self._check_s)
        return np.asarray(self._boot_s[numbers])

    def fails(self, numbers: np.ndarray) -> np.ndarray:
        """Whether the boots of the machines of these numbers fail: bool[n]."""
        drawn = np.empty(numbers.size)
        uniforms(self._failure_key, numbers.astype(np.int64), drawn)
        return drawn < self._failure_share
