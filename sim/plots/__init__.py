"""Figures of a run.

Every `plot_x(table, ax=None) -> Axes` draws one prepared table; `write_figures` draws and saves them all.
"""

from sim.plots.catalogue import FIGURES
from sim.plots.cloud import draw_frontier, plot_frontier, plot_machines
from sim.plots.figures import write_figures
from sim.plots.fleets import plot_fleet
from sim.plots.flows import plot_flows
from sim.plots.hubs import plot_hub_backlog
from sim.plots.latency import plot_latency
from sim.plots.links import plot_link_load
from sim.plots.moves import plot_moves
from sim.plots.national import plot_national
from sim.plots.parcels import plot_lead_times, plot_lead_times_by_distance, plot_states
from sim.plots.rehearsal import plot_rehearsal
from sim.plots.requests import plot_orders, plot_requests, plot_visitors
from sim.plots.sales import plot_sales
from sim.plots.services import plot_service_load
from sim.plots.shoppers import plot_errors, plot_lost, plot_page_times

__all__ = [
    "FIGURES",
    "draw_frontier",
    "plot_errors",
    "plot_fleet",
    "plot_flows",
    "plot_frontier",
    "plot_hub_backlog",
    "plot_latency",
    "plot_lead_times",
    "plot_lead_times_by_distance",
    "plot_link_load",
    "plot_lost",
    "plot_machines",
    "plot_moves",
    "plot_national",
    "plot_orders",
    "plot_page_times",
    "plot_rehearsal",
    "plot_requests",
    "plot_sales",
    "plot_service_load",
    "plot_states",
    "plot_visitors",
    "write_figures",
]
