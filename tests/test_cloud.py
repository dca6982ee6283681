"""The cloud: machines, policies, quota, what is paid, and what it does to the site."""

import itertools
import json
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.cloud import Cloud, Ports
from sim.cloud.forecast import Forecast
from sim.cloud.machines import STOPPED
from sim.cloud.policies import Memory, stepped
from sim.cloud.quota import grants
from sim.demand.expected import page_requests_per_s
from sim.demand.visits import expected_views
from sim.params import ParameterError, build
from sim.params.cloud import CloudParams
from sim.params.services import ServiceParams, ServiceTimeParams
from sim.records import ServiceLoad
from tests.cloud_case import run_cloud, small
from tests.site_case import calls_of, festival, run_instant_site, run_site

TARGET = {
    "kind": "target",
    "metric": "concurrency",
    "target_share": 0.5,
    "tolerance_share": 0.1,
    "window_s": 600,
    "up_share": 4.0,
    "down_share": 0.5,
}
THRESHOLD = {
    "kind": "threshold",
    "metric": "utilisation",
    "up_above_share": 0.7,
    "down_below_share": 0.3,
    "up_share": 0.5,
    "down_share": 0.2,
    "cool_down_s": 240,
}
Load = Callable[[str, float], float]


class Bench:
    """A cloud for services whose load [machines] is a function of time, without a site."""

    def __init__(
        self, load: Load, *, priorities: tuple[int, ...] = (0,), policy: object = TARGET, **values: object
    ) -> None:
        group = {"start_machines": 10, "least_machines": 2, "most_machines": 500}
        services = {f"service {i}": {**group, "priority": priority} for i, priority in enumerate(priorities)}
        self.params = build(
            CloudParams,
            {
                "quota": 1000,
                "look_s": 60,
                "boot_s": 150.0,
                "boot_cv": 0.0,
                "boot_failure_share": 0.0,
                "check_s": 1,
                "warm_up_s": 30,
                "warm_share": 0.5,
                "drain_s": 20,
                "machine_rmb_per_h": 2.0,
                "policy": policy,
                "services": services,
            }
            | values,
        )
        self.env, self.load = simpy.Environment(), load
        self.serving: dict[str, float] = {}
        self.told: list[tuple[float, str, float]] = []
        self.working_until_s = 0.0  # excess requests are in work
        self.cloud = self.cloud_on(self.env)

    def cloud_on(self, env: simpy.Environment, state: dict[str, object] | None = None) -> Cloud:
        """A cloud on a clock, to go on from a state."""
        service = ServiceParams(
            machines=1,
            slots_per_machine=1,
            service=ServiceTimeParams(kind="deterministic", mean_s=1.0),
            queue=0,
            timeout_s=1.0,
        )
        start = {name: group.start_machines or 0 for name, group in self.params.services.items()}
        ports = Ports(
            self.observe, self.set_machines, self.excess, lambda name, from_s, until_s: self.load(name, from_s)
        )
        self.env = env
        return Cloud(
            env,
            self.params,
            dict.fromkeys(start, service),
            start,
            ports,
            scale=1.0,
            until_s=86400.0,
            seed=3,
            state=state,
        )

    def observe(self, name: str, from_s: float, until_s: float) -> ServiceLoad:
        load = float(np.mean([self.load(name, time_s) for time_s in np.arange(from_s, until_s, 10.0)]))
        busy = min(load, self.serving[name])
        return ServiceLoad(busy, load - busy)

    def set_machines(self, name: str, machines: float) -> None:
        self.serving[name] = machines
        self.told.append((self.env.now, name, machines))

    def excess(self, name: str) -> int:
        return int(self.env.now < self.working_until_s)

    def run(self, until_s: float) -> pd.DataFrame:
        """The table of machines at an instant."""
        self.env.run(until=until_s)
        return self.cloud.table()


def jump(name: str, time_s: float) -> float:
    """A load of 5 machines, of 100 from 600 s on, of 5 again from 4,000 s on."""
    return 100.0 if 600 <= time_s < 4000 else 5.0


# machines


def test_a_boot_delay_is_counted_once_a_machine_however_often_the_policy_looks_meanwhile() -> None:
    bench = Bench(jump)
    bench.run(1000)
    rows = bench.cloud.machines.rows[10:]
    assert rows["ordered_s"].tolist() == [660.0] * 40 + [720.0] * 150  # for 100 at a half, five times as many at most
    served = [(time_s, machines) for time_s, _, machines in bench.told]
    assert served == [(0.0, 10.0), (810.0, 30.0), (840.0, 50.0), (870.0, 125.0), (900.0, 200.0)]


