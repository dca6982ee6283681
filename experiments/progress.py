"""How far a run is: a bar with the simulated clock, the rows done and the time left; plain lines when nobody looks."""

import time
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from sim.units import clock

if TYPE_CHECKING:
    from sim.progress import Progress

SECONDS_BETWEEN_LINES = 5.0
LEAST_SHARE = 0.02  # below it, the time left is a guess that would only mislead


class Watcher(Protocol):
    """Something that is told how far a run is, and is opened and closed around it."""

    def __enter__(self) -> Self: ...

    def __call__(self, progress: "Progress") -> None: ...

    def __exit__(self, *ending: object) -> None: ...


def watch(label: str) -> Watcher:
    """A bar on a terminal, plain lines elsewhere; both on stderr.

    Parameters
    ----------
    label : what is running
    """
    console = Console(stderr=True)
    return (ProgressBar if console.is_terminal else ProgressLines)(label, console)


class ProgressBar:
    """A bar that stays on its line."""

    def __init__(self, label: str, console: Console) -> None:
        self._started_s = time.monotonic()
        where = TextColumn("{task.fields[where]}")
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=16), TimeElapsedColumn(), where)
        self._bar = Bar(*columns, console=console, transient=True)  # within 80 characters
        self._task = self._bar.add_task(label, total=1.0, where="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __call__(self, progress: "Progress") -> None:
        """Move the bar to where the run is."""
        where = f"{progress.phase}, {_where(progress, time.monotonic() - self._started_s)}"
        self._bar.update(self._task, completed=progress.share, where=where)

    def __exit__(self, *ending: object) -> None:
        self._bar.stop()


class ProgressLines:
    """A line now and then."""

    def __init__(self, label: str, console: Console) -> None:
        self._label, self._console = label, console
        self._started_s = self._told_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __call__(self, progress: "Progress") -> None:
        """Say where the run is, unless that was said a moment ago."""
        now_s = time.monotonic()
        if now_s - self._told_s < SECONDS_BETWEEN_LINES:
            return
        self._told_s = now_s
        where = _where(progress, now_s - self._started_s)
        line = f"{self._label}, {progress.phase}: {now_s - self._started_s:.0f} s, {where}"
        self._console.print(line, highlight=False, soft_wrap=True)

    def __exit__(self, *ending: object) -> None:
        pass


def _where(progress: "Progress", elapsed_s: float) -> str:
    left = f", {elapsed_s * (1 / progress.share - 1):.0f} s left" if progress.share >= LEAST_SHARE else ""
    return f"{clock(progress.clock_s)}, {progress.rows:,} rows{left}"
