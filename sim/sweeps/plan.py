"""What a sweep is to run: points, their checked configs and the replications, under a key of its own."""

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from sim import store
from sim.compose import EXPERIMENT, Axis, compose_points
from sim.params.base import ParameterError, build
from sim.sweeps.design import Point, Range, points
from sim.sweeps.stopping import Goal

if TYPE_CHECKING:
    from sim.saves import Branch

OWN = {
    "seed": "gives the first replication's draws, the same at every point; replications=5 adds others",
    "replications": "is the same at every point",
    "output": "is one folder",
    "threads": "changes no result",
}


class Task(NamedTuple):
    """One run: its key, its place in the sweep and its whole config; `branch`: where it begins, and where its state is kept."""

    key: str
    point: int
    replication: int
    experiment: str
    settings: dict[str, Any]
    overrides: tuple[str, ...]
    branch: "Branch | None" = None


@dataclass(frozen=True)
class Plan:
    """A checked sweep.

    experiment : name of the experiment that the points change
    overrides : what all points have in common
    axes : names of the parameters that differ between points
    points : in order
    configs : the whole config of each point
    replications : of each point, at first; with goals there are more until all are met, at most `most_replications`
    keep : what is kept of a run besides its key figures: nothing, some tables by name, or everything ("all")
    """

    experiment: str
    overrides: tuple[str, ...]
    axes: tuple[str, ...]
    points: tuple[Point, ...]
    configs: tuple[Mapping[str, Any], ...]
    replications: int
    goals: tuple[Goal, ...] = ()
    most_replications: int = 0
    keep: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """Seed of the first replication; the n-th has it plus n, at every point, so that points are compared on common draws."""
        return int(self.configs[0]["seed"])

    @cached_property
    def design_key(self) -> str:
        """Key of the question alone: the same whatever the code that answers it."""
        described = [
            [store.config_key(config) for config in self.configs],
            [list(point.values.items()) for point in self.points],
            [self.seed, self.replications, [list(goal) for goal in self.goals], self.most_replications],
        ]
        return hashlib.blake2b(json.dumps(described).encode(), digest_size=16).hexdigest()

    @cached_property
    def key(self) -> str:
        """Key of the sweep: of the question, of what is kept and of the code."""
        text = "/".join((self.design_key, *self.keep, store.source_hash()))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def name(self) -> str:
        """Name of the sweep's folder: festival_2012-64x5-KEY."""
        upto = "to" + str(self.most_replications) if self.goals else ""
        return f"{self.experiment}-{len(self.points)}x{self.replications}{upto}-{self.key[:8]}"

    def task(self, point: int, replication: int) -> Task:
        """The run of a replication at a point."""
        settings = copy.deepcopy(dict(self.configs[point])) | {"seed": self.seed + replication}
        experiment = self.points[point].values.get(EXPERIMENT, self.experiment)
        told = [text for text in self.points[point].overrides if not text.startswith(f"{EXPERIMENT}=")]
        return Task(store.run_key(settings), point, replication, experiment, settings, (*self.overrides, *told))

    def tasks(self, replications: int | None = None) -> Iterator[Task]:
        """The first replications of all points, all points once before any has its second."""
        for replication in range(self.replications if replications is None else replications):
            for point in range(len(self.points)):
                yield self.task(point, replication)


def make_plan(
    experiment: str,
    overrides: Sequence[str],
    axes: Sequence[Axis] = (),
    *,
    design: str | None = None,
    drawn_from: Sequence[Range] = (),
    goals: Sequence[Goal] = (),
    most_replications: int = 30,
    keep: Sequence[str] = (),
) -> tuple[Plan, dict[str, Any]]:
    """The checked plan of a sweep, and the config that its points change.

    Parameters
    ----------
    experiment : a name in configs/experiment
    overrides : what all points have in common
    axes, design, drawn_from : as in `sim.sweeps.design.points`
    goals : how narrow the intervals of which figures have to be; none for a fixed number of replications
    most_replications : of a point, with goals
    keep : as in `Plan`

    Raises
    ------
    ParameterError
        With every problem of the design and of all points; nothing has been simulated then.
    """
    from sim import runner

    problems: list[str] = []
    named = [*(axis.name for axis in axes), *(one.name for one in drawn_from)]
    problems += [f"{name} cannot be an axis: it {why}" for name, why in OWN.items() if name in named]
    base: dict[str, Any] = {}
    seed = 0
    try:
        base = runner.composed(experiment, overrides)
        seed = base["seed"] if isinstance(base["seed"], int) else 0
    except ParameterError as error:
        problems += error.problems
    found: list[Point] = []
    try:
        found = points(axes, design, drawn_from, seed)
    except ParameterError as error:
        problems += error.problems
    if found and not (drawn_from or axes):
        problems += [f"{name} cannot be an axis: it {why}" for name, why in OWN.items() if name in found[0].values]
    configs: list[dict[str, Any]] = []
    if base:
        try:
            configs = compose_points(experiment, overrides, [point.overrides for point in found], base)
        except ParameterError as error:
            problems += error.problems
    settings = [_of_a_run(config) for config in configs]
    if base:
        problems += _problems(found, settings) if settings else _problems([Point({}, ())], [_of_a_run(base)])
        problems += _wrong_count(base["replications"], most_replications if goals else None)
    if problems:
        raise ParameterError(dict.fromkeys(problems))
    plan = Plan(
        experiment,
        tuple(overrides),
        tuple(found[0].values),
        tuple(found),
        tuple(settings),
        base["replications"],
        tuple(goals),
        most_replications if goals else 0,
        tuple(keep),
    )
    return plan, base


def _of_a_run(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of one run of a config."""
    return {name: 1 if name == "replications" else value for name, value in config.items() if name != "output"}


def _wrong_count(replications: object, most: int | None) -> list[str]:
    """What is wrong with the number of replications and, with goals, the most that there may be."""
    if not isinstance(replications, int) or isinstance(replications, bool) or replications < 1:
        return [f"replications must be an integer >= 1, got {replications!r}"]
    if most is not None and most < replications:
        return [f"most_replications must be >= replications {replications}, got {most}"]
    return []


def _problems(found: Sequence[Point], configs: Sequence[Mapping[str, Any]]) -> list[str]:
    """All that is wrong with the points' configs, each message once, with the first of the points that it is about."""
    from sim import festival
    from sim.params.festival import FestivalParams

    at: dict[str, list[int]] = {}
    first: dict[str, int] = {}
    same = []
    for number, config in enumerate(configs):
        try:
            festival.check(build(FestivalParams, config))
        except ParameterError as error:
            for text in error.problems:
                at.setdefault(text, []).append(number)
        twin = first.setdefault(store.config_key(config), number)
        if twin != number:
            same.append(
                f"points {twin + 1} and {number + 1} are the same: {_described(found[twin])} and {_described(found[number])}"
            )
    return [
        text if len(numbers) == len(configs) else f"{text} (at {_described(found[numbers[0]])})"
        for text, numbers in at.items()
    ] + same


def _described(point: Point) -> str:
    return ", ".join(f"{name}={value}" for name, value in point.values.items())
