"""Figures of a run.

Every `plot_x(table, ax=None) -> Axes` draws one prepared table; `write_figures` draws and saves them all.
"""

from sim.plots.catalogue import FIGURES
from sim.plots.figures import write_figures
from sim.plots.flows import plot_flows
from sim.plots.hubs import plot_hub_backlog
from sim.plots.latency import plot_latency
from sim.plots.parcels import plot_lead_times, plot_states
from sim.plots.requests import plot_orders, plot_requests, plot_visitors
from sim.plots.sales import plot_sales
from sim.plots.services import plot_service_load

__all__ = [
    "FIGURES",
    "plot_flows",
    "plot_hub_backlog",
    "plot_latency",
    "plot_lead_times",
    "plot_orders",
    "plot_requests",
    "plot_sales",
    "plot_service_load",
    "plot_states",
    "plot_visitors",
    "write_figures",
]
