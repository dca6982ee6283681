"""The report of a capacity plan: question, answer with intervals, plan, fresh days, what it hangs on, how to run it again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from sim.plots.capacity import CAPTIONS, write_capacity_figures
from sim.plots.figures import FOLDER
from sim.plots.style import quantity
from sim.report.answers import Answer, kept_together
from sim.report.assumptions import Assumption, assumptions, commented_values
from sim.report.capacity_rows import (
    Plan,
    afterwards_rows,
    goal_rows,
    input_rows,
    listed,
    percent,
    plan_rows,
    plan_table,
    sensitivity_rows,
)
from sim.report.document import FILE_NAME, inline_svg
from sim.report.page import closing, rendered
from sim.report.rows import shown

MOST_NAMED = 6  # variables in the answer


def answer(plan: Plan) -> Answer:
    """The answer in a paragraph: what to take, what it costs, how sure that is; or which goal cannot be met, and by how much."""
    own = plan.tables["plans"].iloc[0]
    together = plan.tables["verification"].query("plan == 0 and goal == -1").iloc[0]
    cost = _cost(own)
    what = _what(plan.tables["variables"])
    confidence = f"{100 * plan.asked['confidence']:g} %"
    met = f"All goals were met on {together.met} of {together.days} fresh days"
    low, asked = percent(together.low), percent(together.probability)
    if plan.holds:
        days = f"{met}: that they are on the {asked} asked for is shown with a confidence of {confidence}."
        text = f"The least-cost plan that could be shown to meet every goal costs {cost}: {what}. {days}{_others(plan)}"
        return Answer(plan.asked["question"], f"RMB {quantity(own.cost_rmb)}", kept_together(text))
    failing = " ".join(_short_of(plan, row) for row in _not_shown(plan).itertuples())
    first = (
        "No plan in the box met every goal in the search."
        if not plan.in_search
        else "The search found plans, but none of those tried could be shown to meet every goal on fresh days."
    )
    days = f"{met}: with a confidence of {confidence} the probability is at least {low}, asked for are {asked}."
    text = f"{first} The closest costs {cost}: {what}. {days} {failing}"
    return Answer(plan.asked["question"], "Not within these limits", kept_together(text))


def _others(plan: Plan) -> str:
    """What became of cheaper plans on fresh days, a sentence; none when no other was tried."""
    roles = plan.tables["plans"]["role"].value_counts()
    if before := roles.get("failed before", 0):
        ones = "A cheaper one" if before == 1 else f"{before} cheaper ones"
        return f" {ones} failed on these days before it; the confidence is of this plan by itself."
    return " The next cheaper one that was tried does not hold." if "does not hold" in roles else ""


def _cost(own: pd.Series) -> str:
    return f"RMB {quantity(own.cost_rmb, 4)} (± {quantity(own.cost_half_width_rmb, 2)})"


def _is_more(row: Any) -> bool:
    """Whether a variable of the plan is worth a word: options that are taken, numbers above what is there."""
    return bool(row.chosen > row.owned) if row.ordered else row.chosen_text != row.owned_text


def _what(variables: pd.DataFrame) -> str:
    """What a plan takes beyond what is there, the dearest first."""
    taken = [
        row for row in variables.sort_values("price_rmb", ascending=False, kind="stable").itertuples() if _is_more(row)
    ]
    told = listed([_taken(row) for row in taken[:MOST_NAMED]])
    return f"{told}; the table tells the rest" if len(taken) > MOST_NAMED else told


def _taken(row: Any) -> str:
    price = f" for RMB {quantity(row.price_rmb)}" if row.price_rmb else ""
    if not row.ordered:
        return f"{row.label} ({row.chosen_text}){price}"
    return f"{row.label}, {quantity(row.chosen, 4)} {row.unit},{price}".rstrip(",")


def _not_shown(plan: Plan) -> pd.DataFrame:
    return plan.tables["verification"].query("plan == 0 and goal >= 0 and not holds")


def _short_of(plan: Plan, row: Any) -> str:
    """How far a goal is from being met: the value that enough of the days keep to."""
    goal = plan.tables["goals"].iloc[row.goal]
    values = plan.tables["days"].query("plan == 0")[goal.figure].dropna()
    worse = goal.probability if goal.sense == "at most" else 1 - goal.probability
    reached = float(values.quantile(worse)) if len(values) else float("nan")
    at = "at most" if goal.sense == "at most" else "at least"
    return (
        f"{goal.label}: {at} {shown(goal.limit, goal.kind)} was met on {row.met} of {row.days} days; "
        f"{percent(goal.probability)} of the days keep to {shown(reached, goal.kind)}."
    )


def assumed_in(text: str) -> list[Assumption]:
    """What a plan file says that it assumes, line by line, from its comments."""
    found = []
    for line in commented_values(text):
        unit, _, reason = (part.strip() for part in line.comment.partition(";"))
        if reason.startswith("assumed"):
            found.append(
                Assumption(line.path, _value(line.value), unit, reason.removeprefix("assumed").lstrip(": "), False)
            )
    return found


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return f"{value:,}" if isinstance(value, int) and abs(value) >= 10_000 else str(value)


def write_capacity_report(
    directory: Path, plan: Plan, params: Mapping[str, Any], provenance: Mapping[str, Any]
) -> Path:
    """Write `directory`/report.html, self-contained, and its figures.

    Parameters
    ----------
    params : config of a run of the plan
    provenance : how the plan was worked out, any JSON, with its `command`
    """
    drawn = write_capacity_figures(directory, plan.tables, plan.asked["together"])
    told = answer(plan)
    text = rendered(
        "capacity.html.j2",
        **closing(directory, assumptions(params), provenance["command"], provenance),
        title=told.question,
        answers=[told],
        how=_how(plan),
        figures={name: _figure(directory, name) for name in drawn},
        plan=plan_rows(plan),
        goals=goal_rows(plan),
        plans=plan_table(plan),
        inputs=input_rows(plan),
        sensitivity=sensitivity_rows(plan),
        afterwards=afterwards_rows(plan),
        afterwards_text=_afterwards_text(plan),
        fixed=listed(plan.tables["variables"].query("fixed")["label"].tolist()),
        assumed=plan.assumed,
    )
    path = directory / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def _how(plan: Plan) -> str:
    runs = sum(int(one["runs"]) for one in plan.runs.values())
    hours = sum(float(one["wall_s"]) for one in plan.runs.values()) / 3600
    effort = plan.asked["effort"]
    return (
        f"{len(plan.tables['variables'])} variables, {len(plan.tables['goals'])} goals, {len(plan.asked['inputs'])} inputs that "
        f"are not known beforehand and are drawn anew for each day; {runs:,} runs at scale {plan.asked['scale']:g} "
        f"({hours:.1f} h, one after the other). The search tried decisions on the same {effort['days']} days; the plan was "
        f"verified on {effort['verification_days']} others."
    )


def _figure(directory: Path, name: str) -> dict[str, Any]:
    svg = (directory / FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    return {"svg": Markup(inline_svg(svg, f"f{name}")), "caption": CAPTIONS[name]}


def _afterwards_text(plan: Plan) -> str:
    table = plan.tables["afterwards"]
    if table.empty:
        return ""
    return f"{plan.asked['afterwards']['label']}: the plan met all goals in {int(table['met'].sum())} of {len(table)} runs."
