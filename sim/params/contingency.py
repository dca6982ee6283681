"""Faults, and the plans that answer them: what strikes whom how hard and when, how it is noticed, what is done and undone."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError, hint
from sim.params.contingency_kinds import ACTIONS, KINDS, METRICS, Course, Part
from sim.units import HOUR_S

Owner = Literal[
    "site duty officer",
    "machine room engineer",
    "network engineer",
    "database engineer",
    "payment engineer",
    "security engineer",
    "release manager",
    "logistics duty officer",
    "hub manager",
    "fleet manager",
    "rail desk",
    "outlet manager",
    "merchant desk",
]


class FaultParams(Params):
    """One fault. Its level follows a course up to `severity` and is nothing again `lasts_s` after its onset.

    step: at once; ramp: evenly over course_s; heat: 1 - exp(-t / course_s); decay: at once, then exp(-t / course_s).
    """

    kind: str
    where: str
    severity: float = Field(gt=0, le=1)
    onset_s: float = Field(default=0.0, ge=0)  # of a plan's fault: after the drill's beginning
    lasts_s: float = Field(gt=0)
    course: Course
    course_s: float = Field(ge=0)  # 0 with a step

    @model_validator(mode="after")
    def _is_a_kind_with_a_course(self) -> Self:
        problems = []
        if self.kind not in KINDS:
            problems.append(f"kind is not a kind of fault{hint(self.kind, list(KINDS))}, got {self.kind!r}")
        elif KINDS[self.kind].part == "road":
            problems += _not_whole_hours(self, "onset_s", "lasts_s")
        if (self.course == "step") != (self.course_s == 0.0):
            problems.append(f"course_s must be 0 with course step and only then, course is {self.course}")
        if problems:
            raise RuleError(problems)
        return self

    @property
    def part(self) -> Part:
        """The part that it strikes."""
        return KINDS[self.kind].part


class ReadingParams(Params):
    """A metric of the running model, and the threshold beyond which it is bad."""

    metric: str
    at: str
    threshold: float = Field(ge=0)

    @model_validator(mode="after")
    def _can_be_passed(self) -> Self:
        if self.metric not in METRICS:
            raise RuleError([f"metric is not a metric{hint(self.metric, list(METRICS))}, got {self.metric!r}"])
        metric = METRICS[self.metric]
        if metric.high_is_bad and self.threshold >= metric.most:
            raise RuleError(
                [
                    f"threshold must be < {metric.most:g}, the most that {self.metric} can be, or it can never trip, "
                    f"got {self.threshold:g}"
                ]
            )
        if not metric.high_is_bad and self.threshold <= 0.0:
            raise RuleError(
                [f"threshold must be > 0, or {self.metric} can never fall below it, got {self.threshold:g}"]
            )
        return self

    def is_beyond(self, value: float) -> bool:
        """Whether a value is bad."""
        return value > self.threshold if METRICS[self.metric].high_is_bad else value < self.threshold


class DetectionParams(ReadingParams):
    """How a fault is noticed: a metric over a window is beyond a threshold; then so long passes until somebody acts."""

    window_s: float = Field(ge=1)
    delay_s: float = Field(ge=0)


class GuardParams(ReadingParams):
    """What must not become bad while a plan acts: then it is withdrawn for good."""

    window_s: float = Field(ge=1)


class ActionParams(Params):
    """What a plan does: it pulls a lever by an amount."""

    kind: str
    where: str
    amount: float

    @model_validator(mode="after")
    def _is_an_action_of_a_sensible_amount(self) -> Self:
        if self.kind not in ACTIONS:
            raise RuleError([f"kind is not an action{hint(self.kind, list(ACTIONS))}, got {self.kind!r}"])
        action = ACTIONS[self.kind]
        if not action.least <= self.amount <= action.most:
            raise RuleError(
                [f"amount must be from {action.least:g} to {action.most:g} ({action.meaning}), got {self.amount:g}"]
            )
        return self

    @property
    def lever(self) -> str:
        """The lever that it pulls."""
        return ACTIONS[self.kind].lever


class PlanParams(Params):
    """A contingency plan: fault, detection, action, guard, and when it is undone."""

    id: Annotated[str, Field(min_length=1)]
    owner: Owner
    fault: FaultParams  # what it is for, and what its drill injects
    detect: DetectionParams
    act: ActionParams
    guard: GuardParams
    undo_s: float = Field(gt=0)  # the detection's metric has been good for so long
    from_s: float = Field(default=0.0, ge=0)  # in force from then on
    expects: str

    @model_validator(mode="after")
    def _is_of_one_part(self) -> Self:
        part = self.fault.part
        parts = {
            "detect.metric": METRICS[self.detect.metric].part,
            "act.kind": ACTIONS[self.act.kind].part,
            "guard.metric": METRICS[self.guard.metric].part,
        }
        problems = [
            f"{name} must be of the {part}, as the fault {self.fault.kind} is, got one of the {other}"
            for name, other in parts.items()
            if other != part
        ]
        if part == "road":
            problems += _not_whole_hours(self.detect, "window_s", "delay_s", path="detect.")
            problems += _not_whole_hours(self.guard, "window_s", path="guard.")
            problems += _not_whole_hours(self, "undo_s")
        if problems:
            raise RuleError(problems)
        return self

    @property
    def part(self) -> Part:
        """The part that it is for."""
        return self.fault.part

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from all other plans: fault, detection, action and scope."""
        fault, detect, act = self.fault, self.detect, self.act
        return (
            *(fault.kind, fault.where, fault.severity, fault.course),
            *(detect.metric, detect.at, detect.threshold, detect.window_s, detect.delay_s),
            *(act.kind, act.where, act.amount),
        )


def _not_whole_hours(group: Params, *names: str, path: str = "") -> list[str]:
    """A message for each time of the road that is not a whole number of hours, as hubs sort by the hour."""
    return [
        f"{path}{name} must be a whole number of hours on the road, {HOUR_S:g} [s] each, got {getattr(group, name):g}"
        for name in names
        if getattr(group, name) % HOUR_S != 0.0
    ]


class ContingencyParams(Params):
    """Faults of a run, the plans in force, and what the kinds of faults are made of."""

    rooms: int = Field(ge=1)  # server rooms, among which every service's machines are spread evenly
    attack_per_s: float = Field(gt=0)  # visits that an attack of severity 1 makes in a second
    storm_per_s: float = Field(
        gt=0
    )  # visits in a second at the height of a red-packet storm or a hot item of severity 1
    faults: tuple[FaultParams, ...] = ()
    plans: tuple[PlanParams, ...] = ()

    @model_validator(mode="after")
    def _plans_agree(self) -> Self:
        problems = list(_contradictions(self.plans))
        names = [plan.id for plan in self.plans]
        problems += [
            f"plans must have ids of their own, got {name!r} twice"
            for name in sorted({n for n in names if names.count(n) > 1})
        ]
        if problems:
            raise RuleError(problems)
        return self


def _contradictions(plans: tuple[PlanParams, ...]) -> list[str]:
    """A message for every two plans that would pull one lever of one thing in opposite directions, or to different ends."""
    problems = []
    for i, plan in enumerate(plans):
        for other in plans[:i]:
            one, two = plan.act, other.act
            if (one.lever, one.where) != (two.lever, two.where):
                continue
            if (one.amount - 1.0) * (two.amount - 1.0) < 0.0 or (one.kind == two.kind and one.amount != two.amount):
                problems.append(
                    f"plans {other.id} and {plan.id} contradict each other: {two.kind} {two.where} {two.amount:g} "
                    f"and {one.kind} {one.where} {one.amount:g}"
                )
    return problems
