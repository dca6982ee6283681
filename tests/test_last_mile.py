"""The last mile: tours against exact shortest ones, shares of what goes wrong, lockers, and what comes back."""

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.draws import stream
from sim.kernels.outlet import Doors, collected_s, fate_of, round_s, tour_s
from sim.kernels.random import uniform
from sim.kernels.rows import DAMAGED, EXCEPTIONS, NOTHING_WRONG, REFUSED, WRONG_ADDRESS
from sim.lab.tours import tours
from sim.params import ParameterError, build
from sim.params.parcels import LastMileParams
from sim.parcels.last_mile import longest_tours_s, make_doors, most_stops, tour_number
from sim.units import DAY_S, HOUR_S
from tests.parcel_case import SMALL_PARCELS, run, small_case

LAST_MILE: dict[str, Any] = SMALL_PARCELS["last_mile"]


def last_mile(**changes: Any) -> LastMileParams:
    return build(LastMileParams, LAST_MILE | changes, "last_mile")


def doors(**changes: Any) -> Doors:
    return make_doors(last_mile(**changes), seed=3)


def test_shortest_tours_are_those_of_trying_every_order() -> None:
    key, stops, side_km = stream(5, "lab.tours"), 6, 3.0
    found = tours(stops=stops, area_km2=side_km**2, tours=4, seed=5)["length_km"]
    for tour in range(4):
        places = [[uniform(key, tour * stops + stop, axis) for axis in range(2)] for stop in range(stops)]

        def apart(a: list[float], b: list[float]) -> float:
            steps = [min(abs(x - y), 1 - abs(x - y)) for x, y in zip(a, b, strict=True)]
            return side_km * math.hypot(*steps)

        rounds = ([places[0], *order, places[0]] for order in itertools.permutations(places[1:]))
        shortest = min(sum(itertools.starmap(apart, itertools.pairwise(one))) for one in rounds)
        assert found[tour] == pytest.approx(shortest, rel=1e-12)


def test_a_tour_takes_about_the_time_of_the_shortest_way_and_of_the_stops() -> None:
    lengths_km = tours(stops=10, area_km2=4.0, tours=400, seed=1)["length_km"]
    driven_s = tour_s(10.0, 4.0, 15.0, 120.0) - 10 * 120.0
    assert driven_s * 15.0 / HOUR_S == pytest.approx(lengths_km.mean(), rel=0.05)


def test_lab_tours_say_what_is_wrong() -> None:
    with pytest.raises(ParameterError, match="stops must be <= 16, got 40"):
        tours(stops=40, area_km2=1.0, tours=1, seed=1)


def test_couriers_share_stops_and_area() -> None:
    assert round_s(100.0, 5.0, 50.0, 15.0, 60.0) == tour_s(20.0, 10.0, 15.0, 60.0)
    assert round_s(3.0, 5.0, 30.0, 15.0, 60.0) == tour_s(1.0, 10.0, 15.0, 60.0), "no courier goes without a parcel"
    loads = [round_s(float(load), 5.0, 50.0, 15.0, 60.0) for load in range(5, 200)]
    assert loads == sorted(loads)


def test_couriers_carry_what_they_can_bring_in_time() -> None:
    areas = np.array([0.01, 5.0, 50.0, 5000.0])
    params = last_mile(tour_parcels=50.0, tour_s=9000.0, stop_s=150.0)
    stops = most_stops(params, areas, 9000.0)
    assert stops[0] == 50.0
    assert 1.0 < stops[2] < stops[1] < 50.0
    assert stops[3] == 1.0
    for area, most in zip(areas[1:3], stops[1:3], strict=True):
        assert tour_s(most, area, params.speed_kmh, params.stop_s) == pytest.approx(9000.0, rel=1e-9)


def test_customers_close_before_a_late_tour_is_over() -> None:
    params = last_mile(tour_clocks=["08:00", "14:00"], tour_s=18000, closes="18:30")
    assert longest_tours_s(params) == [18000, 4.5 * HOUR_S]
    assert [tour_number(params, 3 * DAY_S + clock_h * HOUR_S) for clock_h in (8, 14)] == [0, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"closes": "14:00"}, "last_mile.closes must be after the last of tour_clocks 14:00, got '14:00'"),
        ({"closes": "25 h"}, "last_mile.closes "),
        ({"speed_kmh": 0.0}, "last_mile.speed_kmh must be > 0 [km/h], got 0.0"),
        ({"people_per_km2": -1.0}, "last_mile.people_per_km2 must be > 0"),
        ({"locker_share": 1.2}, "last_mile.locker_share must be <= 1 [share], got 1.2"),
        (
            {"damaged_share": 0.5, "refused_share": 0.4, "wrong_address_share": 0.2},
            "last_mile.damaged_share + wrong_address_share + refused_share must be < 1 [share], got 1.1",
        ),
    ],
)
def test_a_last_mile_that_cannot_be_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        last_mile(**changes)
    assert any(problem.startswith(message) for problem in error.value.problems), error.value.problems


