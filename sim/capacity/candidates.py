"""Whole decisions made of the parts' ones: which to verify, in which order, and which lie on the frontier."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from sim.capacity.axes import Decision
from sim.capacity.days import Day
from sim.capacity.goals import misses_allowed
from sim.capacity.parts import Measures, Part, joined, missed
from sim.capacity.search import Judged
from sim.capacity.verification import Verified, verify

RISK_SEARCHED = 0.5
"""The search asks for half the risk that is allowed: what just keeps to it on a few days would seldom be shown on fresh ones."""

Say = Callable[[str], None]


class Candidate(NamedTuple):
    """A whole decision as the search sees it: cost, excess it keeps to, and days of the search that miss a goal."""

    decision: Decision
    cost_rmb: float
    worst: np.ndarray
    misses: int


def candidates_of(parts: Sequence[Part], measures: Measures, say: Say) -> tuple[list[Candidate], bool]:
    """Whole decisions that met all goals in the search, cheapest first; else the one that comes closest."""
    plan = measures.plan
    pools = []
    met = True
    for part in parts:
        levels = part.levels(plan, RISK_SEARCHED)
        pool = [one for one in part.search.all_judged(levels) if one.is_met]
        if not pool:
            met = False
            pool = [part.search.closest(f"closest of the {part.name}", levels)]
        pools.append(pool)
    if not met:
        say("no decision in the box met all goals in the search; the closest is verified")
    found = [_candidate(parts, chosen) for chosen in _cheapest_first(pools)]
    allowed = misses_allowed(1 - RISK_SEARCHED * (1 - plan.together), plan.effort.days)
    return [one for one in found if one.misses <= allowed] if met and found[0].misses <= allowed else found, met


def _cheapest_first(pools: Sequence[Sequence[Judged]]) -> list[tuple[Judged, ...]]:
    """Combinations of the parts' decisions, by cost."""
    combined: list[tuple[Judged, ...]] = [()]
    for pool in pools:
        combined = [(*before, one) for before in combined for one in pool]
    return sorted(combined, key=lambda chosen: (sum(one.cost_rmb for one in chosen), [one.decision for one in chosen]))


def _candidate(parts: Sequence[Part], chosen: Sequence[Judged]) -> Candidate:
    """A whole decision; its excess in the order of the parts' goals."""
    misses = np.any([missed(part, one.decision) for part, one in zip(parts, chosen, strict=True)], axis=0)
    worst = np.concatenate([one.worst[:-1] for one in chosen])
    decision = joined(parts, [one.decision for one in chosen])
    return Candidate(decision, sum(one.cost_rmb for one in chosen), worst, int(misses.sum()))


def verified(
    candidates: Sequence[Candidate],
    parts: Sequence[Part],
    measures: Measures,
    fresh: Sequence[Day],
    in_search: bool,
    say: Say,
) -> tuple[Verified, list[Verified]]:
    """The cheapest candidate that holds on fresh days; after one that does not, only those that are safer where it failed."""
    tried: list[Verified] = []
    left = list(candidates)
    while left and len(tried) < measures.plan.effort.verified_plans:
        now = left[0]
        found = verify("verification", measures, now.decision, fresh, give_up=in_search)
        if found.holds or not in_search:
            return found, tried
        tried.append(found)
        say(f"a plan of RMB {now.cost_rmb:,.0f} missed a goal on {found.misses} of {len(found.figures)} fresh days")
        failing = _failing(parts, found)
        left = [one for one in left[1:] if (one.worst[failing] < now.worst[failing] - 1e-9).all()]
    last = min(tried, key=lambda one: (one.misses / len(one.figures), one.decision))
    tried.remove(last)
    return verify("verification", measures, last.decision, fresh, give_up=False), tried


def _failing(parts: Sequence[Part], found: Verified) -> list[int]:
    """Places, in the order of the parts' goals, of those that were missed on the most days."""
    order = [goal for part in parts for goal in part.goals]
    counts = (found.beyond > 0).sum(axis=0)
    return [order.index(goal) for goal in np.flatnonzero(counts == counts.max()).tolist() if goal in order]


def frontier(parts: Sequence[Part], chosen: Verified, measures: Measures) -> list[Decision]:
    """Decisions that no other beats in both cost and days missed in the search, one for each number of days, spread over them."""
    plan = measures.plan
    pools = [part.search.all_judged(part.levels(plan, RISK_SEARCHED)) for part in parts]
    by_misses: dict[int, Candidate] = {}
    for combined in _cheapest_first([_undominated(part, pool) for part, pool in zip(parts, pools, strict=True)]):
        one = _candidate(parts, combined)
        if all(misses > one.misses for misses in by_misses):
            by_misses[one.misses] = one
    found = [one.decision for one in by_misses.values() if one.decision != chosen.decision]
    if len(found) > plan.effort.frontier_plans:
        picks = np.linspace(0, len(found) - 1, plan.effort.frontier_plans).round().astype(int)
        found = [found[k] for k in dict.fromkeys(picks.tolist())]
    return found


def _undominated(part: Part, pool: Sequence[Judged]) -> list[Judged]:
    """Of a part's decisions, cheapest first, those whose missed days are not those of a cheaper one and more."""
    found: list[tuple[Judged, np.ndarray]] = []
    for one in pool:
        own = missed(part, one.decision)
        if not any((other <= own).all() for _, other in found):
            found.append((one, own))
    return [one for one, _ in found]
