"""Warehouses: work time, cut-off, hired hands, what was packed before the day, and what merchants promise."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.warehouse import Shift, clock_s, due_s, pack_one, worked_s
from sim.params import ParameterError, build
from sim.params.orders import OrdersParams
from tests.parcel_case import SMALL_ORDERS, Case, run, small_case

DAY_S = 86400.0
HOUR_S = 3600.0
PLAIN = Shift(8 * HOUR_S, 20 * HOUR_S, DAY_S, np.inf, 1.0)

SHIFTS = st.builds(
    lambda clocks, days, factor: Shift(clocks[0], clocks[1], DAY_S, days * (clocks[1] - clocks[0]), factor),
    st.tuples(st.integers(0, 40000), st.integers(40001, 86400)).map(lambda pair: (float(pair[0]), float(pair[1]))),
    st.integers(0, 5),
    st.floats(0.5, 3.0),
)


def warehouse(**changes: Any) -> dict[str, Any]:
    """The small country's warehouses with other values."""
    return {"warehouse": {**SMALL_ORDERS["warehouse"], **changes}}


def no_labels() -> dict[str, Any]:
    return {**SMALL_ORDERS["warehouse"]["prepacked"], "merchants": 0}


def parcels_of(case: Case) -> pd.DataFrame:
    parcels: pd.DataFrame = run(case).tables()["parcels"]
    return parcels


@settings(deadline=None)
@given(work_s=st.floats(1.0, 2e6), shift=SHIFTS)
def test_the_clock_of_worked_time_is_inside_the_shift_and_has_worked_so_long(work_s: float, shift: Shift) -> None:
    time_s = clock_s(work_s, shift)
    assert shift.start_s - 1e-6 <= time_s % DAY_S <= shift.end_s + 1e-6 or time_s % DAY_S == 0.0
    assert worked_s(time_s, shift) == pytest.approx(work_s, rel=1e-9)


@settings(deadline=None)
@given(earlier_s=st.floats(0.0, 1e6), later_s=st.floats(0.0, 1e6), shift=SHIFTS)
def test_worked_time_never_runs_backwards_nor_faster_than_the_hands(
    earlier_s: float, later_s: float, shift: Shift
) -> None:
    earlier_s, later_s = sorted((earlier_s, later_s))
    gained_s = worked_s(later_s, shift) - worked_s(earlier_s, shift)
    assert -1e-6 <= gained_s <= (later_s - earlier_s) * max(1.0, shift.hired_factor) + 1e-6


def test_hired_hands_speed_up_the_work_from_their_day_on() -> None:
    shift = PLAIN._replace(hired_work_s=12 * HOUR_S, hired_factor=1.5)
    assert worked_s(20 * HOUR_S, shift) == 12 * HOUR_S
    assert worked_s(DAY_S + 10 * HOUR_S, shift) == 12 * HOUR_S + 1.5 * 2 * HOUR_S
    assert clock_s(12 * HOUR_S + 3 * HOUR_S, shift) == DAY_S + 10 * HOUR_S


def test_an_order_of_the_night_is_packed_when_the_shift_has_opened() -> None:
    packed_s, free_s = pack_one(worked_s(3600.0, PLAIN), 0.0, 60.0, 1.0, PLAIN)
    assert packed_s == 8 * HOUR_S + 60.0
    assert free_s == 60.0


def test_what_is_not_done_when_the_shift_ends_goes_on_the_next_morning() -> None:
    packed_s, _ = pack_one(worked_s(20 * HOUR_S - 30.0, PLAIN), 0.0, 60.0, 1.0, PLAIN)
    assert packed_s == DAY_S + 8 * HOUR_S + 30.0


def test_a_row_is_packed_at_the_mean_of_its_parcels() -> None:
    always = Shift(0.0, DAY_S, DAY_S, np.inf, 1.0)
    times_s, free_s = [], 0.0
    for _ in range(7):
        packed_s, free_s = pack_one(0.0, free_s, 60.0, 1.0, always)
        times_s.append(packed_s)
    row_s, row_free_s = pack_one(0.0, 0.0, 60.0, 7.0, always)
    assert row_s == pytest.approx(np.mean(times_s))
    assert row_free_s == free_s


def test_an_order_after_the_cut_off_waits_for_the_next_shift() -> None:
    shift = PLAIN._replace(cutoff_s=15 * HOUR_S)
    assert due_s(15 * HOUR_S, shift) == 7 * HOUR_S
    assert due_s(15 * HOUR_S + 1.0, shift) == 12 * HOUR_S
    assert due_s(DAY_S + 9 * HOUR_S, shift) == 13 * HOUR_S


def test_nothing_that_was_ordered_after_the_cut_off_is_packed_on_the_same_day() -> None:
    quick = {"cutoff": "15:00", "staffed_days": 0.2, "prepacked": no_labels()}
    parcels = parcels_of(small_case(900, weight=1.0, merchants=warehouse(**quick)))
    late = parcels["created_s"] > 15 * HOUR_S
    assert late.sum() > 100
    assert (parcels["packed_s"][late] > DAY_S + 8 * HOUR_S).all()
    assert (parcels["packed_s"][~late] < DAY_S).mean() > 0.8


