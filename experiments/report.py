"""The figures and the report of a stored run, made again from its tables.

Question: how does a stored result look with today's plots and report?
Run:      peakday report results/festival_2012/RUN
Reads:    DIR/config.yaml, provenance.json, kpis.json, tables/
Writes:   DIR/figures/, DIR/report.html
"""

from collections.abc import Sequence
from pathlib import Path

HELP = "figures and report of a stored run again, from its tables"

_TEXT = """usage: peakday report DIR

Makes figures/ and report.html of a stored run again from its tables; nothing is simulated. Each figure is written as SVG
and, for slides, as PNG. DIR is the folder of a run, as printed by `peakday run`, or a folder above it that holds one run
only."""


def main(arguments: Sequence[str]) -> int:
    """Make the report; the exit status is 0 when it is written."""
    if any(word in ("-h", "--help") for word in arguments):
        print(_TEXT)
        return 0

    from sim import runner, store
    from sim.params.base import ParameterError

    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise ParameterError([f"peakday report takes one folder, got {' '.join(arguments) or 'none'}"])
    directory = _run_in(Path(arguments[0]))
    result = store.read_result(directory)
    with store.renewed(directory) as partial:
        runner.illustrate(partial, result, png=True)
    print(f"report: {directory}/report.html")
    return 0


def _run_in(folder: Path) -> Path:
    """The run's folder: the given one, or the only result below it."""
    from sim import store

    if store.is_result(folder):
        return folder
    below = [file.parent for file in sorted(folder.rglob(store.KPIS)) if ".partial-" not in str(file.parent)]
    if len(below) > 1:
        raise store.NotAResultError(f"{folder} holds several results, choose one of: {', '.join(map(str, below))}")
    return below[0] if below else folder
