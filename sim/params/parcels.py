"""The carriers: their hubs, lanes, fleets, trains, couriers and clocks."""

import itertools
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from sim.params.base import Params, RuleError
from sim.params.orders import Clock, clock_problem
from sim.units import DAY_S, HOUR_S, seconds

MOST_TOURS = 127  # attempts are counted in 8 bits
MOST_DAYS = 48  # stamps are counted in 32 bits of 1/1024 s
WEEK_TOLERANCE = 0.005
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
    """Line-haul trucks. A truck is busy from its departure until it is back empty.

    `handling_s` is for docking at the end of a way. A driver stops for `stop_s` after `wheel_s` at the wheel; one who drives
    alone sleeps for `sleep_s` after `shift_s`, while of two one sleeps on the way. `breakdown_km`: mean way to a breakdown,
    null: none.
    """

    capacity_parcels: float = Field(gt=0)
    capacity_kg: float = Field(gt=0)
    speed_kmh: float = Field(gt=0)
    handling_s: float = Field(ge=0)
    drivers: Literal[1, 2]
    wheel_s: float = Field(gt=0)
    stop_s: float = Field(ge=0)
    shift_s: float = Field(gt=0)
    sleep_s: float = Field(ge=0)
    breakdown_km: float | None = Field(gt=0)
    repair_s: float = Field(ge=0)
    own_rmb_per_km: float = Field(ge=0)
    hired_rmb_per_km: float = Field(ge=0)


class LastMileParams(Params):
    """Couriers' tours: all outlets of a carrier start them at the same clocks; what happens at the doors.

    What is refused or damaged waits `return_wait_s` in its outlet, and then goes back through the network.

    A courier carries up to `tour_parcels`, or fewer where a tour with so many stops would take more than `tour_s` or last longer
    than customers open, until `closes`.
    """

    tour_clocks: Clocks
    tour_s: float = Field(gt=0)
    tour_parcels: float = Field(gt=0)
    closes: Clock
    speed_kmh: float = Field(gt=0)
    stop_s: float = Field(ge=0)
    people_per_km2: float = Field(gt=0)
    success_share: Annotated[float, Field(gt=0, le=1)]
    staffing_sigma: float = Field(ge=0)
    locker_share: Annotated[float, Field(ge=0, le=1)]
    collect_s: float = Field(ge=0)
    damaged_share: Annotated[float, Field(ge=0, lt=1)]
    wrong_address_share: Annotated[float, Field(ge=0, lt=1)]
    refused_share: Annotated[float, Field(ge=0, lt=1)]
    forward_s: float = Field(ge=0)
    return_wait_s: float = Field(ge=0)

    _clocks = field_validator("tour_clocks")(_are_clocks)

    @field_validator("closes")
    @classmethod
    def _closes_at_a_clock(cls, label: str) -> str:
        if problem := clock_problem(label):
            raise ValueError(problem)
        return label

    @model_validator(mode="after")
    def _doors_open_and_shares_fit(self) -> "LastMileParams":
        problems = []
        if seconds(self.tour_clocks[-1]) >= seconds(self.closes):
            problems.append(f"closes must be after the last of tour_clocks {self.tour_clocks[-1]}, got {self.closes!r}")
        if (share := self.damaged_share + self.wrong_address_share + self.refused_share) >= 1.0:
            problems.append(f"damaged_share + wrong_address_share + refused_share must be < 1 [share], got {share:g}")
        if problems:
            raise RuleError(problems)
        return self

    @model_validator(mode="after")
    def _a_tour_ends_before_the_next(self) -> "LastMileParams":
        starts = [seconds(label) for label in self.tour_clocks]
        gap_s = min(after - start for start, after in zip(starts, [*starts[1:], starts[0] + DAY_S], strict=True))
        if self.tour_s > gap_s:
            raise RuleError([f"tour_s must be <= the shortest gap of tour_clocks, {gap_s:g} [s], got {self.tour_s:g}"])
        return self


class EverydayParams(Params):
    """The country's ordinary parcels, which share the hubs with the festival's.

    `parcels_per_day` is the mean of the seven days whose factors are in `week`, from 11 November on. On 11 November itself
    `displaced_share` of them is missing: the market's ordinary parcels of the day are the festival's. `other_sales` are the
    parcels that other shops' sales of that week add on each day from 11 November on. They all reach the hubs evenly from `opens`
    to `closes`; `local_share` stays in the area of its hub, the rest goes to all hubs as people live and spend.
    """

    parcels_per_day: float = Field(gt=0)
    week: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=7, max_length=7)]
    displaced_share: Annotated[float, Field(ge=0, le=1)]
    other_sales: tuple[Annotated[float, Field(ge=0)], ...] = ()
    local_share: Annotated[float, Field(ge=0, le=1)]
    opens: Clock
    closes: Clock

    @field_validator("opens", "closes")
    @classmethod
    def _are_whole_hours(cls, label: str) -> str:
        if problem := clock_problem(label):
            raise ValueError(problem)
        if seconds(label) % HOUR_S:
            raise ValueError(f"must be a whole hour, got {label!r}")
        return label

    @model_validator(mode="after")
    def _week_has_a_mean(self) -> "EverydayParams":
        problems = []
        if seconds(self.opens) >= seconds(self.closes):
            problems.append(f"closes must be after opens {self.opens}, got {self.closes!r}")
        if abs(sum(self.week) / 7 - 1.0) > WEEK_TOLERANCE:
            problems.append(f"week must have the mean 1, got {sum(self.week) / 7:g}")
        if problems:
            raise RuleError(problems)
        return self


