"""Faults: each acts on the running model through its levers, not before its onset, and what it broke is mended."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from sim.contingency.faults import level
from sim.festival import check, site_of
from sim.kernels.recorders import OUTSIDE
from sim.params import ParameterError, build
from sim.params.contingency import FaultParams
from sim.params.contingency_kinds import KINDS
from sim.parcels import ParcelNetwork
from sim.parcels.levers import LEVERS as OF_ROAD
from sim.site.levers import LEVERS as OF_SITE
from sim.site.site import Site
from tests.contingency_case import HOUR_S, contingency, fault, site_params, site_tables, struck_road, struck_site
from tests.parcel_case import built, small_case

ON_SITE = [kind for kind, known in KINDS.items() if known.part == "site"]
ON_ROAD = [kind for kind, known in KINDS.items() if known.part == "road"]

FELT: dict[
    str, dict[str, Any]
] = {  # some faults are felt only where there are queues and refusals, or only when they are grave
    "rack_down": {"where": "venue", "severity": 1.0},
    "queue_misset": {"where": "venue", "onset_s": 5.0, "severity": 0.99995},
    "clock_skew": {"where": "venue", "onset_s": 5.0, "severity": 1.0},
    "limit_misset": {"where": "venue", "onset_s": 5.0},
    "retry_storm": {"onset_s": 5.0},
    "hired_trucks_missing": {"severity": 1.0},
    "stock_count_wrong": {"onset_s": 6 * HOUR_S},
}


@pytest.fixture(scope="module")
def quiet_site() -> dict[str, pd.DataFrame]:
    """The first ten minutes without a fault."""
    return site_tables(struck_site(site_params(), None)[0])


@pytest.fixture(scope="module")
def quiet_road() -> pd.DataFrame:
    """The small country's parcels without a fault."""
    return struck_road(None)[0].tables()["parcels"]


def test_there_are_at_least_thirty_kinds_of_faults() -> None:
    assert len(ON_SITE) + len(ON_ROAD) >= 30
    assert len(ON_ROAD) >= 9


@pytest.mark.parametrize("kind", ON_SITE)
def test_a_fault_of_the_site_acts_from_its_onset_on_and_not_before(kind, quiet_site):
    told = contingency(fault(kind, **FELT.get(kind, {})))
    site, acting = struck_site(site_params(), told)
    onset_s = told.faults[0].onset_s
    tables = site_tables(site)
    before, after = (
        [frame[frame["second_s"] < onset_s].reset_index(drop=True) for frame in (tables[name], quiet_site[name])]
        for name in ("site_seconds", "demand_seconds")
    )
    pd.testing.assert_frame_equal(*before, check_exact=True)
    pd.testing.assert_frame_equal(*after, check_exact=True)
    assert any(not frame.equals(quiet_site[name]) for name, frame in tables.items())
    assert acting is not None
    assert [entry.what for entry in acting.diary.entries] == ["struck", "mended"]
    assert acting.diary.entries[1].time_s == onset_s + told.faults[0].lasts_s


@pytest.mark.parametrize("kind", ON_ROAD)
def test_a_fault_of_the_road_acts_from_its_onset_on_and_not_before(kind, quiet_road):
    told = contingency(fault(kind, **FELT.get(kind, {})))
    parcels = struck_road(told)[0].tables()["parcels"]
    onset_s = told.faults[0].onset_s
    early, usual = (frame[frame["created_s"] < onset_s].reset_index(drop=True) for frame in (parcels, quiet_road))
    for name in ("created_s", "picked_up_s", "origin_hub_s", "departed_s"):
        ours, theirs = (frame[name].where(frame[name] < onset_s) for frame in (early, usual))
        np.testing.assert_array_equal(ours.to_numpy(float), theirs.to_numpy(float), err_msg=name)
    assert not parcels["signed_s"].equals(quiet_road["signed_s"])


