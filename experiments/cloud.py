"""Scaling policies side by side on the same shoppers, and next year on last year's peak: what they cost, what they lose.

Question: which policy loses how many orders for what money, and what would last year's peak as this year's normal cost?
Run:      peakday cloud scale=0.001
Reads:    configs/
Writes:   OUTPUT/report.html, cloud.parquet and cloud.json, frontier and machines as SVG and PNG, when output=DIR is given
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from sim.params import Params

if TYPE_CHECKING:
    import pandas as pd

HELP = "scaling policies: cost against lost orders, and last year's peak as next year's base"

_TEXT = """Simulates the site of one festival under several scaling policies, with the same shoppers, and compares what
their machines cost with the orders that they lose. Then the year after: the demand of 2013 on fixed machines, as many
as served at most under the policy that keeps its target in 2012 ("last year's peak is next year's normal"), and under
that policy again."""

_NAMES = """parameters:
  scale=0.001         share of the day's shoppers
  seed=1              of the draws
  replications=1      runs of each policy, with seeds seed, seed + 1, ...; from two on the report has intervals
  boot_s=120          mean time from order to boot [s]
  output=DIR          write report.html, cloud.parquet, cloud.json and the figures of frontier and machines there"""


class CloudQuestionParams(Params):
    """Parameters of the question."""

    scale: float = Field(default=0.001, gt=0, le=1)
    seed: int = Field(default=1, ge=0)
    replications: int = Field(default=1, ge=1)
    boot_s: float = Field(default=120.0, gt=0)
    output: str | None = None


class Policy(NamedTuple):
    """A policy that is compared: its name, its option of the group cloud, and what is changed in it."""

    name: str
    option: str
    overrides: tuple[str, ...] = ()


POLICIES = (
    Policy("everyday machines", "fixed"),
    Policy("threshold", "threshold"),
    Policy("target 70 %", "target", ("cloud.policy.target_share=0.7",)),
    Policy("target 50 %", "target"),
    Policy("target 30 %", "target", ("cloud.policy.target_share=0.3",)),
    Policy("forecast 90 %", "predictive", ("cloud.policy.target_share=0.9",)),
    Policy("forecast 70 %", "predictive"),
    Policy("forecast 50 %", "predictive", ("cloud.policy.target_share=0.5",)),
    Policy("by the clock", "scheduled"),
)
REACTIVE = "target 50 %"


class Outcome(NamedTuple):
    """What a policy comes to, of the real day."""

    year: int
    policy: str
    seed: int
    peak_machines: float  # of all services of the cloud at once
    machine_h: float
    cost_rmb: float
    orders: float
    orders_lost: float
    error_rate_first_hour: float


def main(arguments: Sequence[str]) -> int:
    """Run the policies; the exit status is 0."""
    from experiments.arguments import with_units
    from experiments.options import folder, parse, parser, write_rows
    from sim import store

    options = parser("cloud", "", _TEXT, _NAMES).parse_intermixed_args(arguments)
    params = parse(CloudQuestionParams, options.overrides)
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0
    directory = folder(params.output)
    nights: dict[str, pd.DataFrame] = {}
    runs = (compare(_of_seed(params, number), nights=nights) for number in range(params.replications))
    rows = table([outcome for one in runs for outcome in one])
    _show(means(rows))
    if directory is not None:
        about = {"params": params.model_dump(), "source_hash": store.source_hash()}
        write_rows(directory, "cloud", about, rows)
        write_frontier(directory, means(rows), params.scale)
        write_machines(directory, nights, params.scale)
        _report(directory, rows, params, arguments)
    return 0


def _of_seed(params: CloudQuestionParams, number: int) -> CloudQuestionParams:
    return params.model_copy(update={"seed": params.seed + number, "replications": 1})


def compare(
    params: CloudQuestionParams,
    policies: Sequence[Policy] = POLICIES,
    nights: "dict[str, pd.DataFrame] | None" = None,
) -> list[Outcome]:
    """The outcome of each policy in 2012, and of two in 2013: last year's peak for good, and the policy that made it.

    nights : takes machines and load of each policy's first half hour, of the first seed
    """
    from sim.metrics.cloud import peak_machines

    outcomes, peak = [], {}
    for policy in policies:
        outcome, tables = _run(params, 2012, policy)
        outcomes.append(outcome)
        if nights is not None:
            nights.setdefault(policy.name, _night(tables, params.scale))
        if policy.name == REACTIVE:
            peak = peak_machines(tables["machines"])
    if peak:
        again = next(policy for policy in policies if policy.name == REACTIVE)
        for policy in (last_years_peak(peak), again):
            outcomes.append(_run(params, 2013, policy)[0])
    return outcomes


def _night(tables: Mapping[str, Any], scale: float) -> "pd.DataFrame":
    from sim.metrics.cloud import servers_and_load, together
    from sim.plots.cloud import NIGHT_S, NIGHT_STEP_S

    of_services = servers_and_load(
        tables["machines"], tables["site_seconds"], scale=scale, end_s=NIGHT_S, step_s=NIGHT_STEP_S
    )
    return together(of_services)


def last_years_peak(peak: Mapping[str, int]) -> Policy:
    """Fixed machines, of each service as many as served at most in the year before."""
    base = (f"cloud.services.{service}.start_machines={machines}" for service, machines in peak.items())
    return Policy("last year's peak", "fixed", tuple(base))


def table(outcomes: Sequence[Outcome]) -> "pd.DataFrame":
    """The outcomes as a table."""
    import pandas as pd

    return pd.DataFrame(outcomes, columns=list(Outcome._fields))


def means(rows: "pd.DataFrame") -> "pd.DataFrame":
    """The mean of each policy's seeds, in the order of the policies."""
    return rows.drop(columns="seed").groupby(["year", "policy"], sort=False).mean().reset_index()


