"""A courier's tour through random stops: check E3.

The published term for few stops is a little long: exact tours through 12 stops are 2.7 % shorter than the formula says, those
through 8 stops 4.4 %; at the 50 stops of a courier it says 0.7 % more than without the term. The tolerance is as wide as that.
"""

import math

from sim.lab.checks.check import Check, Measures
from sim.lab.tours import tours

PLANTED_POWER = 6  # a planted 3 % makes the sides of the area a fifth longer


def random_stops(stops: int, area_km2: float, count: int, tolerance: float) -> Check:
    """The mean length of shortest tours through stops without a margin; planted: longer sides."""

    def expected(load: float) -> Measures:
        return {"km": 0.7124 * math.sqrt(stops * area_km2) * load**PLANTED_POWER * (1.0 + 0.33 / stops)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        wider_km2 = area_km2 * load ** (2 * PLANTED_POWER)
        found = tours(stops=stops, area_km2=wider_km2, tours=max(10, round(count * share)), seed=seed)
        return {"km": float(found["length_km"].mean())}

    law = f"shortest tour through {stops} random stops in {area_km2:g} km2, within {tolerance:.0%}"
    return Check("E3", law, expected, simulate, "sides a fifth longer", tolerance * expected(1.0)["km"])


CHECKS = (random_stops(8, 10.0, 2000, 0.05), random_stops(12, 10.0, 300, 0.03))
