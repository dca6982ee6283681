"""The rehearsal: a collapse that outlives its cause, and a plan that avoids it, on the same shoppers."""

import numpy as np
import pandas as pd
import pytest

from sim.festival import check, run_festival, site_of
from sim.metrics.rehearsal import NAMES, outcomes, rates_by_case, rehearsal_kpis
from sim.params import ParameterError
from sim.params.festival import FestivalParams
from sim.records import TABLES
from sim.rehearsal import rehearse, site_after
from sim.report.rehearsal import rehearsal, rehearsal_rows
from sim.site.site import Site
from tests.site_case import festival
from tests.synthetic import CASES, synthetic_rehearsal

SLOTS = 12  # 600 machines of 4 slots at scale 0.005
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    """The packaged rehearsal."""
    return rehearse(festival(), site_of)


def seconds_of(tables: Tables, case: str) -> pd.DataFrame:
    seconds = tables["rehearsal_seconds"]
    return seconds[seconds["case"] == case].set_index("second_s")


def orders(tables: Tables, case: str, start_s: int, end_s: int) -> int:
    return int(seconds_of(tables, case).loc[start_s : end_s - 1, "orders"].sum())


# the collapse


def test_without_the_fault_the_service_copes_with_midnight(tables: Tables) -> None:
    calm = outcomes(tables["rehearsal_cases"], tables["rehearsal_seconds"]).iloc[0]
    assert calm["lost_share"] < 0.005
    assert calm["too_late_share"] < 0.03


def test_for_minutes_after_the_machines_are_back_hardly_an_order_is_paid(tables: Tables) -> None:
    assert orders(tables, "no fault", 150, 600) > 10_000
    assert orders(tables, "fault", 150, 600) < 0.02 * orders(tables, "no fault", 150, 600)


def test_all_that_while_the_machines_are_all_there_and_busy(tables: Tables) -> None:
    after = seconds_of(tables, "fault").loc[150:599]
    assert after["busy"].mean() > 0.98 * SLOTS
    assert after["served"].mean() == pytest.approx(SLOTS / 0.15, rel=0.03)


def test_the_load_that_keeps_it_down_is_the_shoppers_own_retries(tables: Tables) -> None:
    calm, fault = (seconds_of(tables, case).loc[150:599] for case in CASES[:2])
    assert calm["arrivals"].sum() < 0.5 * calm["served"].size * SLOTS / 0.15
    assert fault["arrivals"].sum() > 3 * calm["arrivals"].sum()
    assert fault["retries"].sum() > 100 * calm["retries"].sum()


def test_with_the_plan_it_recovers_at_once_and_loses_next_to_nothing(tables: Tables) -> None:
    assert orders(tables, "fault and plan", 150, 600) > 0.95 * orders(tables, "no fault", 150, 600)
    fault, planned = (float(seconds_of(tables, case)["lost_rmb"].sum()) for case in CASES[1:])
    assert planned < 0.01 * fault


@pytest.mark.parametrize("seed", [2, 3])
def test_other_shoppers_fare_alike(seed: int) -> None:
    figures = rehearsal_kpis(rehearse(festival(f"seed={seed}"), site_of))
    assert figures["rehearsal_down_s"] == pytest.approx(560, abs=60)
    assert figures["rehearsal_down_planned_s"] == 0
    assert figures["rehearsal_lost_share"] == pytest.approx(0.66, abs=0.03)
    planned = figures["rehearsal_lost_planned_share"]
    assert planned is not None
    assert planned < 0.005


def test_a_fault_in_a_quieter_minute_ends_with_its_cause() -> None:
    params = festival("rehearsal.fault.from_s=900", "rehearsal.fault.until_s=960")
    assert rehearsal_kpis(rehearse(params, site_of))["rehearsal_down_s"] == 0


# pairs, conservation, tables


def sites(params: FestivalParams) -> list[Site]:
    assert params.rehearsal is not None
    assert params.site is not None
    return [site_after(params, case, site_of) for case in params.rehearsal.cases(params.site)]


def test_all_cases_have_the_same_shoppers_at_the_same_instants() -> None:
    calm, *others = (site.tables()["demand_seconds"] for site in sites(festival("rehearsal.scale=0.0005")))
    assert calm["visitors"].sum() > 5000
    for other in others:
        both = pd.concat([calm, other]).groupby("second_s")["visitors"].agg(["min", "max", "size"])
        both.loc[both["size"] == 1, "min"] = 0
        assert (both["min"] == both["max"]).all()


def test_before_the_fault_nothing_differs(tables: Tables) -> None:
    calm, fault = (seconds_of(tables, case).drop(columns="case") for case in CASES[:2])
    pd.testing.assert_frame_equal(calm.loc[:59], fault.loc[:59], check_exact=True)
    assert not calm.loc[60:62].equals(fault.loc[60:62])


