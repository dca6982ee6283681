"""How far a sweep is: runs done, running, failed and the time left; a bar on a terminal, plain lines elsewhere."""

import time
from typing import TYPE_CHECKING, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from sim.sweeps.run import Progress

SECONDS_BETWEEN_LINES = 5.0


class Watcher(Protocol):
    """Something that is told how far a sweep is, and is opened and closed around it."""

    def __enter__(self) -> Self: ...

    def __call__(self, progress: "Progress") -> None: ...

    def __exit__(self, *ending: object) -> None: ...


def watch() -> Watcher:
    """A bar on a terminal, plain lines elsewhere; both on stderr."""
    console = Console(stderr=True)
    return SweepBar(console) if console.is_terminal else SweepLines(console)


class SweepBar:
    """A bar that stays on its line."""

    def __init__(self, console: Console) -> None:
        columns = (BarColumn(bar_width=20), TimeElapsedColumn(), TextColumn("{task.fields[told]}"))
        self._bar = Bar(*columns, console=console, transient=True)
        self._task = self._bar.add_task("", total=1.0, told="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __call__(self, progress: "Progress") -> None:
        """Move the bar to where the sweep is."""
        ended = progress.known + progress.done + progress.failed
        self._bar.update(self._task, completed=ended, total=progress.total, told=told(progress))

    def __exit__(self, *ending: object) -> None:
        self._bar.stop()


class SweepLines:
    """A line now and then."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told_s = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __call__(self, progress: "Progress") -> None:
        """Say where the sweep is, unless that was said a moment ago."""
        if time.monotonic() - self._told_s >= SECONDS_BETWEEN_LINES:
            self._told_s = time.monotonic()
            self._console.print(f"{progress.elapsed_s:.0f} s: {told(progress)}", highlight=False, soft_wrap=True)

    def __exit__(self, *ending: object) -> None:
        pass


def told(progress: "Progress") -> str:
    """The counts and the time left, in words."""
    ended = progress.known + progress.done
    left = "" if progress.left_s is None else f", {_duration(progress.left_s)} left"
    return f"{ended} of {progress.total} done, {progress.running} running, {progress.failed} failed{left}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
