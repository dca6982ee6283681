"""Measures against numbers that are worked out another way: by hand, by NumPy on raw data, by counting row by row."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.metrics import kpis
from sim.metrics.hubs import busy_end_s, flows, hub_backlog, hub_table
from sim.metrics.parcels import carriers, lead_time_histogram, lead_time_percentile_h, settled_s, states
from sim.metrics.published import gmv_milestones
from sim.metrics.sales import against_published, busiest_minute_per_s, cumulative_sales, gmv_shares, sales_by_second
from sim.metrics.site import machine_hours, machines, requests_by_hour, requests_by_second, service_load, service_table
from sim.metrics.stages import STATES
from sim.records import table
from sim.units import DAY_S, HOUR_S
from tests.synthetic import empty_tables, summaries_of, synthetic_parcels, synthetic_tables

KPI_NAMES = {
    "scale", "seed", "shoppers", "visitors_first_minute", "visits", "requests", "requests_rejected",
    "requests_timed_out", "orders", "orders_lost", "gmv_rmb", "peak_orders_per_s", "peak_requests_per_s",
    "latency_p50_s", "latency_p99_s", "latency_p9999_s", "parcels", "parcels_signed", "parcels_lost",
    "signed_share_day7", "lead_time_median_h", "lead_time_p95_h", "hub_overflow_h", "peak_machines", "machine_hours",
    "truck_trips", "cost_rmb", "wall_s", "peak_rss_bytes",
}  # fmt: skip
SITE_ONLY = (
    "requests", "requests_rejected", "requests_timed_out", "orders_lost", "peak_machines", "latency_p99_s", "page_time_mean_s",
    "error_rate", "error_rate_first_hour",
)  # fmt: skip
PARCELS_ONLY = ("parcels", "parcels_signed", "lead_time_median_h", "hub_overflow_h", "truck_trips", "train_trips")
SITE_TABLES = (
    "demand_seconds",
    "site_seconds",
    "site_capacity",
    "latency",
    "page_latency",
    "service_latency",
    "link_seconds",
)
PARCEL_TABLES = ("parcels", "hub_hours", "trips", "hubs")


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return synthetic_tables()


def measured(tables: dict[str, pd.DataFrame]) -> dict[str, float | int | None]:
    return kpis(tables, scale=0.001, seed=7, wall_s=1.5, peak_rss_bytes=10, shoppers=213_000)


def demand_seconds(**columns: list[float]) -> pd.DataFrame:
    """Seconds with zeros in all columns that are not given."""
    names = "visitors requests retries rejected timed_out served gave_up orders gmv_rmb orders_lost lost_rmb".split()  # noqa: SIM905
    n = len(columns["second_s"])
    return table("demand_seconds", {**{name: np.zeros(n) for name in names}, **columns})


def test_every_key_figure_has_its_fixed_name(tables: dict[str, pd.DataFrame]) -> None:
    assert set(measured(tables)) >= KPI_NAMES


def test_key_figures_are_plain_numbers(tables: dict[str, pd.DataFrame]) -> None:
    found = measured(tables)
    assert all(type(found[name]) in (int, float) for name in KPI_NAMES)


def test_without_the_site_its_figures_are_none_and_orders_are_counted_from_the_orders(
    tables: dict[str, pd.DataFrame],
) -> None:
    figures = measured({name: rows for name, rows in tables.items() if name not in SITE_TABLES})
    assert all(figures[name] is None for name in SITE_ONLY)
    assert figures["orders"] == int((tables["orders"]["paid_s"] < DAY_S).sum()) < len(tables["orders"])
    assert figures["parcels"] == len(tables["parcels"])


def test_without_parcels_their_figures_are_none(tables: dict[str, pd.DataFrame]) -> None:
    figures = measured({name: rows for name, rows in tables.items() if name not in PARCEL_TABLES})
    assert all(figures[name] is None for name in PARCELS_ONLY)
    assert figures["orders"]


def test_empty_tables_are_parts_that_are_off() -> None:
    figures = measured(empty_tables())
    assert all(figures[name] is None for name in (*SITE_ONLY, *PARCELS_ONLY, "orders", "visits"))


def test_a_site_that_lost_nothing_reports_zero_and_not_none(tables: dict[str, pd.DataFrame]) -> None:
    clean = demand_seconds(second_s=[0, 1], requests=[3, 4])
    figures = measured({**tables, "demand_seconds": clean})
    assert (figures["requests"], figures["requests_rejected"], figures["orders_lost"]) == (7, 0, 0)


def test_a_parcel_network_without_parcels_reports_zero_and_no_shares(tables: dict[str, pd.DataFrame]) -> None:
    figures = measured({**tables, "parcels": empty_tables()["parcels"]})
    assert figures["parcels"] == 0
    assert figures["signed_share_day7"] is None
    assert figures["lead_time_median_h"] is None


def test_the_day_ends_at_midnight_and_early_visits_belong_to_it(tables: dict[str, pd.DataFrame]) -> None:
    seconds = demand_seconds(
        second_s=[-5, 0, 59, 60, 86399, 86400],
        visitors=[1, 10, 100, 1000, 10_000, 100_000],
        orders=[1, 10, 100, 1000, 10_000, 100_000],
        gmv_rmb=[1, 10, 100, 1000, 10_000, 100_000],
    )
    figures = measured({**tables, "demand_seconds": seconds})
    assert figures["visitors_first_minute"] == 110
    assert figures["visits"] == 11_111
    assert figures["orders"] == 11_110
    assert figures["gmv_rmb"] == 11_110.0
    assert figures["peak_orders_per_s"] == 10_000.0


def test_sales_before_a_clock_time_exclude_that_second() -> None:
    seconds = demand_seconds(second_s=[8339, 8340, 50_000], gmv_rmb=[1.0, 2.0, 1.0])
    sales = sales_by_second({"demand_seconds": seconds})
    assert sales is not None
    assert gmv_shares(sales) == {"02:19": 0.25, "12:00": 0.75, "13:38": 0.75}


def test_the_busiest_minute_may_begin_at_any_second() -> None:
    orders = np.zeros(300)
    orders[45:105] = 2.0
    assert busiest_minute_per_s(orders) == 2.0
    assert busiest_minute_per_s(np.array([3.0, 1.0])) == 2.0


def test_cumulative_sales_end_at_the_total_and_are_compared_at_the_published_instants() -> None:
    seconds = demand_seconds(second_s=list(range(86_400)), gmv_rmb=[1.0] * 86_400)
    sales = sales_by_second({"demand_seconds": seconds})
    assert sales is not None
    curve = cumulative_sales(sales, scale=0.5)
    assert (curve["time_s"].iloc[-1], curve["gmv_rmb"].iloc[-1]) == (86_400.0, 172_800.0)
    compared = against_published(curve, gmv_milestones())
    assert compared["simulated_rmb"].tolist() == pytest.approx((2 * compared["time_s"]).tolist())


def test_rates_by_second_and_by_hour_count_every_request_once(tables: dict[str, pd.DataFrame]) -> None:
    seconds = tables["demand_seconds"]
    by_second = requests_by_second(seconds, scale=0.001, start_s=0, end_s=7200)
    by_hour = requests_by_hour(seconds, scale=0.001, start_s=0, end_s=7200)
    counted = seconds[(seconds["second_s"] >= 0) & (seconds["second_s"] < 7200)]["requests"].sum() / 0.001
    assert by_second["requests"].sum() == pytest.approx(counted)
    assert (by_hour["requests"] * 3600).sum() == pytest.approx(counted)
    assert by_hour["time_s"].tolist() == [0.0, 3600.0]


def capacity(rows: list[tuple[float, str, float, int]]) -> pd.DataFrame:
    names = ("time_s", "service", "machines", "slots")
    return table("site_capacity", {name: [row[k] for row in rows] for k, name in enumerate(names)})


CHANGES = [(0.0, "bank", 2.0, 4), (0.0, "item", 1.0, 1), (1800.0, "bank", 2.5, 5), (5400.0, "item", 0.0, 0)]


def test_machines_of_all_services_add_up_after_each_change() -> None:
    steps = machines(capacity(CHANGES))
    assert steps["time_s"].tolist() == [0.0, 1800.0, 5400.0]
    assert steps["machines"].tolist() == [3.0, 3.5, 2.5]


def test_machine_hours_run_from_the_first_change_to_the_end() -> None:
    assert machine_hours(capacity(CHANGES), 7200.0) == pytest.approx(0.5 * 3.0 + 1.0 * 3.5 + 0.5 * 2.5)
    assert machine_hours(capacity(CHANGES), 1800.0) == pytest.approx(1.5)


SITE_COUNTS = ("arrivals", "served", "rejected", "timed_out", "in_flight", "retried", "degraded")


def site_seconds(rows: list[tuple[int, str, int, int]]) -> pd.DataFrame:
    names = ("second_s", "service", "queue", "busy")
    columns = {name: [row[k] for row in rows] for k, name in enumerate(names)}
    zeros = {name: np.zeros(len(rows)) for name in SITE_COUNTS}
    return table("site_seconds", {**columns, **zeros})


def test_a_second_that_is_not_listed_is_idle_and_has_the_slots_in_force() -> None:
    seconds = site_seconds([(1799, "bank", 3, 4), (1801, "bank", 0, 5)])
    load = service_load(seconds, capacity(CHANGES), scale=0.5, start_s=1798, end_s=1802)["bank"]
    assert load["time_s"].tolist() == [1799.0, 1800.0, 1801.0, 1802.0]
    assert load["busy"].tolist() == [0.0, 8.0, 0.0, 10.0]
    assert load["queue"].tolist() == [0.0, 6.0, 0.0, 0.0]
    assert load["slots"].tolist() == [8.0, 10.0, 10.0, 10.0]


def test_idle_seconds_count_in_the_busiest_minute() -> None:
    seconds = site_seconds([(second, "item", 0, 1) for second in range(15)])
    assert service_table(seconds, capacity(CHANGES), scale=1.0)["busy_share"].tolist() == [0.25]


def state_by_hand(parcel: pd.Series, time_s: float) -> str | None:
    """The last state entered by a time, looked up one parcel at a time."""
    reached = [state for state, column in STATES.items() if parcel[column] <= time_s]
    return reached[-1] if reached else None


def test_parcel_states_are_those_of_a_count_parcel_by_parcel(tables: dict[str, pd.DataFrame]) -> None:
    parcels = tables["parcels"].head(120)
    at_s = np.arange(0.0, 9 * DAY_S, 7 * HOUR_S)
    counts = states(summaries_of(parcels)["parcel_hours"], at_s)
    for _, row in counts.iterrows():
        by_hand = [state_by_hand(parcel, row["time_s"]) for _, parcel in parcels.iterrows()]
        assert [row[state] for state in STATES] == [by_hand.count(state) for state in STATES]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(0, 60), st.integers(1, 12))
def test_parcels_are_conserved_at_every_instant(seed: int, count: int, days: int) -> None:
    parcels = synthetic_parcels(count, days, seed)
    at_s = np.arange(-HOUR_S, (days + 1) * DAY_S, 5 * HOUR_S)
    counts = states(summaries_of(parcels)["parcel_hours"], at_s)
    created = [(parcels["created_s"] <= time_s).sum() for time_s in at_s]
    assert counts[list(STATES)].sum(axis=1).tolist() == created
    assert (counts[list(STATES)] >= 0).all().all()


def test_parcels_are_conserved_even_when_stages_are_out_of_order(tables: dict[str, pd.DataFrame]) -> None:
    parcels = tables["parcels"].copy()
    parcels["packed_s"], parcels["outlet_s"] = parcels["outlet_s"], parcels["packed_s"]
    counts = states(summaries_of(parcels)["parcel_hours"], np.arange(0.0, 10 * DAY_S, DAY_S))
    assert (counts[list(STATES)] >= 0).all().all()


def test_lead_times_count_parcels_that_are_not_signed() -> None:
    parcels = synthetic_parcels(4, 10, 0)
    parcels["created_s"] = 0.0
    parcels["signed_s"] = [HOUR_S, 2 * HOUR_S, np.nan, np.nan]
    leads = summaries_of(parcels)["lead_times"]
    assert lead_time_percentile_h(leads, 0.5) == 2.0
    assert lead_time_percentile_h(leads, 0.75) is None
    assert lead_time_histogram(leads, scale=0.5, bin_h=1.0)["parcels"].tolist() == [2.0, 2.0]


def test_parcels_are_settled_at_the_end_of_a_day() -> None:
    parcels = synthetic_parcels(4, 10, 0)
    parcels["lost_s"] = [np.nan, np.nan, np.nan, 10.0]
    parcels["signed_s"] = [DAY_S * 1.5, DAY_S * 3, DAY_S * 4.2, np.nan]
    hours = summaries_of(parcels)["parcel_hours"]
    assert settled_s(hours, 0.75) == 3 * DAY_S
    assert settled_s(hours, 1.0) == 5 * DAY_S
    assert settled_s(hours.head(0)) == 0.0


def test_carriers_account_for_every_parcel(tables: dict[str, pd.DataFrame]) -> None:
    by_carrier = carriers(tables["parcel_hours"], tables["lead_times"], tables["tracking"], scale=0.001)
    assert by_carrier["parcels"].sum() == pytest.approx(len(tables["parcels"]) * 1000)
    assert by_carrier["parcels"].is_monotonic_decreasing
    ended = tables["parcels"][["lost_s", "returned_s"]].notna().any(axis=1)
    ended = ended.groupby(tables["parcels"]["carrier"], observed=True).mean()
    for row in by_carrier.itertuples():
        assert row.picked_up == pytest.approx(row.signed + row.in_transit + ended[row.carrier], abs=0.02)


def test_the_worst_hub_overflows_longest_and_its_gate_counts_against_its_storage(
    tables: dict[str, pd.DataFrame],
) -> None:
    hubs = hub_table(tables["hub_hours"], tables["hubs"])
    assert len(hubs) == len(tables["hubs"])
    assert hubs["overflow_h"].is_monotonic_decreasing
    assert hubs["overflow_h"].sum() == tables["hub_hours"]["overflow"].sum()
    worst = hubs.iloc[0]
    backlog = hub_backlog(tables["hub_hours"], worst)
    assert worst["peak_share"] == pytest.approx((backlog["backlog"] + backlog["gate"]).max())
    assert worst["peak_s"] == backlog["time_s"][(backlog["backlog"] + backlog["gate"]).idxmax()]
    assert worst["peak_share"] > 1


def test_hubs_without_hours_are_listed_as_idle(tables: dict[str, pd.DataFrame]) -> None:
    hubs = hub_table(empty_tables()["hub_hours"], tables["hubs"])
    assert hubs["peak_parcels"].tolist() == [0.0] * len(tables["hubs"])
    assert busy_end_s(empty_tables()["hub_hours"], tables["hubs"]) == 0.0


def test_hubs_are_busy_until_the_last_one_is_nearly_empty(tables: dict[str, pd.DataFrame]) -> None:
    storage = tables["hubs"].set_index(["carrier", "hub"])["storage_parcels"]
    busy = [
        row.hour
        for row in tables["hub_hours"].itertuples()
        if row.backlog_parcels - row.everyday_backlog_parcels > 0.05 * storage[row.carrier, row.hub]
    ]
    assert busy_end_s(tables["hub_hours"], tables["hubs"]) == max(busy) * HOUR_S


def test_flows_carry_every_parcel_of_the_trips_once(tables: dict[str, pd.DataFrame]) -> None:
    lanes = flows(tables["trips"], tables["cities"])
    assert lanes["parcels"].sum() == pytest.approx(tables["trips"]["load_parcels"].sum())
    assert lanes["parcels"].is_monotonic_increasing
    assert lanes["rail"].sum() == 1
    assert flows(empty_tables()["trips"], tables["cities"]).empty