def test_hired_hands_clear_the_backlog_sooner() -> None:
    own, hired = (
        parcels_of(small_case(2_500, weight=1.0, merchants=warehouse(hired_from_days=1, hired_factor=factor)))
        for factor in (1.0, 2.0)
    )
    first_day = own["packed_s"] < DAY_S
    assert first_day.sum() > 100
    np.testing.assert_array_equal(own["packed_s"][first_day], hired["packed_s"][first_day])
    later_s = own["packed_s"][~first_day].mean() - hired["packed_s"][~first_day].mean()
    assert later_s > 2 * HOUR_S
    assert (hired["packed_s"] <= own["packed_s"] + 1e-2).all()


def overtaken(parcels: pd.DataFrame) -> float:
    """Share of the parcels that were packed before one that their merchant had got earlier."""
    latest_s = parcels.groupby("merchant")["packed_s"].cummax()
    return float((parcels["packed_s"] < latest_s).mean())


def test_what_was_packed_before_the_day_overtakes_the_others() -> None:
    labels = {"merchants": 40, "share": 0.3, "label_s": 10, "staffed_days": 0.2}
    with_labels, without = (
        parcels_of(small_case(2_500, weight=1.0, merchants=warehouse(prepacked={**labels, "share": share})))
        for share in (0.3, 0.0)
    )
    assert overtaken(without) == 0.0
    assert 0.2 < overtaken(with_labels) <= 0.32
    at_once = [(one["packed_s"] - one["created_s"].clip(lower=8 * HOUR_S) < HOUR_S) for one in (with_labels, without)]
    assert at_once[0].mean() > at_once[1].mean() + 0.1


def test_merchants_have_the_hands_that_their_plan_takes() -> None:
    """40 equal merchants of 50 parcels; half of the parcels are labelled; 10 + 20 s an item and order of one item."""
    one = {**SMALL_ORDERS["categories"]["metal"], "share": 1.0}
    values = {
        "size_exponent": 0.0,
        "categories": {"metal": one},
        **warehouse(
            pick_s=10, pack_s=20, staffed_days=1.0, spread_sigma=0.0,
            prepacked={"merchants": 40, "share": 0.5, "label_s": 5, "staffed_days": 0.5},
        ),
    }  # fmt: skip
    merchants = run(small_case(300, merchants=values)).tables()["merchants"]
    assert len(merchants) == 40
    hands = 25 * 30 / (12 * HOUR_S) + 25 * 5 / (6 * HOUR_S)
    assert merchants["hands"].to_numpy() == pytest.approx(hands)


def test_the_books_of_the_merchants_are_those_of_a_count_parcel_by_parcel() -> None:
    case = small_case(2_500, weight=2.0)
    tables = run(case).tables()
    parcels, merchants = tables["parcels"], tables["merchants"].set_index("merchant")
    by_merchant = parcels.groupby("merchant")
    expected = pd.DataFrame(
        {
            "parcels": by_merchant.size(),
            "packed_parcels": by_merchant["packed_s"].count(),
            "picked_up_parcels": by_merchant["picked_up_s"].count(),
            "kept_parcels": (parcels["picked_up_s"] - parcels["created_s"] <= 48 * HOUR_S)
            .groupby(parcels["merchant"])
            .sum(),
        }
    )
    expected = 2.0 * expected.reindex(merchants.index, fill_value=0)
    pd.testing.assert_frame_equal(merchants[list(expected)], expected, check_dtype=False)
    assert 0.3 < merchants["kept_parcels"].sum() / merchants["parcels"].sum() < 0.98
    last_s = by_merchant["packed_s"].max().reindex(merchants.index)
    np.testing.assert_array_equal(merchants["last_packed_s"], last_s)
    price = parcels["carrier"].map({"swift": 6.0, "steady": 5.0}).astype(float) + parcels["weight_kg"] * parcels[
        "carrier"
    ].map({"swift": 1.0, "steady": 2.0}).astype(float)
    paid = 2.0 * price[parcels["picked_up_s"].notna()].sum()
    assert merchants["postage_rmb"].sum() == pytest.approx(paid, rel=1e-6)
    assert tables["carriers"]["postage_rmb"].sum() == pytest.approx(paid, rel=1e-6)
    assert merchants["forward_parcels"].sum() == 0.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"warehouse": {"cutoff": "24:01"}}, "orders.warehouse.cutoff"),
        ({"warehouse": {"pack_s": 0}}, "orders.warehouse.pack_s must be > 0 [s], got 0"),
        ({"warehouse": {"shift_start": "21:00"}}, "orders.warehouse.shift_start must be before shift_end"),
        (
            {"warehouse": {"prepacked": {**SMALL_ORDERS["warehouse"]["prepacked"], "merchants": 41}}},
            "orders.warehouse.prepacked.merchants must be at most merchants, 40, got 41",
        ),
        ({"categories": {}}, "orders.categories must have at least 1 item"),
        (
            {"categories": {"metal": {**SMALL_ORDERS["categories"]["metal"], "dm3_per_kg": 0}}},
            "orders.categories.metal.dm3_per_kg must be > 0 [dm3/kg], got 0",
        ),
    ],
)
def test_what_cannot_be_is_named_with_its_path(change: dict[str, Any], message: str) -> None:
    values = {**SMALL_ORDERS, **change}
    if "warehouse" in change:
        values["warehouse"] = {**SMALL_ORDERS["warehouse"], **change["warehouse"]}
    with pytest.raises(ParameterError) as error:
        build(OrdersParams, values, "orders")
    assert message in str(error.value)
