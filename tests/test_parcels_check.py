"""Parameters of the parcels that cannot be simulated: every problem by its dotted path, before anything runs."""

import copy
from typing import Any

import pytest
import simpy

from sim.params import ParameterError, build
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.parcels import check
from tests.parcel_case import SMALL_ORDERS, SMALL_PARCELS, built, shipped_params, small_case, small_country


def changed(values: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of nested values with one of them replaced."""
    result = copy.deepcopy(values)
    group: Any = result
    *groups, last = path.split(".")
    for step in groups:
        group = group[int(step)] if isinstance(group, list) else group[step]
    group[last] = value
    return result


def problems_of(path: str, value: Any, *, weight: float = 1.0) -> list[str]:
    try:
        check(
            build(ParcelsParams, changed(SMALL_PARCELS, path, value), "parcels"),
            small_country().geography,
            weight=weight,
        )
    except ParameterError as error:
        return error.problems
    return []


def test_the_small_and_the_shipped_parameters_are_sound() -> None:
    parcels, orders, _ = shipped_params()
    assert len(parcels.carriers) == 10
    assert orders.merchants == 10_000
    assert problems_of("lost_share", 0.02) == []


HOURLY_TOURS = {
    **SMALL_PARCELS["last_mile"],
    "tour_clocks": [f"{hour:02d}:00" for hour in range(24)],
    "tour_s": 3600,
    "closes": "24:00",
}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("wave_s", 0, "parcels.wave_s must be > 0 [s], got 0"),
        ("truck.capacity_parcels", 0, "parcels.truck.capacity_parcels must be > 0 [parcels], got 0"),
        ("carriers.swift.hubs.Elm.sort_per_h", 0, "parcels.carriers.swift.hubs.Elm.sort_per_h must be > 0 [1/h], got 0"),
        ("carriers.swift.couriers", 0, "parcels.carriers.swift.couriers must be > 0, got 0"),
        ("last_mile.success_share", 1.5, "parcels.last_mile.success_share must be <= 1 [share], got 1.5"),
        ("last_mile.tour_s", 30000, "parcels.last_mile.tour_s must be <= the shortest gap of tour_clocks, 21600 [s], got 30000"),
        ("horizon_days", 90, "parcels.horizon_days must be <= 48 [d], got 90"),
        ("last_mile", HOURLY_TOURS, "parcels.horizon_days x the number of tour_clocks must be <= 127 tours, got 288"),
        ("carriers.swift.trains.0.travel_s", -3600, "parcels.carriers.swift.trains.0.travel_s must be > 0 [s], got -3600"),
        ("pickup_clocks", ["20:00", "10:00"], "parcels.pickup_clocks must be in ascending order, each once, got 20:00, 10:00"),
        ("outlet_clocks", ["24:00"], "parcels.outlet_clocks must be before 24:00, got '24:00'"),
        ("timetable_clocks", ["7:30"], "parcels.timetable_clocks a clock label is HH:MM or HH:MM:SS, got '7:30'"),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_named(path: str, value: Any, problem: str) -> None:
    assert problems_of(path, value) == [problem]


def test_a_hub_in_an_unknown_city_is_named_with_the_closest_one() -> None:
    hubs = {"Ash": {"sort_per_h": 60, "storage_parcels": 400}, "Firr": {"sort_per_h": 60, "storage_parcels": 400}}
    values = changed(changed(SMALL_PARCELS, "carriers.swift.hubs", hubs), "carriers.swift.trains", [])
    with pytest.raises(ParameterError) as error:
        check(build(ParcelsParams, values), small_country().geography, weight=1.0)
    assert len(error.value.problems) == 1
    assert error.value.problems[0].startswith("parcels.carriers.swift.hubs.Firr: ")
    assert "did you mean 'Fir'?" in error.value.problems[0]


def test_lanes_to_strangers_to_oneself_and_twice_are_all_named_at_once() -> None:
    lanes = [["Birch", "Hazel"], ["Birch", "Fir"], ["Oak", "Oak"], ["Birch", "Hazel"]]
    assert problems_of("carriers.steady.lanes", lanes) == [
        "parcels.carriers.steady.lanes.1 must join hubs of the carrier, got 'Fir' (known: Birch, Hazel, Oak, Ash)",
        "parcels.carriers.steady.lanes.2 must join two different hubs, got 'Oak' twice",
        "parcels.carriers.steady.lanes.3 repeats the lane Birch to Hazel",
    ]


def test_a_hub_that_parcels_cannot_leave_is_named() -> None:
    lanes = [["Birch", "Hazel"], ["Hazel", "Birch"], ["Hazel", "Oak"], ["Hazel", "Ash"], ["Ash", "Birch"]]
    assert problems_of("carriers.steady.lanes", lanes) == [
        "parcels.carriers.steady.lanes must lead from every hub to every other; cut off one way or both: Oak"
    ]


def test_a_train_needs_a_lane() -> None:
    assert problems_of("carriers.swift.trains.0.destination", "Larch") == [
        "parcels.carriers.swift.trains.0 must run on one of the carrier's lanes, got Ash to Larch"
    ]


def test_a_hub_must_have_room_for_one_row() -> None:
    assert problems_of("carriers.swift.hubs.Fir.storage_parcels", 99, weight=100.0) == [
        "parcels.carriers.swift.hubs.Fir.storage_parcels must hold one row, >= 1/scale = 100 [parcels], got 99"
    ]


def test_rows_too_heavy_for_many_hubs_are_a_problem_of_the_scale() -> None:
    problems = problems_of("wave_s", 900, weight=1e6)
    assert len(problems) == 4
    assert all("must hold one row, >= 1/scale = 1e+06 [parcels]" in problem for problem in problems[:3])
    assert problems[3].startswith("scale must be larger")


def test_a_carrier_needs_a_truck() -> None:
    assert problems_of("carriers.swift.own_trucks", 0) == []
    values = changed(changed(SMALL_PARCELS, "carriers.swift.own_trucks", 0), "carriers.swift.hired_trucks", 0)
    with pytest.raises(ParameterError) as error:
        check(build(ParcelsParams, values), small_country().geography, weight=1.0)
    assert error.value.problems == [
        "parcels.carriers.swift.own_trucks and hired_trucks must be at least 1 together to join its hubs, got 0 and 0"
    ]


def test_a_hub_whose_carrier_has_no_convoy_for_a_row_can_never_drain() -> None:
    values = changed(SMALL_PARCELS, "truck.capacity_parcels", 70)
    with pytest.raises(ParameterError) as error:
        check(build(ParcelsParams, values), small_country().geography, weight=230.0)
    assert error.value.problems == [
        "parcels.carriers.steady.own_trucks or hired_trucks must be >= 4 to carry one row, 1/scale = 230 [parcels], "
        "or its hubs can never drain, got 2 and 3"
    ]


def test_a_train_needs_a_railway() -> None:
    trains = [{**SMALL_PARCELS["carriers"]["swift"]["trains"][0], "destination": "Elm"}]
    carriers = changed(SMALL_PARCELS, "carriers.swift.trains", trains)["carriers"]
    with pytest.raises(ParameterError) as error:
        built(small_case(weight=1.0, parcels={"carriers": carriers}), simpy.Environment())
    assert error.value.problems == ["parcels.carriers.swift.trains.0 must run on a railway: no rail joins Ash and Elm"]


def test_a_shift_must_open_before_it_closes() -> None:
    with pytest.raises(ParameterError) as error:
        build(OrdersParams, changed(SMALL_ORDERS, "warehouse.shift_start", "21:00"), "orders")
    assert error.value.problems == ["orders.warehouse.shift_start must be before shift_end, got '21:00' and '20:00'"]


def test_the_part_refuses_to_be_built_on_unsound_parameters() -> None:
    with pytest.raises(ParameterError, match="storage_parcels must hold one row"):
        built(small_case(weight=301.0), simpy.Environment())
