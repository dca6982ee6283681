"""Which parameters a change sets, with their units and sources from the comments of the config files."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, NamedTuple

from sim.report.assumptions import CommentedValue, commented_values

_NOT_OF_THE_MODEL = ("scale", "seed", "replications", "threads", "output")
ABSENT = "–"


class Changed(NamedTuple):
    """One parameter that differs: dotted path, both values, unit, and where the change's value comes from."""

    path: str
    base: str
    change: str
    unit: str
    source: str

    @property
    def assumed(self) -> bool:
        """Whether nothing was published about it."""
        return not self.source or self.source.startswith("assumed")


def changed(base: Mapping[str, Any], change: Mapping[str, Any], experiments: Sequence[str] = ()) -> list[Changed]:
    """Every parameter that two configs do not share.

    Parameters
    ----------
    base, change : the composed configs
    experiments : names of those that the change is made of, whose comments come first
    """
    before, after = (dict(_leaves(config, "")) for config in (base, change))
    comments = list(_comments(experiments))
    found = []
    for path in dict.fromkeys((*before, *after)):
        if path.split(".")[0] in _NOT_OF_THE_MODEL or (
            path in before and path in after and before[path] == after[path]
        ):
            continue
        unit, source = _explained(path, after.get(path), comments)
        found.append(Changed(path, _written(before, path), _written(after, path), unit, source))
    return found


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Values by dotted path; an empty group or list, like a part that is off, is a value."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)) and value and any(isinstance(item, (Mapping, list, tuple)) for item in value):
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}.{place}")
    else:
        yield path, value


def _comments(experiments: Sequence[str]) -> Iterator[CommentedValue]:
    folder = files("configs")
    for name in experiments:
        file = folder / "experiment" / f"{name}.yaml"
        if file.is_file():
            yield from commented_values(file.read_text(encoding="utf-8"))
    for group in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if group.is_dir() and group.name != "experiment":
            for file in sorted(group.iterdir(), key=lambda entry: entry.name):
                if file.name.endswith(".yaml"):
                    yield from commented_values(file.read_text(encoding="utf-8"), f"{group.name}.")


def _explained(path: str, value: Any, comments: Sequence[CommentedValue]) -> tuple[str, str]:
    """Unit and source of a value: of the line that sets it, else the unit of any line about it."""
    unit = ""
    for line in comments:
        inside = path.startswith(f"{line.path}.")
        if line.path != path and not inside:
            continue
        unit_, _, source = (part.strip() for part in line.comment.partition(";"))
        unit = unit or unit_
        there = _inside(line.value, path.removeprefix(line.path).strip(".")) if inside else line.value
        if there == value:
            return unit_, source
    return unit, ""


def _inside(value: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(value, Mapping) and step in {str(key) for key in value}:
            value = next(item for key, item in value.items() if str(key) == step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _written(values: Mapping[str, Any], path: str) -> str:
    if path not in values:
        return ABSENT
    value = values[path]
    if value is None:
        return "off"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value)) or "none"
    return (
        f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000 else str(value)
    )
