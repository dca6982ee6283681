"""Measures of a run, computed from its tables and from nothing else.

`kpis` gives the key figures. The other modules turn tables into the small frames that plots and reports show; what they
return is scaled up to the real day where `scale` is an argument, so that a plot needs no arithmetic.

    tables -> metrics -> frames -> plots -> figures -> report
           `-> kpis ----------------------------------^

`missing_summaries` counts the parcels in one pass; what it gives is stored as tables, and nothing else needs to read all parcels.
"""

from sim.metrics.kpis import kpis
from sim.metrics.summary import missing_summaries

__all__ = ["kpis", "missing_summaries"]
