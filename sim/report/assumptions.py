"""Which parameters are assumed: read from the comments of the config files, `# <unit>; assumed: why`."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, NamedTuple

import yaml

PRIMARY = "festival"
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where PyYAML was built with it


class Assumption(NamedTuple):
    """One assumed parameter: dotted path, value in the run, unit and reason; `changed` when the run overrode the file."""

    path: str
    value: str
    unit: str
    reason: str
    changed: bool


class CommentedValue(NamedTuple):
    """One line of a config file that carries a value and a comment."""

    path: str
    value: Any
    comment: str


def assumptions(params: Mapping[str, Any], configs: Traversable | None = None) -> list[Assumption]:
    """Parameters of a run that are assumed according to the files that its values come from.

    Parameters
    ----------
    params : the run's config as plain nested dicts and lists
    configs : folder of the config groups; None takes the packaged one

    Notes
    -----
    Of several options in a group, the file that agrees best with `params` is the one that was chosen. Lines for
    parameters that the run does not have (a part is off) are left out, and so are scale, seed and the like: they are chosen, and
    nothing could be published about them.
    """
    folder = files("configs") if configs is None else configs
    found = []
    for prefix, options in _groups(folder):
        read = [list(commented_values(text, prefix)) for text in options]
        for line in max(read, key=lambda lines: sum(_agrees(line, params) for line in lines), default=[]):
            unit, _, reason = (part.strip() for part in line.comment.partition(";"))
            if "." in line.path and "assumed" in reason and look_up(params, line.path) is not _MISSING:
                value = look_up(params, line.path)
                why = reason.removeprefix("assumed").lstrip(": ")
                found.append(Assumption(line.path, _written(value), unit, why, not _agrees(line, params)))
    return found


def _groups(folder: Traversable) -> Iterator[tuple[str, list[str]]]:
    """Dotted prefix and texts of the options of each group; the primary file first, experiments only override it."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "experiment":
            options = sorted(
                (file for file in entry.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name
            )
            if options:
                yield f"{entry.name}.", [file.read_text(encoding="utf-8") for file in options]
        elif entry.name == f"{PRIMARY}.yaml":
            yield "", [entry.read_text(encoding="utf-8")]


def commented_values(text: str, prefix: str = "") -> Iterator[CommentedValue]:
    """Values with comments behind them in a YAML text, with paths such as `site.pages.pay.1`."""
    root = yaml.compose(text, Loader=_Loader)
    if root is not None:
        yield from _below(root, prefix, text.splitlines(), yaml.SafeLoader(""))


def _below(node: yaml.Node, path: str, lines: list[str], values: yaml.SafeLoader) -> Iterator[CommentedValue]:
    """A block's entries, one by one; a scalar or a collection in brackets is one value, with the comment behind its end."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        dot = "" if not path or path.endswith(".") else "."
        for key, value in node.value:
            yield from _below(value, f"{path}{dot}{key.value}", lines, values)
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
        for k, item in enumerate(node.value):
            yield from _below(item, f"{path}.{k}", lines, values)
    else:
        rest = lines[node.end_mark.line][node.end_mark.column :] if node.end_mark.line < len(lines) else ""
        if rest.lstrip().startswith("#"):
            yield CommentedValue(path, values.construct_object(node, deep=True), rest.strip().lstrip("# "))


_MISSING = object()


def look_up(params: Mapping[str, Any], path: str) -> Any:
    """Value at a dotted path with places in lists as numbers; a marker of its own when there is none."""
    value: Any = params
    for part in path.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, (list, tuple)) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value


def _agrees(line: CommentedValue, params: Mapping[str, Any]) -> bool:
    value = look_up(params, line.path)
    return value is not _MISSING and bool(_plain(value) == _plain(line.value))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_written(item)}" for key, item in value.items() if item is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_written, value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,}" if abs(value) >= 10_000 else f"{value:g}"
    return str(value)
