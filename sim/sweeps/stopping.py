"""How many replications a point needs: a fixed number, or until the interval of every chosen figure is narrow enough."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from sim.intervals import t_interval
from sim.params.base import ParameterError, hint

_GOAL = re.compile(r"^(?P<name>\w+):(?P<width>\d+\.?\d*|\.\d+)(?P<percent>\s?%)?$")
LEAST = 3  # replications before an interval is believed at all


class Goal(NamedTuple):
    """How narrow the 95 % interval of a figure has to be: its half-width, of the mean or in the figure's own unit."""

    name: str
    width: float
    of_mean: bool

    def limit(self, mean: float) -> float:
        """The half-width that is narrow enough for a mean."""
        return self.width * abs(mean) if self.of_mean else self.width


def goals(text: str, known: Sequence[str]) -> list[Goal]:
    """Goals as written: "hub_overflow_h:5%,latency_p99_s:0.2".

    Raises
    ------
    ParameterError
        With a message for each that cannot be read or whose figure is not known.
    """
    found, problems = [], []
    for word in text.split(","):
        match = _GOAL.match(word.strip())
        if match is None:
            problems.append(f"until must be FIGURE:WIDTH or FIGURE:PERCENT%, such as hub_overflow_h:5%, got {word!r}")
        elif match["name"] not in known:
            problems.append(f"until: {match['name']} is not a key figure{hint(match['name'], known)}")
        elif float(match["width"]) <= 0:
            problems.append(f"until: the interval of {match['name']} must be allowed a width > 0, got {word!r}")
        else:
            of_mean = match["percent"] is not None
            found.append(Goal(match["name"], float(match["width"]) / (100 if of_mean else 1), of_mean))
    if problems:
        raise ParameterError(problems)
    return found


def wanted(goals: Sequence[Goal], figures: Sequence[Mapping[str, float | None]], done: int, most: int) -> int:
    """Replications that a point should have, seen what it has: `done` when all intervals are narrow enough.

    It depends on the complete replications alone, not on who ran them and when. An interval shrinks as 1 / sqrt(n), which tells
    about how many are missing; at most as many are added as there are, so that a first lucky guess does not cost much.

    Parameters
    ----------
    figures : of the replications that came to an end
    done : replications asked for so far
    most : that there may be
    """
    needed = done
    for goal in goals:
        values = np.array([run[goal.name] for run in figures if run[goal.name] is not None], dtype=float)
        if values.size < LEAST:
            needed = max(needed, done + LEAST - values.size if values.size else done)
            continue
        half, limit = float(t_interval(values).half_width), goal.limit(float(values.mean()))
        if half > limit:
            guess = math.ceil(done * (half / limit) ** 2) if limit > 0 else most
            needed = max(needed, min(max(guess, done + 1), 2 * done))
    return min(needed, most)


def unmet(goals: Sequence[Goal], figures: Sequence[Mapping[str, float | None]]) -> list[Goal]:
    """The goals whose interval is not narrow enough, or cannot be told."""
    found = []
    for goal in goals:
        values = np.array([run[goal.name] for run in figures if run[goal.name] is not None], dtype=float)
        if values.size < LEAST or float(t_interval(values).half_width) > goal.limit(float(values.mean())):
            found.append(goal)
    return found
