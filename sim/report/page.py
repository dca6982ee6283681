"""What all reports share: the templates, and how they end: what they rest on, validation, how to run it again, appendices."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from sim.report.answers import kept_together
from sim.report.assumptions import Assumption

VALIDATION = "validate.json"
_ABOVE = 4  # folders above a report in which the table of `peakday validate` is looked for: OUTPUT/WHAT/NAME/.partial
_DIGITS = 6


class Validation(NamedTuple):
    """The table of `peakday validate`: check, set-up, measure, theory, simulated, half-width, verdict."""

    rows: list[tuple[str, ...]]
    green: int
    same_code: bool


def rendered(template: str, **values: Any) -> str:
    """The text of a template with values."""
    return _environment().get_template(template).render(**values)


def closing(
    directory: Path, assumed: Sequence[Assumption], command: str, provenance: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The values that the end of every report needs.

    Parameters
    ----------
    directory : of the report; a validation table is looked for there and in the folders above
    assumed : the assumed parameters
    command : what runs it again, as a shell takes it
    provenance : how it was made, any JSON, with the hash of the code in `code.source_hash`
    """
    told = None if provenance is None else json.dumps(provenance, indent=2, ensure_ascii=False, default=str)
    code = ((provenance or {}).get("code") or {}).get("source_hash")
    found = validation(directory, code)
    return {"assumptions": assumed, "command": command, "provenance": told, "validation": found}


def validation(directory: Path, code: str | None) -> Validation | None:
    """The table that `peakday validate output=OUTPUT` left in the results folder; None when there is none.

    Parameters
    ----------
    code : hash of the code that the report is about
    """
    for folder in (directory.absolute(), *directory.absolute().parents[:_ABOVE]):
        try:
            stored = json.loads((folder / VALIDATION).read_text(encoding="utf-8"))
            rows = [_row(row) for row in stored["rows"]]
        except (OSError, ValueError, KeyError, TypeError):
            continue
        green = sum(row["verdict"] == "green" for row in stored["rows"])
        return Validation(rows, green, stored.get("source_hash") == code)
    return None


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    numbers = (f"{row['theory']:.{_DIGITS}g}", f"{row['simulated']:.{_DIGITS}g}", f"{row['half_width']:.2g}")
    return (row["check"], row["law"], row["measure"], *numbers, row["verdict"])


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["kept_together"] = kept_together
    return made
