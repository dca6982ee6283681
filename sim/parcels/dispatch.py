"""What dispatch makes of a weather forecast: lanes that it does not serve for now, and ways around them.

weather as it comes -> forecast, off in time -> how long each lane takes -> lanes held, next lane of what is sorted
"""

from collections.abc import Iterator
from typing import NamedTuple

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from sim.draws import stream
from sim.kernels.random import normal_quantile, uniform
from sim.kernels.road import Crew, drive_all
from sim.params.weather import ForecastParams
from sim.parcels.plan import Plan
from sim.units import DAY_S, HOUR_S

Floats = NDArray[np.float64]
_NEVER_S = 1e9


class Outlook(NamedTuple):
    """What dispatch goes by until the next forecast."""

    held: NDArray[np.bool_]  # [lanes], not served
    next_lane: NDArray[np.int32]  # [hubs, hubs], the lane from the first on the way to the second


def forecast_shares(shares: Floats, params: ForecastParams, issue_h: int, seed: int) -> Floats:
    """Speed shares as they are forecast at an hour: float64[links, hours]; past and beyond the horizon as if dry.

    What comes is known, when it comes is off by a normal error whose standard deviation is `error_share` of the lead time.
    One error holds for all the roads of one forecast.
    """
    error = float(normal_quantile(uniform(stream(seed, "parcels.forecast"), issue_h, 0)))
    hours = np.arange(issue_h, min(issue_h + params.horizon_h, shares.shape[1]))
    sources = hours + np.rint(params.error_share * error * (hours - issue_h)).astype(np.int64)
    known = (sources >= 0) & (sources < shares.shape[1])
    forecast = np.ones_like(shares)
    forecast[:, hours[known]] = shares[:, sources[known]]
    return forecast


def outlook(plan: Plan, params: ForecastParams, crew: Crew, s_per_km: float, issue_h: int, seed: int) -> Outlook:
    """Dispatch after the forecast of an hour.

    A lane that is forecast to take `hold_h` longer than dry is held. Where that bars the usual way between two hubs, what is
    sorted goes the way that should be the quickest; every hub in between counts `transfer_h`.
    """
    roads, lanes = plan.roads, plan.lane_km.size
    dry_s, wet_s = np.empty(lanes), np.empty(lanes)
    now_s = issue_h * HOUR_S
    forecast = forecast_shares(roads.speed_share, params, issue_h, seed)
    dry = np.empty((forecast.shape[0], 0))
    drive_all(now_s, 0, lanes, False, s_per_km, crew, roads._replace(speed_share=dry), dry_s)
    drive_all(now_s, 0, lanes, False, s_per_km, crew, roads._replace(speed_share=forecast), wet_s)
    held = wet_s - dry_s >= params.hold_h * HOUR_S
    next_lane = plan.routes.next_lane.copy()
    for own_hubs, own_lanes in zip(plan.hubs, plan.lanes, strict=True):
        if held[own_lanes.start : own_lanes.stop].any():
            _go_around(plan, own_hubs, own_lanes, held, wet_s - now_s + params.transfer_h * HOUR_S, next_lane)
    return Outlook(held, next_lane)


def way_around(plan: Plan, s_per_km: float, avoided: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Next lane on the way between two hubs, int32[hubs, hubs], when lanes are to be avoided where there is another way.

    The way of least driving, and of fewest hubs in between: each counts as a day.
    """
    next_lane = plan.routes.next_lane.copy()
    cost_s = plan.lane_km * s_per_km + DAY_S + np.where(avoided, _NEVER_S, 0.0)
    for hubs, lanes in zip(plan.hubs, plan.lanes, strict=True):
        if avoided[lanes.start : lanes.stop].any():
            _go_around(plan, hubs, lanes, avoided, cost_s, next_lane)
    return next_lane


def _go_around(
    plan: Plan, hubs: range, lanes: range, held: NDArray[np.bool_], cost_s: Floats, next_lane: NDArray[np.int32]
) -> None:
    """Send what a held lane bars, for one carrier, the way of least cost; next_lane: updated."""
    graph: nx.DiGraph[int] = nx.DiGraph()
    for lane in lanes:
        graph.add_edge(int(plan.lane_from[lane]), int(plan.lane_to[lane]), s=float(cost_s[lane]), lane=lane)
    for origin in hubs:
        barred = [end for end in hubs if any(held[lane] for lane in _usual_way(plan, origin, end))]
        if barred:
            paths = nx.single_source_dijkstra_path(graph, origin, weight="s")
            for end in barred:
                next_lane[origin, end] = graph.edges[paths[end][0], paths[end][1]]["lane"]


def _usual_way(plan: Plan, origin: int, end: int) -> Iterator[int]:
    """Lanes from one hub to another when none is held."""
    while origin != end:
        lane = int(plan.routes.next_lane[origin, end])
        yield lane
        origin = int(plan.lane_to[lane])
