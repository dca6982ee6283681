"""Measures of a run, computed from its tables and from nothing else.

`kpis` gives the key figures. The other modules turn tables into the small frames that plots and reports show; what they
return is scaled up to the real day where `scale` is an argument, so that a plot needs no arithmetic.

    tables -> metrics -> frames -> plots -> figures -> report
           `-> kpis ----------------------------------^
"""

from sim.metrics.kpis import kpis

__all__ = ["kpis"]
