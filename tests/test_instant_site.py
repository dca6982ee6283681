"""A site whose pages answer at once: equal to the plain SimPy model, whatever the threads, parts and windows."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
import simpy

from experiments._reference.visits import ReferenceVisits
from sim.festival import instant_site_of, run_festival
from sim.kernels.browse import Sold, room_for
from sim.records import OrderBatch, chunks
from sim.site import instant
from tests.site_case import BUSY, festival, run_instant_site, run_site

PAGES = "demand.visit.pages"
CASES = {
    "as published": ["scale=0.00002", "seed=1"],
    "2013": ["scale=0.00001", "seed=2", "demand=tmall_2013"],
    "slow readers whom the horizon ends": [
        *("scale=0.00001", "seed=3"),
        f"{PAGES}.item.browsing.think_mean_s=20000",
    ],
    "browsers who order more than they came for": [
        *("scale=0.00001", "seed=4", "demand.buyer_share=0.02"),
        *(f"{PAGES}.cart.browsing.next.leave=0.2", f"+{PAGES}.cart.browsing.next.pay=0.8"),
        *(f"{PAGES}.item.browsing.next.item=0.082", f"+{PAGES}.item.browsing.next.cart=0.5"),
    ],
}
SMALL = ["scale=0.00001", "seed=5", "site=off"]


@pytest.fixture(scope="module", params=list(CASES.values()), ids=list(CASES))
def twin(request: pytest.FixtureRequest) -> tuple[ReferenceVisits, dict[str, pd.DataFrame]]:
    """The plain model and the tables of the same day."""
    params = festival("site=off", *request.param)
    reference = ReferenceVisits(params)
    reference.run()
    return reference, dict(run_instant_site(params).tables())


def test_every_order_is_paid_at_the_same_instant_as_in_plain_simpy(
    twin: tuple[ReferenceVisits, dict[str, pd.DataFrame]],
) -> None:
    reference, tables = twin
    expected = np.array(sorted(reference.orders, key=lambda order: order[:3]), dtype=np.float64)
    orders = tables["orders"]
    assert len(orders) > 500
    columns = orders[["paid_s", "shopper", "number", "value_rmb"]].to_numpy(dtype=np.float64)
    np.testing.assert_array_equal(columns, expected)
    channels = {view.shopper: view.channel for view in reference.views}
    assert orders["channel"].tolist() == [channels[shopper] for shopper in orders["shopper"]]


def test_every_page_is_seen_in_the_same_second_as_in_plain_simpy(
    twin: tuple[ReferenceVisits, dict[str, pd.DataFrame]],
) -> None:
    reference, tables = twin
    seconds = tables["demand_seconds"].set_index("second_s")
    value_fen: Counter[int] = Counter()
    for order in reference.orders:
        value_fen[int(order.time_s)] += round(100 * order.value_rmb)
    expected = {
        "visitors": Counter(int(view.time_s) for view in reference.views if view.step == 1),
        "requests": Counter(int(view.time_s) for view in reference.views),
        "served": Counter(int(view.time_s) for view in reference.views),
        "orders": Counter(int(order.time_s) for order in reference.orders),
    }
    for name, counted in expected.items():
        assert {second: n for second, n in seconds[name].items() if n} == counted
    assert {second: round(100 * rmb) for second, rmb in seconds["gmv_rmb"].items() if rmb} == value_fen
    failures = ["retries", "rejected", "timed_out", "gave_up", "orders_lost", "lost_rmb"]
    assert not seconds[failures].to_numpy().any()


def test_shoppers_of_each_region_and_channel_see_the_same_as_in_plain_simpy(
    twin: tuple[ReferenceVisits, dict[str, pd.DataFrame]],
) -> None:
    reference, tables = twin
    segments = {view.shopper: (view.region, view.channel) for view in reference.views}
    pages = Counter((int(view.time_s // 60), view.region, view.channel) for view in reference.views)
    orders = Counter((int(order.time_s // 60), *segments[order.shopper]) for order in reference.orders)
    minutes = tables["shopper_minutes"].set_index(["minute", "region", "channel"])
    assert minutes["requests"].to_dict() == minutes["answered"].to_dict() == pages
    assert {key: n for key, n in minutes["orders"].items() if n} == orders
    assert not minutes[["failed", "gave_up", "orders_lost", "page_s"]].to_numpy().any()


def test_visits_end_within_the_horizon_unless_shoppers_read_for_hours() -> None:
    assert run_instant_site(festival("site=off", *CASES["as published"])).cut_off == 0
    slow = run_instant_site(festival("site=off", *CASES["slow readers whom the horizon ends"]))
    assert slow.cut_off > 50
    assert slow.tables()["demand_seconds"]["visitors"].sum() == 2130


@pytest.mark.parametrize(("part", "threads"), [(100, 1), (100, 2), (1000, 2)])
def test_parts_and_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch, part: int, threads: int) -> None:
    whole = run_instant_site(festival(*SMALL, "threads=1")).tables()
    monkeypatch.setattr(instant, "_PART", part)
    parted = run_instant_site(festival(*SMALL, f"threads={threads}")).tables()
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(frame, parted[name], check_exact=True)


def test_room_that_is_too_small_for_the_orders_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run_instant_site(festival(*SMALL)).tables()
    asked_for: list[int] = []

    def too_small_at_first(orders: int) -> Sold:
        asked_for.append(orders)
        return room_for(3 if len(asked_for) == 1 else orders)

    monkeypatch.setattr(instant, "room_for", too_small_at_first)
    again = run_instant_site(festival(*SMALL)).tables()
    assert len(asked_for) == 3  # too small, as large as needed, in order of time
    for name, frame in whole.items():
        pd.testing.assert_frame_equal(frame, again[name], check_exact=True)


def brought(stops_s: list[float]) -> list[OrderBatch]:
    """What is handed over at each of the stops."""
    env = simpy.Environment()
    site = instant_site_of(env, festival(*SMALL))
    batches = []
    for stop_s in stops_s:
        env.run(until=stop_s)
        batches.append(site.bring_orders())
    return batches


def test_orders_are_handed_over_once_in_order_of_time_when_they_have_been_paid() -> None:
    whole = run_instant_site(festival(*SMALL)).tables()["orders"]
    paid_s = whole["paid_s"].to_numpy()
    rng = np.random.default_rng(1)
    at_payments = paid_s[::100]
    stops_s = np.unique(np.concatenate([rng.uniform(0, 93600, 300), np.arange(1, 26) * 3600.0, at_payments, [93600.0]]))
    batches = brought(stops_s.tolist())
    before_s = 0.0
    for stop_s, batch in zip(stops_s.tolist(), batches, strict=True):
        assert batch.shopper.dtype == np.uint32
        assert batch.number.dtype == np.uint8
        assert batch.paid_s.size == ((paid_s >= before_s) & (paid_s < stop_s)).sum()
        before_s = stop_s
    for name, column in zip(OrderBatch._fields, zip(*batches, strict=True), strict=True):
        np.testing.assert_array_equal(np.concatenate(column), whole[name])


def test_orders_in_pieces_are_the_orders_as_a_whole() -> None:
    tables = run_instant_site(festival(*SMALL)).tables()
    pieces = list(chunks(tables, "orders", rows=97))
    assert len(pieces) > 5
    pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), tables["orders"], check_exact=True)


def test_nothing_fails_and_no_order_is_lost() -> None:
    off = run_instant_site(festival("scale=0.00002", "site=off")).tables()
    on = run_site(festival("scale=0.00002", *BUSY)).tables()
    assert set(off) == {"demand_seconds", "shopper_minutes", "orders"}
    assert off["demand_seconds"].orders_lost.sum() == 0 < on["demand_seconds"].orders_lost.sum()
    assert off["orders"].shape[0] == on["orders"].shape[0] + on["demand_seconds"].orders_lost.sum()


def test_the_same_shoppers_come_and_want_the_same_at_a_larger_scale() -> None:
    small = run_instant_site(festival("scale=0.00001", "site=off")).tables()["orders"]
    large = run_instant_site(festival("scale=0.00002", "site=off")).tables()["orders"]
    shared = large[large.shopper < 2130].reset_index(drop=True)
    pd.testing.assert_frame_equal(small, shared)


def test_requests_so_far_grow_to_those_of_the_day() -> None:
    env = simpy.Environment()
    site = instant_site_of(env, festival(*SMALL))
    seen = [site.requests]
    for stop_s in (60, 3600, 43200, 93600):
        env.run(until=stop_s)
        seen.append(site.requests)
    assert seen[0] == 0
    assert seen == sorted(set(seen))
    assert seen[-1] == site.tables()["demand_seconds"]["requests"].sum()


def test_a_day_without_orders_has_an_empty_table_of_them() -> None:
    tables = run_festival(festival("scale=0.000005", "site=off", "parcels=off", "demand.buyer_share=0"))
    assert tables["orders"].empty
    assert list(tables["orders"].columns) == ["shopper", "number", "paid_s", "value_rmb", "channel"]
    assert tables["demand_seconds"]["visitors"].sum() == 1065
