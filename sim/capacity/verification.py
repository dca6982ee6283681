"""Plans on fresh days, with the whole model: does what the search found hold where nothing was chosen by it?

Each of the days is independent of the others and of the search, so the days that meet a goal are binomial, and the exact bound of
Clopper and Pearson holds. How many days there are is settled beforehand; giving up early, when too many have missed, can only
make a wrong "holds" rarer.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sim.capacity.axes import Decision, price_rmb
from sim.capacity.configs import WHOLE
from sim.capacity.days import Day
from sim.capacity.goals import interval, lower_bound, most_misses
from sim.capacity.parts import Measures
from sim.capacity.runs import Figures
from sim.intervals import t_interval

AT_ONCE = 10  # days; not the number of workers, on which nothing may hang


class Shown(NamedTuple):
    """What days say about one goal, or all of them together (`goal` is -1).

    probability : that is asked for
    low : what it is at least, with the confidence of the plan; one-sided
    holds : whether that is shown
    """

    goal: int
    met: int
    days: int
    probability: float
    low: float
    holds: bool


class Verified(NamedTuple):
    """A decision on fresh days.

    figures : key figures of each day's run; None of one that failed
    beyond : excess of each goal, float64[days, goals]
    running_rmb : float64[days]
    """

    decision: Decision
    figures: list[Figures | None]
    beyond: np.ndarray
    running_rmb: np.ndarray
    shown: list[Shown]
    complete: bool

    @property
    def holds(self) -> bool:
        """Whether every goal and all together are shown."""
        return self.complete and all(one.holds for one in self.shown)

    @property
    def misses(self) -> int:
        """Days that miss any goal."""
        return int((self.beyond > 0).any(axis=1).sum())

    def risk(self, confidence: float) -> tuple[float, float, float]:
        """Share of days that miss any goal, with both ends of its interval."""
        days = len(self.figures)
        low, high = interval(self.misses, days, confidence)
        return self.misses / days, low, high

    def cost_rmb(self, measures: Measures) -> tuple[float, float]:
        """Mean cost, price included, and the half-width of its interval."""
        price = price_rmb(measures.configs.axes, self.decision)
        found = t_interval(self.running_rmb, measures.plan.confidence)
        return price + float(found.mean), float(found.half_width)


def verify(
    step: str, measures: Measures, decision: Decision, days: Sequence[Day], *, give_up: bool, at_once: int = AT_ONCE
) -> Verified:
    """Try a decision on fresh days.

    Parameters
    ----------
    give_up : stop when so many days have missed that the goals cannot be shown any more
    """
    plan, seen = measures.plan, list[Figures | None]()
    goals = range(len(plan.goals))
    allowed = [most_misses(goal.probability, len(days), plan.confidence) for goal in plan.goals]
    together = most_misses(plan.together, len(days), plan.confidence)
    beyond = np.empty((0, len(plan.goals)))
    running = np.empty(0)
    while len(seen) < len(days):
        batch = days[len(seen) : len(seen) + at_once]
        figures = measures.figures(step, WHOLE, [(decision, day) for day in batch])
        trials = [measures.trial(one, goals) for one in figures]
        seen += figures
        beyond = np.vstack([beyond, [trial.beyond for trial in trials]])
        running = np.append(running, [trial.running_rmb for trial in trials])
        missing = beyond > 0
        hopeless = (missing.sum(axis=0) > allowed).any() or missing.any(axis=1).sum() > together
        if give_up and hopeless:
            break
    return Verified(decision, seen, beyond, running, _shown(measures, beyond), len(seen) == len(days))


def _shown(measures: Measures, beyond: np.ndarray) -> list[Shown]:
    plan, days = measures.plan, beyond.shape[0]
    found = []
    for k, goal in [*enumerate(plan.goals), (-1, None)]:
        met = int((beyond.max(axis=1) <= 0).sum()) if goal is None else int((beyond[:, k] <= 0).sum())
        probability = plan.together if goal is None else goal.probability
        low = lower_bound(met, days, plan.confidence)
        found.append(Shown(k, met, days, probability, low, low >= probability))
    return found
