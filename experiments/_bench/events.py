"""What one event costs by scale: a page request of the site alone, a step of a parcel on the road alone.

A run is set up before the clock runs, and the road's orders are worked out; tables come after it. One thread does all.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sim.compose import compose
from sim.festival import Festival, check
from sim.params import build
from sim.params.festival import FestivalParams
from sim.parcels import ParcelNetwork

ALONE = {"parcel": ("site=off", "rehearsal=off"), "request": ("parcels=off", "rehearsal=off")}
"""What of the festival is simulated to measure what an event of each kind costs."""

WARM_UP = 1e-4  # scale of the runs that compile, or read what is compiled

_STEPS = ("created", "packed", "picked_up", "outlet", "end")
"""Columns of a parcel's row, an event each; hubs and couriers count theirs themselves, as there may be several."""


class Cost(NamedTuple):
    """Median over the rounds."""

    event: str  # request, or parcel: of a parcel
    scale: float
    events: int
    cpu_s: float
    ns_per_event: float


def params_of(event: str, scale: float, seed: int) -> FestivalParams:
    """The checked festival of 2012 in which events of a kind are measured.

    Raises
    ------
    sim.params.ParameterError
        When the scale is none, or needs more memory than there is.
    """
    config = compose("festival_2012", [*ALONE[event], f"scale={scale}", f"seed={seed}", "threads=1"])
    params = build(FestivalParams, {name: value for name, value in config.items() if name != "output"})
    check(params)
    return params


def costs(festivals: Sequence[tuple[str, FestivalParams]], rounds: int) -> list[Cost]:
    """A row for each; in every round they take their turns one after the other."""
    measured: list[list[tuple[int, float]]] = [[] for _ in festivals]
    for event, params in dict(festivals).items():  # compiles, or reads what is compiled
        _MEASURES[event](params.model_copy(update={"scale": WARM_UP}))
    for _ in range(rounds):
        for own, (event, params) in zip(measured, festivals, strict=True):
            own.append(_MEASURES[event](params))
    rows = []
    for own, (event, params) in zip(measured, festivals, strict=True):
        events, cpu_s = own[0][0], statistics.median(took_s for _, took_s in own)
        rows.append(Cost(event, params.scale, events, cpu_s, 1e9 * cpu_s / events))
    return rows


def _of_parcels(params: FestivalParams) -> tuple[int, float]:
    festival = Festival(params)
    site, road = festival.site, festival.parcels
    assert road is not None
    festival.env.run(until=1.0)
    site.advance()
    started_s = _now_s()
    festival.env.run(until=festival.end_s)
    road.finish()
    took_s = time.process_time() - started_s
    return parcel_events(road, festival.end_s), took_s


def parcel_events(road: ParcelNetwork, end_s: float) -> int:
    """Ordered, packed, picked up, unloaded, sorted and sent on by each hub, at the outlet, out, and signed or back."""
    steps = sum(int(np.count_nonzero(np.less(road.column(f"{name}_s"), end_s))) for name in _STEPS)
    return steps + road.hub_steps + int(np.sum(road.column("attempts"), dtype=np.int64))


def _of_requests(params: FestivalParams) -> tuple[int, float]:
    festival = Festival(params)
    started_s = _now_s()
    festival.env.run(until=festival.end_s)
    festival.site.advance()
    return festival.site.requests, time.process_time() - started_s


def _now_s() -> float:
    """CPU time, when no garbage is left to be collected on the clock."""
    gc.collect()
    return time.process_time()


_MEASURES: dict[str, Callable[[FestivalParams], tuple[int, float]]] = {"parcel": _of_parcels, "request": _of_requests}
