"""The words of a run that is saved on its way or goes on from a state: save_at=TIME, state=FILE, from=FILE."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from experiments.arguments import Arguments
from sim.params.base import ParameterError
from sim.units import clock, instant

if TYPE_CHECKING:
    from sim.runner import Replication
    from sim.saves import Branch

_WORDS = ("save_at", "state", "from")
_NOT_OF_THE_RUN = ("output", "threads", "replications")  # a branch has its own


class States(NamedTuple):
    """What is asked about states; None: nothing."""

    save_at_s: float | None
    file: Path | None
    source: Path | None


def states_of(arguments: Sequence[str]) -> tuple[States, list[str]]:
    """What the words ask about states, and the other words.

    Raises
    ------
    ParameterError
        With a message for every word twice, every instant that cannot be read, and state=FILE alone.
    """
    found: dict[str, str] = {}
    problems, others = [], []
    for argument in arguments:
        name, sign, value = argument.partition("=")
        if not sign or name not in _WORDS:
            others.append(argument)
        elif name in found:
            problems.append(f"{name} is given twice")
        elif not value:
            problems.append(f"{name} must have a value")
        else:
            found[name] = value
    save_at_s = None
    if "save_at" in found:
        try:
            save_at_s = instant(found["save_at"])
        except ValueError as error:
            problems.append(f"save_at must be an instant, such as 2012-11-11T23:59, 23:59 or 600 [s]: {error}")
    elif "state" in found:
        problems.append("state says where a state goes: say when as well, save_at=TIME")
    if problems:
        raise ParameterError(problems)
    if save_at_s is not None and save_at_s < 0.0:
        print(f"nothing happens before {clock(0.0)}: the state is that of this instant")
        save_at_s = 0.0
    file, source = (Path(found[name]) if name in found else None for name in ("state", "from"))
    return States(save_at_s, file, source), others


def begun_by(states: States, asked: Arguments, *, named: bool) -> Arguments:
    """The whole words of a run that goes on from a state: those that made the state, and what is changed in them.

    Raises
    ------
    ParameterError
        When an experiment is named beside a state.
    sim.saves.StateError
        When the file is no state of a run of words.
    """
    from sim.saves import origin_of

    if states.source is None:
        return asked
    if named:
        raise ParameterError(["experiment must not be named beside from=FILE: the state is of an experiment already"])
    origin = origin_of(states.source)
    changed = {_key(word) for word in asked.overrides}
    kept = [word for word in origin.overrides if _key(word) not in changed]
    return asked._replace(experiment=origin.experiment, overrides=[*kept, *asked.overrides])


def branch_of(states: States, asked: Arguments, replications: Sequence["Replication"]) -> "Branch | None":
    """Where a run begins and is saved, checked; None when nothing is asked about states.

    Raises
    ------
    ParameterError
        When there are several replications, or no place for the state.
    sim.saves.StateError
        When the state cannot be restored or saved, with every reason.
    """
    from sim.saves import Branch, Origin, Stop

    if states.source is None and states.save_at_s is None:
        return None
    if len(replications) > 1:
        raise ParameterError([f"replications must be 1 with save_at or from, got {len(replications)}"])
    (replication,) = replications
    stop = None
    if states.save_at_s is not None:
        file, directory = states.file, replication.directory
        if file is None and directory is None:
            raise ParameterError(["state=FILE is missing: nothing else is written (output=null)"])
        if file is None and directory is not None:
            file = directory.with_name(f"{directory.name}.at-{states.save_at_s:g}s.npz")
        assert file is not None
        stop = Stop(states.save_at_s, file)
    words = tuple(word for word in asked.overrides if _key(word) not in _NOT_OF_THE_RUN)
    branch = Branch(states.source, stop, Origin(asked.experiment, words))
    branch.check(replication.params)
    return branch


def _key(word: str) -> str:
    return word.partition("=")[0].lstrip("+~")
