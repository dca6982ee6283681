"""What was found, in a few small tables: all that the figures and the report are made of."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.capacity.axes import Axis, Decision
from sim.capacity.days import described
from sim.capacity.runs import Figures
from sim.capacity.study import Outcome
from sim.capacity.verification import Verified
from sim.report.compared import known

PLAN, OWNED, BESIDE = "the plan", "as owned", "frontier"
BEFORE, SURER, AFTER = "failed before", "holds, dearer", "does not hold"


def tables(found: Outcome) -> dict[str, pd.DataFrame]:
    """Tables by name: variables, goals, screening, trials, plans, verification, days, sensitivity, afterwards."""
    plans = [(PLAN, found.chosen), *((BESIDE, one) for one in found.others[:-1]), (OWNED, found.others[-1])]
    verdict = found.verdict
    for role, verified in ((BEFORE, verdict.before), (SURER, verdict.surer), (AFTER, verdict.after)):
        plans += [(role, one) for one in verified]
    return {
        "variables": _variables(found),
        "goals": _goals(found),
        "screening": _screening(found),
        "trials": _trials(found),
        "plans": _plans(found, plans),
        "verification": _verification(found, plans),
        "days": pd.concat([_days(found, number, one) for number, (_, one) in enumerate(plans)], ignore_index=True),
        "sensitivity": pd.DataFrame([index._asdict() for index in found.indices]),
        "afterwards": _afterwards(found),
    }


def _axes(found: Outcome) -> list[Axis]:
    return found.measures.configs.axes


def _variables(found: Outcome) -> pd.DataFrame:
    """One row a variable: its range, what is owned, what the plan takes, and the price of that."""
    rows = []
    part_of = {k: part.name for part in found.parts for k in part.variables}
    for k, (axis, variable) in enumerate(zip(_axes(found), found.measures.plan.variables.values(), strict=True)):
        level, owned = found.chosen.decision[k], found.owned[k]
        labels = {name: option.label or name for name, option in (variable.options or {}).items()}
        rows.append(
            {
                "variable": axis.name,
                "label": axis.label,
                "unit": axis.unit,
                "part": part_of[k],
                "ordered": axis.ordered,
                "low": axis.levels[0] if axis.ordered else np.nan,
                "high": axis.levels[-1] if axis.ordered else np.nan,
                "owned": (variable.owned or 0.0) if axis.ordered else np.nan,
                "chosen": axis.levels[level] if axis.ordered else np.nan,
                "owned_text": "" if axis.ordered else labels[str(axis.levels[owned])],
                "chosen_text": "" if axis.ordered else labels[str(axis.levels[level])],
                "options": "" if axis.ordered else ", ".join(labels.values()),
                "unit_price_rmb": variable.price_rmb if axis.ordered else np.nan,
                "price_rmb": axis.prices_rmb[level],
                "fixed": k in found.fixed,
            }
        )
    return pd.DataFrame(rows)


def _goals(found: Outcome) -> pd.DataFrame:
    """One row a goal; `kind` as in `report.compared.known`, limits of the real day."""
    part_of = {k: part.name for part in found.parts for k in part.goals}
    return pd.DataFrame(
        [
            {
                "goal": k,
                "figure": goal.figure,
                "label": known(goal.figure).label,
                "kind": known(goal.figure).kind,
                "sense": "at most" if goal.most is not None else "at least",
                "limit": goal.limit,
                "probability": goal.probability,
                "part": part_of.get(k, "whole"),
            }
            for k, goal in enumerate(found.measures.plan.goals)
        ]
    )


def _screening(found: Outcome) -> pd.DataFrame:
    names = [axis.name for axis in _axes(found)]
    figures = [*(goal.figure for goal in found.measures.plan.goals), "cost"]
    part_of = {k: part.name for part in found.parts for k in part.variables}
    return pd.DataFrame(
        [
            {
                "part": part_of[one.variable],
                "variable": names[one.variable],
                "figure": figures[one.goal],
                "absolute": one.absolute,
                "mean": one.mean,
                "deviation": one.deviation,
            }
            for one in found.effects
        ]
    )


def _trials(found: Outcome) -> pd.DataFrame:
    """One row a decision that a part's search tried, in the order in which they were."""
    frames = []
    for part, judged in found.judged:
        by_decision = {one.decision: one for one in judged}
        rows = []
        for number, (decision, stage) in enumerate(part.search.stages.items()):
            one = by_decision[decision]
            rows.append(
                {
                    "part": part.name,
                    "number": number,
                    "stage": stage,
                    "cost_rmb": one.cost_rmb,
                    "days": one.days,
                    "misses": one.misses,
                    "worst": float(one.worst.max()),
                    "met": one.is_met and one.days == part.search.days,
                }
                | {axis.name: axis.levels[level] for axis, level in zip(part.axes, decision, strict=True)}
            )
        frames.append(pd.DataFrame(rows))
    return pd.concat(frames, ignore_index=True)


