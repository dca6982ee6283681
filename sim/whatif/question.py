"""What is asked: a base, one or more changes of it, and on which runs they are compared."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sim.compose import EXPERIMENT, config_text
from sim.params.base import ParameterError
from sim.runner import DEFAULT_EXPERIMENT, Replication, composed, prepare
from sim.store import NOT_PART_OF_A_RUN, run_key
from sim.whatif.words import Alternative, alternatives, work_out

REPLICATIONS = 5
"""Pairs of runs, where the user does not say how many."""
_OF_BOTH_SIDES = {
    "scale": "both sides are compared at one scale",
    "seed": "both sides take the same draws",
    "replications": "both sides are run equally often",
    "output": "all runs go into one folder",
    "threads": "no result depends on it",
    EXPERIMENT: "write change=EXPERIMENT",
}


class Side(NamedTuple):
    """The base or one change: how it is called, what it is, and the config of its runs."""

    name: str  # for people
    about: str  # a sentence or more; empty where nobody wrote one
    experiment: str  # as `sim.compose.compose` takes it
    overrides: tuple[str, ...]  # that make its config with the experiment, those of both sides included
    config: dict[str, Any]

    def runs(self, output: str) -> list[Replication]:
        """Its runs, checked.

        Raises
        ------
        ParameterError
            When they cannot be simulated.
        """
        return list(prepare(self.experiment, self.config, output=output, overrides=self.overrides))


class Question(NamedTuple):
    """A base and the changes that are held against it, on the same seeds."""

    base: Side
    changes: tuple[Side, ...]
    words: tuple[str, ...]  # of the command line that asks it, without output=

    @property
    def sides(self) -> tuple[Side, ...]:
        """The base first."""
        return (self.base, *self.changes)

    @property
    def output(self) -> str:
        """Folder for the results."""
        return str(self.base.config["output"])

    @property
    def key(self) -> str:
        """The same for the same runs of the same code, whatever they are called."""
        described = [self.base.config["replications"], *(run_key(side.config) for side in self.sides)]
        return hashlib.blake2b(json.dumps(described).encode(), digest_size=16).hexdigest()


def ask(base: str, changes: Sequence[str], common: Sequence[str] = ()) -> Question:
    """A question, with every config composed; the parameters themselves are checked by `Side.runs`.

    Parameters
    ----------
    base : an experiment, or several with + between them
    changes : as after `change=`, see `sim.whatif.words`
    common : overrides of both sides

    Raises
    ------
    ParameterError
        For an unknown experiment or parameter, for a change that changes nothing, that another one repeats or that changes
        what both sides must share, and when there are fewer than two replications.
    """
    if not changes:
        raise ParameterError(["change= is missing: name what to compare with the base, for example change=more_trucks"])
    common = list(common)
    if not any(word.partition("=")[0] == "replications" for word in common):
        common.append(f"replications={REPLICATIONS}")
    config = composed(base, common)
    problems = []
    if isinstance(config["replications"], int) and config["replications"] < 2:
        problems.append(
            f"replications must be >= 2: an interval needs two pairs of runs at least, got {config['replications']}"
        )
    if not isinstance(config["output"], str) or not config["output"]:
        problems.append(f"output must be the name of a folder: the runs are kept there, got {config['output']!r}")
    one = Side(base, about(base), base, tuple(common), config)
    sides = []
    for alternative in (found for text in changes for found in alternatives(text)):
        try:
            sides.append(_changed(one, alternative, common))
        except ParameterError as error:
            problems += error.problems
    problems += _idle(one, sides)
    if problems:
        raise ParameterError(dict.fromkeys(problems))
    words = [f"base={base}", *(f"change={text}" for text in changes)]
    return Question(one, tuple(sides), (*words, *(word for word in common if not word.startswith("output="))))


def about(experiment: str) -> str:
    """What the comments of a packaged experiment say about it, without the command that runs it."""
    sentences = []
    for name in experiment.split("+"):
        for line in config_text(f"{EXPERIMENT}/{name}").splitlines():
            if not line.startswith("#"):
                break
            text = line.lstrip("# ").strip()
            if not text.startswith(("@package", "peakday ")):
                sentences.append(text)
    return " ".join(sentences)


def stacked(base: str, experiments: Sequence[str]) -> str:
    """Name of experiments on top of a base; the default one is empty, and a change of it is found by its own name."""
    names = [*base.split("+"), *experiments]
    return "+".join(names[1:] if names[0] == DEFAULT_EXPERIMENT and len(names) > 1 else names)


def _changed(base: Side, change: Alternative, common: Sequence[str]) -> Side:
    problems = [
        f"change={change.text} may not set {name}: {why}"
        for word in (*change.overrides, *change.worked_out)
        for name, why in _OF_BOTH_SIDES.items()
        if word.partition("=")[0].lstrip("+~") == name
    ]
    if problems:
        raise ParameterError(problems)
    experiment = stacked(base.experiment, change.experiments)
    overrides = [*common, *change.overrides]
    config, worked_out = work_out(composed(experiment, overrides), change.worked_out)
    if set_ := [name for name in _OF_BOTH_SIDES if config.get(name) != base.config.get(name)]:
        raise ParameterError(f"change={change.text} may not set {name}: {_OF_BOTH_SIDES[name]}" for name in set_)
    said = about("+".join(change.experiments)) if change.experiments else ""
    return Side(change.label or change.text, said, experiment, (*overrides, *worked_out), config)


def _idle(base: Side, changes: Sequence[Side]) -> list[str]:
    """Changes that change nothing, or that another one repeats."""
    problems, seen = [], [base]
    for change in changes:
        same = next((one for one in seen if _settings(one.config) == _settings(change.config)), None)
        if same is base:
            problems.append(f"change={change.name} changes nothing: every parameter is as in the base {base.name}")
        elif same is not None:
            problems.append(f"change={change.name} is the same as change={same.name}")
        elif any(one.name == change.name for one in seen):
            problems.append(f"two changes are called {change.name!r}; give one of them another label")
        seen.append(change)
    return problems


def _settings(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in NOT_PART_OF_A_RUN}