@given(
    course=st.sampled_from(["step", "ramp", "heat", "decay"]),
    severity=st.floats(0.01, 1.0),
    course_s=st.floats(50.0, 1e4),
    since_s=st.just(0.0) | st.floats(1.0, 1e4),
)
def test_a_level_is_never_above_the_severity_and_nothing_after_the_end(course, severity, course_s, since_s):
    values = {"kind": "machines_down", "where": "item", "severity": severity, "lasts_s": 5000.0, "course": course}
    params = build(FaultParams, values | {"course_s": 0.0 if course == "step" else course_s})
    reached = level(params, since_s)
    assert 0.0 <= reached <= severity
    assert reached > 0.0 or since_s >= 5000.0 or (since_s == 0.0 and course in ("ramp", "heat"))


def test_a_room_that_heats_up_loses_its_machines_by_the_exponential_course() -> None:
    told = contingency(fault("room_cooling", severity=1.0, onset_s=100.0, lasts_s=400.0, course_s=100.0))
    env_site = struck_site(site_params(), told, until_s=301.0)[0]
    share = env_site.accounts().working["payment"]
    assert share == pytest.approx(1 - 0.25 * (1 - np.exp(-2.0)))


@pytest.mark.parametrize("part", ["site", "road"])
def test_what_everybody_has_let_go_of_is_as_it_was(part) -> None:
    """Pull every lever of a part, let go, and compare everything that the levers change."""
    env = simpy.Environment()
    one: Any = site_of(env, site_params()) if part == "site" else built(small_case(50, stock={}), env)
    before = _settings(one)
    names: Iterable[str] = OF_SITE if part == "site" else OF_ROAD
    for lever in names:
        target = one.levers.targets(lever)[0]
        one.levers.pull("a", lever, target, 0.25)
        one.levers.pull("b", lever, target, 2.0)
    changed = _settings(one)
    assert sum(not np.array_equal(changed[name], before[name]) for name in before) >= 8
    one.levers.release("b")
    one.levers.release("a")
    for name, values in _settings(one).items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)


def _settings(one: Site | ParcelNetwork) -> dict[str, np.ndarray]:
    """All that levers change, copied."""
    if isinstance(one, Site):
        cell = one.cells_in_order[0]
        state, model = cell.state, cell.model
        found = {
            "slots": state.stations.lane_slots, "limit": state.stations.limit, "links": state.links.bandwidth,
            "mean": model.times.mean_s, "mu": model.times.mu, "routes": model.routes.cumulative,
            "rate": state.guards.rate_per_s, "most": state.guards.most, "deadline": state.guards.deadline_s,
            "any": state.guards.any, "client": np.array(list(model.client), float),
        }  # fmt: skip
    else:
        yard = one._yard
        found = {
            "sorting": yard.hubs.hour_parcels, "room": yard.hubs.storage_parcels, "gate": yard.plan.gate_s,
            "closed": yard.closed, "pace": yard.pace, "way": yard.routes.next_lane, "tours": yard.outlets.tour_parcels,
            "again": np.array(yard.routes.again_share), "pick": yard.ledger.merchants.warehouses.pick_s,
            "stock": yard.ledger.stock.left,
        }  # fmt: skip
    return {name: np.array(values) for name, values in found.items()}


def test_two_faults_on_one_thing_take_from_what_the_other_left() -> None:
    faults = [fault("machines_down", severity=0.5, onset_s=50.0), fault("room_power", severity=1.0, onset_s=60.0)]
    site = struck_site(site_params(), contingency(*faults), until_s=70.0)[0]
    assert site.accounts().working["item"] == pytest.approx(0.5 * 0.75)
    assert site.accounts().working["trade"] == pytest.approx(0.75)


