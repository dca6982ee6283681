"""From a plain dict to checked parameters: every problem at once, each with its dotted path, rule, unit and value."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import pydantic

from sim.units import unit_of


class Params(pydantic.BaseModel):
    """Base of all parameter groups: immutable, unknown keys forbidden, no silent conversion to numbers."""

    model_config = pydantic.ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, revalidate_instances="never"
    )


class ParameterError(Exception):
    """Parameters that cannot be simulated. `problems` holds one message each, with its dotted path."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


class RuleError(ValueError):
    """Broken rules over several values, raised by a validator; each message starts with a name inside its group."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(self.problems))


P = TypeVar("P", bound=Params)
_BOUNDS = {
    "greater_than": ("gt", ">"),
    "greater_than_equal": ("ge", ">="),
    "less_than": ("lt", "<"),
    "less_than_equal": ("le", "<="),
}
_LENGTHS = {"too_short": ("min_length", "at least"), "too_long": ("max_length", "at most")}
_RULES = {  # in the words of a config file
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "tuple_type": "must be a list",
    "dict_type": "must be a group of names and values",
    "model_type": "must be a group of names and values",
}
_LONGEST_SHOWN = 60


def build(model: type[P], values: Mapping[str, Any], path: str = "") -> P:
    """Checked parameters of one group.

    Parameters
    ----------
    model : the group's class
    values : plain dict, as composed from the config files
    path : dotted path of the group, put before each message ("" at the top)

    Raises
    ------
    ParameterError
        With one message for every unknown, missing, mistyped or out-of-range value.
    """
    try:
        return model.model_validate(_tuples(values))
    except pydantic.ValidationError as error:
        raise ParameterError(_told(error.errors(include_url=False), model, values, path)) from None


def hint(word: str, known: Sequence[str]) -> str:
    """What to say after an unknown word: "; did you mean site? (known: demand, site)"."""
    close = difflib.get_close_matches(word, known, n=1)
    guess = f"; did you mean {close[0]}?" if close else ""
    return f"{guess} (known: {', '.join(known)})"


def _tuples(value: Any) -> Any:
    """The same values with lists as tuples: parameters are immutable all the way down."""
    if isinstance(value, Mapping):
        return {key: _tuples(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_tuples(item) for item in value)
    return value


class _Problem(NamedTuple):
    """One message: a dotted path, the rule that is broken there and, where it helps, the value that breaks it."""

    path: str
    rule: str
    got: str = ""

    def __str__(self) -> str:
        return f"{self.path} {self.rule}{self.got and f', got {self.got}'}"


def _told(errors: Sequence[Any], model: type[Params], values: Mapping[str, Any], path: str) -> list[str]:
    """A message for each problem. The alternatives that a value may be are one, and so are a value and what is inside it."""
    places = [_known_location(error["loc"], values, missing=error["type"] == "missing") for error in errors]
    problems: list[str | _Problem] = []
    for error, place in zip(errors, places, strict=True):
        if any(len(other) > len(place) and other[: len(place)] == place for other in places):
            continue
        dotted = ".".join([*([path] if path else []), *place])
        if isinstance(broken := error.get("ctx", {}).get("error"), RuleError):
            problems += [f"{dotted}.{text}" if dotted else text for text in broken.problems]
            continue
        problem = _problem(error, model, dotted or "config", place)
        last = problems[-1] if problems else None
        if isinstance(last, _Problem) and problem.got and (last.path, last.got) == (problem.path, problem.got):
            problems[-1] = last._replace(rule=f"{last.rule} or {problem.rule.removeprefix('must be ')}")
        else:
            problems.append(problem)
    return [str(problem) for problem in problems]


def _problem(error: Any, model: type[Params], dotted: str, place: list[str]) -> _Problem:
    kind, context, value = error["type"], error.get("ctx", {}), error["input"]
    name = place[-1] if place else ""
    unit = f" [{unit}]" if (unit := unit_of(name)) else ""
    if kind == "extra_forbidden":
        return _Problem(dotted, f"is not a parameter{hint(name, _known_names(model, place[:-1]))}")
    if kind == "missing":
        return _Problem(dotted, f"is missing{unit}")
    if kind in ("value_error", "assertion_error"):
        return _Problem(dotted, str(context["error"]))
    if kind in _LENGTHS:
        key, words = _LENGTHS[kind]
        items = "item" if context[key] == 1 else "items"
        return _Problem(dotted, f"must have {words} {context[key]} {items}", str(context["actual_length"]))
    if kind in _BOUNDS:
        key, sign = _BOUNDS[kind]
        return _Problem(dotted, f"must be {sign} {context[key]:g}{unit}", repr(value))
    rule = _RULES.get(kind) or error["msg"].replace("Input should be", "must be").replace(
        "must be a valid ", "must be a "
    )
    return _Problem(dotted, f"{rule[0].lower()}{rule[1:]}{unit}", _shown(value))


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= _LONGEST_SHOWN else f"a {'list' if isinstance(value, tuple) else type(value).__name__}"


def _known_location(location: tuple[Any, ...], values: Any, *, missing: bool) -> list[str]:
    """The part of pydantic's location that the user wrote: the tags of unions are left out."""
    written: list[str] = []
    for position, step in enumerate(location):
        last = position == len(location) - 1
        in_mapping = isinstance(values, Mapping) and step in values
        in_list = isinstance(values, (list, tuple)) and isinstance(step, int) and step < len(values)
        if in_mapping or in_list:
            values = values[step]
        elif not (last and missing):
            continue
        written.append(str(step))
    return written


def _known_names(model: type[Params], location: list[str]) -> list[str]:
    """Names of the fields of the group at a location; falls back to the top group's names."""
    found: set[str] = set()
    _collect_names(model, location, found)
    return sorted(found or model.model_fields)


def _collect_names(annotation: Any, location: list[str], found: set[str]) -> None:
    if isinstance(annotation, type) and issubclass(annotation, Params):
        if not location:
            found.update(annotation.model_fields)
        elif location[0] in annotation.model_fields:
            _collect_names(annotation.model_fields[location[0]].annotation, location[1:], found)
        return
    arguments = getattr(annotation, "__args__", ())
    origin = getattr(annotation, "__origin__", None)
    rest = location[1:] if origin in (dict, tuple, list) else location
    if origin in (dict, tuple, list) and not location:
        return
    for argument in arguments:
        _collect_names(argument, rest, found)
