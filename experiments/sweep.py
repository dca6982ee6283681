"""Many runs: points in the space of parameters times replications, on all cores or a cluster, resumed after a crash.

Question: how do the key figures hang on these parameters?
Run:      peakday sweep -m site.services.payment.machines=300,600 scale=0.001 replications=5
Reads:    configs/, sim/data/, FILE.csv for a design or for runs that are known
Writes:   OUTPUT/sweeps/NAME/ with table.parquet, provenance.json, figures/ and report.html; OUTPUT/sweeps/runs/
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import Field

from sim.params.base import ParameterError, Params, hint

if TYPE_CHECKING:
    from sim.sweeps.engine import Engine
    from sim.sweeps.plan import Plan
    from sim.sweeps.run import Sweep
    from sim.sweeps.work import Keep

HELP = "many runs: parameters by values, tables or designs, on all cores or a cluster"

_TEXT = """usage: peakday sweep -m NAME=VALUE,VALUE ... [NAME=LOW..HIGH ...] [OVERRIDES] [OPTION=VALUE ...] [--cfg job] [--help]

Runs every combination of the listed values, or the points of a design, each with the same seeds; prints the key figures
that it is about and writes OUTPUT/sweeps/NAME/ with table.parquet (a row for each run), provenance.json, figures/ and
report.html. Every run is kept as soon as it ends: begin a sweep again after a crash and only what is missing is run.
The exit status is 1 when a run has failed. docs/sweeps.md tells more, also about Slurm and Kubernetes.

Options
  design=FILE.csv       points from a table: names in the first line, a point a line
  design=lhs:64         64 points of a Latin hypercube over the ranges NAME=LOW..HIGH
  design=sobol:64       64 points of a scrambled Sobol sequence over the ranges
  replications=5        runs of each point, with seeds seed, seed + 1, ...; the same seeds at every point
  until=FIGURE:5%,...   more replications until each 95 % interval is within 5 % of its mean (FIGURE:2 for its own unit)
  most_replications=30  of a point, with until=
  figures=FIGURE,...    the key figures to plot and to tell about
  workers=2             runs at the same time; otherwise one for each core that has the memory
  engine=local          processes on this machine; ray: Ray Core, on this machine or at an address
  address=HOST:PORT     of a running Ray cluster
  keep=hub_hours,...    tables to keep of each run, or all for everything that peakday run keeps
  known=FILE.parquet    the table of another sweep, whose runs are read and not run
  pdf=true              write report.pdf, too; needs the extra [report]
  failed=again          run those again that failed; otherwise they count as known
  output=results        folder for the results

A sweep leaves out the rehearsal (rehearsal=payment_collapse brings it back) and gives each run one thread.

