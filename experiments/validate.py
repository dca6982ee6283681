"""Simulated against theory: set-ups whose answer is known, replicated until an error of 3 % would stand out.

Question: does the simulator give the numbers that theory gives, and would it be noticed if it did not?
Run:      peakday validate
Reads:    nothing
Writes:   OUTPUT/validate.parquet and validate.json, when output=DIR is given
"""

import math
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from pydantic import Field

from sim.params import ParameterError, Params

if TYPE_CHECKING:
    import pandas as pd

    from sim.lab.checks import Check

HELP = "simulated against theory, one row a check"

PLANTED = (
    1.03  # the error that every row has to be able to notice: services that take 3 % longer, or what the check says
)
ALARM_SHARE = 0.01  # of the runs of a right simulator in which any row at all is red
LEAST_REACH = 2.0
ROUNDING = 1e-9  # of what does not vary at all

_TEXT = """Simulates set-ups whose answer is known and compares. A row is red when theory lies outside the interval of
the replications, widened so that a right simulator gets any red row in 1 % of the runs; it is blunt when a planted
error would not shift theory by twice that interval: services that take 3 % longer, or what fits the law and is said in
the table. The exit status is 1 unless all rows are green."""

_NAMES = """parameters:
  seed=1              of the draws
  replications=20     independent runs of each set-up
  scale=1             length of the runs, as a share of the full length
  threads=2           to run on; they change no number
  planted_share=0     plants an error, services that much longer or what a check says instead, to see rows turn red
  output=DIR          write validate.parquet and validate.json there"""


class ValidateParams(Params):
    """Parameters of the question."""

    seed: int = 1
    replications: int = Field(default=20, ge=2)
    scale: float = Field(default=1.0, gt=0)
    threads: int = Field(default=2, ge=1)
    planted_share: float = Field(default=0.0, gt=-1)
    output: str | None = None


class Row(NamedTuple):
    """One measure of one set-up."""

    check: str
    law: str
    measure: str
    theory: float
    simulated: float  # mean over replications
    half_width: float  # of its 95 % interval
    reach: float  # how far the planted error shifts theory, in half-widths of the widened interval
    verdict: str  # green, red or blunt
    planted: str  # the error that the reach is about


def main(arguments: Sequence[str]) -> int:
    """Run the checks; the exit status is 0 when all rows are green."""
    from experiments.arguments import with_units
    from experiments.options import folder, parse, parser, write_rows
    from sim import store
    from sim.lab.checks import CHECKS

    words = parser("validate", "[--only NAME ...] ", _TEXT, _NAMES)
    words.add_argument("--only", metavar="NAME", action="append", help="only this check, such as A1; may be repeated")
    options = words.parse_intermixed_args(arguments)
    params = parse(ValidateParams, options.overrides)
    checks = select(CHECKS, options.only)
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0

    directory = folder(params.output)
    started_s = time.perf_counter()
    rows = validate(checks, params)
    wall_s = time.perf_counter() - started_s
    _show(rows)
    greens = sum(row.verdict == "green" for row in rows)
    print(f"{greens} of {len(rows)} rows are green; {wall_s:.0f} s")
    if directory is not None:
        about = {"params": params.model_dump(), "source_hash": store.source_hash(), "wall_s": wall_s}
        write_rows(directory, "validate", about, table(rows))
    return 0 if greens == len(rows) else 1


def select(checks: "Sequence[Check]", names: Iterable[str] | None) -> "list[Check]":
    """The checks of the given names; all for None.

    Raises
    ------
    ParameterError
        When a name is not that of a check.
    """
    if names is None:
        return list(checks)
    known = sorted({check.name for check in checks})
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(f"--only {name} is not a check (known: {', '.join(known)})" for name in unknown)
    return [check for check in checks if check.name in set(names)]


def validate(checks: "Sequence[Check]", params: ValidateParams) -> list[Row]:
    """Simulate and judge, one row for every measure of every check."""
    from rich.console import Console
    from rich.progress import track

    from sim.draws import stream

    load = 1.0 + params.planted_share
    runs = [
        (check, int(stream(params.seed, f"{check.name}/{check.law}/{replication}")))
        for check in checks
        for replication in range(params.replications)
    ]
    with ThreadPoolExecutor(params.threads) as pool:
        results = pool.map(lambda run: run[0].simulate(run[1], params.scale, load), runs)
        shown = track(results, "validate", total=len(runs), console=Console(stderr=True), transient=True)
        measured = list(shown)
    n = params.replications
    expected = [check.expected(1.0) for check in checks]
    rows_in_all = sum(map(len, expected))
    return [
        _judge(check, measure, [values[measure] for values in measured[i * n : (i + 1) * n]], rows_in_all)
        for i, check in enumerate(checks)
        for measure in expected[i]
    ]


def table(rows: Sequence[Row]) -> "pd.DataFrame":
    """The rows as a table."""
    import pandas as pd

    return pd.DataFrame(rows, columns=list(Row._fields))


def _judge(check: "Check", measure: str, values: Sequence[float], rows_in_all: int) -> Row:
    """Hold one measure's replications against theory. The widening is Bonferroni's, for all rows of the run."""
    from scipy.stats import t

    theory, shifted = check.expected(1.0)[measure], check.expected(PLANTED)[measure]
    simulated = float(np.mean(values))
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half_width = float(t.ppf(0.975, len(values) - 1)) * error
    widened = float(t.ppf(1.0 - ALARM_SHARE / rows_in_all / 2.0, len(values) - 1)) * error
    allowed = widened + check.tolerance + ROUNDING * abs(theory)
    reach = abs(shifted - theory) / allowed if allowed > 0 else math.inf
    agrees = abs(simulated - theory) <= allowed
    verdict = "red" if not agrees else "blunt" if reach < LEAST_REACH else "green"
    return Row(check.name, check.law, measure, theory, simulated, half_width, reach, verdict, check.planted)


def _show(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    from sim.lab.checks.check import LONGER

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("check", "set-up", "measure"):
        shown.add_column(column)
    for column in ("theory", "simulated", "± 95 %", "reach", "verdict"):
        shown.add_column(column, justify="right", no_wrap=True)
    colour = {"green": "green", "red": "bold red", "blunt": "yellow"}
    for row in rows:
        numbers = (f"{row.theory:.6g}", f"{row.simulated:.6g}", f"{row.half_width:.2g}", f"{row.reach:.1f}")
        law = row.law if row.planted == LONGER else f"{row.law} (planted: {row.planted})"
        measure = row.measure.replace("[", "\\[")
        shown.add_row(row.check, law, measure, *numbers, f"[{colour[row.verdict]}]{row.verdict}[/]")
    Console(highlight=False, width=None if sys.stdout.isatty() else 150).print(shown)