def _report(directory: Path, rows: "pd.DataFrame", params: CloudQuestionParams, words: Sequence[str]) -> None:
    """report.html into a folder."""
    from sim import runner
    from sim.report.clouds import write_clouds_report
    from sim.store import explained

    reactive = next(policy for policy in POLICIES if policy.name == REACTIVE)
    config = runner.composed("festival_2012", _overrides(params, 2012, reactive))
    provenance = {"params": params.model_dump(), "code": runner.code(), "versions": runner.versions()}
    command = shlex.join(["peakday", "cloud", *words])
    with explained(directory):
        page = write_clouds_report(directory, rows, config, command, provenance)
    print(f"report: {page}")


def _overrides(params: CloudQuestionParams, year: int, policy: Policy) -> list[str]:
    demand, cloud = f"demand=tmall_{year}", f"cloud={policy.option}"
    return [demand, "parcels=off", "rehearsal=off", cloud, f"cloud.boot_s={params.boot_s}", *policy.overrides]


def write_frontier(directory: Path, rows: "pd.DataFrame", scale: float) -> None:
    """frontier.svg and frontier.png of the first year into a folder."""
    import matplotlib as mpl

    from sim.plots import draw_frontier, style

    with mpl.rc_context(style.RC):
        figure = draw_frontier(rows[rows["year"] == rows["year"].min()], scale)
        figure.savefig(directory / "frontier.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(directory / "frontier.png", dpi=110, metadata={"Software": None})


def write_machines(directory: Path, nights: "Mapping[str, pd.DataFrame]", scale: float) -> None:
    """machines.svg and machines.png, a panel a policy, into a folder."""
    import matplotlib as mpl

    from sim.plots import style
    from sim.plots.cloud import draw_policies

    with mpl.rc_context(style.RC):
        figure = draw_policies(nights, scale)
        figure.savefig(directory / "machines.svg", metadata={"Date": None, "Creator": None})
        figure.savefig(directory / "machines.png", dpi=110, metadata={"Software": None})


def _run(params: CloudQuestionParams, year: int, policy: Policy) -> tuple[Outcome, Mapping[str, Any]]:
    from sim import runner

    print(f"{year}: {policy.name} ...", flush=True)
    result = runner.simulate(
        "festival_2012",
        overrides=_overrides(params, year, policy),
        scale=params.scale,
        seed=params.seed,
    )
    kpis = result.kpis
    outcome = Outcome(
        year,
        policy.name,
        params.seed,
        kpis["cloud_peak_machines"],
        kpis["cloud_machine_h"],
        kpis["machine_cost_rmb"],
        kpis["orders"] / params.scale,
        kpis["orders_lost"] / params.scale,
        kpis["error_rate_first_hour"],
    )
    return outcome, result.tables


def _show(rows: "pd.DataFrame") -> None:
    from rich.console import Console
    from rich.table import Table

    from sim.plots.style import quantity

    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("year")
    shown.add_column("policy", no_wrap=True)
    for column in ("machines, most", "machine hours", "cost, RMB", "orders", "orders lost", "failed, first hour"):
        shown.add_column(column, justify="right")
    for row in rows.itertuples():
        numbers = (row.peak_machines, row.machine_h, row.cost_rmb, row.orders, row.orders_lost)
        failed = f"{100 * row.error_rate_first_hour:.1f} %"
        shown.add_row(str(row.year), row.policy, *(quantity(number) for number in numbers), failed)
    Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(shown)