def test_a_service_without_machines_serves_nobody_until_they_are_back() -> None:
    told = contingency(fault("machines_down", where="payment", severity=1.0, onset_s=100.0, lasts_s=50.0))
    rows = site_tables(struck_site(site_params(), told)[0])["site_seconds"]
    served = rows[rows["service"] == "payment"].set_index("second_s")["served"]
    assert served.loc[102:149].sum() == 0
    assert served.loc[150:200].sum() > 0
    assert served.loc[50:99].sum() > 0


SHOPPERS_VIEW = ("demand_seconds", "shopper_minutes", "latency", "page_latency", "orders")


@pytest.mark.parametrize("page", ["venue", "pay"])
def test_visitors_of_an_attack_are_on_the_services_and_nowhere_in_the_shoppers_view(page) -> None:
    services = ("gateway", "venue", "search", "item", "cart", "inventory", "trade", "payment", "bank")
    machines = [f"site.services.{name}.machines=1000000" for name in services]
    roomy = site_params("site.links=null", "site.changes=[]", *machines)  # nobody waits, so nobody feels the attack
    told = contingency(fault("request_attack", where=page, severity=0.5, onset_s=100.0, lasts_s=20.0))
    quiet, _ = struck_site(roomy, None, 200.0)
    struck, _ = struck_site(roomy, told, 200.0)
    before, after = quiet.tables(), struck.tables()
    for name in SHOPPERS_VIEW:
        pd.testing.assert_frame_equal(after[name], before[name], check_exact=True)
    came = after["site_seconds"]["arrivals"].sum() - before["site_seconds"]["arrivals"].sum()
    assert came >= 0.5 * 200_000 * 20 * 0.001
    outside = sum(int(record.demand[:, OUTSIDE].sum()) for record in struck.records())
    assert outside >= 0.5 * 200_000 * 20 * 0.001
    assert sum(int(record.demand[:, OUTSIDE].sum()) for record in quiet.records()) == 0


def test_operators_see_the_requests_of_an_attack_and_shoppers_do_not(quiet_site) -> None:
    told = contingency(fault("request_attack", where="venue", severity=0.5, onset_s=300.0, lasts_s=60.0))
    site, _ = struck_site(site_params(), told, 330.0)
    seen = site.gauges.read("requests_per_s", "site", 10.0)
    seconds = site_tables(site)["demand_seconds"].query("320 <= second_s < 330")
    assert seen > 100_000 + seconds["requests"].sum() / 10.0 / 0.001 * 0.99
    assert seconds["visitors"].sum() == quiet_site["demand_seconds"].query("320 <= second_s < 330")["visitors"].sum()


def test_a_slow_service_is_seen_in_its_service_time_and_not_in_its_waits() -> None:
    told = contingency(fault("bad_release", where="gateway", severity=0.5, onset_s=300.0, lasts_s=60.0))
    site, _ = struck_site(site_params(), told, 330.0)
    of_site = site_params().site
    assert of_site is not None
    usual_s = of_site.services["gateway"].service.expected_s
    site_before, _ = struck_site(site_params(), None, 330.0)
    assert site_before.gauges.read("service_s", "gateway", 10.0) == pytest.approx(usual_s, rel=0.1)
    assert site.gauges.read("service_s", "gateway", 10.0) == pytest.approx(2.0 * usual_s, rel=0.1)
    assert site.gauges.read("busy_share", "gateway", 10.0) < 0.5


@pytest.mark.parametrize(
    ("kind", "metric", "where", "worse"),
    [
        ("docks_blocked", "dock_wait_h", "swift/Ash", lambda now, usual: now > usual + 1.0),
        (
            "warehouse_system_down",
            "packing_share",
            "merchants",
            lambda now, usual: now == pytest.approx(0.19) and usual == 1.0,
        ),
        (
            "outlet_closed",
            "courier_share",
            "swift/Fir",
            lambda now, usual: now == pytest.approx(0.1) and usual == 1.0,
        ),
        (
            "stock_count_wrong",
            "stock_known_share",
            "Birch",
            lambda now, usual: now == pytest.approx(0.1) and usual == 1.0,
        ),
    ],
)
def test_what_goes_wrong_on_the_road_is_seen_where_it_goes_wrong(kind, metric, where, worse) -> None:
    told = contingency(fault(kind, onset_s=6 * HOUR_S, lasts_s=24 * HOUR_S))
    (struck, _), (quiet, _) = struck_road(told, 0.75), struck_road(None, 0.75)
    now, usual = (road.gauges.read(metric, where, HOUR_S) for road in (struck, quiet))
    assert worse(now, usual), (now, usual)


