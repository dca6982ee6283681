"""The report of a run: one HTML file that opens offline and answers first."""

from sim.report.document import write_report, year_of

__all__ = ["write_report", "year_of"]
