"""The search for the least-cost decision: against enumeration, against Erlang, and where nothing meets the goals."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import lab
from sim.capacity.axes import Axis, Decision, dearest, price_rmb
from sim.capacity.goals import interval, lower_bound, misses_allowed, most_misses, order_statistic
from sim.capacity.screening import effects, trajectories
from sim.capacity.search import FIRST, SCREENED, Levels, Search, Trial, TryOut
from sim.capacity.sensitivity import CHANCE, sobol
from sim.theory import mmc_wait_s

MOST = Levels((0.8,), 0.75)


def axis(name: str, levels: int, price_rmb: float) -> Axis:
    """Levels 1, 2, ... at so much each."""
    numbers = tuple(float(level + 1) for level in range(levels))
    return Axis(name, name, "servers", numbers, tuple(price_rmb * level for level in numbers), ordered=True)


def search_of(axes: Sequence[Axis], days: int, try_out: TryOut) -> Search:
    """A search that has tried the dearest decision and knows which days are hard."""
    search = Search(axes, days, 2, try_out)
    search.complete("first", [dearest(axes)], FIRST)
    search.order_days()
    return search


def test_the_least_number_of_servers_is_that_of_erlang() -> None:
    arrival_per_s, service_s = 8.0, 1.0
    waits = {servers: mmc_wait_s(servers, arrival_per_s, service_s) for servers in (10, 11)}
    limit_s = (waits[10] + waits[11]) / 2  # 11 servers keep to it, 10 do not
    servers = axis("servers", 20, 1.0)

    def simulated(step: str, pairs: Sequence[tuple[Decision, int]]) -> list[Trial]:
        found = []
        for (level,), day in pairs:
            jobs = lab.station(
                arrival=lab.poisson(arrival_per_s),
                service=lab.exponential(service_s),
                servers=level + 1,
                horizon_s=6_000.0,
                seed=100 + day,
            )
            wait_s = float(jobs["wait_s"].mean())
            found.append(Trial(np.array([wait_s / limit_s - 1]), 0.0))
        return found

    search = search_of([servers], 4, simulated)
    end = search.descend("search", dearest([servers]), MOST)
    assert servers.levels[end[0]] == 11


def two_stations(days: int, limit: float = 0.4) -> tuple[list[Axis], TryOut]:
    """Two stations in a row, one dearer than the other; a day has its own arrival rate, and the waits are Erlang's."""
    axes = [axis("first", 12, 300.0), axis("second", 12, 200.0)]
    rates = 4.0 + 2.0 * np.arange(days) / days

    def try_out(step: str, pairs: Sequence[tuple[Decision, int]]) -> list[Trial]:
        found = []
        for decision, day in pairs:
            waits = [
                mmc_wait_s(level + 1, rates[day], service_s) if (level + 1) > rates[day] * service_s else 50.0
                for level, service_s in zip(decision, (1.0, 0.7), strict=True)
            ]
            found.append(Trial(np.array([sum(waits) / limit - 1]), 10.0 * rates[day]))
        return found

    return axes, try_out


def test_sampling_and_descending_find_what_enumeration_finds() -> None:
    axes, try_out = two_stations(8)
    search = search_of(axes, 8, try_out)
    search.sample("search", MOST, 12, 4, seed=1)
    best = search.best(MOST)
    assert best is not None
    end = search.descend("search", best.decision, MOST)
    everything = Search(axes, 8, 8, try_out)
    everything.complete("all", list(itertools.product(range(12), range(12))), FIRST)
    least = everything.best(MOST)
    assert least is not None
    assert end == least.decision
    tried = sum(len(search.trials(decision)) for decision in search.stages)
    assert tried < 0.4 * 12 * 12 * 8


def test_relaxed_it_goes_on_to_what_costs_less_and_misses_more_with_few_tries() -> None:
    axes, try_out = two_stations(8)
    search = search_of(axes, 8, try_out)
    strict, relaxed = Levels((1.0,), 1.0), Levels((0.5,), 0.5)
    end = search.descend("search", dearest(axes), strict)
    before = len(search.stages)
    further = search.judged(search.relax("frontier", end, relaxed, 0.0), relaxed)
    assert further.is_met
    assert search.judged(end, strict).misses == 0 < further.misses <= 4
    assert further.cost_rmb < search.judged(end, strict).cost_rmb
    assert 0 < len(search.stages) - before < 20


def test_relaxed_it_tries_steps_that_save_so_much_and_those_that_have_no_price() -> None:
    axes, try_out = two_stations(8)
    relaxed = Levels((0.5,), 0.5)
    search = search_of(axes, 8, try_out)
    end = search.relax("frontier", dearest(axes), relaxed, 500.0)  # a machine of the first saves 300, of the second 200
    moved = [one for one in search.stages if one != dearest(axes)]
    assert {11 - one[0] for one in moved} <= {0, 2, 4, 6, 8, 10}
    assert {11 - one[1] for one in moved} <= {0, 3, 6, 9}
    assert search.judged(end, relaxed).cost_rmb < search.judged(dearest(axes), relaxed).cost_rmb
    free = [axes[0], axis("second", 12, 0.0)]
    search = search_of(free, 8, try_out)
    search.relax("frontier", dearest(free), relaxed, 500.0)
    assert {11, 10} <= {one[1] for one in search.stages}


