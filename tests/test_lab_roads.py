"""A road through weather: closed forms, and what every road does."""

import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import lab
from sim.params import ParameterError

SHARES = st.lists(st.sampled_from([0.0, 0.04, 0.13, 0.5, 1.0]), max_size=30)


@pytest.mark.parametrize(("slower_share", "hours"), [(0.0, 12.50), (0.055, 13.23), (0.13, 14.37)])
def test_a_thousand_kilometres_take_the_published_hours(slower_share: float, hours: float) -> None:
    vehicles = lab.road(distance_km=1000, speed_kmh=80, slower_share=[slower_share] * 48)
    assert vehicles["travel_h"][0] == pytest.approx(hours, abs=0.005)


def test_a_vehicle_under_way_meets_the_weather_of_each_hour() -> None:
    vehicles = lab.road(distance_km=300, speed_kmh=100, slower_share=[0.0, 0.5, 0.5, 0.0])
    assert vehicles["travel_h"][0] == pytest.approx(1.0 + 2.0 + 1.0)  # 100 km, 50 + 50 km, 100 km


def test_on_a_closed_road_it_stands_until_the_hour_in_which_it_is_opened() -> None:
    vehicles = lab.road(distance_km=100, speed_kmh=100, slower_share=[0.0, 1.0, 1.0], depart_s=[1800.0])
    assert vehicles["arrive_s"][0] == 3 * 3600.0 + 1800.0


def test_drivers_stop_after_so_many_hours_at_the_wheel_and_standing_is_not_driving() -> None:
    resting = partial(lab.road, distance_km=900, speed_kmh=100, wheel_h=4.0, stop_h=0.5)
    assert resting()["travel_h"][0] == pytest.approx(9.0 + 2 * 0.5)
    closed = resting(slower_share=[0.0, 1.0, 1.0])
    assert closed["travel_h"][0] == pytest.approx(9.0 + 2.0 + 2 * 0.5)


@settings(deadline=None, max_examples=60)
@given(
    slower=SHARES, distance_km=st.floats(1.0, 3000.0), depart_s=st.lists(st.floats(0.0, 4e4), min_size=2, max_size=8)
)
def test_nobody_overtakes_and_the_way_is_driven_at_the_speed_of_each_hour(
    slower: list[float], distance_km: float, depart_s: list[float]
) -> None:
    depart_s = sorted(depart_s)
    vehicles = lab.road(distance_km=distance_km, speed_kmh=80, slower_share=slower, depart_s=depart_s)
    arrive_s = vehicles["arrive_s"].to_numpy()
    assert np.all(np.diff(arrive_s) >= -1e-6)
    edges_h = np.arange(math.ceil(arrive_s.max() / 3600) + 1)
    for left_s, there_s in zip(depart_s, arrive_s, strict=True):
        open_h = np.clip(np.minimum(edges_h + 1, there_s / 3600) - np.maximum(edges_h, left_s / 3600), 0, None)
        share = 1 - np.array([*slower, *[0.0] * edges_h.size])[: edges_h.size]
        assert 80 * float(open_h @ share) == pytest.approx(distance_km, rel=1e-9)


def test_a_road_that_cannot_be_driven_is_named() -> None:
    with pytest.raises(ParameterError) as caught:
        lab.road(distance_km=0, speed_kmh=-1, slower_share=[1.5])
    assert sorted(caught.value.problems) == [
        "distance_km must be > 0 [km], got 0",
        "slower_share.0 must be <= 1, got 1.5",
        "speed_kmh must be > 0 [km/h], got -1",
    ]
