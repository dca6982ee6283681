"""Weather on the roads: fronts, observations, forecasts, and what they do to trucks and dispatch."""

import csv
import gzip
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from sim.geography import load_geography
from sim.network import build_network
from sim.params import ParameterError, build
from sim.params.weather import FrontParams, WeatherParams
from sim.parcels.dispatch import forecast_shares, outlook
from sim.parcels.fleet import crew_of
from sim.parcels.observations import read_observations
from sim.parcels.plan import make_plan
from sim.parcels.ways import links_of
from sim.parcels.weather import speed_share, speed_shares, strength_of
from sim.units import DAY_S, HOUR_S
from tests.parcel_case import CONFIGS, SMALL_PARCELS, Case, run, shipped_case, small_case, small_country
from tests.test_parcels_reference import assert_same

UCI = Path(__file__).parents[2] / "shared/data/weather/november_2011_2013_hourly_5_cities.csv.gz"

SNOW: dict[str, Any] = {
    "kind": "snow",
    "start_h": 20,
    "duration_h": 60,
    "longitude_deg": 108.0,
    "latitude_deg": 32.0,
    "heading_deg": 60,
    "speed_kmh": 10,
    "width_km": 900,
    "length_km": 3000,
    "peak_mm_per_h": 45,
}
FORECAST: dict[str, Any] = {"issue_h": 6, "horizon_h": 48, "error_share": 0.1, "hold_h": 4, "transfer_h": 3}


STEP = {"from_mm_per_h": 1, "speed_share": 0.9}


def calm() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CONFIGS / "weather/calm.yaml").read_text(encoding="utf-8"))
    return values


def weather(**changes: Any) -> WeatherParams:
    """The shipped response to weather, without any and without forecasts, but for the changes."""
    return build(WeatherParams, {**calm(), "forecast": None, **changes}, "weather")


def stormy(case: Case, forecast: dict[str, Any] | None = None) -> Case:
    return case._replace(weather=weather(fronts=[SNOW], forecast=forecast))


def front(**changes: Any) -> FrontParams:
    return weather(fronts=[{**SNOW, **changes}]).fronts[0]


def test_a_front_moves_with_its_speed_towards_its_heading() -> None:
    east = front(longitude_deg=110.0, latitude_deg=0.0, heading_deg=90, speed_kmh=111.195, width_km=200)
    strength = strength_of(east, np.array([110.0, 111.0, 112.0, 110.0]), np.array([0.0, 0.0, 0.0, 1.0]), 24)
    assert strength[:, :20].max() == 0.0  # not there yet
    np.testing.assert_allclose(strength[:3, 20], [1 - (2 * 55.6 / 200) ** 2, 1 - (2 * 55.6 / 200) ** 2, 0], atol=0.01)
    np.testing.assert_allclose(strength[:3, 21], [0, strength[0, 20], strength[0, 20]], rtol=1e-9)  # a degree on
    assert 0.9 < strength[3, 20] / strength[0, 20] < 1.0  # aside of its middle


def test_a_front_is_gone_when_its_time_is_over() -> None:
    strength = strength_of(front(speed_kmh=0, duration_h=5), np.array([108.0]), np.array([32.0]), 48)
    np.testing.assert_array_equal(np.flatnonzero(strength[0]), np.arange(20, 25))


@pytest.mark.parametrize(
    ("rain", "snow", "sight_m", "share"),
    [
        (0.0, 0.0, np.inf, 1.0),
        (6.3, 0.0, np.inf, 0.96),
        (6.4, 0.0, np.inf, 0.945),
        (0.0, 12.7, np.inf, 0.87),
        (0.0, 30.0, np.inf, 0.0),
        (0.0, 0.0, 399.0, 0.89),
        (0.0, 0.0, 400.0, 1.0),
        (0.0, 0.0, 49.0, 0.0),
        (6.4, 0.2, 300.0, 0.89),  # the worst cause counts alone
    ],
)
def test_speed_falls_by_the_published_shares(rain: float, snow: float, sight_m: float, share: float) -> None:
    share_here = speed_share(weather().response, np.array([rain]), np.array([snow]), np.array([sight_m]))
    assert share_here.tolist() == [share]