def test_relaxed_it_takes_less_than_what_has_missed_to_miss_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    axes, try_out = two_stations(8)
    relaxed = Levels((0.5,), 0.5)
    quick, slow = search_of(axes, 8, try_out), search_of(axes, 8, try_out)
    end = quick.relax("frontier", dearest(axes), relaxed, 0.0)
    monkeypatch.setattr(Search, "_has_less_than_a_miss", lambda self, decision, levels: False)
    assert slow.relax("frontier", dearest(axes), relaxed, 0.0) == end
    left_out = slow.stages.keys() - quick.stages.keys()
    assert left_out
    assert not any(slow.judged(one, relaxed).is_met for one in left_out)


def test_the_closest_is_named_where_nothing_meets_the_goals() -> None:
    axes, try_out = two_stations(8, limit=1e-7)
    search = search_of(axes, 8, try_out)
    search.sample("search", MOST, 8, 4, seed=1)
    assert search.best(MOST) is None
    closest = search.closest("closest", MOST)
    assert closest.decision == dearest(axes)
    assert closest.worst[0] > 0


def test_a_decision_is_given_up_as_soon_as_too_many_days_have_missed() -> None:
    axes, try_out = two_stations(8)
    search = search_of(axes, 8, try_out)
    assert search.order[0] == 7  # the day with the most arrivals is the hardest
    search.race("race", [(0, 0), (11, 10)], MOST, SCREENED)
    assert len(search.trials((0, 0))) == 2
    assert len(search.trials((11, 10))) == 8


def test_the_sampler_proposes_the_same_decisions_again() -> None:
    asked = []
    for _ in range(2):
        axes, try_out = two_stations(8)
        search = search_of(axes, 8, try_out)
        search.sample("search", MOST, 8, 4, seed=3)
        asked.append(list(search.stages))
    assert asked[0] == asked[1]


def test_prices_are_of_what_comes_on_top() -> None:
    first, second = axis("first", 3, 10.0), axis("second", 3, 1.0)
    assert price_rmb([first, second], (2, 0)) == 31.0


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=30), st.sampled_from([0.5, 0.8, 0.95]))
def test_an_excess_is_not_above_zero_exactly_when_enough_days_meet_the_goal(beyond: list[float], share: float) -> None:
    days = np.array(beyond)[:, None]
    enough = (days <= 0).mean() >= share - 1e-9
    assert (order_statistic(days, misses_allowed(share, len(days)))[0] <= 0) == enough


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=20), st.integers(1, 19))
def test_fewer_days_never_say_more_than_all(beyond: list[float], seen: int) -> None:
    days = np.array(beyond)[:, None]
    misses = misses_allowed(0.8, len(days))
    assert order_statistic(days[:seen], misses)[0] <= order_statistic(days, misses)[0]


def test_the_bound_of_a_probability_is_exact() -> None:
    assert lower_bound(59, 59, 0.95) == pytest.approx(0.05 ** (1 / 59), rel=1e-12)  # none of 59 misses: above 0.95
    assert lower_bound(0, 10, 0.95) == 0.0
    assert interval(45, 50, 0.95) == pytest.approx((0.7819, 0.9667), abs=5e-5)  # tables of Clopper and Pearson


@pytest.mark.parametrize(
    ("probability", "days", "misses"), [(0.95, 58, -1), (0.95, 59, 0), (0.85, 60, 4), (0.5, 10, 1)]
)
def test_as_many_days_may_miss_as_leave_the_probability_shown(probability: float, days: int, misses: int) -> None:
    assert most_misses(probability, days, 0.95) == misses


def test_effects_of_a_straight_line_are_its_slopes() -> None:
    axes = [axis("a", 7, 1.0), axis("b", 2, 1.0), axis("c", 10, 1.0)]
    slopes = np.array([[2.0, -1.0], [0.0, 3.0], [5.0, 0.0]])  # of a variable's whole range, on two figures
    paths = trajectories(axes, 4, np.random.default_rng(1))
    ends = np.array([len(one.levels) - 1 for one in axes])
    outcomes = {decision: np.array(decision) / ends @ slopes for path in paths for decision in path}
    assert np.allclose(effects(axes, paths, outcomes), slopes)
    assert all(len(path) == 4 for path in paths)
    assert all(
        0 <= level < len(one.levels)
        for path in paths
        for decision in path
        for one, level in zip(axes, decision, strict=True)
    )


def test_indices_are_those_of_ishigami() -> None:
    """Ishigami, Homma (1990): first-order 0.314, 0.442, 0; total 0.558, 0.442, 0.244."""

    def ishigami(points: np.ndarray) -> np.ndarray:
        a, b, c = (np.pi * (2 * points[:, k] - 1) for k in range(3))
        return np.stack([np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a), np.zeros(a.size)], axis=1)

    found = sobol(ishigami, ["a", "b", "c"], ["y", "nothing"], 512, 1)
    own = {index.name: index for index in found if index.figure == "y"}
    for name, first, total in (("a", 0.314, 0.558), ("b", 0.442, 0.442), ("c", 0.0, 0.244), (CHANCE, 0.0, 0.0)):
        assert own[name].first == pytest.approx(first, abs=0.06)
        assert own[name].total == pytest.approx(total, abs=0.06)
        assert own[name].total_low - 1e-12 <= own[name].total <= own[name].total_high + 1e-12
    assert all(np.isnan(index.total) for index in found if index.figure == "nothing")
