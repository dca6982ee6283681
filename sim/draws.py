"""Randomness as a pure function of (seed, stream, entity, draw).

A stream is named once, where it is used ("visit.think", "shopper.channel"); its key mixes the name with the run's
seed. Kernels take the key and compute each draw in place (`sim.kernels.random`), so that no result depends on order,
window, thread or worker, and adding a stream shifts nobody else's numbers.
"""

import hashlib

import numpy as np


def stream(seed: int, name: str) -> np.uint64:
    """Key of a named stream of draws under a run's seed."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return np.uint64(int.from_bytes(digest, "little"))
