"""From orders to parcels, and the merchants' warehouses."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.orders import contents, fill_guide, is_virtual, pick_guided, same_merchant, zipf_mandelbrot
from sim.kernels.random import pick
from sim.parcels.merchants import cumulative, make_merchants
from tests.parcel_case import BUYERS_2012, ORDERS_2012, made_up_orders, run, shipped_case, small_case

PARCELS_2012 = 72e6
DAY_S = 86400.0


def test_parcels_per_order_follow_from_the_shares_where_no_parcel_is_packed_before_the_next_order() -> None:
    case = shipped_case(60_000)  # all orders of a shopper come together
    later = 1.0 - BUYERS_2012 / ORDERS_2012
    kept = 1.0 - case.orders.virtual_share
    expected = kept * (1.0 - later * kept * case.orders.same_merchant_share)
    assert (
        expected < PARCELS_2012 / ORDERS_2012
    )  # on the day some are packed before; tests/test_festival.py has what is left
    parcels = run(case, until_s=DAY_S + 1.0).tables()["parcels"]
    assert len(parcels) / case.batch.paid_s.size == pytest.approx(expected, rel=0.01)


def test_every_physical_order_is_in_exactly_one_parcel() -> None:
    case = small_case(3_000)
    parcels = run(case, until_s=DAY_S + 1.0).tables()["parcels"]
    sellers = make_merchants(case.orders, case.params, case.origins, case.destinations, case.seed)
    pairs = list(zip(case.batch.shopper.tolist(), case.batch.number.tolist(), strict=True))
    physical = [pair for pair in pairs if not is_virtual(sellers.keys, sellers.market, *pair)]
    same = [pair for pair in physical if same_merchant(sellers.keys, sellers.market, *pair)]
    assert parcels["orders"].sum() == len(physical)
    assert len(physical) - len(same) < len(parcels) < len(physical)
    assert parcels["orders"].max() > 2


def test_a_parcel_that_is_packed_takes_no_further_order() -> None:
    """The small country's shoppers order all day long, so that many a parcel is packed before the next order."""
    case = small_case(3_000, merchants={"same_merchant_share": 1.0, "virtual_share": 0.0})
    parcels = run(case, until_s=2 * DAY_S).tables()["parcels"].sort_values(["shopper", "created_s"])
    before = parcels.shift()
    again = parcels["shopper"] == before["shopper"]
    assert again.sum() > 50
    assert (parcels["merchant"] == before["merchant"])[again].all()
    assert (before["packed_s"] <= parcels["created_s"])[again].all()
    last_s = case.batch.paid_s[np.lexsort((case.batch.paid_s, case.batch.shopper))]
    assert parcels["orders"].sum() == last_s.size


def test_parcels_weigh_what_was_published() -> None:
    """20 Mt over 9.19 bn items in 2013; so many parcels an order as in 2012."""
    case = shipped_case(60_000)
    parcels = run(case, until_s=DAY_S + 1.0).tables()["parcels"]
    order_kg = parcels["weight_kg"].astype(float).sum() / case.batch.paid_s.size
    assert order_kg / (PARCELS_2012 / ORDERS_2012) == pytest.approx(2.18, rel=0.04)


def test_categories_have_their_shares_items_and_weights() -> None:
    case = shipped_case(60_000)
    sellers = make_merchants(case.orders, case.params, case.origins, case.destinations, case.seed)
    category = sellers.market.merchant_category
    by_order = np.bincount(category, sellers.size_share)
    total = sum(one.share for one in case.orders.categories.values())
    for number, one in enumerate(case.orders.categories.values()):
        assert np.mean(category == number) == pytest.approx(one.share / total, abs=0.02)
        assert by_order[number] == pytest.approx(one.share / total, abs=0.06)  # some merchants are large
        drawn = np.array([contents(sellers.keys, sellers.market, number, shopper, 0) for shopper in range(4_000)])
        items, kg = drawn.T
        spread = math.sqrt(one.order_items * (one.order_items - 1.0))  # of a geometric number
        assert items.mean() == pytest.approx(one.order_items, abs=4 * spread / math.sqrt(items.size) + 1e-12)
        assert items.min() == 1.0
        assert np.median(kg / items) == pytest.approx(
            one.item_median_kg, rel=4 * 1.2533 * one.item_sigma / math.sqrt(items.size)
        )
        assert np.log(kg / items).std() == pytest.approx(one.item_sigma, rel=0.06)


@settings(deadline=None)
@given(
    weights=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=60), place=st.floats(0.0, 1.0), nudge=st.integers(-2, 2)
)
def test_the_guide_changes_nothing_but_the_time_that_it_takes(weights: list[float], place: float, nudge: int) -> None:
    shares = cumulative(np.array(weights) + 1e-12)
    guide = np.empty(shares.size + 1, np.int32)
    fill_guide(shares, guide)
    edges = np.r_[place, shares, np.arange(1, shares.size + 1) / shares.size]
    for p in np.clip(edges + nudge * np.spacing(edges), 1e-300, np.nextafter(1.0, 0.0)).tolist():
        assert pick_guided(shares, guide, p) == pick(shares, p)


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


def test_made_up_orders_follow_the_published_curve() -> None:
    batch = made_up_orders(50_000)
    assert np.all(np.diff(batch.paid_s) >= 0)
    assert (batch.paid_s < 8340.0).mean() == pytest.approx(3.37 / 19.1, abs=0.01)
    assert batch.paid_s.size / np.unique(batch.shopper).size == pytest.approx(ORDERS_2012 / BUYERS_2012, rel=0.02)
