"""The parts of a plan that are searched by themselves: which variables and goals belong together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.capacity.axes import Axis, Decision, dearest
from sim.capacity.configs import WHOLE, Configs
from sim.capacity.days import Day
from sim.capacity.goals import excess
from sim.capacity.params import GoalParams, PlanFileParams
from sim.capacity.runs import Figures, Runs
from sim.capacity.search import FIRST, Levels, Search, Trial, TryOut
from sim.params.base import ParameterError
from sim.report.compared import known


class Part(NamedTuple):
    """A part with its variables and goals, by their numbers in the plan, and all that was tried of it."""

    name: str
    variables: tuple[int, ...]
    goals: tuple[int, ...]
    search: Search

    @property
    def axes(self) -> list[Axis]:
        """Its variables."""
        return self.search.axes

    def own(self, decision: Decision) -> Decision:
        """The part's own levels of a whole decision."""
        return tuple(decision[k] for k in self.variables)

    def levels(self, plan: PlanFileParams, share_of_risk: float = 1.0) -> Levels:
        """Shares of days that have to meet its goals; with a part of the risk only, or more of it."""
        shares = tuple(1 - share_of_risk * (1 - plan.goals[k].probability) for k in self.goals)
        return Levels(shares, 1 - share_of_risk * (1 - plan.together))


class Measures:
    """Figures of decisions on days, as trials: excess of goals and running costs."""

    def __init__(self, configs: Configs, runs: Runs) -> None:
        self.configs, self.runs = configs, runs
        self.plan = configs.plan
        self.counts = [known(goal.figure).kind == "count" for goal in self.plan.goals]

    def figures(
        self, step: str, part: str, pairs: Sequence[tuple[Decision, Day]], also: Sequence[str] = ()
    ) -> list[Figures | None]:
        """Key figures of whole decisions on days."""
        return self.runs.figures(step, [self.configs.task(part, decision, day, also) for decision, day in pairs])

    def trial(self, figures: Figures | None, goals: Sequence[int]) -> Trial:
        """What a run says about some of the goals."""
        chosen: list[GoalParams] = [self.plan.goals[k] for k in goals]
        counts = [self.counts[k] for k in goals]
        running = sum(float((figures or {}).get(name) or 0.0) for name in self.plan.costs)
        return Trial(excess(chosen, figures, counts, self.plan.scale), running)


def make_parts(measures: Measures, days: Sequence[Day]) -> list[Part]:
    """The parts of a plan, each with its dearest decision tried on all days.

    A goal belongs to the part that measures its figure. Where a variable acts on both parts there is one part, the whole.

    Raises
    ------
    ParameterError
        For a goal whose figure nothing measures.
    """
    configs, plan = measures.configs, measures.plan
    all_axes, names = configs.axes, list(plan.variables)
    of_variable = [configs.part_of(name) for name in names]
    together = WHOLE in of_variable or len(configs.parts) < 2
    parts = [WHOLE] if together else list(configs.parts)
    first = dearest(all_axes)
    found, unmeasured = [], set(range(len(plan.goals)))
    for part in parts:
        seen = measures.figures("first decision", part, [(first, day) for day in days])
        goals = tuple(
            k
            for k, goal in enumerate(plan.goals)
            if k in unmeasured and any(one is not None and one.get(goal.figure) is not None for one in seen)
        )
        unmeasured -= set(goals)
        own = tuple(k for k, name in enumerate(of_variable) if together or name == part)
        if not own:
            continue
        search = Search(
            [all_axes[k] for k in own],
            plan.effort.days,
            plan.effort.first_days,
            _try_out(measures, part, own, goals, first, days),
        )
        search.complete("first decision", [dearest(search.axes)], FIRST)
        search.order_days()
        found.append(Part(part, own, goals, search))
    if unmeasured:
        raise ParameterError(
            f"goals.{k}.figure: nothing measures {plan.goals[k].figure} in this plan; "
            f"the part of the model that does is off, or every run failed{_first(measures.runs)}"
            for k in sorted(unmeasured)
        )
    return found


def _first(runs: Runs) -> str:
    return next((f" ({error})" for error in runs.errors.values()), "")


def _try_out(
    measures: Measures,
    part: str,
    own: Sequence[int],
    goals: Sequence[int],
    others: Decision,
    days: Sequence[Day],
) -> TryOut:
    """Tries decisions of a part; what the other part does is of no account and stays as it is."""

    def try_out(step: str, pairs: Sequence[tuple[Decision, int]]) -> list[Trial]:
        whole = [(with_part(others, own, decision), days[day]) for decision, day in pairs]
        return [measures.trial(figures, goals) for figures in measures.figures(step, part, whole)]

    return try_out


def with_part(decision: Decision, variables: Sequence[int], own: Decision) -> Decision:
    """A decision with the levels of a part in place of its own."""
    levels = list(decision)
    for k, level in zip(variables, own, strict=True):
        levels[k] = level
    return tuple(levels)


def joined(parts: Sequence[Part], chosen: Sequence[Decision]) -> Decision:
    """The whole decision that parts' decisions make together."""
    levels = [0] * sum(len(part.variables) for part in parts)
    for part, own in zip(parts, chosen, strict=True):
        for k, level in zip(part.variables, own, strict=True):
            levels[k] = level
    return tuple(levels)


def missed(part: Part, decision: Decision) -> np.ndarray:
    """Which days a decision of a part misses any of its goals on, bool[days]."""
    own = part.search.trials(decision)
    return np.array([bool((own[day].beyond > 0).any()) for day in range(part.search.days)])
