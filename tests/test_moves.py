"""Fleets, moves between days, lateness of lanes and the film of the flow: counted another way, and looked at."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from experiments import cli
from sim import store
from sim.metrics import kpis
from sim.metrics.fleets import DOING, fleet_hours, fleet_sizes, mostly_back_s, utilisation
from sim.metrics.hubs import flows
from sim.metrics.moves import STATIONS, moves
from sim.metrics.stages import STATES, state_at
from sim.plots.animation import STEP_H, frames
from sim.plots.flows import project
from sim.store import Result
from sim.units import DAY_S, HOUR_S
from tests.synthetic import CITIES, synthetic_tables

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables()


def test_moves_are_those_of_every_parcel_from_midnight_to_midnight(tables: Tables) -> None:
    names = ["not ordered", *STATES]
    counted = tables["parcel_moves"]
    for day in range(4):
        before, after = (state_at(tables["parcels"], end * DAY_S) + 1 for end in (day, day + 1))
        by_hand = pd.Series(list(zip(np.array(names)[before], np.array(names)[after], strict=True))).value_counts()
        found = counted[counted["day"] == day]
        assert {(row.before, row.after): row.parcels for row in found.itertuples()} == by_hand.to_dict()


def test_what_leaves_a_day_arrives_in_the_next(tables: Tables) -> None:
    river = moves(tables["parcel_moves"], scale=0.5, days=6)
    assert set(river["after"]) <= set(STATIONS) - {"not ordered"}
    for day in range(1, 6):
        arrived = river[river["day"] == day - 1].groupby("after")["parcels"].sum()
        left = river[(river["day"] == day) & (river["before"] != "not ordered")].groupby("before")["parcels"].sum()
        assert left.to_dict() == arrived.drop(["signed", "returned or lost"], errors="ignore").to_dict()


def trip(depart_h: float, arrive_h: float, unloaded_h: float, back_h: float, vehicles: int = 1) -> dict[str, object]:
    times_h = {"depart_s": depart_h, "arrive_s": arrive_h, "unloaded_s": unloaded_h, "back_s": back_h}
    lane = {"origin": "Beijing", "destination": "Shanghai", "vehicle": "own truck", "load_parcels": 10.0}
    return {**lane, "vehicles": vehicles, **{name: hours * HOUR_S for name, hours in times_h.items()}}


def test_vehicles_are_counted_by_what_they_do() -> None:
    nan = float("nan")
    trips = pd.DataFrame([trip(1, 3, 4, 6), trip(2, 3, 5, nan, 10), trip(5, nan, nan, nan)])
    hours = fleet_hours(trips, 6 * HOUR_S)["own truck"]
    assert hours["loaded"].tolist() == [0, 1, 11, 0, 0, 1, 1]
    assert hours["at the gate"].tolist() == [0, 0, 0, 11, 10, 0, 0]
    assert hours["on the way back"].tolist() == [0, 0, 0, 0, 1, 11, 10]
    assert utilisation(hours, 24) == 0.5


def test_a_fleet_is_never_larger_than_it_is(tables: Tables) -> None:
    end_s = mostly_back_s(tables["trips"])
    assert end_s % DAY_S == 0
    assert fleet_sizes(tables["fleets"]) == {"own truck": 180, "hired truck": 180}
    hours = fleet_hours(tables["trips"], end_s)
    assert set(hours) == {"own truck", "train"}
    assert all((own[list(DOING)] >= 0).all().all() for own in hours.values())
    assert hours["train"]["on the way back"].max() == 0


def test_lanes_are_late_by_the_hours_beyond_their_quickest_trip(tables: Tables) -> None:
    nan = float("nan")
    trips = pd.DataFrame([trip(0, 10, 10, 20), trip(0, 12, 14, 30) | {"load_parcels": 30.0}])
    assert flows(trips, tables["cities"])["late_h"].tolist() == [(0 * 10 + 4 * 30) / 40]
    out = pd.DataFrame([trip(0, 10, 10, 20), trip(4, 14, nan, nan), trip(4, 20, 20, nan)])
    assert flows(out, tables["cities"])["late_h"].tolist() == [(0 + 6 + 6) / 3]


def test_a_vehicle_is_where_its_time_has_brought_it(tables: Tables) -> None:
    one = pd.DataFrame([trip(1, 5, 5, 9)])
    film = list(frames(one, tables["hub_hours"], tables["hubs"], tables["cities"], 6 * HOUR_S))
    assert [frame.time_s for frame in film] == [2 * HOUR_S, 4 * HOUR_S, 6 * HOUR_S]
    assert STEP_H == 2
    assert [frame.x.size for frame in film] == [1, 1, 0]
    begin, end = (project(np.array([CITIES[name][0]]), np.array([CITIES[name][1]])) for name in ("Beijing", "Shanghai"))
    assert film[1].x[0] == pytest.approx(begin[0][0] + 0.75 * (end[0][0] - begin[0][0]))
    assert film[1].y[0] == pytest.approx(begin[1][0] + 0.75 * (end[1][0] - begin[1][0]))
    hours = tables["hub_hours"]
    there = hours[hours["hour"] == 4]
    assert film[1].backlog.sum() == pytest.approx(there[["backlog_parcels", "gate_parcels"]].sum().sum())


@pytest.fixture
def run(tmp_path: Path, tables: Tables) -> Path:
    """A stored run that is over after two days."""
    short = tables | {"hub_hours": tables["hub_hours"][tables["hub_hours"]["hour"] <= 20]}
    figures = kpis(short, scale=0.001, seed=1, wall_s=1.0, peak_rss_bytes=1, shoppers=1)
    store.write_result(tmp_path, Result(figures, short, {"seed": 1, "scale": 0.001}, {}, None))
    return tmp_path


def test_the_film_is_made_when_it_is_asked_for(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", str(run), "animation=maybe"]) == 2
    assert "animation must be true or false, got 'maybe'" in capsys.readouterr().err
    assert cli.main(["report", str(run), "animation=on"]) == 0
    with Image.open(run / "figures" / "flow.gif") as film:
        film.seek(11)
        with pytest.raises(EOFError):
            film.seek(round(DAY_S / HOUR_S / STEP_H))
        assert film.size[0] > 500


def test_a_run_without_parcels_has_no_film(tmp_path: Path, tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    site = {name: tables[name] for name in ("demand_seconds", "orders")}
    figures = kpis(site, scale=0.001, seed=1, wall_s=1.0, peak_rss_bytes=1, shoppers=1)
    store.write_result(tmp_path, Result(figures, site, {"seed": 1, "scale": 0.001}, {}, None))
    assert cli.main(["report", str(tmp_path), "animation=on"]) == 0
    assert "no parcels to show" in capsys.readouterr().out
    assert not list(tmp_path.rglob("*.gif"))
