"""Set-ups with a known answer: what theory says about each, and how to simulate it once."""

from sim.lab.checks import cloud, output, overload, queues, roads, stocking, tours, trucks
from sim.lab.checks.check import Check, Measures, Run, time_average

CHECKS = (
    *queues.CHECKS,
    *overload.CHECKS,
    *cloud.CHECKS,
    *trucks.CHECKS,
    *stocking.CHECKS,
    *tours.CHECKS,
    *roads.CHECKS,
    *output.CHECKS,
)

__all__ = ["CHECKS", "Check", "Measures", "Run", "time_average"]