def test_a_machine_is_paid_from_its_order_to_its_stop() -> None:
    bench = Bench(jump, boot_failure_share=0.2, boot_cv=0.4)
    table = bench.run(8000)
    rows = bench.cloud.machines.rows
    hours = (np.where(np.isnan(rows["stopped_s"]), 8000.0, rows["stopped_s"]) - rows["ordered_s"]).sum() / 3600
    assert table["machine_h"].iloc[-1] == pytest.approx(hours, rel=1e-12)
    assert table["cost_rmb"].iloc[-1] == pytest.approx(2.0 * hours, rel=1e-12)
    assert 20 < table["failed"].iloc[-1] < 0.35 * len(rows)
    assert (rows["stopped_s"] > 4000).sum() > 100


def test_every_machine_is_somewhere_at_every_change() -> None:
    table = Bench(jump, boot_failure_share=0.1, boot_cv=0.5).run(7000)
    alive = table[["booting", "warming", "serving", "draining"]].sum(axis=1)
    assert (alive + table["failed"] <= table["ordered"]).all()
    assert (table["time_s"].diff().dropna() > 0).all()
    hours = (alive.to_numpy()[:-1] * np.diff(table["time_s"])).sum() / 3600
    assert table["machine_h"].iloc[-1] == pytest.approx(hours, rel=1e-12)


def test_a_failed_boot_is_replaced_and_paid_until_it_is_noticed() -> None:
    bench = Bench(jump, boot_failure_share=0.5)
    bench.run(3000)
    rows = bench.cloud.machines.rows
    failed = rows[~np.isnan(rows["stopped_s"])]
    assert failed.size > 50
    np.testing.assert_array_equal(failed["stopped_s"] - failed["ordered_s"], 150.0)
    assert 182 <= bench.serving["service 0"] <= 200  # within the tolerance of 200


def test_a_drained_machine_stops_when_its_last_request_is_done() -> None:
    bench = Bench(lambda name, time_s: 5.0 if time_s < 600 else 1.0, policy={**TARGET, "window_s": 0})
    bench.working_until_s = 755.0
    bench.run(1000)
    rows = bench.cloud.machines.rows
    assert bench.told[1] == (660.0, "service 0", 5.0)
    assert rows["stopped_s"][5:].tolist() == [760.0] * 5  # drained at 660 s, looked at every 20 s


def test_the_machines_that_serve_never_fall_below_the_least_while_others_boot() -> None:
    bench = Bench(lambda name, time_s: 100.0 if 60 <= time_s < 120 else 0.0, policy={**TARGET, "window_s": 0})
    bench.run(3000)
    assert min(machines for _, _, machines in bench.told) == 2.0


# policies


@pytest.mark.parametrize("policy", [TARGET, THRESHOLD], ids=["target", "threshold"])
def test_a_steady_noisy_load_makes_no_policy_flap(policy: dict[str, object]) -> None:
    noise = np.random.default_rng(1).poisson(40.0, 100_000)
    bench = Bench(lambda name, time_s: float(noise[int(time_s / 10)]), policy=policy)
    bench.run(6 * 3600)
    settled = [machines for time_s, _, machines in bench.told if time_s > 1800]
    steps = np.sign(np.diff(settled))
    assert np.count_nonzero(np.diff(steps[steps != 0])) <= 1


@given(
    up=st.floats(0.3, 1.0), up_share=st.floats(0.1, 2.0), down_share=st.floats(0.05, 0.6), load=st.floats(6.0, 120.0)
)
@settings(max_examples=40, deadline=None)
def test_thresholds_that_are_accepted_come_to_rest_under_any_constant_load(
    up: float, up_share: float, down_share: float, load: float
) -> None:
    down = 0.9 * min(up * (1 - down_share), up / (1 + up_share))
    thresholds = {"up_above_share": up, "down_below_share": down, "up_share": up_share, "down_share": down_share}
    bench = Bench(lambda name, time_s: load, policy={**THRESHOLD, **thresholds, "cool_down_s": 0}, boot_s=1.0)
    bench.run(4 * 3600)
    settled = {machines for time_s, _, machines in bench.told if time_s > 2 * 3600}
    assert len(settled) <= 1 or load / max(settled) > up


