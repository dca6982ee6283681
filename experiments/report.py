"""The report of a stored result: figures and page of a run made again from its tables, and any report as PDF.

Question: how does a stored result look with today's plots and report, and on paper?
Run:      peakday report results/festival_2012/RUN pdf=true
Reads:    DIR/config.yaml, provenance.json, kpis.json, tables/ of a run; DIR/report.html of anything else
Writes:   DIR/figures/, DIR/report.html and, when asked, DIR/figures/flow.gif and DIR/report.pdf
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.store import Result

HELP = "figures and report of a stored run again, any report as PDF"

_TEXT = """usage: peakday report DIR [pdf=true] [animation=on]

DIR is the folder of a run, as printed by `peakday run`, or a folder above it that holds one run only. Makes its figures/ and
report.html again from its tables; nothing is simulated. Each figure is written as SVG and, for slides, as PNG.

DIR may also be the folder of a what-if, a sweep, a series of drills, a comparison of clouds or a capacity plan. Their pages are
made again by the commands in them, which read what has been run; here they are laid out on paper.

  pdf=true      writes DIR/report.pdf, with everything open that the page folds away; needs the extra [report] and Pango.
                For anything but a run it is what is done anyway
  animation=on  writes figures/flow.gif of a run: vehicles and hubs on the map, two hours a frame; it takes half a minute"""

_SWITCHES = {"true": True, "on": True, "false": False, "off": False}


def main(arguments: Sequence[str]) -> int:
    """Make the report; the exit status is 0 when it is written."""
    if any(word in ("-h", "--help") for word in arguments):
        print(_TEXT)
        return 0

    from sim.params.base import ParameterError
    from sim.report.document import FILE_NAME

    asked, folders, problems = {"pdf": False, "animation": False}, [], []
    for word in arguments:
        name, sign, value = word.partition("=")
        if not sign or name not in asked:
            folders.append(word)
        elif value not in _SWITCHES:
            problems.append(f"{name} must be true or false, got {value!r}")
        else:
            asked[name] = _SWITCHES[value]
    if len(folders) != 1 or folders[0].startswith("-"):
        problems.append(f"peakday report takes one folder, got {' '.join(folders) or 'none'}")
    if problems:
        raise ParameterError(problems)
    page = Path(folders[0]) / FILE_NAME
    if not _is_run(page.parent) and page.is_file():
        if asked["animation"]:
            raise ParameterError([f"animation is of a run, and {page.parent} is none"])
        asked["pdf"] = True
    else:
        page = _again(folders[0], animated=asked["animation"])
    print(f"report: {page}")
    if asked["pdf"]:
        print_pdf(page)
    return 0


def print_pdf(page: Path) -> None:
    """Lay a report out on paper and say where it is.

    Raises
    ------
    sim.params.base.ParameterError
        When this machine cannot make a PDF.
    sim.store.StoreError
        When the folder cannot be written.
    """
    from sim.params.base import ParameterError
    from sim.report.pdf import PdfError, write_pdf
    from sim.store import explained

    try:
        with explained(page.parent):
            print(f"pdf: {write_pdf(page)}")
    except PdfError as error:
        raise ParameterError([str(error)]) from None


def check_pdf() -> None:
    """Refuse before anything is simulated what cannot be laid out after it.

    Raises
    ------
    sim.params.base.ParameterError
        When this machine cannot make a PDF.
    """
    from sim.params.base import ParameterError
    from sim.report.pdf import PdfError, check_installed

    try:
        check_installed()
    except PdfError as error:
        raise ParameterError([str(error)]) from None


def _is_run(folder: Path) -> bool:
    from sim import store

    return store.is_result(folder)


def _again(name: str, *, animated: bool) -> Path:
    """Figures and page of a run once more; the page."""
    from sim import runner, store
    from sim.report.document import FILE_NAME

    directory = run_in(name)
    result = store.read_result(directory)
    with store.renewed(directory) as partial:
        runner.illustrate(partial, result, png=True)
        if animated:
            _animate(partial, result)
    return directory / FILE_NAME


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