Examples
{examples}"""

EXAMPLES = {
    "peakday sweep -m site.services.payment.machines=300,600 replications=5": "two points, five seeds each",
    "peakday sweep -m weather=off,snow_northeast experiment=festival_2012,no_rail": "groups and experiments as axes",
    "peakday sweep -m design=lhs:64 site.services.payment.machines=300..900 demand.wireless_share=0.05..0.4": "a design",
    "peakday sweep -m site.cells=1,2,4 until=latency_p99_s:5%": "as many seeds as it takes",
    "peakday sweep -m design=points.csv engine=ray address=10.0.0.1:6379": "a table of points on a cluster",
}

DEFAULTS = {"rehearsal": "off", "threads": "1"}


class SweepOptions(Params):
    """What a sweep is told besides the parameters of its runs."""

    design: str | None = None
    until: str | None = None
    most_replications: int = Field(default=30, ge=3)
    figures: str | None = None
    workers: int | None = Field(default=None, ge=1)
    engine: Literal["local", "ray"] = "local"
    address: str | None = None
    keep: str | None = None
    known: str | None = None
    pdf: Literal["true", "false"] = "false"
    failed: Literal["known", "again"] = "known"


class _Asked(NamedTuple):
    """A checked command line."""

    options: SweepOptions
    plan: "Plan"
    base: dict[str, Any]
    figures: tuple[str, ...]


def main(arguments: Sequence[str]) -> int:
    """Run it; the exit status is 0 when every run is done, 1 when one has failed."""
    parser = argparse.ArgumentParser(prog="peakday sweep", usage="peakday sweep --help", add_help=False)
    parser.add_argument("words", nargs="*")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("-c", "--cfg", choices=["job"])
    typed = parser.parse_intermixed_args(arguments)
    if typed.help:
        print(_TEXT.format(examples="\n".join(f"  {command}\n      {told}" for command, told in EXAMPLES.items())))
        return 0

    from sim.sweeps.engine import EngineError

    asked = ask(typed.words)
    if typed.cfg:
        from experiments.arguments import with_units

        print(with_units(asked.base))
        return 0
    try:
        return _answer(asked, typed.words)
    except EngineError as error:
        raise ParameterError([f"{error} (what was done is kept)"]) from None


def ask(words: Sequence[str]) -> _Asked:
    """Take a command line apart and check it.

    Raises
    ------
    ParameterError
        With every problem of the options, the design and all points.
    """
    from experiments.options import parse
    from experiments.report import check_pdf
    from sim.compose import EXPERIMENT, axes
    from sim.metrics import kpis
    from sim.runner import DEFAULT_EXPERIMENT
    from sim.sweeps.design import ranges
    from sim.sweeps.plan import make_plan
    from sim.sweeps.stopping import goals

    problems: list[str] = []

    def checked(act: Any, otherwise: Any) -> Any:
        try:
            return act()
        except ParameterError as error:
            problems.extend(error.problems)
            return otherwise

    own = [word for word in words if word.partition("=")[0] in SweepOptions.model_fields]
    if checked(lambda: parse(SweepOptions, own), None) is None:  # what is right still tells what else is wrong
        own = list({word.partition("=")[0]: word for word in own if _is_right(word)}.values())
    options = parse(SweepOptions, own)
    about_runs = [word for word in words if word.partition("=")[0] not in SweepOptions.model_fields]
    others, drawn_from = checked(lambda: ranges(about_runs), ([], []))
    single, several = checked(lambda: axes(others), ([], []))
    experiments = [text.partition("=")[2] for text in single if text.startswith(f"{EXPERIMENT}=")]
    if len(experiments) > 1:
        problems.append(f"{EXPERIMENT} must be named once, or as a list, got {', '.join(experiments)}")
    single = [text for text in single if not text.startswith(f"{EXPERIMENT}=")]
    named = {text.lstrip("+~").partition("=")[0].partition(".")[0] for text in others}
    overrides = [*(f"{name}={value}" for name, value in DEFAULTS.items() if name not in named), *single]
    known = [name for name, value in kpis({}, scale=1, seed=1, wall_s=0, peak_rss_bytes=0, shoppers=1).items()]
    known = [name for name in known if name not in ("scale", "seed", "shoppers", "wall_s", "peak_rss_bytes")]
    targets = checked(lambda: goals(options.until, known) if options.until else [], [])
    figures = tuple(options.figures.split(",")) if options.figures else ()
    problems += [f"figures: {name} is not a key figure{hint(name, known)}" for name in figures if name not in known]
    keep = checked(lambda: _kept(options.keep), ())
    checked(lambda: _check_engine(options), None)
    if options.pdf == "true":
        checked(check_pdf, None)
    made = checked(
        lambda: make_plan(
            [*experiments, DEFAULT_EXPERIMENT][0],
            overrides,
            several,
            design=options.design,
            drawn_from=drawn_from,
            goals=targets,
            most_replications=options.most_replications,
            keep=keep,
        ),
        None,
    )
    if problems:
        raise ParameterError(dict.fromkeys(problems))
    plan, base = made
    return _Asked(options, plan, base, figures or tuple(goal.name for goal in targets))


def _is_right(word: str) -> bool:
    from experiments.options import parse

    try:
        parse(SweepOptions, [word])
    except ParameterError:
        return False
    return True


def _kept(text: str | None) -> tuple[str, ...]:
    from sim.records import TABLES
    from sim.sweeps.work import ALL

    if text is None:
        return ()
    names = tuple(sorted(set(text.split(","))))
    wrong = [name for name in names if name not in TABLES and names != (ALL,)]
    if wrong:
        raise ParameterError(f"keep: {name} is not a table{hint(name, [ALL, *TABLES])}" for name in wrong)
    return names


def _check_engine(options: SweepOptions) -> None:
    from sim.sweeps.cluster import check_address, check_installed

    if options.engine == "local":
        if options.address is not None:
            raise ParameterError([f"address={options.address} needs engine=ray"])
        return
    check_installed()
    if options.address is not None:
        if options.workers is not None:
            raise ParameterError(["workers is for this machine; a cluster at an address has the workers that it has"])
        check_address(options.address)


def _answer(asked: _Asked, words: Sequence[str]) -> int:
    """Run the sweep, tell about it and write its result."""
    import shlex
    import time

    from experiments.report import print_pdf
    from experiments.sweep_progress import watch
    from sim.sweeps import folder, result, table
    from sim.sweeps.records import Records
    from sim.sweeps.run import Sweep, failures
    from sim.sweeps.work import Keep

    plan, options, output = asked.plan, asked.options, asked.base["output"]
    directory = folder.folder_of(_folder(output), plan)
    others = {} if options.known is None else table.known(Path(options.known))
    if (directory / table.FILE_NAME).is_file():
        others |= table.known(directory / table.FILE_NAME)
    for other in folder.of_other_code(output, plan):
        print(f"{other} was made by other code: its runs are not used")
    with folder.opened(directory, plan):
        keep = Keep(plan.keep, str((directory / folder.TABLES).absolute()), str(Path(output).absolute()))
        sweep = Sweep(plan, Records(folder.records_folder(output), others), keep, again=options.failed == "again")
        print(_begun(plan, sweep))
        started_s = time.perf_counter()
        workers = 0
        if sweep.missing:
            with _engine(options, plan, keep, sweep.missing) as engine, watch() as progress:
                workers = engine.workers
                sweep.run(engine, progress)
        effort = {"wall_s": time.perf_counter() - started_s, "engine": options.engine, "workers": workers}
        command = shlex.join(["peakday", "sweep", "-m", *words])
        result.write(directory, plan, sweep.rows, asked.base, command=command, effort=effort, figures=asked.figures)
    lost = failures(sweep.rows)
    _show(directory, plan, asked.figures)
    for row in lost[:10]:
        print(f"failed: {result.described(plan, row)}: {row.record.error}")
    if lost:
        print(f"{len(lost)} of {len(sweep.rows)} runs failed; failed=again runs them again")
    print(f"table: {directory}/{table.FILE_NAME}\nreport: {directory}/report.html")
    if options.pdf == "true":
        print_pdf(directory / "report.html")
    return 1 if lost else 0


def _folder(output: Any) -> str:
    if not isinstance(output, str) or not output:
        raise ParameterError([f"output must be the name of a folder, got {output!r}"])
    return output


def _begun(plan: "Plan", sweep: "Sweep") -> str:
    points, replications = len(plan.points), f"{plan.replications}"
    if plan.goals:
        replications += f" to {plan.most_replications}"
    known = f", {sweep.known} of them known and read" if sweep.known else ""
    return f"{points} points x {replications} replications{known}; {sweep.missing} to run"


def _engine(options: SweepOptions, plan: "Plan", keep: "Keep", missing: int) -> "Engine":
    if options.engine == "ray":
        from sim.sweeps.cluster import RayWorkers

        return RayWorkers(options.address, options.workers, keep)
    from experiments.workers import local_engine

    return local_engine(plan.configs, keep, options.workers, sys.maxsize if plan.goals else missing)


def _show(directory: Path, plan: "Plan", figures: Sequence[str]) -> None:
    """Print the means of the chosen figures at each point."""
    import pandas as pd

    from experiments.figures import print_table, table_of, written
    from sim.metrics.sweeps import chosen, point_means
    from sim.sweeps.table import FILE_NAME

    rows = pd.read_parquet(directory / FILE_NAME)
    names = chosen(rows, list(plan.axes), figures)
    shown = table_of(", ".join(plan.axes), "runs", *(f"{name} ± half-width" for name in names))
    means = {name: point_means(rows, name).set_index("point") for name in names}
    for number, point in list(enumerate(plan.points))[:40]:
        cells = []
        for name in names:
            mean = means[name].loc[number]
            half = written(float(mean["half_width"])) if mean["runs"] > 1 else "-"
            cells.append(f"{written(float(mean['mean']))} ± {half}" if mean["runs"] else "-")
        done = int(((rows["point"] == number) & (rows["status"] == "done")).sum())
        shown.add_row(", ".join(point.values.values()), f"{done}", *cells)
    print_table(shown)
    if len(plan.points) > 40:
        print(f"... and {len(plan.points) - 40} more points; see the table")