def test_a_step_down_that_calls_for_a_step_up_is_refused() -> None:
    with pytest.raises(ParameterError) as caught:
        Bench(jump, policy={**THRESHOLD, "up_above_share": 0.6, "down_below_share": 0.5})
    assert [problem.partition(", got")[0] for problem in caught.value.problems] == [
        "policy.down_below_share must be < 0.48, or a step down calls for one back",
        "policy.down_below_share must be < 0.4, or a step up calls for one back",
    ]


def test_a_cool_down_lets_the_machines_of_the_last_step_come() -> None:
    bench = Bench(jump, policy=THRESHOLD)
    bench.run(3000)
    ordered_s = np.unique(bench.cloud.machines.rows["ordered_s"][10:])
    assert ordered_s[0] == 660.0
    assert (np.diff(ordered_s) >= 240).all()


def test_a_step_is_limited_and_one_machine_at_least() -> None:
    assert [stepped(10, wanted, 0.5, 0.3) for wanted in (8, 3, 12, 40)] == [8, 7, 12, 15]
    assert [stepped(1, wanted, 0.5, 0.3) for wanted in (0, 5)] == [0, 2]


def test_a_schedule_is_ordered_ahead_and_not_drained_ahead() -> None:
    steps = [(0, 20), (1200, 60), (3000, 10)]
    policy = {"kind": "scheduled", "ahead_s": 240}
    policy["steps"] = [{"at_s": at_s, "service": "service 0", "machines": machines} for at_s, machines in steps]
    bench = Bench(jump, policy=policy)
    bench.run(5000)
    rows = bench.cloud.machines.rows
    assert rows["ordered_s"].tolist() == [0.0] * 10 + [-240.0] * 10 + [960.0] * 40
    assert [time_s for time_s, _, machines in bench.told if machines == 60] == [1140.0]
    assert bench.told[-1] == (3000.0, "service 0", 10.0)


def test_a_forecast_has_the_machines_there_before_the_jump_and_a_reactive_policy_after_it() -> None:
    def known(name: str, time_s: float) -> float:
        return jump(name, time_s + 360) if time_s < 2000 else jump(name, time_s)

    policy = {**TARGET, "kind": "predictive", "ahead_s": 300, "error_share": 0.0}
    del policy["metric"]
    ahead, late = Bench(known, policy=policy), Bench(jump)
    for bench, enough in ((ahead, True), (late, False)):
        bench.run(600)
        assert (bench.serving["service 0"] >= 200) == enough
        bench.run(1100)
        assert bench.serving["service 0"] >= 200


def test_the_error_of_a_forecast_has_the_stated_size_and_holds_for_an_hour() -> None:
    flat = np.full(3600 * 4000, 50.0)
    forecast = Forecast({"a": flat}, {"a": 0.2}, seed=1)
    values = np.array([forecast("a", hour * 3600.0, hour * 3600.0 + 60) for hour in range(4000)])
    assert values.mean() == pytest.approx(50, rel=0.02)
    assert values.std() == pytest.approx(10, rel=0.06)
    assert forecast("a", 0, 3600) == values[0]
    assert forecast("a", 3000, 4000) == max(values[:2])
    assert forecast("a", 1e9, 1e9 + 60) == 0
    assert Forecast({"a": flat}, {"a": 0.0}, seed=1)("a", 5, 6) == 50


def test_the_expected_page_requests_are_those_of_the_visits() -> None:
    demand = festival().demand
    expected = page_requests_per_s(demand)
    views = expected_views(demand)
    assert {name: rates.sum() / demand.shoppers for name, rates in expected.items()} == pytest.approx(views, rel=1e-4)
    seconds = run_instant_site(festival("site=off", "scale=0.001")).tables()["demand_seconds"]
    first = seconds[seconds["second_s"] < 300]["requests"].sum() / 0.001
    assert sum(rates[:300].sum() for rates in expected.values()) == pytest.approx(first, rel=0.03)


# quota


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 2)), min_size=1, max_size=8), st.integers(0, 150))
def test_the_quota_is_shared_by_priority_and_then_in_proportion(services: list[tuple[int, int]], free: int) -> None:
    wanted, priority = (list(column) for column in zip(*services, strict=True))
    granted = grants(wanted, priority, free)
    assert sum(granted) == min(free, sum(wanted))
    assert all(0 <= got <= want for got, want in zip(granted, wanted, strict=True))
    short = {level for got, want, level in zip(granted, wanted, priority, strict=True) if got < want}
    assert all(got == 0 for got, level in zip(granted, priority, strict=True) if short and level > min(short))
    members = [(got, want) for got, want, level in zip(granted, wanted, priority, strict=True) if level in short]
    for (got, want), (other, wants) in itertools.combinations([pair for pair in members if pair[1]], 2):
        if len(short) == 1:
            assert abs(got / want - other / wants) <= 1 / want + 1 / wants


