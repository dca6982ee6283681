"""Plan files: packaged ones by name, others by file; read as values only, and checked before anything is run."""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from sim.capacity.configs import Configs
from sim.capacity.params import PlanFileParams
from sim.metrics import kpis
from sim.params.base import ParameterError, build, hint

FOLDER = "capacity"
_NO_FIGURES = ("scale", "seed", "shoppers", "wall_s", "peak_rss_bytes")


def packaged() -> list[str]:
    """Names of the packaged plan files."""
    folder = files("configs") / FOLDER
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def read(name: str) -> tuple[str, dict[str, Any]]:
    """Text and values of a plan file.

    Parameters
    ----------
    name : of a packaged one, or FILE.yaml

    Raises
    ------
    ParameterError
        When there is no such file or it holds no values.
    """
    known = packaged()
    if name in known:
        text = (files("configs") / FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    elif not name.endswith((".yaml", ".yml")):
        raise ParameterError([f"plan={name} is not a plan{hint(name, known)}; a file of your own ends in .yaml"])
    else:
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            told = error.strerror if isinstance(error, OSError) else "it is no text"
            raise ParameterError([f"plan={name} cannot be read: {told}"]) from None
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ParameterError([f"plan={name} is no YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(values, Mapping):
        raise ParameterError([f"plan={name} must hold names and values: question, experiment, variables, goals, ..."])
    return text, dict(values)


def put(values: dict[str, Any], words: Sequence[str]) -> None:
    """Put values in place of those of a plan file: `goals.0.most=0.02`, `effort.days=6`.

    Raises
    ------
    ParameterError
        For every word that names nothing in the file.
    """
    problems = []
    for word in words:
        path, sign, text = word.partition("=")
        *steps, last = path.split(".")
        node: Any = values
        for step in steps:
            node = _item(node, step)
        if not sign or _item(node, last) is None:
            known = list(map(str, node)) if isinstance(node, Mapping) else []
            problems.append(f"{path} is not in the plan file{hint(last, known) if known else ''}")
        else:
            node[int(last) if isinstance(node, list) else last] = yaml.safe_load(text)
    if problems:
        raise ParameterError(problems)


def _item(node: Any, step: str) -> Any:
    if isinstance(node, list):
        return node[int(step)] if step.isdigit() and int(step) < len(node) else None
    return node.get(step) if isinstance(node, Mapping) else None


def checked(values: Mapping[str, Any]) -> Configs:
    """The runs that a plan file can ask for.

    Raises
    ------
    ParameterError
        With every problem of the file, of the parameters it names and of the runs it can ask for.
    """
    plan = build(PlanFileParams, values)
    problems = list(_unknown_figures(plan))
    try:
        configs = Configs(plan)
        configs.check()
    except ParameterError as error:
        raise ParameterError([*problems, *error.problems]) from None
    if problems:
        raise ParameterError(problems)
    return configs


def figure_names() -> list[str]:
    """Key figures that goals and costs can name."""
    every = kpis({}, scale=1, seed=1, wall_s=0, peak_rss_bytes=0, shoppers=1)
    return [name for name in every if name not in _NO_FIGURES]


def _unknown_figures(plan: PlanFileParams) -> Iterator[str]:
    known = figure_names()
    named = [(f"goals.{k}.figure", goal.figure) for k, goal in enumerate(plan.goals)]
    named += [(f"costs.{k}", figure) for k, figure in enumerate(plan.costs)]
    for path, figure in named:
        if figure not in known:
            yield f"{path} is not a key figure{hint(figure, known)}, got {figure!r}"
        elif path.startswith("costs") and not figure.endswith("_rmb"):
            yield f"{path} must be a figure in RMB, got {figure!r}"