def test_every_request_that_came_was_served_or_refused_or_gave_up_or_is_still_there(tables: Tables) -> None:
    for case in CASES:
        seconds = seconds_of(tables, case)
        left = seconds[["served", "rejected", "timed_out"]].sum(axis=1)
        there = (seconds["arrivals"] - left).cumsum()
        assert (there == seconds["queue"] + seconds["busy"]).all()


def test_the_fault_takes_the_machines_and_gives_them_back(tables: Tables) -> None:
    busy = seconds_of(tables, "fault")["busy"]
    assert busy.loc[65:118].max() == SLOTS // 2
    assert busy.loc[121:200].max() == SLOTS


def test_the_tables_have_their_schemas(tables: Tables) -> None:
    for name, frame in tables.items():
        assert list(frame.columns) == list(TABLES[name])
        assert [str(dtype) for dtype in frame.dtypes] == [column.dtype for column in TABLES[name].values()]
    assert tables["rehearsal_cases"]["case"].tolist() == list(CASES)
    assert len(tables["rehearsal_seconds"]) == 3 * 1800
    plan = tables["rehearsal_cases"]["plan"].tolist()
    assert plan == ["", "", "services.payment.queue 100,000 → 16,000; services.trade.queue 200,000 → 40,000"]


def test_the_day_does_not_know_of_its_rehearsal() -> None:
    tiny = ("scale=0.00005", "parcels=off", "rehearsal.scale=0.0001")
    with_it, without = run_festival(festival(*tiny)), run_festival(festival(*tiny[:2], "rehearsal=off"))
    assert set(with_it) - set(without) == {"rehearsal_cases", "rehearsal_seconds"}
    for name, frame in without.items():
        pd.testing.assert_frame_equal(frame, with_it[name], check_exact=True)


@pytest.mark.parametrize("off", ["rehearsal=off", "site=off"])
def test_without_a_rehearsal_or_a_site_there_is_none(off: str) -> None:
    assert rehearse(festival(off), site_of) == {}