def test_of_equal_remainders_the_first_service_gets_the_machine() -> None:
    assert grants([5, 5, 5], [0, 0, 0], 10) == [4, 3, 3]
    assert grants([4, 6, 9], [1, 0, 1], 10) == [1, 6, 3]


def test_no_more_machines_run_than_the_quota_allows_and_priorities_decide() -> None:
    bench = Bench(jump, priorities=(0, 0, 1), quota=120)
    table = bench.run(4000)
    alive = table.assign(alive=table[["booting", "warming", "serving", "draining"]].sum(axis=1))
    together = alive.pivot_table("alive", "time_s", "service", aggfunc="last", observed=True).ffill().sum(axis=1)
    assert together.max() == 120
    assert [bench.cloud.machines.ordered(service) for service in range(3)] == [50, 50, 20]
    bench.run(9000)
    assert set(bench.serving.values()) == {10.0}  # all wanted 5 at a half


# state


@pytest.mark.parametrize("stop_s", [655, 660, 812, 840, 4100, 5400])
def test_a_cloud_that_goes_on_from_a_state_is_the_one_that_never_stopped(stop_s: int) -> None:
    def shifting(name: str, time_s: float) -> float:
        return jump(name, time_s - 120 * int(name[-1]))

    settings = {
        "priorities": (0, 0),
        "boot_cv": 0.5,
        "boot_failure_share": 0.2,
        "quota": 250,
        "policy": {**TARGET, "window_s": 120},
    }
    never, stopped = Bench(shifting, **settings), Bench(shifting, **settings)  # type: ignore[arg-type]
    expected = never.run(9000)
    stopped.run(stop_s)
    state = json.loads(json.dumps(stopped.cloud.state()))
    stopped.cloud = stopped.cloud_on(simpy.Environment(initial_time=stop_s), state)
    pd.testing.assert_frame_equal(stopped.run(9000), expected, check_exact=True)
    assert {entry[:2]: entry[2] for entry in stopped.told} == {entry[:2]: entry[2] for entry in never.told}


def test_a_memory_is_what_its_state_says() -> None:
    memory = Memory([[1.0, 2]], 5.0)
    assert Memory(**memory.state()).state() == memory.state()


# the site


def test_a_fixed_cloud_with_the_sites_own_machines_changes_no_request() -> None:
    fixed = small("fixed", *(f"cloud.services.{name}.start_machines=null" for name in ("venue", "item", "trade")))
    with_cloud, cloud = run_cloud(fixed, trace=True)
    without = run_site(fixed.model_copy(update={"cloud": None}), trace=True)
    np.testing.assert_array_equal(calls_of(with_cloud), calls_of(without))
    assert cloud.machines.rows.size == 120


def test_new_machines_take_load_and_drained_ones_give_it_up() -> None:
    fixed, _ = run_cloud(small("fixed"), until_s=3600)
    elastic, cloud = run_cloud(small("target"), until_s=3600)
    lost = [site.tables()["demand_seconds"]["orders_lost"].sum() for site in (fixed, elastic)]
    assert lost[1] < 0.5 * lost[0]
    seconds, capacity = elastic.tables()["site_seconds"], elastic.tables()["site_capacity"]
    venue = seconds[seconds["service"] == "venue"]
    assert venue["busy"].max() > 30 * 2 * 0.1
    slots = capacity[capacity["service"] == "venue"]
    in_force = slots["slots"].to_numpy()[np.searchsorted(slots["time_s"], venue["second_s"], side="right") - 1]
    assert (venue["busy"] <= in_force).mean() > 0.98  # above it only until drained machines have finished
    assert slots["slots"].max() > 2 * slots["slots"].iloc[-1]
    assert any(counts[STOPPED] > 0 for counts in cloud.machines.counts)


def test_windows_and_threads_change_no_machine() -> None:
    params = small("target", "site.cells=2")
    one, cloud = run_cloud(params, until_s=2400, trace=True)
    other, again = run_cloud(params.model_copy(update={"threads": 2}), until_s=2400, trace=True)
    np.testing.assert_array_equal(calls_of(one), calls_of(other))
    np.testing.assert_equal(cloud.state(), again.state())
