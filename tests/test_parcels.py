"""The parcels part as a whole: every parcel counted once, no limit exceeded, nothing dependent on how the run is cut."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.parcels import ParcelNetwork, ledger
from sim.records import TABLES, Tables
from sim.units import DAY_S, HOUR_S, seconds
from tests.parcel_case import SMALL_ORDERS, SMALL_PARCELS, Case, run, shipped_case, small_case, with_everyday

IN_ORDER = (
    "created_s", "packed_s", "picked_up_s", "origin_hub_s", "destination_hub_s", "outlet_s", "out_s", "signed_s",
)  # fmt: skip


@pytest.fixture(scope="module")
def small() -> tuple[Case, Tables]:
    """A small run in which everything happens: see the first test."""
    case = small_case(2_500, weight=2.0)
    return case, run(case).tables()


@pytest.fixture(scope="module")
def shipped() -> tuple[Case, Tables]:
    """The shipped carriers at scale 0.001."""
    case = shipped_case(105_800)
    return case, run(case).tables()


def test_the_small_run_shows_everything_that_can_happen(small: tuple[Case, Tables]) -> None:
    _, tables = small
    parcels, trips = tables["parcels"], tables["trips"]
    assert set(trips["vehicle"]) == {"own truck", "hired truck", "train"}
    assert tables["hub_hours"]["overflow"].any()
    assert (trips["unloaded_s"] > trips["arrive_s"]).any()
    assert parcels["lost_s"].notna().any()
    assert parcels["attempts"].max() > 1
    assert (parcels["signed_s"].notna() & parcels["departed_s"].isna()).any()  # one hub for both ends
    assert parcels["signed_s"].notna().mean() > 0.5


def test_tables_have_the_schemas(small: tuple[Case, Tables]) -> None:
    _, tables = small
    assert set(tables) == {
        "parcels",
        "hub_hours",
        "trips",
        "hubs",
        "cities",
        "areas",
        "fleets",
        "national_days",
        "road_hours",
        "lane_weather",
        "merchants",
        "carriers",
        "stock",
    }
    for name, frame in tables.items():
        assert list(frame.columns) == list(TABLES[name])
        assert [str(dtype) for dtype in frame.dtypes] == [column.dtype for column in TABLES[name].values()]


@settings(max_examples=25, deadline=None)
@given(
    orders=st.integers(1, 400),
    weight=st.floats(1.0, 60.0),
    seed=st.integers(0, 1000),
    storage=st.integers(60, 400),
    trucks=st.integers(0, 4),
    hold_s=st.sampled_from([0, 7200, 86400]),
    success_share=st.floats(0.3, 1.0),
    everyday=st.sampled_from([None, 800, 4_000]),
)
def test_at_every_instant_each_parcel_is_somewhere_and_only_there(
    orders: int,
    weight: float,
    seed: int,
    storage: int,
    trucks: int,
    hold_s: int,
    success_share: float,
    everyday: int | None,
) -> None:
    shared = {} if everyday is None else with_everyday(parcels_per_day=everyday)
    carriers: dict[str, Any] = {
        name: {
            **carrier,
            "own_trucks": trucks,
            "hubs": {hub: {**values, "storage_parcels": storage} for hub, values in carrier["hubs"].items()},
        }
        for name, carrier in shared.get("carriers", SMALL_PARCELS["carriers"]).items()
    }
    last_mile = {**SMALL_PARCELS["last_mile"], "success_share": success_share}
    changes = {**shared, "carriers": carriers, "hold_s": hold_s, "last_mile": last_mile, "horizon_days": 6}
    case = small_case(orders, weight=weight, seed=seed, parcels=changes)
    looks = 0

    def look(part: ParcelNetwork) -> None:
        nonlocal looks
        places = part.whereabouts()
        assert places.pop("created") == sum(places.values())
        assert min(places.values()) >= 0
        if others := part.everyday_whereabouts():
            assert others.pop("began") + others.pop("brought") == sum(others.values())
            assert min(others.values()) >= 0
        looks += 1

    times_s = np.random.default_rng(seed).random(40) * 6 * DAY_S
    part = run(case, at_s=[*times_s.tolist(), *(hour * HOUR_S for hour in range(0, 140, 7))], look=look)
    assert looks == 60
    tables = part.tables()
    assert_limits(case, tables)
    assert_chronology(tables["parcels"])
    states = part.whereabouts()
    assert states["signed"] == tables["parcels"]["signed_s"].notna().sum()
    assert states["lost"] == tables["parcels"]["lost_s"].notna().sum()
    assert states["merchant"] == tables["parcels"]["picked_up_s"].isna().sum()


def assert_limits(case: Case, tables: Tables) -> None:
    trips, hours = tables["trips"], tables["hub_hours"].merge(tables["hubs"], on=["carrier", "hub"])
    assert (trips["load_parcels"] <= trips["capacity_parcels"]).all()
    assert (trips["load_parcels"] > 0).all()
    assert (hours["backlog_parcels"] <= hours["storage_parcels"]).all()
    assert (trips["load_kg"] <= trips["capacity_kg"]).all()
    sorting = case.params.sorting
    most_share = max(sorting.shifts.values()) + sum(hired.share for hired in sorting.hired)
    batch = hours.groupby(["carrier", "hub"], observed=True)["everyday_arrived_parcels"].transform("max")
    assert (hours["sorted_parcels"] <= most_share * hours["sort_per_h"] + case.weight + batch).all()


def assert_chronology(parcels: pd.DataFrame) -> None:
    times = parcels[list(IN_ORDER)].to_numpy()
    gaps = np.diff(times, axis=1)
    assert not (gaps < 0).any()
    assert (np.diff(np.isnan(times).astype(int), axis=1) >= 0).all()  # what has not happened is followed by nothing
    assert not (parcels["signed_s"].notna() & parcels["lost_s"].notna()).any()


def test_no_limit_is_exceeded_by_the_shipped_carriers(shipped: tuple[Case, Tables]) -> None:
    assert_limits(*shipped)
    assert_chronology(shipped[1]["parcels"])


def test_other_shops_sales_come_on_top_of_ordinary_days() -> None:
    plain, more = (
        run(small_case(60, weight=3.0, parcels=with_everyday(other_sales=sales))).tables()["national_days"]
        for sales in ([], [0, 700, 300])
    )
    added = (more["everyday_parcels"] - plain["everyday_parcels"]).to_numpy()
    np.testing.assert_allclose(added[:4], [0, 700, 300, 0], atol=8)  # whole parcels at each hub


def test_hub_hours_add_up(small: tuple[Case, Tables]) -> None:
    case, tables = small
    hours, parcels = tables["hub_hours"], tables["parcels"]
    totals = hours.groupby(["carrier", "hub"], observed=True)[["arrived_parcels", "departed_parcels"]].sum()
    end = hours[hours["hour"] == hours["hour"].max()].set_index(["carrier", "hub"])["backlog_parcels"]
    lost = parcels["lost_s"].notna().sum() * case.weight
    assert (totals["arrived_parcels"] - totals["departed_parcels"] - end).sum() == pytest.approx(lost)
    assert hours["hour"].max() == case.params.horizon_days * 24


def test_trucks_out_never_exceed_the_fleet(small: tuple[Case, Tables]) -> None:
    case, tables = small
    for name, carrier in case.params.carriers.items():
        for kind, fleet in (("own truck", carrier.own_trucks), ("hired truck", carrier.hired_trucks)):
            trips = tables["trips"][(tables["trips"]["carrier"] == name) & (tables["trips"]["vehicle"] == kind)]
            changes = pd.concat(
                [
                    pd.Series(trips["vehicles"].to_numpy(), trips["depart_s"].to_numpy() + 1e-3),
                    pd.Series(-trips["vehicles"].to_numpy(), trips["back_s"].fillna(np.inf).to_numpy()),
                ]
            ).sort_index()
            assert changes.cumsum().max() == fleet  # the small country is short of trucks


def test_hired_trucks_go_only_when_there_are_no_own_ones_left() -> None:
    carriers = {name: {**carrier, "own_trucks": 10_000} for name, carrier in SMALL_PARCELS["carriers"].items()}
    trips = run(small_case(1_500, parcels={"carriers": carriers})).tables()["trips"]
    assert "hired truck" not in set(trips["vehicle"])


def test_a_hub_with_vehicles_at_its_gate_gets_no_more_until_the_hold_is_over() -> None:
    fir = {"sort_per_h": 4, "storage_parcels": 40}
    swift = {**SMALL_PARCELS["carriers"]["swift"], "trains": []}
    carriers = {"swift": {**swift, "hubs": {**swift["hubs"], "Fir": fir}}}
    spared = run(small_case(900, parcels={"carriers": carriers, "hold_s": 10 * DAY_S})).tables()
    pushed = run(small_case(900, parcels={"carriers": carriers, "hold_s": 0})).tables()
    at_gate = [tables["hub_hours"].query("hub == 'Fir'")["gate_parcels"].max() for tables in (spared, pushed)]
    assert 0 < at_gate[0] < 0.7 * at_gate[1]
    upstream = [tables["hub_hours"].query("hub == 'Elm'")["backlog_parcels"].mean() for tables in (spared, pushed)]
    assert upstream[0] > upstream[1]


@pytest.mark.parametrize(
    "make",
    [
        lambda: small_case(900, weight=3.0),
        lambda: small_case(900, weight=3.0, parcels=with_everyday()),
        lambda: shipped_case(4_000),
    ],
)
def test_thousands_of_windows_give_the_bits_of_one(make: Any) -> None:
    case = make()
    whole = run(case).tables()
    times_s = np.random.default_rng(7).random(3_000) * case.params.horizon_days * DAY_S
    clocks_s = [day * DAY_S + seconds(clock) for day in range(12) for clock in case.params.pickup_clocks]
    cut = run(case, at_s=[*times_s.tolist(), *clocks_s]).tables()
    for name, table in whole.items():
        pd.testing.assert_frame_equal(table, cut[name], check_exact=True)


def test_no_result_depends_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "_PIECE", 100)  # orders, so that it is drawn about many pieces ahead of their intake
    case = shipped_case(4_000)
    one, two = (run(case, threads=threads).tables() for threads in (1, 2))
    for name, table in one.items():
        pd.testing.assert_frame_equal(table, two[name], check_exact=True)


def test_a_run_that_is_stopped_shows_what_the_whole_run_had_done_by_then() -> None:
    case = small_case(900, weight=3.0)
    whole = run(case).tables()["parcels"]
    stop_s = 3.37 * DAY_S
    part = run(case, until_s=stop_s).tables()["parcels"]
    for name in (*IN_ORDER[:-2], "signed_s", "lost_s", "departed_s"):
        before = np.where(whole[name] < stop_s, whole[name], np.nan)
        np.testing.assert_array_equal(part[name], before, err_msg=name)


def test_the_same_seed_gives_the_same_bits_and_another_one_does_not() -> None:
    one, same, other = (run(small_case(500, seed=seed)).tables()["parcels"] for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert len(other) != len(one) or not np.array_equal(other["packed_s"], one["packed_s"])


def test_a_pickup_takes_what_was_packed_before_it_and_not_what_is_packed_at_its_instant() -> None:
    case = small_case(900, merchants={"warehouse": {**SMALL_ORDERS["warehouse"],
        "shift_start": "00:00", "shift_end": "24:00", "cutoff": "24:00", "staffed_days": 1e-9, "spread_sigma": 0.0}})  # fmt: skip
    pickup_s = seconds("10:00")
    paid_s = np.sort(np.r_[case.batch.paid_s[:-2], pickup_s, np.nextafter(pickup_s, 0.0)])
    parcels = run(case._replace(batch=case.batch._replace(paid_s=paid_s)), until_s=DAY_S).tables()["parcels"]
    first = parcels["picked_up_s"] == pickup_s
    assert (parcels.loc[first, "packed_s"] < pickup_s).all()
    assert not (~first & (parcels["packed_s"] < pickup_s)).any()


def measures(case: Case) -> np.ndarray:
    """Mean times [h] from the order to packed and to signed."""
    parcels = run(case).tables()["parcels"]
    lead_h = (parcels["signed_s"].fillna(case.params.horizon_days * DAY_S) - parcels["created_s"]) / HOUR_S
    return np.array([(parcels["packed_s"] - parcels["created_s"]).mean() / HOUR_S, lead_h.mean()])


def test_measures_converge_as_rows_get_lighter() -> None:
    warehouse = {**SMALL_ORDERS["warehouse"], "spread_sigma": 0.0}
    country = {"expected_parcels": 288_000, "merchants": 10, "warehouse": warehouse}
    heavy, middle, light = (
        np.mean([measures(converging_case(weight, seed, country)) for seed in (1, 2, 3)], axis=0)
        for weight in (4_000.0, 1_000.0, 250.0)
    )
    assert np.all(np.abs(middle - light) < np.abs(heavy - light))
    assert np.all(np.abs(middle - light) < 0.12 * light)


def converging_case(weight: float, seed: int, merchants: dict[str, Any]) -> Case:
    """The small country with 288 000 parcels, in rows of `weight`; capacities to match."""
    factor = 120.0
    carriers = {
        name: {
            **carrier,
            "own_trucks": 40,
            "hired_trucks": 60,
            "couriers": int(carrier["couriers"] * factor),
            "trains": [],
            "hubs": {
                hub: {
                    "sort_per_h": values["sort_per_h"] * factor,
                    "storage_parcels": values["storage_parcels"] * factor,
                }
                for hub, values in carrier["hubs"].items()
            },
        }
        for name, carrier in SMALL_PARCELS["carriers"].items()
    }
    truck = {**SMALL_PARCELS["truck"], "capacity_parcels": 8_000}
    changes = {"carriers": carriers, "truck": truck, "lost_share": 0.0}
    orders = round(288_000 / 0.68 / weight)
    return small_case(orders, weight=weight, seed=seed, parcels=changes, merchants=merchants)


def test_the_festival_of_2012_comes_out_within_its_bands(shipped: tuple[Case, Tables]) -> None:
    case, tables = shipped
    parcels, hours = tables["parcels"], tables["hub_hours"]
    in_hubs_on_day_one = (parcels["origin_hub_s"] < DAY_S).sum() * case.weight
    assert in_hubs_on_day_one == pytest.approx(24.5e6, rel=0.15)
    signed_after_a_week = (parcels["signed_s"] < 7 * DAY_S).mean()
    assert 0.75 < signed_after_a_week < 0.85
    assert (parcels["signed_s"] < 21 * DAY_S).mean() > 0.98
    days = tables["national_days"]
    country = (days["festival_parcels"] + days["everyday_parcels"]).to_numpy()
    assert country.max() == pytest.approx(35.2e6, rel=0.08)
    assert country[:6].sum() == pytest.approx(200e6, rel=0.06)
    delivered = days["everyday_delivered_parcels"].to_numpy()
    assert delivered[1:3].max() < 0.7 * delivered[6]  # everyday parcels wait behind the festival's
    overflow_days = set(hours.loc[hours["overflow"], "hour"] // 24)
    assert {1, 2, 3} <= overflow_days  # 12 to 14 November
    assert max(overflow_days) <= 8


def test_the_railway_carries_parcels_between_shanghai_and_beijing(
    shipped: tuple[Case, Tables],
) -> None:
    trains = shipped[1]["trips"].query("vehicle == 'train'")
    assert set(zip(trains["origin"], trains["destination"], strict=True)) == {
        ("Shanghai", "Beijing"),
        ("Beijing", "Shanghai"),
    }
    np.testing.assert_allclose(trains["arrive_s"] - trains["depart_s"], 64_800 + 10_800)
    assert (trains["distance_km"] > 1_000).all()


def test_rows_done_counts_up_to_all_rows() -> None:
    case = small_case(300, parcels={"horizon_days": 30})
    early, late = run(case, until_s=2 * DAY_S), run(case)
    assert 0 < early.rows_done < late.rows_done == late.whereabouts()["created"]
