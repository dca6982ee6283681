"""Forward stocking: nothing sold twice, policies that do what they say, and advice that beats no advice."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import simpy
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.params import ParameterError, build
from sim.params.stock import StockParams
from sim.parcels import ParcelNetwork, check_stock
from sim.parcels.allocate import POLICIES, Outlook, forecast, placed
from sim.parcels.merchants import make_merchants
from sim.parcels.stock import place_stock
from tests.parcel_case import CONFIGS, SMALL_PARCELS, SMALL_STOCK, Case, OrderDouble, run, shipped_case, small_case

DAY_S = 86400.0


def outlook(**changes: Any) -> Outlook:
    """Two categories, three places."""
    values: dict[str, Any] = {
        "categories": ("cloth", "metal"),
        "places": ("A", "B", "C"),
        "demand_items": np.array([[60.0, 30.0, 10.0], [20.0, 20.0, 60.0]]),
        "past_share": np.array([[0.5, 0.4, 0.1], [0.3, 0.1, 0.6]]),
        "saved_km": np.array([[100.0, 900.0, 300.0], [200.0, 0.0, 800.0]]),
        "item_dm3": np.array([2.0, 4.0]),
        "room_dm3": np.array([1000.0, 1000.0, 1000.0]),
        "placed_items": 100.0,
    }
    return Outlook(**(values | changes))


@settings(max_examples=25, deadline=None)
@given(
    orders=st.integers(1, 500),
    weight=st.floats(1.0, 30.0),
    seed=st.integers(0, 1000),
    policy=st.sampled_from(["even", "past_sales", "path"]),
    items=st.floats(1.0, 3000.0),
    clock=st.sampled_from(["00:00", "12:00", "24:00", None]),
)
def test_what_was_placed_or_came_later_is_shipped_left_or_on_the_way_and_never_less_than_nothing(
    orders: int, weight: float, seed: int, policy: str, items: float, clock: str | None
) -> None:
    changes = {"policy": policy, "placed_items": items, "replenish_clock": clock}
    case = small_case(orders, weight=weight, seed=seed, stock=changes, parcels={"horizon_days": 4})
    looks = 0

    def look(part: ParcelNetwork) -> None:
        nonlocal looks
        stock, parcels = (part.tables()[name] for name in ("stock", "parcels"))
        assert (stock[["left_items", "shipped_items", "coming_items", "missed_items"]] >= 0.0).all(axis=None)
        np.testing.assert_allclose(
            stock["placed_items"] + stock["replenished_items"], stock["shipped_items"] + stock["left_items"], atol=1e-6
        )
        assert (stock["left_items"] + stock["coming_items"] <= stock["placed_items"] + 1e-6).all()
        forward = parcels[parcels["origin"].astype(str) != home_of(part, parcels)]
        assert forward["items"].sum() * weight == pytest.approx(stock["shipped_items"].sum())
        looks += 1

    run(case, at_s=np.random.default_rng(seed).random(5) * 4 * DAY_S, look=look)
    assert looks == 5


def home_of(part: ParcelNetwork, parcels: pd.DataFrame) -> np.ndarray:
    """City of each parcel's merchant."""
    return np.asarray(part.tables()["merchants"]["city"].astype(str).to_numpy()[parcels["merchant"]])


def test_a_forward_parcel_comes_from_the_nearest_place_and_from_nearer_than_its_merchant() -> None:
    case = small_case(2_500, weight=1.0, stock={})
    part = run(case)
    parcels = part.tables()["parcels"]
    forward = parcels[parcels["origin"].astype(str) != home_of(part, parcels)]
    assert len(forward) > 200
    assert (forward["merchant"] < 25).all()
    names = case.network.geography.name.tolist()
    km = pd.DataFrame(case.network.road_km(names), names, names)
    to_places = km.loc[list(SMALL_STOCK["places"])]
    assert (forward["origin"].astype(str) == forward["destination"].astype(str).map(to_places.idxmin())).all()
    way, way_from_home = (
        np.array([km.at[origin, to] for origin, to in zip(origins, forward["destination"], strict=True)])
        for origins in (forward["origin"], home_of(part, forward))
    )
    assert (way < way_from_home).all()
    assert part.tables()["stock"]["saved_km"].sum() == pytest.approx((way_from_home - way).sum())
    assert part.tables()["merchants"]["forward_parcels"].sum() == len(forward)


def test_no_stock_and_stock_of_nothing_are_the_same() -> None:
    none, nothing = (
        run(small_case(900, stock=stock)).tables() for stock in (None, {"placed_items": 1e-9, "replenish_clock": None})
    )
    pd.testing.assert_frame_equal(none["parcels"], nothing["parcels"], check_exact=True)
    assert none["stock"].empty
    assert nothing["stock"]["missed_items"].sum() > 100


