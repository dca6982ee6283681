"""The grammar of changes.

    change    = alternative {"," alternative}         compared with the base, one by one
    alternative = ["label: "] word {" " word}         all of its words together are one change
    word      = experiment {"+" experiment}           on top of the base
              | PATH=VALUE                            an override as of any run; ~PATH and +PATH=VALUE too
              | PATH=xFACTOR                          FACTOR times what it was; of a group, every number in it

`*` in a PATH stands for every name at its place. Commas and spaces inside brackets or quotes divide nothing.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sim.params.base import ParameterError, hint
from sim.paths import at, places

_LABEL = re.compile(r"^(?P<label>[^=:,]+): +(?P<rest>.+)$", re.DOTALL)
_FACTOR = re.compile(r"^(?P<path>[^=]+)=x(?P<factor>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)$")
_SPREAD = re.compile(r"^(?P<path>[^={\[]*\*[^={\[]*)=(?P<value>.*)$")
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "'\""


class Alternative(NamedTuple):
    """One change as it was written."""

    label: str | None
    experiments: tuple[str, ...]
    overrides: tuple[str, ...]  # as of any run
    worked_out: tuple[str, ...]  # with a factor or a star: they need to know what the parameters are without them
    text: str


def alternatives(text: str) -> list[Alternative]:
    """The changes in one `change=` of a command line.

    Raises
    ------
    ParameterError
        When a change is empty.
    """
    found = []
    for part in divided(text, ","):
        part = part.strip()
        labelled = _LABEL.match(part)
        label, rest = (labelled["label"].strip(), labelled["rest"]) if labelled else (None, part)
        words = [word for word in divided(rest, " \t\n") if word]
        if not words:
            raise ParameterError(
                [f"change={text} has nothing in it at one place: write change=EXPERIMENT or PATH=VALUE"]
            )
        experiments = [name for word in words if _is_experiment(word) for name in word.split("+")]
        values = [word for word in words if not _is_experiment(word)]
        worked_out = [word for word in values if _FACTOR.match(word) or _SPREAD.match(word)]
        plain = [word for word in values if word not in worked_out]
        found.append(Alternative(label, tuple(experiments), tuple(plain), tuple(worked_out), rest))
    return found


def divided(text: str, separators: str) -> list[str]:
    """Text between separators that are not inside brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in _QUOTES and (depth or parts[-1].endswith(("=", "'", '"'))):
            quote = letter  # elsewhere it is the apostrophe of a name
        elif letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth = max(depth - 1, 0)
        elif letter in separators and not depth:
            parts.append("")
            continue
        parts[-1] += letter
    return parts


def work_out(config: Mapping[str, Any], words: tuple[str, ...]) -> tuple[dict[str, Any], list[str]]:
    """A config with words of factors and stars applied, and what each of them set, as plain overrides.

    An integer stays one: its product is rounded.

    Raises
    ------
    ParameterError
        With every word that names no parameter, or no number where a factor is given.
    """
    import yaml

    changed, problems, told = _copy(config), [], []
    for word in words:
        factor = _FACTOR.match(word)
        path, _, text = word.partition("=")
        steps = path.split(".")
        named = list(places(changed, steps))
        if not named:
            problems.append(f"{path} is not a parameter{_hint(changed, steps)}")
        for place in named:
            before = at(changed, place)
            if factor:
                after = _times(before, float(factor["factor"]))
                if after is None:
                    problems.append(
                        f"{'.'.join(map(str, place))}=x{factor['factor']} needs numbers, got {_shown(before)}"
                    )
                    continue
            else:
                after = yaml.safe_load(text)
            at(changed, place[:-1])[place[-1]] = after
            told.append(f"{'.'.join(map(str, place))}={_written(after)}")
    if problems:
        raise ParameterError(problems)
    return changed, told


def _is_experiment(word: str) -> bool:
    return "=" not in word and not word.startswith(("~", "+", "-"))


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, (list, tuple)) else value


def _times(value: Any, factor: float) -> Any:
    """A number, or every number of a group, times a factor; None where something else is met."""
    if isinstance(value, Mapping):
        items = {key: _times(item, factor) for key, item in value.items()}
        return None if not items or any(item is None for item in items.values()) else items
    if isinstance(value, list):
        listed = [_times(item, factor) for item in value]
        return None if not listed or any(item is None for item in listed) else listed
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return round(value * factor) if isinstance(value, int) else float(f"{value * factor:.12g}")


def _hint(config: Mapping[str, Any], steps: list[str]) -> str:
    """What is known where a path goes wrong first."""
    for count in range(len(steps)):
        if not any(places(config, steps[: count + 1])):
            parents = [at(config, place) for place in places(config, steps[:count])]
            known = sorted({str(key) for parent in parents if isinstance(parent, Mapping) for key in parent})
            if known:
                return hint(steps[count], known)
            return f": {'.'.join(steps[:count])} is switched off (null)" if parents == [None] else ""
    return ""


def _shown(value: Any) -> str:
    text = _written(value)
    return text if len(text) <= 60 else f"a {'group' if isinstance(value, Mapping) else 'list'}"


def _written(value: Any) -> str:
    """A value as an override takes it."""
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
    return "[" + ", ".join(map(_written, value)) + "]" if isinstance(value, list) else str(value)
