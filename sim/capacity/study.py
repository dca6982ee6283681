"""A plan, worked out: screening, search, verification, frontier, sensitivity, one after the other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sim.capacity.axes import Decision, dearest, price_rmb
from sim.capacity.candidates import RISK_SEARCHED, Say, Verdict, candidates_of, frontier, verified
from sim.capacity.configs import WHOLE, Configs
from sim.capacity.days import Day, fresh_days, given_days, search_days
from sim.capacity.parts import Measures, Part, make_parts
from sim.capacity.runs import Figures, Runs
from sim.capacity.screening import effects, trajectories
from sim.capacity.search import LEAST_GAIN, SCREENED, Judged, Levels
from sim.capacity.sensitivity import Index, sobol
from sim.capacity.verification import Verified, verify
from sim.draws import stream

MATTERS = 0.02
"""A variable matters when it moves some goal's figure by this share of its limit, on the mean over the box."""
RELAXED = 3.0
"""Times the allowed risk, at which cheaper decisions are looked for, for the frontier."""


class Effect(NamedTuple):
    """What a variable does to a figure when it is moved through its whole range: mean of absolute effects, mean, deviation.

    `goal` is -1 for the cost. Shares of the goal's limit; RMB.
    """

    variable: int
    goal: int
    absolute: float
    mean: float
    deviation: float


class Outcome(NamedTuple):
    """All that was found.

    fixed : variables that matter to no goal
    verdict : the plan, or what comes closest, and what was tried on fresh days before and after it
    in_search : whether the search found any that met its goals
    others : of the frontier, and the decision as it is owned last
    """

    measures: Measures
    parts: list[Part]
    days: list[Day]
    fresh: list[Day]
    effects: list[Effect]
    fixed: set[int]
    judged: list[tuple[Part, list[Judged]]]
    verdict: Verdict
    in_search: bool
    others: list[Verified]
    owned: Decision
    indices: list[Index]
    afterwards: list[Figures | None]

    @property
    def chosen(self) -> Verified:
        """The plan, or what comes closest."""
        return self.verdict.chosen


def work_out(configs: Configs, runs: Runs, say: Say = lambda text: None) -> Outcome:
    """Find the least-cost plan.

    Raises
    ------
    ParameterError
        When a goal's figure is not measured.
    sim.sweeps.engine.EngineError
        When the workers fail as a whole; what they have done is kept.
    """
    plan = configs.plan
    measures = Measures(configs, runs)
    days = search_days(plan.seed, plan.effort.days, len(plan.inputs))
    parts = make_parts(measures, days)
    found_effects, fixed = [], set[int]()
    for part in parts:
        own, idle = _screen(part, measures)
        found_effects += own
        fixed |= idle
    if fixed:
        say(f"of no account to any goal: {', '.join(configs.axes[k].name for k in sorted(fixed))}")
    found_ends = [(part, _search(part, measures, say)) for part in parts]
    _relax([(part, end) for part, end in found_ends if end is not None], measures)
    candidates, in_search = candidates_of(parts, measures, say)
    fresh = fresh_days(plan.seed, plan.effort.verification_days, len(plan.inputs))
    verdict = verified(candidates, parts, measures, fresh, in_search, say)
    chosen = verdict.chosen
    owned = owned_decision(configs)
    known = {owned, *(one.decision for one in (chosen, *verdict.before, *verdict.surer, *verdict.after))}
    others = [
        verify("frontier", measures, one, fresh[: plan.effort.frontier_days], give_up=False)
        for one in [*frontier(parts, chosen.decision, known, measures), owned]
    ]
    indices = _sensitivity(parts, measures, chosen.decision) if plan.effort.sensitivity_points else []
    afterwards: list[Figures | None] = []
    if plan.afterwards is not None:
        as_it_was = [(chosen.decision, Day(plan.seed + number, ())) for number in range(plan.afterwards.runs)]
        afterwards = measures.figures("afterwards", WHOLE, as_it_was, plan.afterwards.overrides)
    judged = [(part, part.search.all_judged(part.levels(plan, RISK_SEARCHED), complete=False)) for part in parts]
    return Outcome(
        measures, parts, days, fresh, found_effects, fixed, judged, verdict, in_search, others, owned,
        indices, afterwards,
    )  # fmt: skip


def owned_decision(configs: Configs) -> Decision:
    """What there is already: of each number the level next to what is owned, of options the cheapest."""
    found = []
    for axis, variable in zip(configs.axes, configs.plan.variables.values(), strict=True):
        owned = variable.owned or 0.0
        level = min(range(len(axis.levels)), key=lambda n: abs(float(axis.levels[n]) - owned)) if axis.ordered else 0
        found.append(level)
    return tuple(found)


