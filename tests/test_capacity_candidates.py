"""Which whole decisions are verified and lie on the frontier, of decisions whose cost and missed days are made up."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from sim.capacity.axes import Axis, Decision
from sim.capacity.candidates import frontier
from sim.capacity.parts import Measures, Part
from sim.capacity.search import FIRST, Search, Trial

DAYS = 12


def part_of(outcomes: Sequence[tuple[float, int, float]], goals: int = 1) -> Part:
    """A part with one variable; cost, missed days and their excess of each of its levels. All levels were tried on all days."""
    prices = tuple(cost for cost, _, _ in outcomes)
    axis = Axis("machines", "machines", "", tuple(float(k) for k in range(len(outcomes))), prices, ordered=True)

    def try_out(step: str, pairs: Sequence[tuple[Decision, int]]) -> list[Trial]:
        found = []
        for (level,), day in pairs:
            _, misses, excess = outcomes[level]
            found.append(Trial(np.full(goals, excess if day < misses else -1.0), 0.0))
        return found

    search = Search([axis], DAYS, 2, try_out)
    search.complete("all", [(level,) for level in range(len(outcomes))], FIRST)
    return Part("whole", (0,), tuple(range(goals)), search)


def measures(frontier_plans: int, goals: int = 1) -> Measures:
    goal = SimpleNamespace(probability=0.85)
    effort = SimpleNamespace(days=DAYS, frontier_plans=frontier_plans)
    return cast(Measures, SimpleNamespace(plan=SimpleNamespace(goals=[goal] * goals, together=0.8, effort=effort)))


def levels_of(part: Part, chosen: int, known: Sequence[int] = (), most: int = 9) -> list[int]:
    found = frontier([part], (chosen,), [(level,) for level in known], measures(most))
    return [level for (level,) in found]


def test_the_frontier_has_no_plan_that_a_cheaper_one_matches_and_none_dearer_than_the_chosen() -> None:
    part = part_of([(80.0, 6, 0.3), (85.0, 6, 0.4), (90.0, 3, 0.2), (95.0, 3, 0.1), (110.0, 0, -0.1), (150.0, 0, -0.5)])
    assert levels_of(part, chosen=4) == [3, 2, 0]
    assert levels_of(part, chosen=3) == [2, 0]
    assert levels_of(part, chosen=4, known=[3]) == [2, 0]


def test_of_two_plans_of_nearly_one_cost_the_safer_one_is_taken() -> None:
    part = part_of([(100.0, 6, 0.3), (100.5, 1, 0.1), (102.0, 5, 0.2), (103.0, 1, 0.15), (120.0, 0, -0.1)])
    assert levels_of(part, chosen=4) == [1]


@pytest.mark.parametrize(("most", "expected"), [(0, []), (1, [4]), (2, [4, 0]), (3, [4, 2, 0])])
def test_so_many_are_spread_from_the_safest_on(most: int, expected: list[int]) -> None:
    part = part_of([(50.0 + 10.0 * k, 5 - k, 0.1) for k in range(6)])
    assert levels_of(part, chosen=5, most=most) == expected


def test_a_part_without_goals_is_judged_by_its_cost_alone() -> None:
    part: Any = part_of([(10.0, 0, 0.0), (20.0, 0, 0.0)], goals=0)
    best = part.search.best(part.levels(measures(3, goals=0).plan))
    assert best is not None
    assert best.decision == (0,)
    assert frontier([part], (1,), [], measures(3, goals=0)) == [(0,)]
