"""Whole decisions made of the parts' ones: which to verify, in which order, and which lie on the frontier.

One that holds at once is followed by cheaper ones, in an order that the search has settled, until the first that does not hold.
That each of those that held reaches what is asked for is then shown at the confidence of one: a fixed sequence of tests needs
no correction.

Source: P. H. Westfall, A. Krishen (2001), Journal of Statistical Planning and Inference 99(1), doi:10.1016/S0378-3758(01)00077-5.
"""

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np

from sim.capacity.axes import Decision
from sim.capacity.days import Day
from sim.capacity.goals import misses_allowed
from sim.capacity.parts import Measures, Part, joined, missed
from sim.capacity.search import LEAST_GAIN, Judged
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


class Verdict(NamedTuple):
    """What fresh days say.

    chosen : the plan, or what comes closest
    before : cheaper plans that were tried before it and do not hold; the confidence is then of the plan by itself
    surer : dearer plans that hold, all shown together with the plan
    after : the cheaper plan at which the way down ended, as it does not hold
    """

    chosen: Verified
    before: list[Verified]
    surer: list[Verified]
    after: list[Verified]


def verified(
    candidates: Sequence[Candidate],
    parts: Sequence[Part],
    measures: Measures,
    fresh: Sequence[Day],
    in_search: bool,
    say: Say,
) -> Verdict:
    """Try candidates on fresh days.

    The first candidate is followed by cheaper ones while they hold. If it does not hold itself, dearer ones that were safer
    where it failed are tried until one does.
    """
    tried: list[Verified] = []
    left = list(candidates)
    while left and len(tried) < measures.plan.effort.verified_plans:
        now = left[0]
        found = verify("verification", measures, now.decision, fresh, give_up=in_search)
        if found.holds and in_search and not tried:
            return _stepped_down(found, now, parts, measures, fresh, say)
        if found.holds or not in_search:
            return Verdict(found, tried, [], [])
        tried.append(found)
        say(f"a plan of RMB {now.cost_rmb:,.0f} missed a goal on {found.misses} of {len(found.figures)} fresh days")
        failing = _failing(parts, found)
        left = [one for one in left[1:] if (one.worst[failing] < now.worst[failing] - 1e-9).all()]
    last = min(tried, key=lambda one: (one.misses / len(one.figures), one.decision))
    tried.remove(last)
    return Verdict(verify("verification", measures, last.decision, fresh, give_up=False), tried, [], [])


def _stepped_down(
    first: Verified, candidate: Candidate, parts: Sequence[Part], measures: Measures, fresh: Sequence[Day], say: Say
) -> Verdict:
    """From a plan that holds to cheaper ones, which may hold as far as the search knows, until one does not hold."""
    held, after = [first], list[Verified]()
    steps = [one for one in _ladder(parts, measures, candidate.cost_rmb) if _may_hold(parts, measures, one.decision)]
    for step in _spread(steps, measures.plan.effort.verified_plans - 1):
        say(
            f"a plan of RMB {held[-1].cost_rmb(measures)[0]:,.0f} holds; one of about RMB {step.cost_rmb:,.0f} is tried"
        )
        found = verify("verification", measures, step.decision, fresh, give_up=False)
        if not found.holds:
            after.append(found)
            break
        held.append(found)
    chosen = min(held, key=lambda one: one.cost_rmb(measures))
    return Verdict(chosen, [], [one for one in held if one is not chosen], after)


def _may_hold(parts: Sequence[Part], measures: Measures, decision: Decision) -> bool:
    """Whether as many days of the search as is asked for meet the goals of every part."""
    return all(part.search.judged(part.own(decision), part.levels(measures.plan)).is_met for part in parts)


def _failing(parts: Sequence[Part], found: Verified) -> list[int]:
    """Places, in the order of the parts' goals, of those that were missed on the most days."""
    order = [goal for part in parts for goal in part.goals]
    counts = (found.beyond > 0).sum(axis=0)
    return [order.index(goal) for goal in np.flatnonzero(counts == counts.max()).tolist() if goal in order]


def frontier(
    parts: Sequence[Part], chosen: Decision, known: Collection[Decision], measures: Measures
) -> list[Decision]:
    """Some of the cheaper decisions that no other beats in both cost and risk, the safest first; none of those that are known."""
    levels = [part.levels(measures.plan) for part in parts]
    cost_rmb = sum(part.search.judged(part.own(chosen), own).cost_rmb for part, own in zip(parts, levels, strict=True))
    found = [one for one in _ladder(parts, measures, cost_rmb) if one.decision not in known]
    return [one.decision for one in _spread(found, measures.plan.effort.frontier_plans)]


def _spread(rungs: list[Candidate], most: int) -> list[Candidate]:
    """So many of a list at the most: the first, and the others at equal steps up to the last."""
    if len(rungs) <= most:
        return rungs
    return [rungs[k] for k in dict.fromkeys(np.linspace(0, len(rungs) - 1, most).round().astype(int).tolist())]


def _ladder(parts: Sequence[Part], measures: Measures, below_rmb: float) -> list[Candidate]:
    """Decisions that no cheaper one matches in risk, dearest first, each cheaper than the one before by what is worth a run.

    Of two that missed as many days of the search the one with the smaller excess has the smaller risk.
    """
    found: list[Candidate] = []
    pools = [_undominated(part, part.search.all_judged(part.levels(measures.plan, RISK_SEARCHED))) for part in parts]
    for combined in _cheapest_first(pools):
        one = _candidate(parts, combined)
        if not found or _risk(one) < _risk(found[-1]):
            found.append(one)
    apart: list[Candidate] = []
    for one in reversed(found):
        if one.cost_rmb < (1 - LEAST_GAIN) * (apart[-1].cost_rmb if apart else below_rmb):
            apart.append(one)
    return apart


def _risk(one: Candidate) -> tuple[int, float]:
    return one.misses, float(one.worst.max(initial=-np.inf))


def _undominated(part: Part, pool: Sequence[Judged]) -> list[Judged]:
    """Of a part's decisions, cheapest first, those whose missed days and excess are not those of a cheaper one and more."""
    found: list[tuple[np.ndarray, float]] = []
    kept = []
    for one in pool:
        own, excess = missed(part, one.decision), float(one.worst[:-1].max(initial=-np.inf))
        if not any((other <= own).all() and other_excess <= excess for other, other_excess in found):
            found.append((own, excess))
            kept.append(one)
    return kept
