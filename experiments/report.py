"""The figures and the report of a stored run, made again from its tables.

Question: how does a stored result look with today's plots and report?
Run:      peakday report results/festival_2012/RUN animation=on
Reads:    DIR/config.yaml, provenance.json, kpis.json, tables/
Writes:   DIR/figures/, DIR/report.html and, when asked, DIR/figures/flow.gif
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.store import Result

HELP = "figures and report of a stored run again, from its tables"

_TEXT = """usage: peakday report DIR [animation=on]

Makes figures/ and report.html of a stored run again from its tables; nothing is simulated. Each figure is written as SVG
and, for slides, as PNG. DIR is the folder of a run, as printed by `peakday run`, or a folder above it that holds one run
only. animation=on also writes figures/flow.gif: vehicles and hubs on the map, two hours a frame; it takes half a minute."""


def main(arguments: Sequence[str]) -> int:
    """Make the report; the exit status is 0 when it is written."""
    if any(word in ("-h", "--help") for word in arguments):
        print(_TEXT)
        return 0

    from sim import runner, store
    from sim.params.base import ParameterError

    switches = [word for word in arguments if word.startswith("animation=")]
    folders = [word for word in arguments if word not in switches]
    if len(folders) != 1 or folders[0].startswith("-"):
        raise ParameterError([f"peakday report takes one folder, got {' '.join(folders) or 'none'}"])
    if wrong := [word for word in switches if word not in ("animation=on", "animation=off")]:
        raise ParameterError([f"animation must be on or off, got {wrong[0].partition('=')[2]!r}"])
    directory = run_in(folders[0])
    result = store.read_result(directory)
    with store.renewed(directory) as partial:
        runner.illustrate(partial, result, png=True)
        if switches and switches[-1] == "animation=on":
            _animate(partial, result)
    print(f"report: {directory}/report.html")
    return 0


def _animate(directory: Path, result: "Result") -> None:
    from sim.plots.animation import write_animation
    from sim.plots.figures import FOLDER, in_memory

    if write_animation(directory / FOLDER, in_memory(result.tables)) is None:
        print("animation: there were no parcels to show")


def run_in(name: str) -> Path:
    """The run's folder: the given one, or the only result below it."""
    from sim import store

    folder = Path(name)
    if store.is_result(folder):
        return folder
    below = [file.parent for file in sorted(folder.rglob(store.KPIS)) if ".partial-" not in str(file.parent)]
    if len(below) > 1:
        raise store.NotAResultError(f"{folder} holds several results, choose one of: {', '.join(map(str, below))}")
    return below[0] if below else folder
