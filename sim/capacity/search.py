"""The least-cost decision that meets goals with given shares of days: a sampler for the whole box, then a pattern search.

Every decision is tried on the same days, the hardest first, and given up as soon as more of them miss a goal than may.

Sources: S. Watanabe (2023), arXiv:2304.11127 (tree-structured Parzen estimator, as in optuna's TPESampler); R. Hooke,
T. A. Jeeves (1961), J. ACM 8(2), doi:10.1145/321062.321069 (pattern search); O. Maron, A. W. Moore (1997), Artificial
Intelligence Review 11, doi:10.1023/A:1006556606079 (racing).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sim.capacity.axes import Axis, Decision, price_rmb
from sim.capacity.goals import misses_allowed, order_statistic

SAMPLED, PATTERN, SCREENED, FIRST = "sampled", "pattern", "screened", "first"
MOST_ROUNDS = 40
MOST_EXCHANGES = 10
LEAST_GAIN = 0.01  # of the cost: what saves less is not worth the runs
_TOLD = 10.0  # constraints are told to the sampler within this


class Trial(NamedTuple):
    """What a day made of a decision: excess of each goal, float64[goals], and costs on top of the prices [RMB]."""

    beyond: np.ndarray
    running_rmb: float


TryOut = Callable[[str, Sequence[tuple[Decision, int]]], list[Trial]]
"""Tries decisions on days, by their numbers: step, pairs -> a trial for each pair."""


class Judged(NamedTuple):
    """What is known of a decision.

    days : that it was tried on
    worst : excess that all days but those that may miss keep to, for each goal and all together; a lower bound before all days
    cost_rmb : price and mean running cost of the days so far
    misses : days that miss any goal
    """

    decision: Decision
    days: int
    worst: np.ndarray
    cost_rmb: float
    misses: int

    @property
    def is_met(self) -> bool:
        """Whether nothing speaks against it so far."""
        return bool((self.worst <= 0).all())


class Levels(NamedTuple):
    """Shares of days that have to meet each goal, and all of them together."""

    goals: tuple[float, ...]
    together: float


class Search:
    """All that is tried of one part.

    Parameters
    ----------
    axes : of the part's variables
    days : that a decision is tried on at the most
    first_days : the hardest, that every decision is tried on
    try_out : as `TryOut`
    """

    def __init__(self, axes: Sequence[Axis], days: int, first_days: int, try_out: TryOut) -> None:
        self.axes = list(axes)
        self.days = days
        self._first_days, self._try_out = first_days, try_out
        self._trials: dict[Decision, dict[int, Trial]] = {}
        self.order = list(range(days))
        self.stages: dict[Decision, str] = {}
        self.fixed: dict[int, int] = {}

    def complete(self, step: str, decisions: Sequence[Decision], stage: str) -> None:
        """Try decisions on all days."""
        self.some(step, decisions, self.days, stage)

    def order_days(self) -> None:
        """Put the days first that were the hardest for the first decision."""
        first = next(iter(self._trials.values()))
        hardness = {day: float(first[day].beyond.max(initial=-np.inf)) for day in range(self.days)}
        self.order = sorted(range(self.days), key=lambda day: (-hardness[day], day))

    def some(self, step: str, decisions: Sequence[Decision], days: int, stage: str) -> None:
        """Try decisions on the first days of the order."""
        pairs = []
        for decision in dict.fromkeys(decisions):
            self.stages.setdefault(decision, stage)
            own = self._trials.setdefault(decision, {})
            pairs += [(decision, day) for day in self.order[:days] if day not in own]
        for (decision, day), trial in zip(pairs, self._try_out(step, pairs) if pairs else [], strict=True):
            self._trials[decision][day] = trial

    def trials(self, decision: Decision) -> dict[int, Trial]:
        """What was tried of a decision, by day."""
        return self._trials[decision]

    def judged(self, decision: Decision, levels: Levels) -> Judged:
        """A decision by what is known of it."""
        own = self._trials[decision]
        beyond = np.array([trial.beyond for trial in own.values()])
        allowed = [misses_allowed(share, self.days) for share in levels.goals]
        worst = [float(order_statistic(beyond[:, [k]], misses)[0]) for k, misses in enumerate(allowed)]
        every = beyond.max(axis=1, keepdims=True, initial=-np.inf)  # a part may have no goals
        worst.append(float(order_statistic(every, misses_allowed(levels.together, self.days))[0]))
        running = float(np.mean([trial.running_rmb for trial in own.values()]))
        cost = price_rmb(self.axes, decision) + running
        return Judged(decision, len(own), np.array(worst), cost, int((every > 0).sum()))

    def all_judged(self, levels: Levels, *, complete: bool = True) -> list[Judged]:
        """Every decision, or every one that was tried on all days, cheapest first."""
        found = [self.judged(one, levels) for one, own in self._trials.items() if not complete or len(own) == self.days]
        return sorted(found, key=lambda one: (one.cost_rmb, one.decision))

    def best(self, levels: Levels) -> Judged | None:
        """The cheapest that meets the goals on enough of all days."""
        return next((one for one in self.all_judged(levels) if one.is_met), None)

    def closest(self, step: str, levels: Levels, count: int = 4) -> Judged:
        """The decision that misses the goals by least, in shares of their limits."""

        def far(one: Judged) -> tuple[float, float]:
            return float(one.worst.max()), one.cost_rmb

        nearest = sorted(self.all_judged(levels, complete=False), key=far)[:count]
        self.complete(step, [one.decision for one in nearest], PATTERN)
        return min(self.all_judged(levels), key=far)

    def race(
        self, step: str, decisions: Sequence[Decision], levels: Levels, stage: str, below_rmb: float = np.inf
    ) -> None:
        """Try decisions on more and more days, while they may still meet the goals for less than `below_rmb`."""
        left = list(dict.fromkeys(decisions))
        halfway = (self._first_days + self.days + 1) // 2
        for days in (self._first_days, halfway, self.days):
            self.some(step, left, days, stage)
            judged = [self.judged(one, levels) for one in left]
            left = [one.decision for one in judged if one.is_met and one.cost_rmb < below_rmb]

    def sample(self, step: str, levels: Levels, trials: int, batch: int, seed: int) -> None:
        """Let optuna's sampler propose decisions, so many at once; it is told first what is known already."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, constant_liar=True)
        study = optuna.create_study(sampler=sampler)
        for known in list(self._trials):
            if self._fits(known):
                study.enqueue_trial(self._parameters(known))
                self._tell(study, study.ask(), known, levels)
        for begun in range(0, trials, batch):
            asked = [study.ask() for _ in range(min(batch, trials - begun))]
            decisions = [self._asked(trial) for trial in asked]
            best = self.best(levels)
            self.race(step, decisions, levels, SAMPLED, np.inf if best is None else best.cost_rmb)
            for trial, decision in zip(asked, decisions, strict=True):
                self._tell(study, trial, decision, levels)

    def descend(self, step: str, start: Decision, levels: Levels) -> Decision:
        """Go down from a decision while a cheaper one meets the goals, by long steps and then by shorter ones."""
        best = self.judged(start, levels)
        lengths = [max((len(axis.levels) - 1) // 3, 1) for axis in self.axes]
        for _ in range(MOST_ROUNDS):
            moved = self._step(step, self._moves(best.decision, lengths), best, levels)
            if moved is not None:
                best = moved
                continue
            if max(lengths) > 1:
                lengths = [max(length // 2, 1) for length in lengths]
                continue
            exchanged = self._better(step, self._exchanges(best.decision), best, levels)
            if not exchanged:
                break
            best = min(exchanged, key=lambda one: (one.cost_rmb, one.decision))
        return best.decision

    def relax(self, step: str, start: Decision, levels: Levels, least_rmb: float) -> Decision:
        """Go on down from where `descend` ended, at levels that allow more risk: quickly, for a rough answer.

        Only by the shortest steps that save `least_rmb`, or that have no price. What has no more of anything than a decision that
        missed its goals is taken to miss them too.
        """
        best = self.judged(start, levels)
        for _ in range(MOST_ROUNDS):
            lengths = [_length(axis, here, least_rmb) for axis, here in zip(self.axes, best.decision, strict=True)]
            moves = self._moves(best.decision, lengths)
            moved = self._step(
                step, [one for one in moves if not self._has_less_than_a_miss(one, levels)], best, levels
            )
            if moved is None:
                break
            best = moved
        return best.decision

    def _step(self, step: str, moves: Sequence[Decision], best: Judged, levels: Levels) -> Judged | None:
        """The best of some moves, or all the good ones together; None when none is good."""
        good = self._better(step, moves, best, levels)
        if not good:
            return None
        together = self._together(best.decision, [one.decision for one in good])
        both = [*good, *self._better(step, [together], best, levels)]
        return min(both, key=lambda one: (one.cost_rmb, one.decision))

    def _better(self, step: str, moves: Sequence[Decision], best: Judged, levels: Levels) -> list[Judged]:
        """Those of some decisions that meet the goals for less."""
        self.race(step, moves, levels, PATTERN, (1 - LEAST_GAIN) * best.cost_rmb)
        return [one for one in (self.judged(move, levels) for move in moves) if self._beats(one, best)]

    def _beats(self, one: Judged, best: Judged) -> bool:
        return one.is_met and one.days == self.days and one.cost_rmb < (1 - LEAST_GAIN) * best.cost_rmb

    def _has_less_than_a_miss(self, decision: Decision, levels: Levels) -> bool:
        """Whether some decision with the same options and as much of everything, or more, has missed its goals."""
        return any(
            all(
                mine <= theirs if axis.ordered else mine == theirs
                for axis, mine, theirs in zip(self.axes, decision, tried, strict=True)
            )
            and not self.judged(tried, levels).is_met
            for tried in self._trials
        )

    def _moves(self, decision: Decision, lengths: Sequence[int]) -> list[Decision]:
        """Each variable moved once towards its cheapest level, and each other option."""
        moves = []
        for k, axis in enumerate(self.axes):
            if k in self.fixed:
                continue
            here = decision[k]
            if axis.ordered:
                there = {max(here - lengths[k], axis.cheapest)} if here > axis.cheapest and lengths[k] else set()
            else:
                there = set(range(len(axis.levels))) - {here}
            moves += [(*decision[:k], level, *decision[k + 1 :]) for level in sorted(there)]
        return moves

    def _exchanges(self, decision: Decision) -> list[Decision]:
        """One variable a level cheaper and another one dearer, where the prices fall: the largest savings."""
        free = [k for k, axis in enumerate(self.axes) if axis.ordered and k not in self.fixed]
        found = []
        for less in free:
            for more in free:
                level = decision[less] - 1, decision[more] + 1
                if less == more or level[0] < self.axes[less].cheapest or level[1] >= len(self.axes[more].levels):
                    continue
                place = list(decision)
                place[less], place[more] = level
                found.append(tuple(place))
        before = price_rmb(self.axes, decision)
        saving = [(price_rmb(self.axes, one) - before, one) for one in found]
        return [one for change, one in sorted(saving) if change < 0][:MOST_EXCHANGES]

    def _together(self, start: Decision, moved: Sequence[Decision]) -> Decision:
        """All moves at once; of several options the first."""
        place = list(start)
        for decision in moved:
            for k, level in enumerate(decision):
                if level != start[k] and place[k] == start[k]:
                    place[k] = level
        return tuple(place)

    def _fits(self, decision: Decision) -> bool:
        return all(decision[k] == level for k, level in self.fixed.items())

    def _parameters(self, decision: Decision) -> dict[str, int]:
        return {axis.name: decision[k] for k, axis in enumerate(self.axes) if k not in self.fixed}

    def _asked(self, trial: Any) -> Decision:
        found = []
        for k, axis in enumerate(self.axes):
            if k in self.fixed:
                found.append(self.fixed[k])
            elif axis.ordered:
                found.append(trial.suggest_int(axis.name, 0, len(axis.levels) - 1))
            else:
                found.append(trial.suggest_categorical(axis.name, list(range(len(axis.levels)))))
        return tuple(found)

    def _tell(self, study: Any, trial: Any, decision: Decision, levels: Levels) -> None:
        self._asked(trial)
        judged = self.judged(decision, levels)
        for k, worst in enumerate(np.clip(judged.worst, -_TOLD, _TOLD).tolist()):
            trial.set_constraint(f"goal {k}", worst)
        study.tell(trial, judged.cost_rmb)


def _length(axis: Axis, here: int, least_rmb: float) -> int:
    """The shortest step down that saves so much; one level where all that are left have one price; 0 when there is none."""
    if axis.prices_rmb[here] == axis.prices_rmb[axis.cheapest]:
        return 1
    savings = (axis.prices_rmb[here] - axis.prices_rmb[level] for level in range(here - 1, axis.cheapest - 1, -1))
    return next((length for length, saved in enumerate(savings, start=1) if saved >= least_rmb), 0)