def test_sight_is_shortest_in_the_middle_of_a_fog() -> None:
    links, geography = links_of(small_country()), small_country().geography
    fog = {**{key: SNOW[key] for key in SNOW if key != "peak_mm_per_h"}, "kind": "fog", "sight_m": 40.0}
    shares = speed_shares(weather(fronts=[{**fog, "longitude_deg": 112.9, "speed_kmh": 0}]), links, geography, 40)
    assert shares[:, 30].min() == 0.0
    assert len(set(shares[:, 30].tolist())) > 2
    assert shares[:, 10].min() == 1.0


def test_the_snow_front_closes_roads_of_the_north_east_from_12_november_on_and_none_elsewhere() -> None:
    values = yaml.safe_load((CONFIGS / "weather/snow_northeast.yaml").read_text(encoding="utf-8"))
    network = build_network(load_geography())
    links = links_of(network)
    params = weather(fronts=values["fronts"])
    shares = speed_shares(params, links, network.geography, 240)
    closed = shares == 0.0
    assert closed[:, :24].sum() == 0
    hours = np.flatnonzero(closed.any(axis=0))
    assert hours.min() >= 24
    assert hours.max() < 24 + 96
    province = dict(zip(network.geography.name.tolist(), network.geography.province.tolist(), strict=True))
    shut = {province[city] for link, number in links.number.items() if closed[number].any() for city in link}
    assert (
        {"Liaoning", "Jilin", "Heilongjiang"}
        <= shut
        <= {"Liaoning", "Jilin", "Heilongjiang", "Inner Mongolia", "Hebei"}
    )


def test_trucks_arrive_later_in_snow_and_trains_do_not() -> None:
    case = small_case(900)
    dry, snow = run(case).tables()["trips"], run(stormy(case)).tables()["trips"]
    for vehicle, slower in (("own truck", True), ("train", False)):
        mean_h = [
            float((trips["arrive_s"] - trips["depart_s"])[trips["vehicle"] == vehicle].mean() / HOUR_S)
            for trips in (dry, snow)
        ]
        assert (mean_h[1] > mean_h[0] + 1.0) == slower


def test_a_truck_under_way_when_the_snow_comes_is_slowed_too() -> None:
    case = small_case(900)
    dry, snow = run(case).tables()["trips"], run(stormy(case)).tables()["trips"]
    before = dry[(dry["depart_s"] < SNOW["start_h"] * HOUR_S) & (dry["arrive_s"] > SNOW["start_h"] * HOUR_S)]
    same = snow.merge(before, on=["carrier", "origin", "destination", "depart_s", "vehicle"], suffixes=("", "_dry"))
    assert (same["vehicle"] != "train").any()
    later_s = (same["arrive_s"] - same["arrive_s_dry"])[same["vehicle"] != "train"]
    assert later_s.min() >= -1e-6
    assert later_s.max() > HOUR_S


@pytest.mark.parametrize("forecast", [None, FORECAST, {**FORECAST, "error_share": 0.0}])
def test_in_bad_weather_every_parcel_has_the_timestamps_of_the_reference(forecast: dict[str, Any] | None) -> None:
    for orders, weight, seed in ((900, 3.0, 2), (1500, 2.5, 3)):
        assert_same(stormy(small_case(orders, weight=weight, seed=seed), forecast))


def test_in_bad_weather_the_shipped_carriers_give_the_timestamps_of_the_reference() -> None:
    values = yaml.safe_load((CONFIGS / "weather/snow_northeast.yaml").read_text(encoding="utf-8"))
    params = weather(fronts=values["fronts"], forecast=calm()["forecast"])
    assert_same(shipped_case(2_000)._replace(weather=params))


def test_in_bad_weather_thousands_of_windows_give_the_bits_of_one() -> None:
    case = stormy(small_case(900), FORECAST)
    whole = run(case).tables()
    times_s = np.random.default_rng(5).random(2_000) * case.params.horizon_days * DAY_S
    cut = run(case, at_s=times_s.tolist()).tables()
    for name, table in whole.items():
        pd.testing.assert_frame_equal(table, cut[name], check_exact=True)


