"""The carriers: their hubs, lanes, fleets, trains, couriers and clocks."""

import itertools
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from sim.params.base import Params, RuleError
from sim.params.orders import Clock, clock_problem
from sim.units import DAY_S, seconds

MOST_TOURS = 127  # attempts are counted in 8 bits
Clocks = Annotated[tuple[Clock, ...], Field(min_length=1)]


def _are_clocks(labels: tuple[str, ...]) -> tuple[str, ...]:
    for label in labels:
        if problem := clock_problem(label):
            raise ValueError(problem)
    times = [seconds(label) for label in labels]
    if any(later <= earlier for earlier, later in itertools.pairwise(times)):
        raise ValueError(f"must be in ascending order, each once, got {', '.join(labels)}")
    if times[-1] >= DAY_S:
        raise ValueError(f"must be before 24:00, got {labels[-1]!r}")
    return labels


class FeederParams(Params):
    """Vans between outlets and their hub, both ways. There are always enough of them."""

    speed_kmh: float = Field(gt=0)
    handling_s: float = Field(ge=0)


class TruckParams(Params):
    """Line-haul trucks. A truck is busy from its departure until it is back empty."""

    capacity_parcels: float = Field(gt=0)
    speed_kmh: float = Field(gt=0)
    handling_s: float = Field(ge=0)
    own_rmb_per_km: float = Field(ge=0)
    hired_rmb_per_km: float = Field(ge=0)


class LastMileParams(Params):
    """Couriers' tours: all outlets of a carrier start them at the same clocks."""

    tour_clocks: Clocks
    tour_s: float = Field(gt=0)
    tour_parcels: float = Field(gt=0)
    success_share: Annotated[float, Field(gt=0, le=1)]
    staffing_sigma: float = Field(ge=0)

    _clocks = field_validator("tour_clocks")(_are_clocks)

    @model_validator(mode="after")
    def _a_tour_ends_before_the_next(self) -> "LastMileParams":
        starts = [seconds(label) for label in self.tour_clocks]
        gap_s = min(after - start for start, after in zip(starts, [*starts[1:], starts[0] + DAY_S], strict=True))
        if self.tour_s > gap_s:
            raise RuleError([f"tour_s must be <= the shortest gap of tour_clocks, {gap_s:g} [s], got {self.tour_s:g}"])
        return self


class HubParams(Params):
    """One sorting centre: what is left there for the festival's parcels beside everyday ones."""

    sort_per_h: float = Field(gt=0)
    storage_parcels: float = Field(gt=0)


class TrainParams(Params):
    """A daily train on one of the carrier's lanes; it loads what was sorted before the cut-off.

    In the last `gather_s` before its departure, trucks on the lane leave it as much as it can carry. It carries whole rows:
    in a run whose rows are heavier than the train it stays empty.
    """

    origin: str
    destination: str
    depart_clock: Clock
    cutoff_s: float = Field(ge=0)
    gather_s: Annotated[float, Field(ge=0, le=DAY_S)]
    travel_s: float = Field(gt=0)
    handling_s: float = Field(ge=0)
    capacity_parcels: float = Field(gt=0)
    trip_rmb: float = Field(ge=0)

    @field_validator("depart_clock")
    @classmethod
    def _is_clock(cls, label: str) -> str:
        return _are_clocks((label,))[0]


class CarrierParams(Params):
    """One express company. `lanes` is "complete" or a list of directed [from, to] pairs of its hubs."""

    share: float = Field(gt=0)
    hubs: Annotated[dict[str, HubParams], Field(min_length=1)]
    lanes: Literal["complete"] | tuple[tuple[str, str], ...]
    own_trucks: int = Field(ge=0)
    hired_trucks: int = Field(ge=0)
    couriers: int = Field(gt=0)
    trains: tuple[TrainParams, ...] = ()


class ParcelsParams(Params):
    """From the merchant's door to the customer's. Units stand in the fields' names; values and sources in configs/parcels."""

    horizon_days: float = Field(gt=0)
    lost_share: Annotated[float, Field(ge=0, lt=1)]
    wave_s: float = Field(gt=0)
    hold_s: float = Field(ge=0)
    pickup_clocks: Clocks
    timetable_clocks: Clocks
    outlet_clocks: Clocks
    feeder: FeederParams
    truck: TruckParams
    last_mile: LastMileParams
    carriers: Annotated[dict[str, CarrierParams], Field(min_length=1)]

    _clocks = field_validator("pickup_clocks", "timetable_clocks", "outlet_clocks")(_are_clocks)

    @model_validator(mode="after")
    def _attempts_can_be_counted(self) -> "ParcelsParams":
        tours = self.horizon_days * len(self.last_mile.tour_clocks)
        if tours > MOST_TOURS:
            raise RuleError([f"horizon_days x the number of tour_clocks must be <= {MOST_TOURS} tours, got {tours:g}"])
        return self
