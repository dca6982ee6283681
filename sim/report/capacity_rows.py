"""The tables of a capacity plan's report, as text."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from sim.plots.style import quantity
from sim.report.assumptions import Assumption
from sim.report.rows import NONE, Table, shown


class Plan(NamedTuple):
    """What the report is made of.

    asked : the plan file, as plain values
    tables : as in `sim.capacity.tables.tables`
    holds : whether the plan is shown to meet its goals; in_search : whether the search found any that did
    runs : counts by step, as in `sim.capacity.runs.Counts`
    assumed : what the plan file assumes
    """

    asked: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    holds: bool
    in_search: bool
    runs: Mapping[str, Mapping[str, float]]
    assumed: Sequence[Assumption] = ()


def plan_rows(plan: Plan) -> Table:
    """A row a variable: what is there, what the plan takes, what it costs."""
    rows = []
    for row in plan.tables["variables"].itertuples():
        if row.ordered:
            there, taken = quantity(row.owned, 4), f"{quantity(row.chosen, 4)} {row.unit}"
            between = f"{quantity(row.low, 4)} to {quantity(row.high, 4)}"
            each = quantity(row.unit_price_rmb, 4) if row.unit_price_rmb else NONE
        else:
            there, taken, between, each = (
                row.owned_text,
                row.chosen_text,
                f"{row.options.count(', ') + 1} options",
                NONE,
            )
        rows.append((row.label, there, taken, between, each, quantity(row.price_rmb) if row.price_rmb else NONE))
    price = float(plan.tables["variables"]["price_rmb"].sum())
    own = plan.tables["plans"].iloc[0]
    rows.append(("Prices together", "", "", "", "", quantity(price, 4)))
    rows.append(("Running costs, mean over the days", "", "", "", "", quantity(own.cost_rmb - price, 4)))
    header = ("", "there already", "the plan", "could be", "RMB each", "RMB")
    note = "RMB each: for what comes on top of what is there. Running costs: trips, and servers by the hour."
    return Table("The plan", header, rows, note)


def goal_rows(plan: Plan) -> Table:
    """A row a goal: its limit, what fresh days gave, and what its probability is at least."""
    by_goal = plan.tables["verification"].query("plan == 0").set_index("goal")
    days = plan.tables["days"].query("plan == 0")
    rows = []
    for goal in plan.tables["goals"].itertuples():
        one = by_goal.loc[goal.goal]
        values = days[goal.figure].dropna()
        worst = values.quantile(0.9 if goal.sense == "at most" else 0.1)
        rows.append(
            (
                goal.label,
                f"{goal.sense} {shown(goal.limit, goal.kind)}",
                shown(float(values.median()), goal.kind) if len(values) else NONE,
                shown(float(worst), goal.kind) if len(values) else NONE,
                f"{one.met} of {one.days}",
                f"≥ {percent(one.low)}",
                percent(one.probability),
                "yes" if one.holds else "no",
            )
        )
    one = by_goal.loc[-1]
    rows.append(
        (
            "All goals together", "", "", "", f"{one.met} of {one.days}", f"≥ {percent(one.low)}", percent(one.probability),
            "yes" if one.holds else "no",
        )
    )  # fmt: skip
    header = ("", "limit", "median day", "nine days in ten keep to", "days met", "probability", "asked for", "shown")
    note = (
        f"Probability: the exact one-sided lower bound of Clopper and Pearson at a confidence of "
        f"{100 * plan.asked['confidence']:g} %, each goal by itself."
    )
    return Table("The goals on fresh days", header, rows, note)


def plan_table(plan: Plan) -> Table:
    """A row a plan that was tried on fresh days: cost and risk with their intervals."""
    names = {"as owned": "nothing added", "frontier": "cheaper"}
    rows = [
        (
            names.get(row.role, row.role),
            f"{quantity(row.cost_rmb, 4)} ± {quantity(row.cost_half_width_rmb, 2)}",
            f"{row.days - row.misses} of {row.days}",
            f"{percent(row.risk)} ({percent(row.risk_low)} to {percent(row.risk_high)})",
            _differences(plan, row),
        )
        for row in plan.tables["plans"].sort_values("cost_rmb", kind="stable").itertuples()
    ]
    header = ("plan", "RMB", "days that met all goals", "risk", "beside the plan")
    note = "Risk: share of fresh days that miss any goal, with its exact 95 % interval."
    return Table("Cost against risk", header, rows, note)


def _differences(plan: Plan, row: Any) -> str:
    if row.role == "the plan":
        return ""
    first = plan.tables["plans"].iloc[0]
    found = []
    for variable in plan.tables["variables"].itertuples():
        here, there = getattr(row, variable.variable), first[variable.variable]
        if here != there:
            found.append(f"{variable.variable} {_level(here)} for {_level(there)}")
    return "; ".join(found)


def _level(value: Any) -> str:
    return value if isinstance(value, str) else quantity(float(value), 4)


def input_rows(plan: Plan) -> Table:
    """What is drawn anew for each day, and how."""
    kinds = {
        "uniform": lambda one: f"evenly from {one['low']:g} to {one['high']:g}",
        "normal": lambda one: f"normal, mean {one['mean']:g}, deviation {one['sigma']:g}",
        "lognormal": lambda one: f"lognormal, median {one['median']:g}, deviation of the logarithm {one['sigma']:g}",
        "outcomes": lambda one: ", ".join(f"{name} {100 * out['share']:g} %" for name, out in one["outcomes"].items()),
    }
    rows = [(one["label"], kinds[one["kind"]](one)) for one in plan.asked["inputs"].values()]
    return Table("What is not known beforehand", ("", "drawn anew for each day"), rows)


def sensitivity_rows(plan: Plan) -> Table | None:
    """The two inputs that move each figure most; None where that was not asked."""
    table = plan.tables["sensitivity"]
    if table.empty:
        return None
    labels = plan.tables["goals"].set_index("figure")["label"].to_dict() | {"cost_rmb": "Running cost"}
    rows = []
    for figure, own in table.groupby("figure", sort=False):
        largest = own.dropna(subset="total").sort_values("total", ascending=False, kind="stable").head(2)
        told = [_index(row) for row in largest.itertuples()] or ["does not vary", ""]
        rows.append((str(labels[figure]), *told))
    note = "Total Sobol index with its 95 % bootstrap interval."
    return Table("What moves each figure most", ("", "first", "second"), rows, note)


def _index(row: Any) -> str:
    return f"{row.name.replace('_', ' ')} {row.total:.2f} ({row.total_low:.2f} to {row.total_high:.2f})"


def afterwards_rows(plan: Plan) -> Table | None:
    """The plan on the day that came out; None without one."""
    table = plan.tables["afterwards"]
    if table.empty:
        return None
    rows = []
    for goal in plan.tables["goals"].itertuples():
        values = table[goal.figure].dropna()
        met = (values <= goal.limit) if goal.sense == "at most" else (values >= goal.limit)
        spread = (
            f"{shown(float(values.min()), goal.kind)} to {shown(float(values.max()), goal.kind)}"
            if len(values)
            else NONE
        )
        mean = shown(float(values.mean()), goal.kind) if len(values) else NONE
        rows.append(
            (
                goal.label,
                f"{goal.sense} {shown(goal.limit, goal.kind)}",
                mean,
                spread,
                f"{int(met.sum())} of {len(table)}",
            )
        )
    header = ("", "limit", "mean", "least and greatest", "runs that met it")
    return Table(
        plan.asked["afterwards"]["label"],
        header,
        rows,
        f"{len(table)} runs with the plan on the day that came out, no input drawn.",
    )


def percent(share: float) -> str:
    """A share for people."""
    return f"{100 * share:.1f} %".replace(".0 %", " %")


def listed(names: list[str]) -> str:
    """Names as a sentence has them."""
    if not names:
        return "nothing more than there is"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