def test_stock_and_refusals_do_not_depend_on_when_one_looks() -> None:
    carriers = {name: {**carrier, "pickup_per_day": 400} for name, carrier in SMALL_PARCELS["carriers"].items()}
    case = small_case(1_500, weight=1.5, stock={}, parcels={"carriers": carriers})
    once, often = run(case), run(case, at_s=np.random.default_rng(1).random(2_000) * 5 * DAY_S)
    for name in ("parcels", "merchants", "carriers", "stock"):
        pd.testing.assert_frame_equal(once.tables()[name], often.tables()[name], check_exact=True)
    assert (once.tables()["stock"]["replenished_items"] > 0).any()


def test_a_shelf_serves_who_pays_first() -> None:
    """All orders are of one item, so that a shelf that is empty once stays so."""
    metal = {"item_median_kg": 1.0, "item_sigma": 0.0, "dm3_per_kg": 2.0, "order_items": 1.0, "share": 1.0}
    goods = {"categories": {"metal": metal}, "same_merchant_share": 0.0}
    part = run(small_case(2_500, weight=1.0, merchants=goods, stock={"replenish_clock": None, "placed_items": 200}))
    tables = part.tables()
    parcels = tables["parcels"]
    parcels["forward"] = parcels["origin"].astype(str) != home_of(part, parcels)
    assert (tables["stock"]["missed_items"] > 0).all()
    last_s = parcels[parcels["forward"]].groupby("origin", observed=True)["created_s"].max()
    for place, shipped in tables["stock"].set_index("place")["shipped_items"].items():
        filled = parcels[parcels["forward"] & (parcels["origin"] == place)]
        assert len(filled) == shipped == np.floor(tables["stock"].set_index("place").at[place, "placed_items"])
        region = set(filled["destination"])
        late = parcels[(parcels["created_s"] > last_s[place]) & parcels["destination"].isin(region)]
        assert not late["forward"].any()


def test_even_gives_every_place_the_same_and_past_sales_follow_the_past() -> None:
    np.testing.assert_allclose(placed(POLICIES["even"](outlook()), outlook()), np.full((2, 3), 100.0 / 6.0))
    np.testing.assert_allclose(
        placed(POLICIES["past_sales"](outlook()), outlook()), 50.0 * np.array([[0.5, 0.4, 0.1], [0.3, 0.1, 0.6]])
    )


def test_path_fills_where_most_kilometres_are_spared_up_to_demand_room_and_stock() -> None:
    np.testing.assert_allclose(POLICIES["path"](outlook()), [[0.0, 30.0, 10.0], [0.0, 0.0, 60.0]])
    tight = outlook(room_dm3=np.array([1000.0, 20.0, 1000.0]))
    np.testing.assert_allclose(POLICIES["path"](tight), [[0.0, 10.0, 10.0], [20.0, 0.0, 60.0]])


def test_path_spares_most_of_all_policies_when_all_comes_as_expected() -> None:
    expected = outlook()
    spared = {
        name: float((np.minimum(placed(policy(expected), expected), expected.demand_items) * expected.saved_km).sum())
        for name, policy in POLICIES.items()
    }
    assert spared["path"] > spared["past_sales"] > spared["even"]


def test_a_warehouse_that_is_too_small_is_filled_and_no_more() -> None:
    small = outlook(room_dm3=np.array([30.0, 1000.0, 1000.0]))
    items = placed(POLICIES["even"](small), small)
    assert small.item_dm3 @ items[:, 0] == pytest.approx(30.0)
    np.testing.assert_allclose(items[:, 1:], 100.0 / 6.0)


def test_a_forecast_is_taken_from_its_table_by_shares_of_each_category() -> None:
    advice = forecast({"A": {"cloth": 2.0, "metal": 1.0}, "C": {"cloth": 6.0}})
    np.testing.assert_allclose(placed(advice(outlook()), outlook()), [[12.5, 0.0, 37.5], [50.0, 0.0, 0.0]])


def with_port(case: Case, advise: Any) -> ParcelNetwork:
    env = simpy.Environment()
    part = ParcelNetwork(
        env, case.params, case.orders, case.network, origins=case.origins, destinations=case.destinations, seed=case.seed,
        weight=case.weight, bring_orders=OrderDouble(env, case.batch), stock=case.stock,
        advise=advise,
    )  # fmt: skip
    env.run(until=DAY_S)
    return part


