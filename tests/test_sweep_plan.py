"""Plans: configs like composed ones, the same seeds at every point, keys, and all problems before anything runs."""

from dataclasses import replace

import pytest

from sim import store
from sim.compose import compose, compose_points
from sim.params import ParameterError
from sim.sweeps.plan import make_plan
from sim.sweeps.stopping import Goal, goals, unmet, wanted
from tests.sweep_case import QUICK, plan_of

POINTS = [
    ["site.services.payment.machines=300", "weather=calm"],
    ["weather=off", "site.services.payment={machines: 7}", "seed=4", "site.changes=[]"],
    ["experiment=festival_2013", "demand.wireless_share=0.3", "++site.services.payment.shed={deadline_s: 3}"],
]


def test_points_are_composed_as_each_alone_would_be():
    found = compose_points("festival_2012", ["scale=0.0002", "rehearsal=off"], POINTS)
    for config, point in zip(found, POINTS, strict=True):
        name = "festival_2013" if point[0] == "experiment=festival_2013" else "festival_2012"
        others = [text for text in point if not text.startswith("experiment=")]
        assert config == compose(name, ["scale=0.0002", "rehearsal=off", *others])


def test_a_reference_to_an_axis_follows_it():
    found = compose_points("festival_2012", ["parcels=off", "demand.horizon_h=${seed}"], [["seed=25"], ["seed=30"]])
    assert [config["demand"]["horizon_h"] for config in found] == [25, 30]


def test_points_are_independent_of_one_another():
    first, second = compose_points("festival_2012", [], [["site.cells=1"], ["site.cells=2"]])
    first["site"]["services"]["payment"]["machines"] = -1
    assert second["site"]["services"]["payment"]["machines"] > 0


def test_every_point_has_the_same_seeds_and_every_run_its_own_key():
    plan = plan_of("seed=5", "replications=3")
    tasks = list(plan.tasks())
    assert [task.settings["seed"] for task in tasks] == [5, 5, 6, 6, 7, 7]
    assert [task.point for task in tasks] == [0, 1, 0, 1, 0, 1]
    assert len({task.key for task in tasks}) == 6
    assert tasks[0].key == store.run_key(tasks[0].settings)


def test_the_key_of_the_question_outlives_the_code_and_the_key_of_the_sweep_does_not(monkeypatch):
    plan, other = plan_of(), replace(plan_of())
    assert plan_of("replications=2").design_key != plan.design_key
    assert (other.design_key, other.key, other.name) == (plan.design_key, plan.key, plan.name)
    monkeypatch.setattr(store, "source_hash", lambda: "other")
    other = replace(plan)
    assert other.design_key == plan.design_key
    assert other.key != plan.key


def test_all_problems_of_all_points_are_told_before_anything_runs():
    with pytest.raises(ParameterError) as raised:
        plan_of("scale=-1", "replications=0", axis=["demand.wireless_share=0.1,3", "threads=1,2"])
    assert raised.value.problems == [
        "threads cannot be an axis: it changes no result",
        "scale must be > 0, got -1",
        "demand.wireless_share must be <= 1 [share], got 3 (at demand.wireless_share=3, threads=1)",
        "replications must be an integer >= 1, got 0",
    ]


def test_an_axis_that_is_no_parameter_is_told_with_the_closest_one_and_the_rest():
    with pytest.raises(ParameterError) as raised:
        plan_of("scale=-1", axis=["demand.wireles_share=0.1,0.2"])
    first, second = raised.value.problems
    assert first.startswith("demand.wireles_share is not a parameter; did you mean wireless_share?")
    assert second == "scale must be > 0, got -1"


def test_points_that_are_the_same_are_refused(tmp_path):
    table = tmp_path / "points.csv"
    table.write_text("scale\n0.001\n1e-3\n", encoding="utf-8")
    with pytest.raises(ParameterError, match=r"points 1 and 2 are the same: scale=0\.001 and scale=1e-3"):
        plan_of(axis=[], design=str(table))


def test_goals_are_read_with_percent_or_in_the_figures_unit():
    assert goals("orders:5%,latency_p99_s:0.2", ["orders", "latency_p99_s"]) == [
        Goal("orders", 0.05, of_mean=True),
        Goal("latency_p99_s", 0.2, of_mean=False),
    ]
    with pytest.raises(ParameterError) as raised:
        goals("ordrs:5%,orders:x,orders:0%", ["orders"])
    assert raised.value.problems == [
        "until: ordrs is not a key figure; did you mean orders? (known: orders)",
        "until must be FIGURE:WIDTH or FIGURE:PERCENT%, such as hub_overflow_h:5%, got 'orders:x'",
        "until: the interval of orders must be allowed a width > 0, got 'orders:0%'",
    ]


def figures(*values):
    return [{"orders": value} for value in values]


def test_replications_end_when_the_interval_is_narrow_enough():
    # 10, 11, 12: standard deviation 1, t(2; 0.975) = 4.303, half-width 4.303 / sqrt(3) = 2.484
    assert wanted([Goal("orders", 2.49, of_mean=False)], figures(10, 11, 12), 3, 30) == 3
    assert wanted([Goal("orders", 2.48, of_mean=False)], figures(10, 11, 12), 3, 30) == 4
    assert wanted([Goal("orders", 2.49 / 11, of_mean=True)], figures(10, 11, 12), 3, 30) == 3
    assert unmet([Goal("orders", 2.48, of_mean=False)], figures(10, 11, 12)) == [Goal("orders", 2.48, of_mean=False)]


def test_more_replications_come_by_need_at_most_twice_as_many_and_no_more_than_allowed():
    assert wanted([Goal("orders", 2.2, of_mean=False)], figures(10, 11, 12), 3, 30) == 4  # 3 * (2.484 / 2.2)^2 = 3.8
    assert wanted([Goal("orders", 0.1, of_mean=False)], figures(10, 11, 12), 3, 30) == 6
    assert wanted([Goal("orders", 0.1, of_mean=False)], figures(10, 11, 12), 3, 5) == 5
    assert wanted([Goal("orders", 9.0, of_mean=False)], figures(10), 1, 30) == 3  # one value has no interval
    assert wanted([Goal("orders", 9.0, of_mean=False)], figures(None, None, None), 3, 30) == 3  # and none never will


def test_fewer_replications_allowed_than_asked_for_are_refused():
    with pytest.raises(ParameterError, match="most_replications must be >= replications 5, got 4"):
        make_plan(
            "festival_2012",
            [*QUICK, "replications=5"],
            [],
            design=None,
            drawn_from=[],
            goals=[Goal("orders", 1.0, of_mean=False)],
            most_replications=4,
        )