def _plans(found: Outcome, plans: Sequence[tuple[str, Verified]]) -> pd.DataFrame:
    """One row a plan that was tried on fresh days: cost and risk with their intervals."""
    confidence = found.measures.plan.confidence
    rows = []
    for number, (role, one) in enumerate(plans):
        cost, half_width = one.cost_rmb(found.measures)
        risk, low, high = one.risk(confidence)
        rows.append(
            {
                "plan": number,
                "role": role,
                "cost_rmb": cost,
                "cost_half_width_rmb": half_width,
                "days": len(one.figures),
                "misses": one.misses,
                "risk": risk,
                "risk_low": low,
                "risk_high": high,
                "complete": one.complete,
                "holds": one.holds and role in (PLAN, SURER),
            }
            | _levels(_axes(found), one.decision)
        )
    return pd.DataFrame(rows)


def _levels(axes: Sequence[Axis], decision: Decision) -> dict[str, float | str]:
    return {axis.name: axis.levels[level] for axis, level in zip(axes, decision, strict=True)}


def _verification(found: Outcome, plans: Sequence[tuple[str, Verified]]) -> pd.DataFrame:
    """One row a plan and goal: on how many days it was met, and what its probability is at least."""
    figures = [*(goal.figure for goal in found.measures.plan.goals), "all goals together"]
    return pd.DataFrame(
        [
            {"plan": number, "role": role, "figure": figures[shown.goal], **shown._asdict()}
            for number, (role, one) in enumerate(plans)
            for shown in one.shown
        ]
    )


def _days(found: Outcome, number: int, one: Verified) -> pd.DataFrame:
    """One row a fresh day of a plan: what it brought, the figures of the goals, the cost."""
    rows = []
    price = float(sum(axis.prices_rmb[k] for axis, k in zip(_axes(found), one.decision, strict=True)))
    for day, figures, beyond, running in zip(found.fresh, one.figures, one.beyond, one.running_rmb, strict=False):
        row: dict[str, Any] = {"plan": number, "seed": day.seed}
        row |= {"cost_rmb": price + float(running), "met": bool((beyond <= 0).all())}
        row |= {f"input_{name}": value for name, value in described(found.measures.plan.inputs, day).items()}
        rows.append(row | _of_the_goals(found, figures))
    return pd.DataFrame(rows)


def _of_the_goals(found: Outcome, figures: Figures | None) -> dict[str, float]:
    """Figures of the goals of the real day; NaN where nothing was measured."""
    values = {}
    for goal, counts in zip(found.measures.plan.goals, found.measures.counts, strict=True):
        value = None if figures is None else figures.get(goal.figure)
        values[goal.figure] = np.nan if value is None else float(value) / (found.measures.plan.scale if counts else 1.0)
    return values


def _afterwards(found: Outcome) -> pd.DataFrame:
    rows = []
    for number, figures in enumerate(found.afterwards):
        trial = found.measures.trial(figures, range(len(found.measures.plan.goals)))
        rows.append({"run": number, "met": bool((trial.beyond <= 0).all())} | _of_the_goals(found, figures))
    return pd.DataFrame(rows)