def _screen(part: Part, measures: Measures) -> tuple[list[Effect], set[int]]:
    """Elementary effects of a part's variables; those that matter to no goal are fixed at their cheapest level."""
    plan, search, step = measures.plan, part.search, f"screening of the {part.name}"
    draws = np.random.default_rng(int(stream(plan.seed, f"capacity.screening.{part.name}")))
    paths = trajectories(part.axes, plan.effort.screening_paths, draws)
    every = [decision for path in paths for decision in path]
    search.some(step, every, plan.effort.screening_days, SCREENED)
    outcomes = {}
    for decision in every:
        own = search.trials(decision)
        on = [own[day] for day in search.order[: plan.effort.screening_days]]
        cost = price_rmb(part.axes, decision) + float(np.mean([trial.running_rmb for trial in on]))
        outcomes[decision] = np.append(np.mean([trial.beyond for trial in on], axis=0), cost)
    by_path = effects(part.axes, paths, outcomes)
    found = []
    for k, variable in enumerate(part.variables):
        for j, goal in enumerate((*part.goals, -1)):
            own_effects = by_path[:, k, j]
            found.append(
                Effect(
                    variable,
                    goal,
                    float(np.abs(own_effects).mean()),
                    float(own_effects.mean()),
                    float(own_effects.std()),
                )
            )
    idle = {
        variable
        for variable in part.variables
        if all(one.absolute < MATTERS for one in found if one.variable == variable and one.goal >= 0)
        and part.axes[part.variables.index(variable)].ordered
    }
    fixed = {k: part.axes[k].cheapest for k, variable in enumerate(part.variables) if variable in idle}
    if fixed and not _can_be_fixed(part, fixed, step, part.levels(plan, RISK_SEARCHED)):
        return found, set()  # something was hidden behind what is too small everywhere on the paths
    search.fixed = fixed
    return found, idle


def _can_be_fixed(part: Part, fixed: Mapping[int, int], step: str, levels: Levels) -> bool:
    """Whether the dearest decision meets its goals as well when some variables are at their cheapest."""
    first = dearest(part.axes)
    with_fixed = tuple(fixed.get(k, level) for k, level in enumerate(first))
    part.search.complete(step, [with_fixed], SCREENED)
    before, after = (part.search.judged(one, levels).worst for one in (first, with_fixed))
    return bool((after <= np.maximum(before, 0.0)).all())


def _search(part: Part, measures: Measures, say: Say) -> Judged | None:
    """Sample, then descend from the best; None when no decision met the goals."""
    plan, search = measures.plan, part.search
    levels = part.levels(plan, RISK_SEARCHED)
    step = f"search of the {part.name}"
    seed = int(stream(plan.seed, f"capacity.sampler.{part.name}")) % 2**32
    search.sample(step, levels, plan.effort.trials, plan.effort.batch, seed)
    best = search.best(levels)
    if best is None:
        say(f"{part.name}: no decision met its goals on {plan.effort.days} days")
        return None
    end = search.judged(search.descend(step, best.decision, levels), levels)
    say(f"{part.name}: the least cost that met its goals on {plan.effort.days} days is RMB {end.cost_rmb:,.0f}")
    return end


def _relax(ends: Sequence[tuple[Part, Judged]], measures: Measures) -> None:
    """Go on from where each part's search ended at a relaxed level, for the frontier, by steps that the whole cost would feel."""
    least_rmb = LEAST_GAIN * sum(end.cost_rmb for _, end in ends)
    one_day = 1 / measures.plan.effort.days  # has to meet the goals, however much risk is allowed
    for part, end in ends:
        relaxed = part.levels(measures.plan, RELAXED)
        relaxed = Levels(tuple(max(share, one_day) for share in relaxed.goals), max(relaxed.together, one_day))
        part.search.relax(f"frontier of the {part.name}", end.decision, relaxed, least_rmb)


def _sensitivity(parts: Sequence[Part], measures: Measures, decision: Decision) -> list[Index]:
    """Sobol indices of the goals' figures and the running cost at the plan, part by part."""
    plan = measures.plan
    names = list(plan.inputs)

    def measure(points: np.ndarray) -> np.ndarray:
        found = np.full((len(points), len(plan.goals) + 1), np.nan)
        found[:, -1] = 0.0
        days = given_days(plan.seed, points[:, :-1], points[:, -1])
        for part in parts:
            step = f"sensitivity of the {part.name}"
            figures = measures.figures(step, part.name, [(decision, day) for day in days])
            for row, one in zip(found, figures, strict=True):
                for k in part.goals:
                    value = None if one is None else one.get(plan.goals[k].figure)
                    row[k] = np.nan if value is None else value
                row[-1] += measures.trial(one, ()).running_rmb
        return found

    figures = [*(goal.figure for goal in plan.goals), "cost_rmb"]
    return sobol(measure, names, figures, plan.effort.sensitivity_points, plan.seed)