def test_what_goes_wrong_has_its_shares() -> None:
    n = 40_000
    shares = {DAMAGED: 0.05, WRONG_ADDRESS: 0.1, REFUSED: 0.15, NOTHING_WRONG: 0.7}
    given = doors(damaged_share=0.05, wrong_address_share=0.1, refused_share=0.15)
    fates = np.array([fate_of(given, shopper, 0) for shopper in range(n)])
    for fate, share in shares.items():
        assert (fates == fate).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n))


def test_lockers_have_their_share_and_are_emptied_at_leisure() -> None:
    n = 40_000
    waits_s = np.array([collected_s(doors(locker_share=0.3, collect_s=7200.0), shopper, 1) for shopper in range(n)])
    in_locker = waits_s >= 0
    assert in_locker.mean() == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / n))
    assert waits_s[in_locker].mean() == pytest.approx(7200.0, rel=4 / math.sqrt(0.3 * n))


def parcels_of(**changes: Any) -> pd.DataFrame:
    case = small_case(600, weight=1.0, seed=2, parcels={"last_mile": LAST_MILE | changes, "lost_share": 0.0})
    return run(case).tables()["parcels"]


NOTHING = {"damaged_share": 0.0, "wrong_address_share": 0.0, "refused_share": 0.0, "locker_share": 0.0}


def test_with_lockers_for_all_nobody_is_missed_at_home() -> None:
    parcels = parcels_of(**NOTHING | {"locker_share": 1.0, "success_share": 0.1})
    assert parcels["attempts"].max() == 1
    assert set(parcels["exception"]) == {"none"}
    assert ((parcels["signed_s"] - parcels["out_s"]) > LAST_MILE["tour_s"]).any()


def test_a_parcel_is_signed_within_the_tour_that_takes_it_out() -> None:
    parcels = parcels_of(**NOTHING).dropna(subset="signed_s")
    taken_s = parcels["signed_s"] - parcels["out_s"]
    assert taken_s.between(0, LAST_MILE["tour_s"]).all()
    assert (parcels["exception"].to_numpy() == "not at home").tolist() == (parcels["attempts"] > 1).tolist()


def test_a_wrong_address_costs_the_days_of_forwarding() -> None:
    parcels = parcels_of(**NOTHING | {"wrong_address_share": 0.999, "success_share": 1.0})
    forwarded = parcels[(parcels["exception"] == "wrong address") & parcels["signed_s"].notna()]
    assert len(forwarded) > 100
    assert (forwarded["attempts"] == 2).all()
    assert (forwarded["out_s"] - forwarded["exception_s"]).min() > LAST_MILE["forward_s"] - LAST_MILE["tour_s"]


@pytest.mark.parametrize(("share", "kind"), [("damaged_share", "damaged"), ("refused_share", "refused")])
def test_what_is_not_wanted_goes_back_to_the_merchant(share: str, kind: str) -> None:
    parcels = parcels_of(**NOTHING | {share: 0.999})
    back = parcels["returned_s"].notna()
    assert back.sum() > 100
    assert set(parcels.loc[back, "exception"]) == {kind}
    assert not (back & parcels["signed_s"].notna()).any()
    way_back_s = parcels.loc[back, "returned_s"] - parcels.loc[back, "sent_back_s"]
    assert way_back_s.min() > LAST_MILE["return_wait_s"]
    assert way_back_s.nunique() > 20  # each as long as vans, hubs and trucks take
    assert (parcels.loc[back, "sent_back_s"] >= parcels.loc[back, "outlet_s"]).all()
    assert set(EXCEPTIONS) >= set(parcels["exception"])
    if kind == "damaged":
        assert parcels.loc[back, "attempts"].max() == 0


def test_what_goes_back_passes_the_hubs_again() -> None:
    def hubs_passed(refused_share: float) -> float:
        last_mile = {**LAST_MILE, **NOTHING, "refused_share": refused_share, "success_share": 1.0}
        sorting = {**SMALL_PARCELS["sorting"], "again_share": 0.0}
        changes = {"last_mile": last_mile, "sorting": sorting, "lost_share": 0.0, "horizon_days": 21}
        part = run(small_case(300, weight=1.0, parcels=changes))
        share = part.whereabouts()["returned"] / part.whereabouts()["created"]
        assert share == pytest.approx(refused_share, abs=0.02)
        return float(part.column("passes").mean())

    one_way = hubs_passed(0.0)
    assert 1.0 < one_way < 3.0
    assert hubs_passed(0.999) == pytest.approx(2.0 * one_way, rel=0.1)  # not all ways back are as long


def test_the_busier_the_day_the_less_way_a_stop_costs() -> None:
    def per_parcel_s(load: float) -> float:
        return float(round_s(load, 4.0, 40.0, 15.0, 100.0)) / load

    assert per_parcel_s(40.0) > per_parcel_s(80.0) > per_parcel_s(160.0)
