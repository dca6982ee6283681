"""What may be changed on a running cell, at an instant to which it has been advanced, besides its slots and servers."""

import numpy as np

from sim.kernels import link as link_kernels
from sim.kernels.calendar import CHUNK, grown_calendar
from sim.kernels.cell_state import VISITS_BEGUN
from sim.kernels.crowd import push_crowd
from sim.kernels.guards import NO_LIMIT
from sim.kernels.visits import ORDERS_MOST, Client, pack
from sim.site.cell import Cell

_BURST_S = 0.1  # of a rate limit that is switched on in the run: a tenth of a second's requests


def set_bandwidth(cell: Cell, link: int, bit_per_s: float, now_s: float) -> None:
    """Bandwidth of a link from now on; transfers under way keep what they have got."""
    if cell.state.links.bandwidth[link] != bit_per_s:
        link_kernels.set_bandwidth(link, bit_per_s, now_s, cell.state.links)


def set_places(cell: Cell, station: int, places: int) -> None:
    """Waiting places of each lane of a station; who waits already stays."""
    cell.state.stations.limit[station] = places


def set_rate(cell: Cell, station: int, rate_per_s: float, now_s: float) -> None:
    """Rate limit of a station; its bucket is full when it is switched on. inf: none."""
    guards = cell.state.guards
    if np.isinf(guards.rate_per_s[station]) and np.isfinite(rate_per_s):
        guards.burst[station] = max(1.0, rate_per_s * _BURST_S)
        guards.bucket[station] = (guards.burst[station], now_s)
    guards.rate_per_s[station] = rate_per_s
    _arm(cell)


def set_concurrency(cell: Cell, station: int, most: int) -> None:
    """Most requests in a station, waiting and served; NO_LIMIT: any number."""
    cell.state.guards.most[station] = most
    _arm(cell)


def set_deadline(cell: Cell, station: int, deadline_s: float) -> None:
    """Deadline by which a station must be able to answer what it takes; inf: it takes all."""
    cell.state.guards.deadline_s[station] = deadline_s
    _arm(cell)


def _arm(cell: Cell) -> None:
    """Note which stations have a guard now."""
    guards = cell.state.guards
    guards.any[:] = (
        (guards.rate_per_s < np.inf)
        | (guards.most < NO_LIMIT)
        | (guards.deadline_s < np.inf)
        | (guards.window > 0)
        | (guards.simple_from < NO_LIMIT)
    )


def set_routes(cell: Cell, page: int, chances: np.ndarray) -> None:
    """Chances of a page's routes, for pages asked for from now on: float64[routes], of sum 1."""
    cumulative = cell.model.routes.cumulative[page]
    cumulative[:] = 1.0
    cumulative[: chances.size - 1] = np.cumsum(chances)[:-1]


def set_client(cell: Cell, client: Client) -> None:
    """What browsers do from now on."""
    cell.model = cell.model._replace(client=client)


def send_visitors(cell: Cell, time_s: np.ndarray, visitor: np.ndarray, page: int) -> None:
    """Visitors who are not among the shoppers ask for a page at times at least a bucket from now, and browse on.

    They want no order, so that none is lost with them. Those after the end of the recording do not come.
    time_s: float64[n]; visitor: uint32[n], ids beyond the shoppers'.
    """
    coming = time_s < cell.model.horizon_s
    time_s, visitor = time_s[coming], visitor[coming]
    state = cell.state
    chunks = time_s.size // CHUNK + min(time_s.size, state.calendar.end.size)
    while state.calendar.free[1] < chunks:
        state = state._replace(calendar=grown_calendar(state.calendar))
    cell.state = state
    push_crowd(time_s, visitor, pack(page, 0, ORDERS_MOST, 1), cell.model.bucket_s, state.calendar)
    state.progress.tally[VISITS_BEGUN] += time_s.size
