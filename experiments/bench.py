"""Peakday's speed against SimPy and other simulators on the same customers, in one run, with the answers compared.

Question: how many customers a second of CPU time does each tool serve, and how many times as many does Peakday?
Run:      peakday bench, or peakday bench parcels=0.01,0.1 requests=0.01
Reads:    nothing
Writes:   OUTPUT/bench.parquet and bench.json, or events.parquet and events.json, when output=DIR is given
"""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from sim.params import Params

if TYPE_CHECKING:
    from experiments._bench.measure import Row

HELP = "speed against SimPy and other simulators, in one run"

_TEXT = """Serves the same customers with Peakday, SimPy and, where installed, Cimba, queueing-tool, Ciw and salabim
(pip install "peakday[bench]"), one right after the other in every round; the festival's first minute with Peakday and
SimPy. Shown are medians over the rounds, per second of CPU time. The exit status is 1 when any answer differs in a
single bit from Peakday's or Peakday misses a target: M/M/1000 150 times as fast as SimPy and 3.5 times as fast as
Cimba, six M/M/50 in a row 120 and 3 times.

With parcels= or requests= it measures instead what an event of the festival costs at these scales, on one thread: every
step of a parcel on the road alone, or every page request on the site alone."""

_NAMES = """parameters:
  seed=1              of the draws
  replications=5      rounds
  scale=1             customers, as a share of 200,000 (six stations in a row: 100,000; first minute: 3,000)
  least=1             share of the targets to be reached; 0: none
  parcels=0.01,1      scales at which to measure the road, instead of all that; from 0.01 to 1, seconds to three minutes a round
  requests=0.01       scales at which to measure the site; 1 takes ten minutes a round
  output=DIR          write bench.parquet and bench.json there"""


class BenchParams(Params):
    """Parameters of the question."""

    seed: int = 1
    replications: int = Field(default=5, ge=1)
    scale: float = Field(default=1.0, gt=0)
    least: float = Field(default=1.0, ge=0)
    parcels: tuple[float, ...] = ()
    requests: tuple[float, ...] = ()
    output: str | None = None

    @field_validator("parcels", "requests", mode="before")
    @classmethod
    def _listed(cls, text: object) -> object:
        if not isinstance(text, (str, int, float)):
            return text
        try:
            scales = tuple(float(word) for word in str(text).split(","))
        except ValueError:
            scales = (math.nan,)
        if not all(0 < scale <= 1 for scale in scales):
            raise ValueError(f"must be scales above 0 and up to 1 with commas between, got {text!r}")
        return scales


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit status is 0 when all answers are equal and Peakday is fast enough."""
    import pandas as pd
    from rich.console import Console

    from experiments._bench import first_minute, measure, tools, workloads
    from experiments.arguments import with_units
    from experiments.options import folder, parse, parser, write_rows
    from sim import store

    options = parser("bench", "", _TEXT, _NAMES).parse_intermixed_args(arguments)
    params = parse(BenchParams, options.overrides)
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0

    directory = folder(params.output)
    if params.parcels or params.requests:
        return _events(params, directory)
    usable, reasons = tools.usable(tools.TOOLS)
    rows: list[Row] = []
    for workload in workloads.WORKLOADS:
        with Console(stderr=True).status(workload.name):
            measured, failed = measure.measure(
                workload, usable, rounds=params.replications, seed=params.seed, scale=params.scale
            )
        rows += measured
        reasons |= {f"{name}, {workload.name}": reason for name, reason in failed.items()}
    with Console(stderr=True).status(first_minute.NAME):
        turns = first_minute.turns(seed=params.seed, scale=params.scale)
        rows += measure.in_rounds(first_minute.NAME, {}, turns, params.replications, measure.Failures())[0]
    _show(rows, reasons)
    if directory is not None:
        about = {
            "params": params.model_dump(),
            "source_hash": store.source_hash(),
            "versions": tools.versions(usable),
            "not_measured": reasons,
        }
        write_rows(directory, "bench", about, pd.DataFrame(rows, columns=list(measure.Row._fields)))
    return 0 if all(row.equal and row.ratio >= row.least * params.least for row in rows) else 1


def _events(params: BenchParams, directory: Path | None) -> int:
    """Measure what events cost; the exit status is 0 when that was done."""
    import pandas as pd
    from rich.console import Console

    from experiments._bench import events
    from experiments.figures import print_table, table_of
    from experiments.options import write_rows
    from sim import store

    wanted = [("parcel", scale) for scale in params.parcels] + [("request", scale) for scale in params.requests]
    festivals = [(event, events.params_of(event, scale, params.seed)) for event, scale in wanted]
    with Console(stderr=True).status("events"):
        rows = events.costs(festivals, params.replications)
    shown = table_of("event of a", "scale", "events", "CPU seconds", "ns an event")
    for row in rows:
        shown.add_row(row.event, f"{row.scale:g}", f"{row.events:,}", f"{row.cpu_s:.2f}", f"{row.ns_per_event:.1f}")
    print_table(shown)
    if directory is not None:
        about = {"params": params.model_dump(), "source_hash": store.source_hash()}
        write_rows(directory, "events", about, pd.DataFrame(rows, columns=list(events.Cost._fields)))
    return 0


def _show(rows: "Sequence[Row]", reasons: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("workload")
    shown.add_column("tool")
    for column in ("customers", "per CPU second", "Peakday: times", "at least", "answers"):
        shown.add_column(column, justify="right")
    for row in rows:
        answers = "equal, bit by bit" if row.equal else "[bold red]DIFFER[/]"
        least = f"{row.least:g}" if row.least else ""
        shown.add_row(
            row.workload, row.tool, f"{row.customers:,}", f"{row.per_s:,.0f}", f"{row.ratio:,.1f}", least, answers
        )
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    console.print(shown)
    for name, reason in reasons.items():
        console.print(f"{name}: {reason}", markup=False)