def test_neither_threads_nor_the_run_s_scale_matter() -> None:
    one, other = (
        rehearse(festival("rehearsal.scale=0.0005", *more), site_of)["rehearsal_seconds"]
        for more in (("threads=1", "scale=1"), ("threads=2", "scale=0.001", "+rehearsal.plan.cells=1"))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# what a rehearsal may be


def problems_of(*overrides: str) -> list[str]:
    with pytest.raises(ParameterError) as raised:
        festival(*overrides)
    return raised.value.problems


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        (
            "rehearsal.fault.service=paymnt",
            "rehearsal.fault.service is not a service; did you mean payment? (known: gateway, venue, search, item, cart, "
            "inventory, trade, payment, bank), got 'paymnt'",
        ),
        (
            "rehearsal.fault.service=search",
            "rehearsal.fault.service must be called by the page pay (bank, gateway, payment, trade): what counts are "
            "orders paid, got 'search'",
        ),
        ("rehearsal.fault.until_s=1800", "rehearsal.fault.until_s must be < until_s 1800 [s], got 1800"),
        ("rehearsal.fault.from_s=120", "rehearsal.fault.until_s must be > from_s 120 [s], got 120"),
        ("rehearsal.fault.machines=600", "rehearsal.fault.machines must be < 600 (machines that payment has), got 600"),
        ("rehearsal.fault.machines=0", "rehearsal.fault.machines must be >= 1, got 0"),
        (
            "rehearsal.plan={services: {payment: {queue: 100000}, trade: {queue: 200000}}}",
            "rehearsal.plan must change the site: all that it sets is so already",
        ),
        (
            "+rehearsal.plan.services.paymnt.queue=1",
            "rehearsal.plan.services.paymnt is not a parameter of the site; did you mean payment? (known: gateway, venue, "
            "search, item, cart, inventory, trade, payment, bank)",
        ),
        ("rehearsal.plan.services.payment.queue=-1", "rehearsal.plan.services.payment.queue must be >= 0, got -1"),
        (
            "+rehearsal.plan.client={budget: {tokens: 100, gain: 2}}",
            "rehearsal.plan.client.budget.gain must be <= 1, got 2",
        ),
        (
            "+rehearsal.plan.client={timeout_s: 0.1}",
            "rehearsal.plan.client.timeout_s must be >= demand.visit.bucket_s 0.5 [s], got 0.1",
        ),
        (
            "rehearsal.site.client.least_s=0.1",
            "rehearsal.site.client.least_s must be >= demand.visit.bucket_s 0.5 [s], got 0.1",
        ),
        ("rehearsal.until_s=100000", "rehearsal.until_s must be <= demand.horizon_h 93600 [s], got 100000"),
        ("rehearsal.scale=0", "rehearsal.scale must be > 0, got 0"),
        ("rehearsal.scale=1e-9", "rehearsal.scale must leave at least one of 213000000 shoppers, got 1e-09"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_before_anything_is_simulated(override: str, problem: str) -> None:
    assert problems_of(override) == [problem]


def test_a_plan_that_sends_pages_in_circles_is_refused() -> None:
    routes = "{cart: [{share: 1.0, services: [trade, cart, trade]}]}"
    with pytest.raises(
        ParameterError, match=r"^rehearsal: site\.pages must call services without a cycle, got trade -> cart -> trade$"
    ):
        check(festival(f"+rehearsal.plan.pages={routes}"))


def test_a_rehearsal_that_does_not_fit_into_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.machine.memory_available_bytes", lambda: 2e9)
    with pytest.raises(ParameterError, match=r"^rehearsal\.scale must leave a run that fits into memory: 1 needs"):
        check(festival("rehearsal.scale=1"))


def test_machines_that_were_to_come_during_the_fault_come_when_it_ends() -> None:
    changes = (
        "[{at_s: 30, service: payment, machines: 700}, {at_s: 90, service: payment, machines: 800}, "
        "{at_s: 90, service: bank, machines: 9}]"
    )
    params = festival(f"site.changes={changes}")
    assert params.rehearsal is not None
    assert params.site is not None
    calm, fault, _ = params.rehearsal.cases(params.site)
    assert calm.site.changes == params.site.changes
    assert sorted((change.at_s, change.service, change.machines) for change in fault.site.changes) == [
        (30, "payment", 700),
        (60, "payment", 300),
        (90, "bank", 9),
        (120, "payment", 800),
    ]


# measures and words


CALM = [4, 4, 4, 4, 4]
COLLAPSED = synthetic_rehearsal([CALM, [4, 0, 1, 1, 4], CALM], [CALM] * 3)
FOR_EVER = synthetic_rehearsal([CALM, [4, 0, 0, 0, 0], [4, 0, 0, 4, 4]], [CALM] * 3)
HARMLESS = synthetic_rehearsal([CALM, [4, 1, 4, 4, 4], CALM], [CALM] * 3)


def test_a_service_is_down_while_most_of_what_it_finishes_comes_too_late() -> None:
    assert outcomes(**named(COLLAPSED))["down_s"].tolist() == [0, 20, 0]
    assert outcomes(**named(FOR_EVER))["down_s"].tolist() == [0, np.inf, 10]
    assert outcomes(**named(HARMLESS))["down_s"].tolist() == [0, 0, 0]


def named(tables: Tables) -> Tables:
    return {name.removeprefix("rehearsal_"): frame for name, frame in tables.items()}


def test_rates_are_scaled_up_to_the_real_day() -> None:
    rates = rates_by_case(**named(COLLAPSED))["fault"]
    assert rates["time_s"].tolist() == [0, 10, 20, 30, 40]
    assert rates["offered"].tolist() == [16] * 5
    assert rates["in_time"].tolist() == [8, 0, 2, 2, 8]
    assert rates["too_late"].tolist() == [0, 8, 6, 6, 0]


def test_key_figures_are_shares_and_times() -> None:
    figures = rehearsal_kpis(COLLAPSED)
    assert tuple(figures) == NAMES
    assert tuple(figures.values()) == (20, 0, 150 / (100 + 150), 50 / (200 + 50))
    assert rehearsal_kpis(FOR_EVER)["rehearsal_down_s"] is None
    assert set(rehearsal_kpis({}).values()) == {None}


def test_the_report_says_how_long_it_was_down_and_what_the_plan_saves() -> None:
    answer = rehearsal(COLLAPSED)
    assert answer is not None
    text = "\n".join(answer.paragraphs).replace("\N{NO-BREAK SPACE}", " ")
    assert answer.question == "What if payment loses 3 of 6 machines for 10 s?"
    assert "the plan avoids that" in answer.verdict
    assert "The first 50 s were simulated three times" in text
    assert "3 of its 6 machines are left from 00:00:10 to 00:00:20" in text
    assert "payment stays down for another 20 s" in text
    assert "300 orders worth RMB 30,000 are lost, 60.0 % of those wanted" in text
    assert "The plan: services.payment.queue 100 → 20." in text
    assert "shorter queue" in text
    assert text.endswith("The plan saves 200 orders worth RMB 20,000.")


def test_the_report_does_not_promise_what_did_not_happen() -> None:
    harmless, for_ever = rehearsal(HARMLESS), rehearsal(FOR_EVER)
    assert harmless is not None
    assert for_ever is not None
    assert harmless.verdict == "The fault ends with its cause."
    assert "metastable" not in harmless.paragraphs[0]
    assert "stays down to the end" in for_ever.paragraphs[0]
    assert "had enough" not in for_ever.paragraphs[0]
    assert "the plan helps" in for_ever.verdict
    assert "is down for 10" in for_ever.paragraphs[1]
    assert "shorter queue" not in for_ever.paragraphs[1]
    assert rehearsal({}) is None
    assert rehearsal_rows({}) is None


def test_the_cases_stand_side_by_side() -> None:
    found = rehearsal_rows(FOR_EVER)
    assert found is not None
    assert {len(row) for row in found.rows} == {len(found.header)}
    assert [row[3] for row in found.rows] == ["–", "to the end", "10 s"]
