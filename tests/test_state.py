"""Saving the site's state and branching from it: the same bits as a run that never stopped, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simpy

from experiments.cli import main
from sim.festival import Festival, site_of
from sim.params.festival import FestivalParams
from sim.saves import StateError, restore, save
from sim.site.site import Site
from sim.site.state import put_back, taken
from sim.units import instant
from tests.site_case import BUSY, THREE_CELLS, festival

OFF = ["parcels=off", "rehearsal=off", "seed=4", "demand.horizon_h=24"]
# a site on which everything goes on at once: guards, priorities, a waiting room, timeouts, retries from a budget, links
GUARDED = [
    "scale=0.00002",
    *OFF,
    *BUSY,
    "site.client.timeout_s=20",
    "+site.client.budget={tokens: 50000000, gain: 0.1}",
    "+site.priorities={pay: 0, order: 0, cart: 1, item: 2, search: 2, venue: 2}",
    "+site.services.item.degrade={from_queue: 100000, until_queue: 50000, time_share: 0.3}",
    "+site.services.search.rate_limit={rate_per_s: 200000, burst: 50000}",
    "site.services.trade.machines=20000",
    "+site.services.trade.breaker={window: 20, least_answers: 10, failure_share: 0.3, slow_s: 3, open_s: 5, trials: 3}",
    "+site.services.bank.shed={deadline_s: 60}",
    "+site.services.payment.waiting_room={rate_per_s: 200000, places: 100000000, patience_s: 300}",
    "+site.services.cart.dispatch=two_choices",
    "site.services.cart.machines=150000",
]


def run(params: FestivalParams) -> Festival:
    """The whole day without a stop."""
    whole = Festival(params)
    whole.run()
    return whole


def assert_same_tables(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    assert set(one) == set(other)
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, other[name], check_exact=True)


def branched(params: FestivalParams, at_s: float, file: Path) -> dict[str, pd.DataFrame]:
    """Tables of a day that is saved at an instant and goes on from the file."""
    first = Festival(params)
    first.env.run(until=at_s)
    save(first, params, file)
    return dict(restore(file, params).run())


@pytest.fixture(scope="module")
def guarded() -> tuple[FestivalParams, dict[str, pd.DataFrame]]:
    """The guarded case and its tables without a stop."""
    params = festival(*GUARDED)
    return params, dict(run(params).site.tables())


def test_the_guarded_case_does_what_it_is_meant_to(guarded):
    _, tables = guarded
    services = tables["site_seconds"].groupby("service", observed=True).sum(numeric_only=True)
    assert (services.loc[["search", "trade", "bank"], "rejected"] > 0).all()
    assert services.loc["item", "degraded"] > 0
    assert services.loc["trade", "timed_out"] > 0
    assert tables["demand_seconds"]["retries"].sum() > 0
    assert len(tables["orders"]) > 100


@pytest.mark.parametrize("at_s", [30.0, 61.8125, 400.5, 7200.3])
def test_a_branch_has_the_bits_of_the_day_that_never_stopped(guarded, at_s, tmp_path):
    params, tables = guarded
    assert_same_tables(branched(params, at_s, tmp_path / "state.npz"), tables)


def test_several_cells_and_threads_branch_as_well(tmp_path):
    params = festival("scale=0.00001", *OFF, *THREE_CELLS, "threads=2")
    tables = dict(run(params).site.tables())
    assert_same_tables(branched(params, 123.4, tmp_path / "state.npz"), tables)


def test_a_branch_of_a_branch_is_still_the_same_day(guarded, tmp_path):
    params, tables = guarded
    first = Festival(params)
    first.env.run(until=45.0)
    save(first, params, tmp_path / "one.npz")
    second = restore(tmp_path / "one.npz", params)
    second.env.run(until=300.25)
    save(second, params, tmp_path / "two.npz")
    assert_same_tables(dict(restore(tmp_path / "two.npz", params).run()), tables)


def test_orders_that_were_fetched_before_are_not_handed_over_again():
    params = festival(*GUARDED)
    env = simpy.Environment()
    site = site_of(env, params)
    env.run(until=300)
    fetched = site.bring_orders()
    env.run(until=400)
    state = taken(site)
    other = site_of(simpy.Environment(400), params)
    put_back(other, state)
    kept, same = other.bring_orders(), site.bring_orders()
    assert fetched.paid_s.size > 0
    assert kept.paid_s.size > 0
    for one, two in zip(kept, same, strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_change_after_the_branch_may_differ_and_acts_as_if_it_had_always_been_planned(tmp_path):
    changes = "site.changes=[{at_s: 40, service: trade, machines: 100000}, {at_s: %g, service: trade, machines: 5000}]"
    planned, other = (festival(*GUARDED, changes % at_s) for at_s in (600, 300))
    tables = dict(run(other).site.tables())
    first = Festival(planned)
    first.env.run(until=250)
    save(first, planned, tmp_path / "state.npz")
    assert_same_tables(dict(restore(tmp_path / "state.npz", other).run()), tables)
    assert not tables["demand_seconds"].equals(run(planned).site.tables()["demand_seconds"])


CONTINGENT = """+contingency={rooms: 4, attack_per_s: 200000, storm_per_s: 100000, faults: [
 {kind: cache_loss, where: item, severity: 0.5, onset_s: 100, lasts_s: 300, course: decay, course_s: 100},
 {kind: request_attack, where: venue, severity: 0.9, onset_s: 200, lasts_s: 100, course: step, course_s: 0},
 {kind: room_cooling, where: '1', severity: 0.9, onset_s: %g, lasts_s: 200, course: heat, course_s: 50}], plans: [{id: a,
 owner: site duty officer, fault: {kind: cache_loss, where: item, severity: 0.5, lasts_s: 300, course: decay, course_s: 100},
 detect: {metric: wait_s, at: item, threshold: 0.01, window_s: 5, delay_s: 62}, act: {kind: simplify, where: item, amount: 0.2},
 guard: {metric: failed_share, at: site, threshold: 0.9, window_s: 5}, undo_s: 50, expects: less work}]}""".replace(
    "\n", ""
)


def both_ways(params, at_s, until_s, file):
    """A festival until an instant: without a stop, and from a state saved on the way; their site's tables are the same."""
    whole, first = Festival(params), Festival(params)
    whole.env.run(until=until_s)
    first.env.run(until=at_s)
    save(first, params, file)
    other = restore(file, params)
    other.env.run(until=until_s)
    whole.site.advance()
    other.site.advance()
    assert_same_tables(dict(other.site.tables()), dict(whole.site.tables()))
    return whole, other


