"""What a number does to a config: it is set, added or multiplied at one or more places."""

import types
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from sim.params.base import Params, hint
from sim.params.festival import FestivalParams
from sim.paths import at, places

_DIGITS = 12  # of a result: 0.1 + 0.2 is 0.3 in a config


def pull(config: Any, lever: str, paths: Mapping[str, float], value: float) -> list[str]:
    """Let a value act on a config, in place; what cannot be done, in words.

    Parameters
    ----------
    config : nested dicts and lists
    lever : set, add or times
    paths : weights by dotted path; `*` stands for every name at its place
    """
    problems = []
    for path, weight in paths.items():
        steps = path.split(".")
        named = list(places(config, steps))
        if not named:
            problems.append(f"{path} is not a parameter{_hint(config, steps)}")
        for place in named:
            parent = at(config, place[:-1])
            before, name = parent[place[-1]], ".".join(map(str, place))
            if isinstance(before, bool) or not isinstance(before, (int, float)):
                problems.append(f"{name} must be a number for a lever to act on it, it is {before!r:.60}")
                continue
            amount = value * weight
            whole = isinstance(before, int) and takes_whole_numbers_only(place)
            after = amount if lever == "set" else before + amount if lever == "add" else before * amount
            parent[place[-1]] = round(after) if whole else float(f"{after:.{_DIGITS}g}")
    return problems


def takes_whole_numbers_only(place: Sequence[Any]) -> bool:
    """Whether a parameter of a run is an integer; a factor of 1 in a config file is none, though it is written as one."""
    found: list[Any] = [FestivalParams]
    for step in map(str, place):
        found = [inner for kind in found for inner in _inside(kind, step)]
    kinds = [kind for one in found for kind in _alternatives(one)]
    return int in kinds and float not in kinds


def _inside(kind: Any, step: str) -> list[Any]:
    """The annotations of what a group, a mapping or a list has at a step."""
    found: list[Any] = []
    for one in _alternatives(kind):
        if isinstance(one, type) and issubclass(one, Params) and step in one.model_fields:
            found.append(one.model_fields[step].annotation)
        elif get_origin(one) is dict:
            found.append(get_args(one)[1])
        elif get_origin(one) in (tuple, list):
            found += [inner for inner in get_args(one) if inner is not ...]
    return found


def _alternatives(kind: Any) -> list[Any]:
    """The members of a union, without what annotates them."""
    if get_origin(kind) is Annotated:
        return _alternatives(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return [one for inner in get_args(kind) for one in _alternatives(inner)]
    return [kind]


def _hint(config: Any, steps: list[str]) -> str:
    """What is known where a path goes wrong first."""
    for count in range(len(steps)):
        if any(places(config, steps[: count + 1])):
            continue
        parents = [at(config, place) for place in places(config, steps[:count])]
        known = sorted({str(key) for parent in parents if isinstance(parent, Mapping) for key in parent})
        return hint(steps[count], known) if known else f": {'.'.join(steps[:count])} has no such part"
    return ""
