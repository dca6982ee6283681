"""A base and changes of it, run by run on the same draws: what differs, by how much, and whether these runs can show it.

Question: what would this change do?
Run:      peakday whatif change=more_trucks scale=0.005
Reads:    configs/, sim/data/, and the runs that are there already
Writes:   OUTPUT/EXPERIMENT/RUN/ for each run, as peakday run does, and OUTPUT/whatif/NAME/ with differences.json, changed.json,
          whatif.json, tables/, figures/ and report.html
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
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

figure=NAME is the key figure that the answer begins with, and that ranks several changes. workers=N runs so many at the same
time; otherwise one for each core that has the memory. pdf=true writes report.pdf, too; it needs the extra [report].
branch_at=2012-11-11T00:10 (or 00:10, or 600 seconds) lets the changes branch off from the base at that instant, so that the
site's work up to it is done once for each seed: the same numbers, bit for bit. A change of the site that acts before is refused;
on the road everything may change, as it is simulated from the start.
Runs that are there already are read. The exit status is 0 when the report is written, 1 when a run has failed.

Examples
{examples}"""

EXAMPLES = {
    "peakday whatif change=more_trucks scale=0.005 site=off": "4,000 more trucks on the festival of 2012",
    "peakday whatif base=no_rail change=rail_pair": "a daily pair of trains where there is none",
    "peakday whatif change=more_trucks,hired_sorters figure=hub_overflow_h": "which of two shortens the overflow most",
    "peakday whatif base=snow_northeast change=snow_northeast_rail": "a snow front with and without more rail",
    "peakday whatif change='site.links.gbit_per_s.*.wireless=x25' parcels=off": "25 times the wireless bandwidth",
    "peakday whatif change=contingency=room_cooling branch_at=00:10 parcels=off": "a server room heats up after ten minutes",
    "peakday whatif change='half: site.services.*.machines=x0.5' parcels=off": "half of every service's machines",
}


class Asked(NamedTuple):
    """The words of the command line, taken apart."""

    base: str
    changes: list[str]
    figure: str | None
    workers: int | None
    pdf: bool
    branch_at_s: float | None
    common: list[str]
    show_config: bool


def main(arguments: Sequence[str]) -> int:
    """Ask, run and compare; the exit status is 0 when the report is written, 1 when a run has failed."""
    asked = parse(arguments)

    from experiments.report import check_pdf, print_pdf
    from experiments.whatif_runs import check_branch, folder, run_missing
    from sim import whatif
    from sim.params.base import ParameterError
    from sim.sweeps.engine import EngineError

    question = whatif.ask(asked.base, asked.changes, asked.common)
    replications = {
        side.name if place else "base": side.runs(question.output) for place, side in enumerate(question.sides)
    }
    if asked.show_config:
        _show_changed(question)
        return 0
    if asked.figure is not None:
        _check_figure(asked.figure)
    if asked.pdf:
        check_pdf()
    if asked.branch_at_s is not None:
        check_branch(replications, asked.branch_at_s)
    try:
        complete = run_missing(replications, question.output, asked.workers, asked.branch_at_s)
    except EngineError as error:
        raise ParameterError([f"{error} (what was done is kept)"]) from None
    if not complete:
        return 1
    runs = {side: [folder(one) for one in own] for side, own in replications.items()}
    findings = whatif.find(runs)
    directory = whatif.write(question, findings, runs, asked.figure)
    show(findings, float(question.base.config["scale"]))
    print(f"report: {directory}/report.html")
    if asked.pdf:
        print_pdf(directory / "report.html")
    return 0


def parse(arguments: Sequence[str]) -> Asked:
    """Take the command line apart.

    Raises
    ------
    sim.params.base.ParameterError
        When a word but change= is given twice, or has a value that it cannot have.
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
    taken: dict[str, list[str]] = {"base": [], "change": [], "figure": [], "workers": [], "pdf": [], "branch_at": []}
    common = []
    for word in options.words:
        name, sign, value = word.partition("=")
        if sign and name in taken:
            taken[name].append(value)
        else:
            common.append(word)
    if twice := [name for name in taken if name != "change" and len(taken[name]) > 1]:
        raise ParameterError(f"{name}= must be given once, got {', '.join(taken[name])}" for name in twice)
    if any(word.startswith("experiment=") for word in common):
        raise ParameterError(["experiment= is not taken here: write base=NAME and change=NAME"])
    return Asked(
        (taken["base"] or [DEFAULT_EXPERIMENT])[0],
        taken["change"],
        taken["figure"][0] if taken["figure"] else None,
        _workers(taken["workers"][0]) if taken["workers"] else None,
        _pdf(taken["pdf"][0]) if taken["pdf"] else False,
        _instant(taken["branch_at"][0]) if taken["branch_at"] else None,
        common,
        options.cfg is not None,
    )


def _workers(text: str) -> int:
    from sim.params.base import ParameterError

    if not text.isdecimal() or int(text) < 1:
        raise ParameterError([f"workers must be an integer >= 1, got {text!r}"])
    return int(text)


def _pdf(text: str) -> bool:
    from sim.params.base import ParameterError

    if text not in ("true", "false"):
        raise ParameterError([f"pdf must be true or false, got {text!r}"])
    return text == "true"


def _instant(text: str) -> float:
    from sim.params.base import ParameterError
    from sim.units import instant

    try:
        return instant(text)
    except ValueError as error:
        raise ParameterError(
            [f"branch_at must be an instant, such as 2012-11-11T23:59, 23:59 or 600 [s]: {error}"]
        ) from None


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
