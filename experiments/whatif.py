"""A base and changes of it, run by run on the same draws: what differs, by how much, and whether these runs can show it.

Question: what would this change do?
Run:      peakday whatif change=more_trucks scale=0.005
Reads:    configs/, sim/data/, and the runs that are there already
Writes:   OUTPUT/EXPERIMENT/RUN/ for each run, as peakday run does, and OUTPUT/whatif/NAME/ with differences.json, changed.json,
          whatif.json, tables/, figures/ and report.html
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sim.runner import Replication
    from sim.whatif import Findings, Question

HELP = "a base and changes of it on the same draws: differences with intervals, plots, a report"

_USAGE = (
    "peakday whatif [base=NAME] change=CHANGE[,CHANGE ...] [figure=NAME] [PARAMETER=VALUE ...] [--cfg job] [--help]"
)
_TEXT = """Runs a base and one or more changes of it with the same seeds, and reports the difference of every key figure with its
95 % interval: Student's, for runs in pairs.

A change is one of the following, or several of them with spaces between, and goes on top of the base:
  NAME                an experiment: more_trucks, snow_northeast, ...; NAME+NAME for both
  PARAMETER=VALUE     an override as of peakday run
  PARAMETER=xFACTOR   so many times what it is; of a group, every number in it
A * in a parameter's name stands for every name there; "LABEL: " in front gives the change a name. Several changes are
divided by commas, or change= is written again; each is held against the base. Everything else on the command line holds for
both sides: scale=, seed=, replications= (at least 2; 5 unless said), site=off, any parameter.

figure=NAME is the key figure that the answer begins with, and that ranks several changes. Runs that are there already are
read. The exit status is 0 when the report is written.

Examples
{examples}"""

EXAMPLES = {
    "peakday whatif change=more_trucks scale=0.005 site=off": "4,000 more trucks on the festival of 2012",
    "peakday whatif base=no_rail change=rail_pair": "a daily pair of trains where there is none",
    "peakday whatif change=more_trucks,hired_sorters figure=hub_overflow_h": "which of two shortens the overflow most",
    "peakday whatif base=snow_northeast change=snow_northeast_rail": "a snow front with and without more rail",
    "peakday whatif change='site.links.gbit_per_s.*.wireless=x25' parcels=off": "25 times the wireless bandwidth",
    "peakday whatif change='half: site.services.*.machines=x0.5' parcels=off": "half of every service's machines",
}


class Asked(NamedTuple):
    """The words of the command line, taken apart."""

    base: str
    changes: list[str]
    figure: str | None
    common: list[str]
    show_config: bool


def main(arguments: Sequence[str]) -> int:
    """Ask, run and compare; the exit status is 0 when the report is written."""
    asked = parse(arguments)

    from sim import whatif

    question = whatif.ask(asked.base, asked.changes, asked.common)
    replications = {
        side.name if place else "base": side.runs(question.output) for place, side in enumerate(question.sides)
    }
    if asked.show_config:
        _show_changed(question)
        return 0
    if asked.figure is not None:
        _check_figure(asked.figure)
    runs = {side: list(execute(side, own)) for side, own in replications.items()}
    findings = whatif.find(runs)
    directory = whatif.write(question, findings, runs, asked.figure)
    show(findings, float(question.base.config["scale"]))
    print(f"report: {directory}/report.html")
    return 0


def parse(arguments: Sequence[str]) -> Asked:
    """Take the command line apart.

    Raises
    ------
    sim.params.base.ParameterError
        When base= or figure= are given twice.
    """
    from sim.params.base import ParameterError
    from sim.runner import DEFAULT_EXPERIMENT

    width = max(map(len, EXAMPLES)) + 2
    parser = argparse.ArgumentParser(
        prog="peakday whatif",
        usage=_USAGE,
        description=_TEXT.format(
            examples="\n".join(f"  {command:<{width}}{what}" for command, what in EXAMPLES.items())
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("-c", "--cfg", choices=["job"], help="print what the changes change, run nothing")
    options = parser.parse_intermixed_args(arguments)
    taken: dict[str, list[str]] = {"base": [], "change": [], "figure": []}
    common = []
    for word in options.words:
        name, sign, value = word.partition("=")
        if sign and name in taken:
            taken[name].append(value)
        else:
            common.append(word)
    if twice := [name for name in ("base", "figure") if len(taken[name]) > 1]:
        raise ParameterError(f"{name}= must be given once, got {', '.join(taken[name])}" for name in twice)
    if any(word.startswith("experiment=") for word in common):
        raise ParameterError(["experiment= is not taken here: write base=NAME and change=NAME"])
    return Asked(
        (taken["base"] or [DEFAULT_EXPERIMENT])[0],
        taken["change"],
        taken["figure"][0] if taken["figure"] else None,
        common,
        options.cfg is not None,
    )


def execute(side: str, replications: Sequence["Replication"]) -> Iterator[Path]:
    """Run what is not there yet, one after another; the folders of the results, in the order of the seeds."""
    from experiments.progress import watch
    from sim import runner, store
    from sim.units import HOUR_S

    for number, replication in enumerate(replications, 1):
        assert replication.directory is not None  # `sim.whatif.ask` refuses output=null
        if not store.is_result(replication.directory):
            label = f"{side}, seed {replication.params.seed} ({number} of {len(replications)})"
            with watch(label, replication.params.demand.horizon_h * HOUR_S) as progress:
                runner.run(replication, progress)
        yield replication.directory


def show(findings: "Findings", scale: float) -> None:
    """Print the differences, one table a change; figures that are the same in every run are counted only."""
    from experiments.figures import print_table, table_of
    from sim.metrics.differences import SAME
    from sim.report.compared import labelled

    rows = labelled(findings.differences, scale)
    for change, own in rows.groupby("change_name", sort=False):
        table = table_of(str(change).replace("[", "\\["), "base", "change", "difference", "95 % interval", "verdict")
        for row in own[own["verdict"] != SAME].itertuples():
            table.add_row(row.label, row.base_text, row.change_text, row.text, row.interval_text, row.word)
        print_table(table)
        if same := int((own["verdict"] == SAME).sum()):
            print(f"{same} figures are the same in every run")


def _show_changed(question: "Question") -> None:
    from experiments.figures import print_table, table_of
    from sim.report.changed import changed

    for change in question.changes:
        table = table_of(change.name.replace("[", "\\["), question.base.name, "change", "unit")
        for one in changed(question.base.config, change.config, change.experiment.split("+")):
            table.add_row(one.path, one.base.replace("[", "\\["), one.change.replace("[", "\\["), one.unit)
        print_table(table)


def _check_figure(name: str) -> None:
    """Refuse a key figure that does not exist before anything is simulated."""
    from sim.metrics import kpis
    from sim.metrics.differences import OF_THE_RUN
    from sim.params.base import ParameterError, hint

    known = kpis({}, scale=1.0, seed=0, wall_s=0.0, peak_rss_bytes=0, shoppers=0)
    names = [figure for figure in known if figure not in OF_THE_RUN]
    if name not in names:
        raise ParameterError([f"figure={name} is not a key figure{hint(name, names)}"])
