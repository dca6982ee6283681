"""The packaged what-ifs of the road: each changes what it says it changes, in the direction in which it should."""

import functools

import numpy as np
import pandas as pd
import pytest

from sim.compose import compose
from sim.festival import run_festival
from sim.params import build
from sim.params.festival import FestivalParams
from sim.units import DAY_S, HOUR_S
from tests.parcel_case import run, shipped_case

NORTH_EAST = ("Liaoning", "Jilin", "Heilongjiang")


@functools.cache
def tables(experiment: str) -> dict[str, pd.DataFrame]:
    """Tables of an experiment's road on the orders of 2012, at scale 0.0005."""
    config = compose(experiment)
    params = build(FestivalParams, {name: value for name, value in config.items() if name != "output"})
    assert params.parcels is not None
    part = run(shipped_case(52_900)._replace(params=params.parcels, weather=params.weather))
    return dict(part.tables())


def hub_to_hub_h(experiment: str, *, north_east: bool = False) -> float:
    """Mean time [h] from the origin hub to the destination hub; to the north-east of what left on 12 and 13 November."""
    parcels, cities = tables(experiment)["parcels"], tables(experiment)["cities"]
    if north_east:
        there = cities.loc[cities["province"].isin(NORTH_EAST), "city"]
        in_snow = parcels["departed_s"].between(DAY_S, 3 * DAY_S)
        parcels = parcels[in_snow & parcels["destination"].isin(there)]
    return float((parcels["destination_hub_s"] - parcels["origin_hub_s"]).mean() / HOUR_S)


def vehicles(experiment: str, kind: str) -> int:
    trips = tables(experiment)["trips"]
    return int(trips.loc[trips["vehicle"] == kind, "vehicles"].sum())


def test_more_trucks_carry_sooner_and_hire_fewer() -> None:
    assert hub_to_hub_h("more_trucks") < 0.98 * hub_to_hub_h("festival_2012")
    assert vehicles("more_trucks", "hired truck") < 0.1 * vehicles("festival_2012", "hired truck")


def test_without_the_train_pair_trucks_carry_its_parcels() -> None:
    assert vehicles("festival_2012", "train") > 5
    assert vehicles("no_rail", "train") == 0


def test_hired_sorters_shorten_the_overflow() -> None:
    overflow_h = [int(tables(name)["hub_hours"]["overflow"].sum()) for name in ("hired_sorters", "festival_2012")]
    assert overflow_h[0] < 0.8 * overflow_h[1]


def test_snow_in_the_north_east_delays_what_goes_there_and_trains_make_up_for_part_of_it() -> None:
    dry, snow, rail = (
        hub_to_hub_h(name, north_east=True) for name in ("festival_2012", "snow_northeast", "snow_northeast_rail")
    )
    assert snow > dry + 2.0
    assert rail < snow - 0.5
    trips = tables("snow_northeast")["trips"]
    to_shenyang = trips[(trips["destination"] == "Shenyang") & (trips["vehicle"] != "train")]
    assert (to_shenyang["arrive_s"] - to_shenyang["depart_s"]).max() > DAY_S


def test_2013_comes_out_as_published() -> None:
    config = compose("festival_2013", ["scale=0.002", "rehearsal=off"])
    params = build(FestivalParams, {name: value for name, value in config.items() if name != "output"})
    found = run_festival(params)
    parcels, days, seconds = found["parcels"], found["national_days"], found["demand_seconds"]
    first_minute = seconds.loc[seconds["second_s"] < 60, "visitors"].sum()
    assert first_minute / params.scale == pytest.approx(13.7e6, rel=0.03)
    assert len(parcels) / params.scale == pytest.approx(152e6, rel=0.03)
    signed_by_1118_1500 = (parcels["signed_s"] < 7 * DAY_S + 15 * HOUR_S).mean()
    assert 0.75 < signed_by_1118_1500 < 0.85
    national = (days["festival_parcels"] + days["everyday_parcels"]).to_numpy()
    assert national.argmax() == 2  # 13 November
    assert national.max() == pytest.approx(65.17e6, rel=0.05)
    assert national[:6].sum() == pytest.approx(346e6, rel=0.06)


@pytest.mark.parametrize("experiment", ["festival_2012", "snow_northeast"])
def test_no_vehicle_is_over_its_volume_or_weight(experiment: str) -> None:
    trips = tables(experiment)["trips"]
    assert np.all(trips["load_parcels"] <= trips["capacity_parcels"])
    assert np.all(trips["load_kg"] <= trips["capacity_kg"])
