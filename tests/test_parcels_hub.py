"""Sorter lines: rates that change by the hour, rows that pass again."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.hub import passes_again, sorted_at
from sim.params import build
from sim.params.parcels import ParcelsParams
from sim.parcels import ParcelNetwork
from sim.parcels.plan import make_plan
from sim.units import DAY_S, HOUR_S
from tests.parcel_case import SMALL_PARCELS, run, small_case


def test_a_row_is_sorted_at_the_rate_of_each_hour_that_it_takes() -> None:
    hour_parcels = np.array([3600.0, 1800.0, 0.0, 3600.0])
    assert sorted_at(0.0, 10.0, hour_parcels) == 10.0
    assert sorted_at(3590.0, 20.0, hour_parcels) == 3600.0 + 20.0  # 10 at one a second, 10 at one every two
    assert sorted_at(7190.0, 10.0, hour_parcels) == 3 * 3600.0 + 5.0  # the night shift is off
    assert sorted_at(9 * 3600.0, 10.0, hour_parcels) == 9 * 3600.0 + 10.0  # the last hour holds on
    assert sorted_at(0.0, 1.0, np.zeros(3)) == math.inf


@settings(deadline=None)
@given(
    hour_parcels=st.lists(st.floats(0.0, 5e4), min_size=2, max_size=40).filter(lambda rates: rates[-1] > 1.0),
    start_s=st.floats(0.0, 40 * 3600.0),
    parcels=st.floats(1.0, 1e5),
)
def test_until_a_row_is_sorted_the_line_could_sort_just_so_much(
    hour_parcels: list[float], start_s: float, parcels: float
) -> None:
    end_s = sorted_at(start_s, parcels, np.array(hour_parcels))
    edges = np.arange(0.0, end_s + HOUR_S, HOUR_S)
    open_s = np.clip(np.minimum(edges + HOUR_S, end_s) - np.maximum(edges, start_s), 0.0, None)
    rates = np.array(hour_parcels)[np.minimum(np.arange(edges.size), len(hour_parcels) - 1)] / HOUR_S
    assert float(open_s @ rates) == pytest.approx(parcels, rel=1e-6)


def test_the_share_of_passes_that_fail_is_as_it_is_set_and_failing_once_does_not_breed_failing_twice() -> None:
    key, n, share = np.uint64(3), 40_000, 0.1
    first, second = (
        np.array([passes_again(key, share, shopper, 0, passed) for shopper in range(n)]) for passed in (0, 1)
    )
    assert first.mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n))
    assert second[first].mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / first.sum()))
    assert not passes_again(key, 0.0, 1, 0, 0)


def hour_parcels(**sorting: object) -> np.ndarray:
    case = small_case(10, parcels={"sorting": {**SMALL_PARCELS["sorting"], **sorting}})
    return make_plan(case.params, case.network, case.destinations, 1).hour_parcels


def test_shifts_go_around_midnight_and_hired_sorters_come_on_top() -> None:
    rates = hour_parcels(shifts={"06:00": 1.2, "22:00": 0.7}, hired=[{"from_h": 30, "share": 0.3}])
    ash_per_h = 60
    np.testing.assert_allclose(rates[0, [0, 5, 6, 21, 22, 23]] / ash_per_h, [0.7, 0.7, 1.2, 1.2, 0.7, 0.7])
    np.testing.assert_allclose(rates[0, [29, 30, 47]] / ash_per_h, [0.7 if 29 % 24 < 6 else 1.2, 1.5, 1.0])


def test_hired_sorters_bring_the_parcels_sooner() -> None:
    def lead_h(hired: list[dict[str, float]]) -> float:
        sorting = {**SMALL_PARCELS["sorting"], "shifts": {"00:00": 0.1}, "hired": hired}
        parcels = run(small_case(900, parcels={"sorting": sorting})).tables()["parcels"]
        return float((parcels["signed_s"].fillna(12 * DAY_S) - parcels["created_s"]).mean() / HOUR_S)

    assert lead_h([{"from_h": 24, "share": 0.5}]) < 0.95 * lead_h([])


def test_the_gate_opens_one_vehicle_after_the_other_and_a_slow_one_holds_them_up() -> None:
    def unloading_h(gate_share: float) -> np.ndarray:
        sorting = {**SMALL_PARCELS["sorting"], "gate_share": gate_share}
        trips = run(small_case(900, parcels={"sorting": sorting})).tables()["trips"]
        return np.asarray(((trips["unloaded_s"] - trips["arrive_s"]) / HOUR_S).dropna())

    fast, slow = unloading_h(50.0), unloading_h(0.8)
    assert fast.min() > 0.0
    assert np.median(slow) > 5 * np.median(fast)


def test_rows_that_pass_again_take_the_sorters_time_and_are_counted_once() -> None:
    def part(again_share: float) -> ParcelNetwork:
        return run(small_case(900, parcels={"sorting": {**SMALL_PARCELS["sorting"], "again_share": again_share}}))

    for again_share in (0.0, 0.3):
        network = part(again_share)
        passes = network.column("passes").astype(np.int64).sum()
        sorted_rows = network.tables()["hub_hours"]["sorted_parcels"].sum() / 3.0
        assert sorted_rows / passes == pytest.approx(1.0 - again_share, abs=0.04)


@pytest.mark.parametrize(
    ("shifts", "problem"),
    [
        ({"06:00": 0.0}, "must have a share > 0 at some hour, or no hub can ever drain"),
        ({"06:30": 1.0}, "must start at whole hours before 24:00, got '06:30'"),
        ({"24:00": 1.0}, "must start at whole hours before 24:00, got '24:00'"),
        ({"6 am": 1.0}, "a clock label is HH:MM or HH:MM:SS, got '6 am'"),
    ],
)
def test_shifts_that_cannot_be_worked_are_named(shifts: dict[str, float], problem: str) -> None:
    values = {**SMALL_PARCELS, "sorting": {**SMALL_PARCELS["sorting"], "shifts": shifts}}
    with pytest.raises(Exception, match=r"parcels\.sorting\.shifts") as caught:
        build(ParcelsParams, values, "parcels")
    assert problem in str(caught.value)