def test_a_forecast_comes_in_through_the_port() -> None:
    case = small_case(900, stock={"policy": "forecast", "replenish_clock": None})
    seen: list[Outlook] = []

    def advise(known: Outlook) -> np.ndarray:
        seen.append(known)
        return np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 3.0]])

    stock = with_port(case, advise).tables()["stock"].set_index(["place", "category"])["placed_items"]
    assert seen[0].places == ("Birch", "Elm", "Larch")
    assert stock["Elm", "cloth"] > 0.0 < stock["Larch", "metal"]
    assert stock.sum() == pytest.approx(stock["Elm", "cloth"] + stock["Larch", "metal"])


@pytest.mark.parametrize(
    ("advice", "message"),
    [
        (np.ones((3, 2)), r"must have a share for \(2, 3\) \(categories, places\), got \(3, 2\)"),
        (np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 0.0]]), "must be finite and >= 0, got -1 to 1"),
    ],
)
def test_an_advice_that_is_no_table_of_shares_is_refused(advice: np.ndarray, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        with_port(small_case(50, stock={"policy": "forecast"}), lambda _: advice)


def regional(**changes: Any) -> StockParams:
    values = yaml.safe_load((CONFIGS / "stock/regional.yaml").read_text(encoding="utf-8"))
    return build(StockParams, {**values, **changes}, "stock")


def test_advice_beats_no_advice() -> None:
    """Enough stock for most of what is asked: spread evenly, much of it lies in the wrong place."""
    case = shipped_case(40_000)
    shipped, spared_km = {}, {}
    for policy in ("even", "past_sales", "path"):
        one = case._replace(stock=regional(policy=policy, placed_items=35e6))
        stock = run(one, until_s=DAY_S).tables()["stock"]
        shipped[policy], spared_km[policy] = stock["shipped_items"].sum(), stock["saved_km"].sum()
    assert shipped["past_sales"] > 1.05 * shipped["even"]
    assert spared_km["path"] > 1.05 * spared_km["even"]
    assert spared_km["path"] > 1.02 * spared_km["past_sales"]


def test_stock_near_the_customers_brings_their_parcels_sooner() -> None:
    case = shipped_case(40_000)
    without, forward = (run(case._replace(stock=stock)) for stock in (None, regional()))
    before, after = without.tables()["parcels"], forward.tables()["parcels"]
    both = before.merge(after, on=["shopper", "created_s", "merchant"], suffixes=("_before", "_after"))
    moved = both[both["origin_before"].astype(str) != both["origin_after"].astype(str)]
    assert len(moved) > 0.05 * len(both)
    gained_h = (moved["signed_s_before"] - moved["signed_s_after"]).dropna() / 3600.0
    assert gained_h.mean() - 3 * gained_h.std() / np.sqrt(len(gained_h)) > 2.0


def test_the_outlook_knows_the_share_that_each_region_will_ask_for() -> None:
    case = small_case(3_000, weight=1.0, stock={"placed_items": 1e-9, "replenish_clock": None, "drift_sigma": 0.0})
    assert case.stock is not None
    sellers = make_merchants(
        case.orders, case.params, case.origins, case.destinations, case.seed, case.stock.places.values()
    )
    known = place_stock(case.stock, sellers, case.network, case.destinations, case.seed, None).outlook
    asked = run(case, until_s=DAY_S).tables()["stock"]["missed_items"].to_numpy().reshape(3, 2).T
    orders = case.batch.paid_s.size
    np.testing.assert_allclose(asked / orders, known.demand_items / case.stock.expected_orders, rtol=0.35)
    np.testing.assert_allclose(known.past_share.sum(axis=1), 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"places": {"Brich": SMALL_STOCK["places"]["Birch"]}}, "stock.places.Brich: 'Brich' is not a city; did you mean"),
        ({"merchants": 41}, "stock.merchants must be at most orders.merchants, 40, got 41"),
        ({"policy": "forecast"}, "stock.forecast must be a table when policy is forecast"),
        ({"forecast": {"Ash": {}}}, "stock.forecast.Ash is not one of stock.places"),
        ({"forecast": {"Elm": {"clth": 1.0}}}, "stock.forecast.Elm.clth is not one of orders.categories; did you mean cloth"),
        ({"replenish_clock": "25:00"}, "stock.replenish_clock must be at most 24:00"),
        ({"places": {"Elm": {"capacity_m3": 0, "pack_per_h": 1}}}, "stock.places.Elm.capacity_m3 must be > 0 [m3], got 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as error:
        case = small_case(50, stock=change)
        assert case.stock is not None
        check_stock(case.stock, case.orders, case.network.geography)
    assert message in str(error.value)