class HubParams(Params):
    """One sorting centre; without `everyday` parcels, what these leave there."""

    sort_per_h: float = Field(gt=0)
    storage_parcels: float = Field(gt=0)


class HiredSortersParams(Params):
    """Sorters who come on top: `share` of every hub's `sort_per_h`, from hour `from_h` after t = 0 on."""

    from_h: int = Field(ge=0)
    share: float = Field(gt=0)


class SortingParams(Params):
    """How the hubs work. `shifts`: share of `sort_per_h` from each clock of the day on, whole hours, around midnight.

    `again_share` of the sorters' passes fail, and the parcel goes to the end of the line. The gate unloads at `gate_share` times
    `sort_per_h`, one vehicle after the other.
    """

    shifts: Annotated[dict[Clock, Annotated[float, Field(ge=0)]], Field(min_length=1)]
    hired: tuple[HiredSortersParams, ...]
    again_share: Annotated[float, Field(ge=0, lt=1)]
    gate_share: float = Field(gt=0)

    @field_validator("shifts")
    @classmethod
    def _are_whole_hours(cls, shifts: dict[Clock, float]) -> dict[Clock, float]:
        for label in shifts:
            if problem := clock_problem(label):
                raise ValueError(problem)
            if seconds(label) % HOUR_S or seconds(label) >= DAY_S:
                raise ValueError(f"must start at whole hours before 24:00, got {label!r}")
        if not any(shifts.values()):
            raise ValueError("must have a share > 0 at some hour, or no hub can ever drain")
        return shifts


class TrainParams(Params):
    """A daily train on one of the carrier's lanes; it loads what was sorted before the cut-off.

    In the last `gather_s` before its departure, trucks on the lane leave it as much as it can carry. `handling_s` is for the
    road to and from the terminals and for loading there; weather does not touch a train. It carries whole rows: in a run whose
    rows are heavier than the train it stays empty.
    """

    origin: str
    destination: str
    depart_clock: Clock
    cutoff_s: float = Field(ge=0)
    gather_s: Annotated[float, Field(ge=0, le=DAY_S)]
    travel_s: float = Field(gt=0)
    handling_s: float = Field(ge=0)
    wagons: int = Field(gt=0)
    wagon_parcels: float = Field(gt=0)
    wagon_kg: float = Field(gt=0)
    trip_rmb: float = Field(ge=0)

    @field_validator("depart_clock")
    @classmethod
    def _is_clock(cls, label: str) -> str:
        return _are_clocks((label,))[0]


class CarrierParams(Params):
    """One express company. `lanes` is "complete" or a list of directed [from, to] pairs of its hubs.

    `share` is of the festival's parcels, in proportion; `everyday_share` of the country's ordinary ones.
    """

    share: float = Field(gt=0)
    everyday_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    parcel_rmb: float = Field(ge=0)
    kg_rmb: float = Field(ge=0)
    pickup_per_day: float | None = Field(gt=0)  # None: no limit
    hubs: Annotated[dict[str, HubParams], Field(min_length=1)]
    lanes: Literal["complete"] | tuple[tuple[str, str], ...]
    own_trucks: int = Field(ge=0)
    hired_trucks: int = Field(ge=0)
    couriers: int = Field(gt=0)
    trains: tuple[TrainParams, ...] = ()


class CapacityParams(Params):
    """Multiplies what all carriers' hubs and outlets have: for another year, or for a sweep."""

    sort_factor: float = Field(gt=0)
    storage_factor: float = Field(gt=0)
    couriers_factor: float = Field(gt=0)


class ParcelsParams(Params):
    """From the merchant's door to the customer's. Units stand in the fields' names; values and sources in configs/parcels.

    `everyday`: None: the hubs' capacities are what ordinary parcels leave. Trucks and couriers always are.
    """

    horizon_days: float = Field(gt=0, le=MOST_DAYS)
    lost_share: Annotated[float, Field(ge=0, lt=1)]
    everyday: EverydayParams | None
    wave_s: float = Field(gt=0)
    hold_s: float = Field(ge=0)
    pickup_clocks: Clocks
    timetable_clocks: Clocks
    outlet_clocks: Clocks
    feeder: FeederParams
    capacity: CapacityParams
    sorting: SortingParams
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

    @model_validator(mode="after")
    def _everyday_shares_fit(self) -> "ParcelsParams":
        if (share := sum(carrier.everyday_share for carrier in self.carriers.values())) > 1.0 + 1e-9:
            raise RuleError([f"carriers must have everyday_share <= 1 [share] together, got {share:g}"])
        return self