@pytest.mark.parametrize("at_s", [99.0, 151.3, 250.0, 400.0, 640.1])
def test_faults_and_plans_go_on_from_a_state(at_s, tmp_path):
    values = ["scale=0.0005", *OFF, "threads=1", "~contingency", CONTINGENT % 700]
    params = festival(*values)
    whole, other = both_ways(params, at_s, 1000, tmp_path / "state.npz")
    assert whole.contingency is not None
    assert other.contingency is not None
    pd.testing.assert_frame_equal(other.contingency.table(), whole.contingency.table())
    assert {"acted", "struck", "undone"} <= set(whole.contingency.table()["what"])
    later = festival(*values[:-1], CONTINGENT % 800)
    if at_s < 700:
        restore(tmp_path / "state.npz", later)


def test_a_cloud_goes_on_from_a_state(tmp_path):
    params = festival("scale=0.0005", *OFF, "threads=1", "cloud=target")
    whole, other = both_ways(params, 333.3, 1200, tmp_path / "state.npz")
    assert whole.cloud is not None
    assert other.cloud is not None
    pd.testing.assert_frame_equal(other.cloud.table(), whole.cloud.table(), check_exact=True)


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A state of the small default site at 60 s."""
    params = festival("scale=0.00001", *OFF)
    first = Festival(params)
    first.env.run(until=60)
    return save(first, params, tmp_path_factory.mktemp("states") / "state.npz")


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("seed=5", r"^seed must be what it was.*: 4, got 5$"),
        (
            "site.services.payment.queue=16000",
            r"^site.services.payment.queue must be .* before 60 s: 100000, got 16000$",
        ),
        ("site.changes=[{at_s: 59, service: bank, machines: 5}]", r"^site.changes must be what it was"),
        ("+site.services.bank.shed={deadline_s: 60}", r"^site.services.bank.shed must be .*: null, got \{"),
    ],
)
def test_a_state_of_another_config_is_refused_with_the_reason(saved, override, reason):
    values = ["scale=0.00001", *OFF]
    with pytest.raises(StateError, match=reason):
        restore(
            saved, festival(*[value for value in values if value.split("=")[0] != override.split("=")[0]], override)
        )


def test_what_acts_at_the_instant_of_the_state_or_later_may_differ(saved):
    change = "site.changes=[{at_s: 60, service: bank, machines: 1}]"
    assert restore(saved, festival("scale=0.00001", *OFF, change)).env.now == 60


def test_a_state_of_other_code_is_refused(saved, monkeypatch):
    monkeypatch.setattr("sim.saves.source_hash", lambda: "f" * 32)
    with pytest.raises(StateError, match=r"was saved by other code.*this is .* ffffffff"):
        restore(saved, festival("scale=0.00001", *OFF))


def test_what_is_no_state_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("nothing")
    np.savez(tmp_path / "arrays.npz", a=np.zeros(3))
    for name in ("text.npz", "arrays.npz", "missing.npz"):
        with pytest.raises(StateError, match="is not a saved state"):
            restore(tmp_path / name, festival("scale=0.00001", *OFF))


def test_without_a_site_there_is_nothing_to_save_or_restore(saved, tmp_path):
    params = festival("scale=0.00001", "rehearsal=off", "site=off", "parcels.horizon_days=2")
    with pytest.raises(StateError, match="there is no site whose state could be saved"):
        save(Festival(params), params, tmp_path / "state.npz")
    with pytest.raises(StateError, match="site must not be off"):
        restore(saved, params)


ROAD = ["scale=0.00002", "rehearsal=off", "seed=4", "threads=1", "demand.horizon_h=24", "parcels.horizon_days=2"]
ON_BOTH = """+contingency={rooms: 4, attack_per_s: 200000, storm_per_s: 100000, faults: [
 {kind: machines_down, where: item, severity: 0.9, onset_s: 3600, lasts_s: 7200, course: step, course_s: 0},
 {kind: sorter_down, where: STO/Shanghai, severity: 0.9, onset_s: 43200, lasts_s: 86400, course: step, course_s: 0}], plans: [
 {id: site, owner: site duty officer, fault: {kind: machines_down, where: item, severity: 0.9, lasts_s: 60, course: step,
 course_s: 0}, detect: {metric: working_share, at: item, threshold: 0.9, window_s: 5, delay_s: 0}, act: {kind: simplify, where:
 item, amount: 0.2}, guard: {metric: failed_share, at: site, threshold: 0.9, window_s: 5}, undo_s: 50, expects: less work},
 {id: road, owner: hub manager, fault: {kind: sorter_down, where: STO/Shanghai, severity: 0.9, lasts_s: 3600, course: step,
 course_s: 0}, detect: {metric: hub_pace_share, at: STO/Shanghai, threshold: 0.8, window_s: 3600, delay_s: 3600}, act: {kind:
 hire_sorters, where: STO/Shanghai, amount: 5}, guard: {metric: hub_full_share, at: STO/Shanghai, threshold: 9, window_s: 3600},
 undo_s: 36000, expects: sorted again}]}""".replace("\n", "")


@pytest.fixture(scope="module")
def with_road() -> tuple[FestivalParams, dict[str, pd.DataFrame]]:
    """A day with parcels, faults and plans on both parts, and its tables without a stop."""
    params = festival(*ROAD, "~contingency", ON_BOTH)
    return params, dict(Festival(params).run())


@pytest.mark.parametrize("at_s", [3600.0, 108000.0])
def test_a_branch_of_site_and_road_has_the_bits_of_the_run_that_never_stopped(with_road, at_s, tmp_path):
    params, tables = with_road
    assert {"acted", "struck"} <= set(tables["contingency"]["what"])
    assert tables["contingency"]["who"].nunique() == 4
    assert_same_tables(branched(params, at_s, tmp_path / "state.npz"), tables)


def test_a_state_of_the_beginning_is_the_whole_run(with_road, tmp_path):
    params, tables = with_road
    save(Festival(params), params, tmp_path / "state.npz")
    assert_same_tables(dict(restore(tmp_path / "state.npz", params).run()), tables)


def test_a_branch_may_change_all_of_the_road_and_has_the_bits_of_the_run_that_always_had_that_road(with_road, tmp_path):
    params, tables = with_road
    other = festival(
        *ROAD, "~contingency", ON_BOTH, "parcels.carriers.STO.own_trucks=20", "parcels.sorting.gate_share=2"
    )
    first = Festival(params)
    first.env.run(until=86000)
    save(first, params, tmp_path / "state.npz")
    whole = dict(Festival(other).run())
    assert_same_tables(dict(restore(tmp_path / "state.npz", other).run()), whole)
    assert not whole["trips"].equals(tables["trips"])


def test_a_plan_that_is_in_force_from_the_branch_on_may_join_and_one_that_would_have_been_before_may_not(tmp_path):
    values = ["scale=0.00005", *OFF, "threads=1", "~contingency"]
    joined = (CONTINGENT % 700).replace("undo_s: 50", "undo_s: 50, from_s: 95")
    bare = festival("scale=0.00005", *OFF, "threads=1")
    whole, first = Festival(festival(*values, joined)), Festival(bare)
    whole.env.run(until=600)
    first.env.run(until=95)
    save(first, bare, tmp_path / "state.npz")
    branch = restore(tmp_path / "state.npz", festival(*values, joined))
    branch.env.run(until=600)
    for one in (whole, branch):
        one.site.advance()
    assert_same_tables(dict(branch.site.tables()), dict(whole.site.tables()))
    assert whole.contingency is not None
    assert branch.contingency is not None
    pd.testing.assert_frame_equal(branch.contingency.table(), whole.contingency.table())
    with pytest.raises(
        StateError, match=r"^contingency.plans.a is in force before the state's instant: it needs from_s >= 95, got 0$"
    ):
        restore(tmp_path / "state.npz", festival(*values, CONTINGENT % 700))


SMALL = ["scale=0.00002", "rehearsal=off", "demand.horizon_h=24", "parcels=off", "threads=1"]


def hashes(folder: Path) -> dict[str, str]:
    """Of the tables of the one run in a results folder."""
    (file,) = folder.glob("*/*/provenance.json")
    hashed: dict[str, str] = json.loads(file.read_text())["table_hashes"]
    return hashed


def test_the_command_saves_goes_on_branches_and_refuses(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sim.runner.illustrate", lambda *_, **__: None)
    state = tmp_path / "ten_past.npz"
    assert main(["run", *SMALL, "save_at=2012-11-11T00:10", f"state={state}", f"output={tmp_path}/whole"]) == 0
    assert f"state: {state}" in capsys.readouterr().out
    assert main(["run", f"from={state}", f"output={tmp_path}/same"]) == 0
    assert hashes(tmp_path / "same") == hashes(tmp_path / "whole")
    change = "site.changes=[{at_s: 900, service: bank, machines: 10}]"
    assert main(["run", f"from={state}", change, f"output={tmp_path}/branch"]) == 0
    assert main(["run", *SMALL, change, f"output={tmp_path}/never_stopped"]) == 0
    assert hashes(tmp_path / "branch") == hashes(tmp_path / "never_stopped")
    assert hashes(tmp_path / "branch")["site_capacity"] != hashes(tmp_path / "whole")["site_capacity"]
    capsys.readouterr()
    assert main(["run", f"from={state}", "site.services.bank.queue=50", "seed=9", f"output={tmp_path}/no"]) == 2
    told = capsys.readouterr().err
    assert "seed must be what it was when the state was saved, as it acts before 600 s: 1, got 9" in told
    assert "site.services.bank.queue must be what it was" in told
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "save_at=yesterday"], "save_at must be an instant, such as 2012-11-11T23:59"),
        (
            ["run", "save_at=2012-12-30T00:00", "output=null", "state=x.npz"],
            "save_at must be from 0 s, where the run begins",
        ),
        (["run", "save_at=600", "output=null"], "state=FILE is missing"),
        (["run", "save_at=600", "save_at=700"], "save_at is given twice"),
        (["run", "state=x.npz"], "say when as well"),
        (["run", "save_at=600", "site=off", "rehearsal=off"], "there is no site whose state could be saved"),
        (["run", "save_at=600", "replications=2"], "replications must be 1 with save_at or from, got 2"),
        (["run", "from=nowhere.npz"], "nowhere.npz is not a saved state"),
    ],
)
def test_bad_words_about_states_are_refused(words, reason, capsys):
    assert main(words) == 2
    assert reason in capsys.readouterr().err


def test_instants_are_read_from_dates_clocks_and_seconds():
    labels = {
        "2012-11-11T00:10": 600.0,
        "23:59": 86340.0,
        "2013-11-12T08:00:30": 115230.0,
        "2012-11-10T23:59": -60.0,
        "7.5": 7.5,
    }
    assert {label: instant(label) for label in labels} == labels
    for label in ("11 Nov", "2012-13-11T00:00", "25:61", "T12:00:"):
        with pytest.raises(ValueError, match="got '"):
            instant(label)


def test_a_site_keeps_nothing_of_a_state_that_it_was_built_from():
    params = festival("scale=0.00001", *OFF)
    env = simpy.Environment()
    site = site_of(env, params)
    env.run(until=20)
    state = taken(site)
    before = {name: array.copy() for name, array in state.arrays.items()}
    other_env = simpy.Environment(20)
    other = site_of(other_env, params)
    put_back(other, state)
    other_env.run(until=100)
    other.advance()
    assert isinstance(other, Site)
    for name, array in state.arrays.items():
        np.testing.assert_array_equal(array, before[name])