def test_the_error_of_a_forecast_grows_with_its_lead_time_and_starts_at_nothing() -> None:
    network = small_country()
    shares = speed_shares(weather(fronts=[SNOW]), links_of(network), network.geography, 240)
    params = weather(forecast={**FORECAST, "error_share": 0.2, "horizon_h": 72}).forecast
    assert params is not None
    wrong = np.zeros(72)
    for seed, issue_h in itertools.product(range(20), range(0, 78, 6)):
        forecast = forecast_shares(shares, params, issue_h, seed)
        wrong += np.abs(forecast - shares)[:, issue_h : issue_h + 72].sum(axis=0)
    assert wrong[0] == 0.0
    assert wrong[:12].sum() < 0.5 * wrong[24:36].sum()
    np.testing.assert_array_equal(forecast_shares(shares, params, 10, 1)[:, 82:], 1.0)


def test_a_perfect_forecast_is_the_weather() -> None:
    network = small_country()
    shares = speed_shares(weather(fronts=[SNOW]), links_of(network), network.geography, 100)
    params = weather(forecast={**FORECAST, "error_share": 0.0, "horizon_h": 200}).forecast
    assert params is not None
    np.testing.assert_array_equal(forecast_shares(shares, params, 15, 1)[:, 15:], shares[:, 15:])


def test_a_lane_that_is_forecast_closed_gets_no_truck_until_it_opens() -> None:
    case = stormy(small_case(900), {**FORECAST, "error_share": 0.0, "hold_h": 2})
    assert case.weather is not None
    assert case.weather.forecast is not None
    plan = make_plan(case.params, case.network, case.destinations, case.seed, case.weather)
    trips = run(case).tables()["trips"]
    s_per_km, crew = HOUR_S / case.params.truck.speed_kmh, crew_of(case.params.truck)
    names = case.network.geography.name
    held_lanes = 0
    for issue_h in range(0, 12 * 24, 6):
        held = outlook(plan, case.weather.forecast, crew, s_per_km, issue_h, case.seed).held
        held_lanes += held.sum()
        within = trips["depart_s"].between(issue_h * HOUR_S, (issue_h + 6) * HOUR_S, inclusive="left")
        for lane in np.flatnonzero(held):
            ends = names[plan.hub_city[plan.lane_from[lane]]], names[plan.hub_city[plan.lane_to[lane]]]
            carrier = plan.carriers[plan.hub_carrier[plan.lane_from[lane]]]
            on_lane = (trips["origin"] == ends[0]) & (trips["destination"] == ends[1]) & (trips["carrier"] == carrier)
            assert not (within & on_lane & (trips["vehicle"] != "train")).any()
    assert held_lanes > 0


def test_what_a_held_lane_bars_goes_around_by_another_hub_when_that_is_quicker() -> None:
    case = small_case(
        10, ring_km=[211.3, 97.9, 455.1, 150.7, 88.3, 260.9, 199.7, 333.3]
    )  # Ash to Fir by Oak, not by Elm
    plan = make_plan(case.params, case.network, case.destinations, 1, weather(fronts=[SNOW]))
    closed = np.ones_like(plan.roads.speed_share)
    ash_fir = next(i for i in plan.lanes[0] if (plan.lane_from[i], plan.lane_to[i]) == (0, 2))
    closed[links_of(case.network).number["Oak", "Ash"], 20:80] = 0.0
    roads = plan.roads._replace(speed_share=closed)
    params = weather(forecast={**FORECAST, "error_share": 0.0}).forecast
    assert params is not None
    told = outlook(replace(plan, roads=roads), params, crew_of(case.params.truck), 60.0, 24, 1)
    assert told.held[ash_fir]
    assert plan.routes.next_lane[0, 2] == ash_fir
    assert plan.lane_to[told.next_lane[0, 2]] == 1  # by Elm
    assert plan.lane_to[told.next_lane[1, 2]] == 2
    later = outlook(replace(plan, roads=roads), params, crew_of(case.params.truck), 60.0, 120, 1)
    assert not later.held.any()
    np.testing.assert_array_equal(later.next_lane, plan.routes.next_lane)


HEADER = "city,hour,rain_mm_per_h,snow_mm_per_h,sight_m\n"