def test_hired_hands_do_not_hide_that_the_own_ones_are_missing() -> None:
    road, _ = struck_road(None, 0.25)
    for lever, target, read in (
        ("couriers", "swift", lambda: road.levers.courier_share("swift/Fir")),
        ("packing", "merchants", road.levers.packing_share),
    ):
        road.levers.pull("strike", lever, target, 0.4)
        road.levers.pull("plan", lever, target, 3.0)
        assert read() == pytest.approx(0.4)
        road.levers.release("strike")
        assert read() == 1.0
    assert road.gauges.read("courier_share", "slow", HOUR_S) == 1.0


def test_trucks_under_way_stand_before_a_closed_road_until_it_opens() -> None:
    onset_s, lasts_s = 40 * HOUR_S, 30 * HOUR_S
    quiet, _ = struck_road(None)
    struck, _ = struck_road(contingency(fault("road_closed", onset_s=onset_s, lasts_s=lasts_s)))
    usual, held = (road.tables()["trips"].query("origin == 'Ash' and destination == 'Elm'") for road in (quiet, struck))
    under_way = usual[(usual["depart_s"] < onset_s) & (usual["arrive_s"] >= onset_s)]
    assert len(under_way) > 0
    late = held[(held["depart_s"] < onset_s) & (held["arrive_s"] >= onset_s)]
    assert late["depart_s"].tolist() == under_way["depart_s"].tolist()
    assert (late["arrive_s"] == onset_s + lasts_s).all()
    assert not held["depart_s"].between(onset_s, onset_s + lasts_s, inclusive="left").any()


def test_a_count_of_the_shelves_finds_what_the_books_have_lost() -> None:
    road, _ = struck_road(None, 0.25)
    for who, value, known in (("fault", 0.2, 0.2), ("count", 10.0, 1.0)):
        road.levers.pull(who, "stock", "Birch", value)
        assert road.gauges.read("stock_known_share", "Birch", HOUR_S) == pytest.approx(known)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "meteor"}, "contingency.faults.0.kind is not a kind of fault"),
        ({"severity": 0.0}, "contingency.faults.0.severity must be > 0"),
        ({"course_s": 5.0}, "contingency.faults.0.course_s must be 0 with course step and only then"),
        ({"course": "ramp"}, "contingency.faults.0.course_s must be 0 with course step and only then"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(changes, reason) -> None:
    with pytest.raises(ParameterError, match=reason):
        contingency(fault("machines_down") | changes)


def test_a_fault_of_the_road_begins_at_a_whole_hour() -> None:
    with pytest.raises(ParameterError, match="onset_s must be a whole number of hours on the road"):
        contingency(fault("sorter_down", onset_s=1800.0))


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (
            fault("machines_down", where="paymint"),
            "contingency.faults.0.where is not a service of this run; did you mean payment",
        ),
        (fault("room_power", where="7"), "contingency.faults.0.where is not a room of this run"),
        (
            fault("sorter_down", where="STO/Hangzhou"),
            "contingency.faults.0.where is not a hub of this run .there is none",
        ),
    ],
)
def test_a_fault_of_what_the_run_does_not_have_is_refused(one, reason) -> None:
    params = site_params().model_copy(update={"contingency": contingency(one)})
    with pytest.raises(ParameterError, match=reason):
        check(params)
