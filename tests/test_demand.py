"""The demand: the arrival curve, visits as a Markov chain, and the published totals of the day."""

import numpy as np
import pytest

from sim.demand.arrivals import arrival_curve
from sim.demand.visits import behaviour, expected_views, mean_order_lag_s
from sim.draws import stream
from sim.kernels.arrivals import arrival_time, guided_curve, index_arrivals
from sim.kernels.random import uniform
from sim.kernels.visits import attempt_of, orders_of, pack, page_of, step_of, wants_order
from sim.params import ParameterError
from sim.params.demand import DemandParams
from sim.units import DAY_S, seconds
from tests.site_case import festival, run_instant_site, run_site


@pytest.fixture(scope="module")
def demand() -> DemandParams:
    """The published day."""
    return festival().demand


def test_the_expected_day_has_the_published_page_views_and_orders(demand: DemandParams) -> None:
    views = expected_views(demand)
    assert views["item"] * demand.shoppers == pytest.approx(1.6e9, rel=0.01)
    assert views["search"] * demand.shoppers == pytest.approx(590e6, rel=0.01)
    assert views["pay"] * demand.shoppers == pytest.approx(105.8e6, rel=0.005)


def test_simulated_page_views_are_those_of_the_markov_chain(demand: DemandParams) -> None:
    site = run_site(festival("scale=0.0003", "seed=3"))
    shoppers = 63_900
    arrivals = site.tables()["site_seconds"].groupby("service", observed=True).arrivals.sum()
    retries = site.tables()["demand_seconds"].retries.sum()
    views = expected_views(demand)
    for page in ("item", "search"):
        assert arrivals[page] / shoppers == pytest.approx(views[page], rel=0.02)
    assert abs(arrivals["gateway"] - shoppers * sum(views.values()) - retries) < 0.02 * arrivals["gateway"]


def test_simulated_orders_lag_behind_arrivals_as_the_chain_says(demand: DemandParams) -> None:
    key, curve = stream(3, "visit.arrival"), arrival_curve(demand)
    orders = run_instant_site(festival("scale=0.0003", "seed=3", "site=off")).tables()["orders"]
    arrived_s = np.array([arrival_time(key, int(shopper), curve) for shopper in orders.shopper])
    lag_s = (orders.paid_s - arrived_s).mean()
    assert lag_s == pytest.approx(mean_order_lag_s(demand), rel=0.03)


def test_the_curve_follows_the_published_sales_one_lag_earlier(demand: DemandParams) -> None:
    curve, lag_s = arrival_curve(demand), mean_order_lag_s(demand)
    total_rmb = demand.arrivals.sales[-1].gmv_rmb
    for point in demand.arrivals.sales:
        share = np.interp(point.time_s - lag_s, curve.time_s, curve.share)
        assert share == pytest.approx(point.gmv_rmb / total_rmb, abs=1e-6)


def test_ten_million_shoppers_come_in_the_first_minute(demand: DemandParams) -> None:
    curve = arrival_curve(demand)
    assert np.interp(60.0, curve.time_s, curve.share) * demand.shoppers == pytest.approx(10e6, rel=0.15)


def test_a_crowd_that_would_buy_more_than_was_sold_is_refused() -> None:
    demand = festival("demand.arrivals.crowd.shoppers=100000000").demand
    with pytest.raises(ParameterError, match=r"demand\.arrivals\.crowd\.shoppers"):
        arrival_curve(demand)


def test_arrival_times_follow_the_curve() -> None:
    curve = guided_curve(np.array([0.0, 10.0, 20.0, 100.0]), np.array([0.0, 0.5, 0.5, 1.0]))
    times_s = np.array([arrival_time(np.uint64(7), shopper, curve) for shopper in range(20_000)])
    assert not ((times_s > 10.0) & (times_s < 20.0)).any()
    assert abs((times_s <= 10.0).mean() - 0.5) < 0.015
    assert times_s[times_s <= 10.0].mean() == pytest.approx(5.0, abs=0.15)


@pytest.mark.parametrize("cells", [1, 3])
def test_every_shopper_is_listed_once_in_the_bucket_of_the_arrival(cells: int) -> None:
    curve = guided_curve(np.array([0.0, 10.0, 60.0]), np.array([0.0, 0.8, 1.0]))
    key, shoppers, bucket_s = np.uint64(11), 1000, 0.5
    listed = []
    for cell in range(cells):
        ids = np.zeros(len(range(cell, shoppers, cells)), np.uint32)
        first = np.zeros(121, np.int64)
        index_arrivals(key, cell, cells, shoppers, bucket_s, curve, first, ids)
        for bucket in range(120):
            for shopper in ids[first[bucket] : first[bucket + 1]]:
                assert bucket == int(arrival_time(key, shopper, curve) / bucket_s)
                listed.append(shopper)
    assert sorted(listed) == list(range(shoppers))


def test_buyers_want_a_geometric_number_of_orders(demand: DemandParams) -> None:
    draws = behaviour(demand)
    drawn = np.array([uniform(np.uint64(5), s, 0) for s in range(200_000)])
    wanted = (drawn[:, None] < draws.wants_more).sum(axis=1)
    assert all(
        wants_order(np.uint64(5), s, orders, draws.wants_more) == (orders < wanted[s])
        for s in range(99)
        for orders in range(9)
    )
    buyers = wanted[wanted > 0]
    assert buyers.size / wanted.size == pytest.approx(demand.buyer_share, rel=0.02)
    assert buyers.mean() == pytest.approx(demand.orders_per_buyer, rel=0.02)
    assert (buyers == 1).mean() == pytest.approx(1 / demand.orders_per_buyer, rel=0.03)


def test_a_visits_state_survives_packing() -> None:
    state = pack(13, 15, 255, 65_535)
    assert (page_of(state), attempt_of(state), orders_of(state), step_of(state)) == (13, 15, 255, 65_535)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("demand.visit.entry=door", r"demand\.visit\.entry must be one of its pages"),
        ("demand.visit.bucket_s=0.3", "power of two"),
        ("demand.visit.think_least_s=0.25", r"must be >= bucket_s"),
        ("demand.visit.pages.cart.buying.next={order: 0.5}", "must sum to 1, sums to 0.65"),
        ("+demand.visit.pages.cart.buying.next.kiosk=0.1", "unknown pages: kiosk"),
        ("demand.arrivals.sales=[{clock: '24:00', gmv_rmb: 1.0}, {clock: '12:00', gmv_rmb: 2.0}]", "must rise"),
        ("demand.arrivals.sales=[{clock: '12:00', gmv_rmb: 2.0}]", "24:00"),
        ("demand.arrivals.sales=[{clock: '9h', gmv_rmb: 2.0}]", "HH:MM"),
        ("parcels.horizon_days=1", r"parcels\.horizon_days must not end before demand\.horizon_h 26 \[h\], got 1"),
        ("demand.horizon_h=2", r"demand\.horizon_h must be >= 24 \[h\], got 2"),
        ("demand.buyer_share=1.5", r"demand\.buyer_share must be <= 1 \[share\], got 1\.5"),
    ],
)
def test_demand_that_makes_no_sense_is_refused(override: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        festival(override)


def test_the_day_is_one_day_long(demand: DemandParams) -> None:
    assert seconds(demand.arrivals.sales[-1].clock) == DAY_S