def test_observations_hold_around_their_cities_and_only_in_their_hours(tmp_path: Path) -> None:
    file = tmp_path / "observed.csv"
    file.write_text(HEADER + "Ash,2012-11-11T05:00,8,0,\nFir,7,0,0,40\nFir,-3,50,0,\n", encoding="utf-8")
    network = small_country()
    links = links_of(network)
    params = weather(observations={"file": str(file), "radius_km": 300})
    shares = speed_shares(params, links, network.geography, 24)
    ash, fir = links.number["Ash", "Birch"], links.number["Elm", "Fir"]
    assert np.flatnonzero(shares[ash] < 1).tolist() == [5]
    assert np.flatnonzero(shares[fir] < 1).tolist() == [7]
    assert (shares[ash, 5], shares[fir, 7]) == (0.945, 0.0)
    assert shares[links.number["Cedar", "Elm"]].min() == 1.0  # further away than the radius from both


def test_bad_observations_are_named_with_file_and_row(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    rows = ("Ash,5,1,0,400", "Asch,5,1,0,400", "Birch,noon,1,0,400", "Birch,5,-1,0,none", "Birch,2012-11-31T05:00,0,0,")
    file.write_text(HEADER + "\n".join(rows), encoding="utf-8")
    with pytest.raises(ParameterError) as caught:
        read_observations(str(file), small_country().geography)
    assert caught.value.problems == [
        f"{file} row 3: city: 'Asch' is not a city; did you mean 'Ash'?",
        f"{file} row 4: hour must be a whole number or a date and clock like 2012-11-12T06:00, got 'noon'",
        f"{file} row 5: rain_mm_per_h must be a number >= 0, got '-1'",
        f"{file} row 5: sight_m must be a number >= 0, got 'none'",
        f"{file} row 6: hour must be a whole number or a date and clock like 2012-11-12T06:00, got '2012-11-31T05:00'",
    ]
    (tmp_path / "short.csv").write_text("city,hour\n", encoding="utf-8")
    for name, problem in (
        ("short.csv", "missing: rain_mm_per_h, snow_mm_per_h, sight_m"),
        ("none.csv", "cannot be read"),
    ):
        with pytest.raises(ParameterError, match=problem):
            read_observations(str(tmp_path / name), small_country().geography)


@pytest.mark.skipif(not UCI.exists(), reason="the observations of five cities are not at hand")
def test_the_rain_of_november_2012_slows_trucks_around_five_cities(tmp_path: Path) -> None:
    file = tmp_path / "november.csv"
    with gzip.open(UCI, "rt", encoding="utf-8") as source, file.open("w", encoding="utf-8") as target:
        target.write(HEADER)
        for row in csv.DictReader(source):
            if row["time"].startswith("2012") and row["precipitation"]:
                target.write(f"{row['city']},{row['time']},{row['precipitation']},0,\n")
    network = build_network(load_geography())
    links = links_of(network)
    shares = speed_shares(weather(observations={"file": str(file), "radius_km": 150}), links, network.geography, 480)
    assert 0.9 < shares.min() < 1.0
    assert 0.0 < (shares < 1).mean() < 0.05


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"fronts": [{**SNOW, "kind": "hail"}]}, "weather.fronts.0"),
        ({"fronts": [{**SNOW, "width_km": 0}]}, "weather.fronts.0.width_km must be > 0 [km], got 0"),
        ({"forecast": {**FORECAST, "issue_h": 0}}, "weather.forecast.issue_h must be > 0 [h], got 0"),
        (
            {"response": {**calm()["response"], "rain": [{**STEP, "speed_share": 0.5}, {**STEP, "from_mm_per_h": 2}]}},
            "weather.response.rain must not be faster in worse weather",
        ),
    ],
)  # fmt: skip
def test_weather_that_cannot_be_is_named(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ParameterError) as caught:
        weather(**changes)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith(problem)


def test_dry_roads_take_as_long_as_roads_without_weather() -> None:
    case = small_case(600)
    dry, calm_roads = run(case).tables()["trips"], run(case._replace(weather=weather())).tables()["trips"]
    assert len(dry) == len(calm_roads) > 0
    np.testing.assert_allclose(dry["arrive_s"], calm_roads["arrive_s"], rtol=1e-9)
    assert set(SMALL_PARCELS["carriers"]) == set(dry["carrier"])
