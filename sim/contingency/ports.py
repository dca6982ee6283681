"""What contingency sees of a part: levers to pull, metrics to read, visitors to send; and the diary that all write into."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple


class Ports(NamedTuple):
    """One part of the running model, the site or the road, as plain callables."""

    pull: Callable[[str, str, str, float], None]  # who, lever, target, value
    release: Callable[[str], None]  # who
    read: Callable[[str, str, float], float]  # metric, target, window [s]
    send: Callable[[str, float, float, float], int]  # page, visitors a second, from [s], until [s]
    step_s: float  # how often courses and metrics are looked at


class Entry(NamedTuple):
    """One line of the diary."""

    time_s: float
    who: str
    what: str
    value: float


class Diary:
    """What faults and plans have done, in order of time."""

    def __init__(self, entries: Sequence[Sequence[Any]] = ()) -> None:
        self.entries = [Entry(*entry) for entry in entries]

    def write(self, time_s: float, who: str, what: str, value: float) -> None:
        """Write a line."""
        self.entries.append(Entry(time_s, who, what, value))

    def first_s(self, who: str, what: str) -> float | None:
        """When somebody first did something; None: never."""
        return next((entry.time_s for entry in self.entries if (entry.who, entry.what) == (who, what)), None)
