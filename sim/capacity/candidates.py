"""Whole decisions made of the parts' ones: which to verify, in which order, and which lie on the frontier.

One that holds at once is followed by cheaper ones, in an order that the search has settled, until the first that does not hold.
All that held are then shown together at the confidence of each: a fixed sequence of tests needs no correction.

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


def verified(
    candidates: Sequence[Candidate],
    parts: Sequence[Part],
    measures: Measures,
    fresh: Sequence[Day],
    in_search: bool,
    say: Say,
) -> tuple[Verified, list[Verified], list[Verified]]:
    """The plan; cheaper ones that do not hold; dearer ones that do.

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
            return found, tried, []
        tried.append(found)
        say(f"a plan of RMB {now.cost_rmb:,.0f} missed a goal on {found.misses} of {len(found.figures)} fresh days")
        failing = _failing(parts, found)
        left = [one for one in left[1:] if (one.worst[failing] < now.worst[failing] - 1e-9).all()]
    last = min(tried, key=lambda one: (one.misses / len(one.figures), one.decision))
    tried.remove(last)
    return verify("verification", measures, last.decision, fresh, give_up=False), tried, []


def _stepped_down(
    held: Verified, first: Candidate, parts: Sequence[Part], measures: Measures, fresh: Sequence[Day], say: Say
) -> tuple[Verified, list[Verified], list[Verified]]:
    """From a plan that holds to cheaper ones, of which the search thought that they might, until one does not hold."""
    plan, surer = measures.plan, list[Verified]()
    allowed = misses_allowed(plan.together, plan.effort.days)
    steps = [one for one in _ladder(parts, measures) if one.cost_rmb < first.cost_rmb and one.misses <= allowed]
    for step in _spread(list(reversed(steps)), plan.effort.verified_plans - 1):
        say(f"a plan of RMB {held.cost_rmb(measures)[0]:,.0f} holds; one of about RMB {step.cost_rmb:,.0f} is tried")
        found = verify("verification", measures, step.decision, fresh, give_up=False)
        if not found.holds:
            return held, [found], surer
        surer.append(held)
        held = found
    return held, [], surer


def _failing(parts: Sequence[Part], found: Verified) -> list[int]:
    """Places, in the order of the parts' goals, of those that were missed on the most days."""
    order = [goal for part in parts for goal in part.goals]
    counts = (found.beyond > 0).sum(axis=0)
    return [order.index(goal) for goal in np.flatnonzero(counts == counts.max()).tolist() if goal in order]


def frontier(parts: Sequence[Part], known: Collection[Decision], measures: Measures) -> list[Decision]:
    """Some of the decisions that no other beats in both cost and risk in the search; none of those that are known."""
    found = [one for one in _ladder(parts, measures) if one.decision not in known]
    return [one.decision for one in _spread(found, measures.plan.effort.frontier_plans)]


def _spread(rungs: list[Candidate], most: int) -> list[Candidate]:
    """So many of a list at the most, first and last among them."""
    if len(rungs) <= most:
        return rungs
    return [rungs[k] for k in dict.fromkeys(np.linspace(0, len(rungs) - 1, most).round().astype(int).tolist())]


def _ladder(parts: Sequence[Part], measures: Measures) -> list[Candidate]:
    """Decisions that no cheaper one matches in risk, cheapest first, each dearer than the one before by what is worth a run.

    Of two that missed as many days of the search the one with the smaller excess has the smaller risk.
    """
    found: list[Candidate] = []
    pools = [_undominated(part, part.search.all_judged(part.levels(measures.plan, RISK_SEARCHED))) for part in parts]
    for combined in _cheapest_first(pools):
        one = _candidate(parts, combined)
        if all(_risk(one) < _risk(other) and one.cost_rmb > (1 + LEAST_GAIN) * other.cost_rmb for other in found):
            found.append(one)
    return found


def _risk(one: Candidate) -> tuple[int, float]:
    return one.misses, float(one.worst.max())


def _undominated(part: Part, pool: Sequence[Judged]) -> list[Judged]:
    """Of a part's decisions, cheapest first, those whose missed days and excess are not those of a cheaper one and more."""
    found: list[tuple[Judged, np.ndarray]] = []
    for one in pool:
        own = missed(part, one.decision)
        if not any((other <= own).all() and cheaper.worst.max() <= one.worst.max() for cheaper, other in found):
            found.append((one, own))
    return [one for one, _ in found]
