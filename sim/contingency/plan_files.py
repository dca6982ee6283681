"""Plans as data: a table that a planner reads and edits in a spreadsheet, or a user's own in YAML."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from sim.params.base import ParameterError, build
from sim.params.contingency import PlanParams

GROUPS = ("fault", "detect", "act", "guard")
_MOST_TOLD = 20


def as_csv(plans: Sequence[PlanParams]) -> str:
    """The plans as CSV: one row each, columns by dotted name."""
    rows = [_flat(plan) for plan in plans]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["id"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def read_plans(text: str, name: str) -> list[PlanParams]:
    """Plans of a CSV (`name` ends with .csv) or of a YAML list.

    Raises
    ------
    ParameterError
        With file, row or number, dotted path, rule and value of everything that is no plan; and of every two that are the same.
    """
    plans: list[PlanParams] = []
    problems: list[str] = []
    for where, values in _rows_of(text, name):
        try:
            plans.append(build(PlanParams, values, where))
        except ParameterError as error:
            problems += error.problems
    problems += _same(plans, name)
    if problems:
        more = len(problems) - _MOST_TOLD
        raise ParameterError([*problems[:_MOST_TOLD], *([f"{name}: {more} more problems"] if more > 0 else [])])
    return plans


def read_file(file: str | Path) -> list[PlanParams]:
    """Plans of a file; raises `ParameterError` as `read_plans` does, and when the file cannot be read."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise ParameterError([f"{file} cannot be read: {error.strerror}"]) from None
    return read_plans(text, str(file))


def _rows_of(text: str, name: str) -> list[tuple[str, Mapping[str, Any]]]:
    if name.endswith(".csv"):
        return [
            (f"{name} row {number}", _nested(row)) for number, row in enumerate(csv.DictReader(io.StringIO(text)), 2)
        ]
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError([f"{name} cannot be read as YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise ParameterError([f"{name} must be a list of plans, each a group of names and values"])
    return [(f"{name} plan {number}", one) for number, one in enumerate(found, 1)]


def _flat(plan: PlanParams) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in plan.model_dump(exclude={"fault": {"onset_s"}, "from_s": True}).items():
        if isinstance(value, Mapping):
            flat |= {
                f"{name}.{inner}": f"{item:g}" if isinstance(item, float) else item for inner, item in value.items()
            }
        else:
            flat[name] = f"{value:g}" if isinstance(value, float) else value
    return flat


def _nested(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row's cells as the groups of a plan; cells that are numbers are numbers, but where a name is asked for."""
    values: dict[str, Any] = {}
    for name, cell in row.items():
        group, dot, inner = str(name).partition(".")
        worded = (inner or group) in _WORDS
        value = cell if worded or cell is None else _number(cell)
        if dot:
            values.setdefault(group, {})[inner] = value
        else:
            values[group] = value
    return values


_WORDS = ("id", "owner", "kind", "where", "course", "metric", "at", "expects")


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _same(plans: Sequence[PlanParams], name: str) -> list[str]:
    """A message for every two plans with one id, or with the same fault, detection, action and scope."""
    problems = []
    ids: dict[str, int] = {}
    keys: dict[tuple[object, ...], str] = {}
    for number, plan in enumerate(plans, 1):
        if plan.id in ids:
            problems.append(f"{name}: plans {ids[plan.id]} and {number} have the same id {plan.id!r}")
        elif plan.key in keys:
            problems.append(
                f"{name}: plan {plan.id} has the fault, detection, action and scope of plan {keys[plan.key]}"
            )
        ids.setdefault(plan.id, number)
        keys.setdefault(plan.key, plan.id)
    return problems
