"""From orders to parcels, and the merchants' warehouses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.orders import is_virtual, joins_previous, zipf_mandelbrot
from sim.kernels.warehouse import clock_s, pack_one, worked_s
from sim.parcels.merchants import make_merchants
from tests.parcel_case import BUYERS_2012, ORDERS_2012, made_up_orders, run, shipped_case, small_case

PARCELS_2012 = 72e6
DAY_S = 86400.0


def test_the_shipped_shares_make_the_published_parcels_per_order() -> None:
    case = shipped_case(2_000)
    later = 1.0 - BUYERS_2012 / ORDERS_2012
    kept = 1.0 - case.orders.virtual_share
    expected = kept * (1.0 - later * kept * case.orders.same_merchant_share)
    assert expected == pytest.approx(PARCELS_2012 / ORDERS_2012, rel=1e-3)


def test_parcels_per_order_come_out_within_one_percent() -> None:
    case = shipped_case(60_000)
    parcels = run(case, until_s=DAY_S + 1.0).tables()["parcels"]
    assert len(parcels) / case.batch.paid_s.size == pytest.approx(PARCELS_2012 / ORDERS_2012, rel=0.01)


def test_every_physical_order_is_in_exactly_one_parcel() -> None:
    case = small_case(3_000)
    parcels = run(case, until_s=DAY_S + 1.0).tables()["parcels"]
    sellers = make_merchants(case.orders, case.params, case.origins, case.destinations, case.seed)
    pairs = list(zip(case.batch.shopper.tolist(), case.batch.number.tolist(), strict=True))
    physical = [pair for pair in pairs if not is_virtual(sellers.keys, sellers.market, *pair)]
    joined = [pair for pair in physical if joins_previous(sellers.keys, sellers.market, *pair)]
    assert parcels["orders"].sum() == len(physical)
    assert len(parcels) == len(physical) - len(joined) < len(physical)
    assert parcels["orders"].max() > 2


def test_all_parcels_of_a_shopper_go_to_one_city() -> None:
    parcels = run(small_case(3_000), until_s=DAY_S + 1.0).tables()["parcels"]
    assert parcels.groupby("shopper")["destination"].nunique().max() == 1
    assert parcels["destination"].nunique() == 8


def test_the_largest_shops_have_the_published_sales_of_2012() -> None:
    case = shipped_case(2_000)
    share = np.empty(case.orders.merchants)
    zipf_mandelbrot(case.orders.size_exponent, case.orders.size_shift, share)
    assert share.sum() == pytest.approx(1.0)
    assert np.sum(share * 19.1e9 > 100e6) == 3
    assert np.sum(share * 8.0e9 > 10e6) == 109


def test_origins_destinations_and_carriers_have_their_shares() -> None:
    case = shipped_case(60_000)
    parcels = run(case, until_s=DAY_S + 1.0).tables()["parcels"]
    to = parcels["destination"].value_counts(normalize=True)
    weights = case.destinations / case.destinations.sum()
    for name in ("Shanghai", "Beijing", "Chengdu"):
        share = weights[case.network.geography.index(name)]
        buyers = parcels["shopper"].nunique()
        assert to[name] == pytest.approx(share, abs=6 * math.sqrt(share / buyers))
    carriers = parcels["carrier"].value_counts(normalize=True)
    for name, carrier in case.params.carriers.items():
        assert carriers[name] == pytest.approx(
            carrier.share, abs=0.03
        )  # the preferences of the largest merchants weigh


SHIFTS = st.tuples(st.integers(0, 40000), st.integers(40001, 86400)).map(lambda pair: (float(pair[0]), float(pair[1])))


@settings(deadline=None)
@given(work_s=st.floats(1.0, 2e6), shift=SHIFTS)
def test_the_clock_of_worked_time_is_inside_the_shift_and_has_worked_so_long(
    work_s: float, shift: tuple[float, float]
) -> None:
    time_s = clock_s(work_s, *shift)
    assert shift[0] <= time_s % DAY_S <= shift[1] or time_s % DAY_S == 0.0
    assert worked_s(time_s, *shift) == pytest.approx(work_s, rel=1e-9)


@settings(deadline=None)
@given(earlier_s=st.floats(0.0, 1e6), later_s=st.floats(0.0, 1e6), shift=SHIFTS)
def test_worked_time_never_runs_backwards_nor_faster_than_the_clock(
    earlier_s: float, later_s: float, shift: tuple[float, float]
) -> None:
    earlier_s, later_s = sorted((earlier_s, later_s))
    gained_s = worked_s(later_s, *shift) - worked_s(earlier_s, *shift)
    assert -1e-6 <= gained_s <= later_s - earlier_s + 1e-6


def test_an_order_of_the_night_is_packed_when_the_shift_has_opened() -> None:
    packed_s, free_s = pack_one(3600.0, 0.0, 60.0, 1.0, 8 * 3600.0, 20 * 3600.0)
    assert packed_s == 8 * 3600.0 + 60.0
    assert free_s == 60.0


def test_what_is_not_done_when_the_shift_ends_goes_on_the_next_morning() -> None:
    packed_s, _ = pack_one(20 * 3600.0 - 30.0, 0.0, 60.0, 1.0, 8 * 3600.0, 20 * 3600.0)
    assert packed_s == DAY_S + 8 * 3600.0 + 30.0


def test_a_row_is_packed_at_the_mean_of_its_parcels() -> None:
    times_s, free_s = [], 0.0
    for _ in range(7):
        packed_s, free_s = pack_one(0.0, free_s, 60.0, 1.0, 0.0, DAY_S)
        times_s.append(packed_s)
    row_s, row_free_s = pack_one(0.0, 0.0, 60.0, 7.0, 0.0, DAY_S)
    assert row_s == pytest.approx(np.mean(times_s))
    assert row_free_s == free_s


def test_made_up_orders_follow_the_published_curve() -> None:
    batch = made_up_orders(50_000)
    assert np.all(np.diff(batch.paid_s) >= 0)
    assert (batch.paid_s < 8340.0).mean() == pytest.approx(3.37 / 19.1, abs=0.01)
    assert batch.paid_s.size / np.unique(batch.shopper).size == pytest.approx(ORDERS_2012 / BUYERS_2012, rel=0.02)
