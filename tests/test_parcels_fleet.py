"""Line-haul trucks and trains: rests, breakdowns, limits by volume and weight, timetables."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.kernels.road import Crew, Roads, breakdown_km, drive
from sim.units import DAY_S, HOUR_S, seconds
from tests.parcel_case import SMALL_PARCELS, run, small_case

ALONE = Crew(2 * HOUR_S, 900.0, 4 * HOUR_S, 5 * HOUR_S)
DRY = Roads(np.array([0, 2], np.int32), np.array([0, 1], np.int32), np.array([100.0, 500.0]), np.empty((2, 0)))
NEVER = math.inf


def travel_h(crew: Crew, fails_km: float = NEVER, repair_s: float = 0.0, *, back: bool = False) -> float:
    """Hours over the 600 km at 60 km/h."""
    return float(drive(0.0, 0, back, 60.0, fails_km, repair_s, crew, DRY)) / HOUR_S


def test_a_driver_stops_and_sleeps_by_the_hours_at_the_wheel() -> None:
    # 10 h at the wheel: sleeps after 4 h and 8 h, stops after 2 h and 6 h; the way ends as the next stop is due
    assert travel_h(ALONE) == pytest.approx(10 + 2 * 5 + 2 * 0.25 + 0.25)
    assert travel_h(Crew(NEVER, 0.0, NEVER, 0.0)) == pytest.approx(10.0)


def test_a_breakdown_takes_its_repair_and_happens_once() -> None:
    free = Crew(NEVER, 0.0, NEVER, 0.0)
    assert travel_h(free, fails_km=250.0, repair_s=7200.0) == pytest.approx(12.0)
    assert travel_h(free, fails_km=600.1, repair_s=7200.0) == pytest.approx(10.0)


def test_the_way_back_is_driven_from_the_other_end() -> None:
    slow_first = DRY._replace(speed_share=np.array([[0.5] * 2, [1.0] * 2]))
    there, back = (
        float(drive(0.0, 0, turned, 60.0, NEVER, 0.0, Crew(NEVER, 0.0, NEVER, 0.0), slow_first)) / HOUR_S
        for turned in (False, True)
    )
    assert there == pytest.approx(11.0)  # 60 km in two slow hours, then 540 km
    assert back == pytest.approx(10.0)


def test_breakdowns_come_once_in_their_mean_way() -> None:
    ways_km = np.array([breakdown_km(np.uint64(5), 3, trip, 1 / 50_000) for trip in range(20_000)])
    assert ways_km.mean() == pytest.approx(50_000, rel=0.03)
    assert breakdown_km(np.uint64(5), 3, 0, 0.0) == math.inf


def trips(**truck: Any) -> pd.DataFrame:
    return run(small_case(900, parcels={"truck": {**SMALL_PARCELS["truck"], **truck}})).tables()["trips"]


def ways_h(table: pd.DataFrame) -> pd.Series:
    """Hours on the road of each truck's trip, by its ends."""
    trucks = table[table["vehicle"] != "train"].set_index(["origin", "destination"])
    return (trucks["arrive_s"] - trucks["depart_s"]).dropna() / HOUR_S


def test_two_drivers_are_quicker_than_one_on_long_lanes_and_never_slower() -> None:
    one, two = (
        ways_h(trips(drivers=drivers, breakdown_km=None)).groupby(level=[0, 1], observed=True).min()
        for drivers in (1, 2)
    )
    more_h = (one - two).dropna()
    assert more_h.min() > -1e-9
    assert set(np.round(more_h, 6)) >= {0.0, 4.75}  # a sleep of 5 h in place of a stop of 15 min


def test_a_truck_that_breaks_down_comes_later_by_its_repair() -> None:
    ways = ways_h(trips(drivers=2, breakdown_km=1000, stop_s=0))
    late_h = ways - ways.groupby(level=[0, 1], observed=True).transform("min")
    assert set(np.round(late_h, 6)) == {0.0, round(SMALL_PARCELS["truck"]["repair_s"] / HOUR_S, 6)}
    assert 0.1 < (late_h > 0).mean() < 0.7


def test_trucks_of_heavy_parcels_leave_before_they_are_full_by_volume() -> None:
    light, heavy = trips(capacity_kg=1e6), trips(capacity_kg=30)
    assert (heavy["load_kg"] <= heavy["capacity_kg"]).all()
    fill = [float((table["load_parcels"] / table["capacity_parcels"]).mean()) for table in (heavy, light)]
    assert fill[0] < 0.8 * fill[1]


def test_a_trip_costs_its_kilometres_and_hired_trucks_cost_more() -> None:
    table = trips()
    for kind, rmb_per_km in (("own truck", 6.0), ("hired truck", 9.0)):
        own = table[table["vehicle"] == kind]
        assert len(own) > 0
        np.testing.assert_allclose(own["cost_rmb"], own["vehicles"] * own["distance_km"] * rmb_per_km)


def test_trains_leave_and_arrive_by_their_timetable_and_never_carry_more_than_their_wagons() -> None:
    table = trips()
    trains = table[table["vehicle"] == "train"]
    train = SMALL_PARCELS["carriers"]["swift"]["trains"][0]
    assert len(trains) > 3
    assert set((trains["depart_s"] % DAY_S).tolist()) == {seconds(train["depart_clock"])}
    np.testing.assert_array_equal(trains["arrive_s"] - trains["depart_s"], train["travel_s"] + train["handling_s"])
    assert (trains["load_parcels"] <= train["wagons"] * train["wagon_parcels"]).all()
    assert (trains["load_kg"] <= train["wagons"] * train["wagon_kg"]).all()
    assert (trains["load_kg"] > 0.8 * train["wagons"] * train["wagon_kg"]).any()  # the light wagons are full by weight
