"""What a plan file says: variables with prices, goals with probabilities, uncertain inputs, and how much may be run."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError

Share = Annotated[float, Field(gt=0, lt=1)]
Paths = Annotated[dict[str, float], Field(min_length=1)]
Lever = Literal["set", "add", "times"]


class RangeParams(Params):
    """Levels of a variable from `low` to `high`, both included, `step` apart."""

    low: float
    high: float
    step: float = Field(gt=0)

    @model_validator(mode="after")
    def _goes_up_in_whole_steps(self) -> Self:
        if self.low >= self.high:
            raise RuleError([f"low must be < high {self.high:g}, got {self.low:g}"])
        steps = (self.high - self.low) / self.step
        if abs(steps - round(steps)) > 1e-6:
            raise RuleError([f"step must go a whole number of times from low to high, got {self.step:g}"])
        return self


class OptionParams(Params):
    """One way out of several: overrides of a run, and what it costs."""

    label: str | None = None
    overrides: tuple[str, ...]
    price_rmb: float


class VariableParams(Params):
    """Something that can be decided: a number, or one of several options.

    A number v acts on each of `paths` by its weight w: "set" puts v w there, "add" adds v w, "times" multiplies by v w, rounded
    where the parameter is an integer. `*` in a path stands for every name at its place. Units up to `owned` are there already;
    each beyond it costs `price_rmb`.
    """

    label: str
    unit: str = ""
    levels: RangeParams | None = None
    lever: Lever = "set"
    paths: Paths | None = None
    owned: float | None = None
    price_rmb: float | None = Field(default=None, ge=0)
    options: Annotated[dict[str, OptionParams], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _is_a_number_or_options(self) -> Self:
        problems = []
        if (self.levels is None) == (self.options is None):
            problems.append("levels or options must be given, and not both")
        elif self.levels is not None:
            if self.paths is None:
                problems.append("paths is missing: the parameters that the variable sets")
            if self.price_rmb is None:
                problems.append("price_rmb is missing [RMB/unit]; 0 for what a figure of costs pays for")
        else:
            for name in ("paths", "price_rmb", "owned"):
                if getattr(self, name) is not None:
                    problems.append(f"{name} is for variables with levels; an option has its own")
        if problems:
            raise RuleError(problems)
        return self


class GoalParams(Params):
    """A service level: a key figure is at most, or at least, a limit, with a probability."""

    figure: str
    most: float | None = None
    least: float | None = None
    probability: Share

    @model_validator(mode="after")
    def _has_one_limit(self) -> Self:
        if (self.most is None) == (self.least is None):
            raise RuleError(["most or least must be given, and not both"])
        return self

    @property
    def limit(self) -> float:
        """The limit, in the figure's unit; counts are of the real day."""
        limit = self.most if self.most is not None else self.least
        assert limit is not None
        return limit

    @property
    def sign(self) -> float:
        """1 where more is worse, -1 where less is."""
        return 1.0 if self.most is not None else -1.0


class OutcomeParams(Params):
    """One of several things that may be, with its probability."""

    share: Share
    overrides: tuple[str, ...]


class InputParams(Params):
    """Something that is not known beforehand, drawn anew for each day. A number acts as that of a variable does, after it."""

    label: str
    kind: Literal["uniform", "normal", "lognormal", "outcomes"]
    low: float | None = None
    high: float | None = None
    mean: float | None = None
    median: Annotated[float, Field(gt=0)] | None = None
    sigma: Annotated[float, Field(gt=0)] | None = None  # of the value; lognormal: of its logarithm
    lever: Lever = "times"
    paths: Paths | None = None
    outcomes: Annotated[dict[str, OutcomeParams], Field(min_length=2)] | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needs = {
            "uniform": ("low", "high", "paths"),
            "normal": ("mean", "sigma", "paths"),
            "lognormal": ("median", "sigma", "paths"),
            "outcomes": ("outcomes",),
        }
        own = needs[self.kind]
        others = {name for names in needs.values() for name in names} - set(own)
        problems = [f"{name} is missing: kind {self.kind} needs it" for name in own if getattr(self, name) is None]
        problems += [
            f"{name} is not for kind {self.kind}" for name in sorted(others) if getattr(self, name) is not None
        ]
        if self.low is not None and self.high is not None and self.low >= self.high:
            problems.append(f"low must be < high {self.high:g}, got {self.low:g}")
        if self.outcomes is not None and abs(sum(one.share for one in self.outcomes.values()) - 1) > 1e-9:
            problems.append(f"outcomes must have shares that sum to 1, they sum to {_total(self.outcomes):g}")
        if problems:
            raise RuleError(problems)
        return self


def _total(outcomes: Mapping[str, OutcomeParams]) -> float:
    return sum(one.share for one in outcomes.values())


class EffortParams(Params):
    """How many runs each step may take. None of the numbers hangs on how many workers there are."""

    days: int = Field(ge=4, le=1000)  # that every promising decision is tried on
    first_days: int = Field(ge=1)  # the hardest of them, that every decision is tried on
    screening_paths: int = Field(ge=2)  # Morris trajectories
    screening_days: int = Field(ge=1)
    trials: int = Field(ge=4)  # decisions that the sampler proposes, for each part
    batch: int = Field(ge=1)  # proposed at once
    verification_days: int = Field(ge=10)  # fresh ones
    verified_plans: int = Field(ge=1)  # at the most, until it is known which holds
    frontier_days: int = Field(ge=5)
    frontier_plans: int = Field(ge=0)  # verified besides the plan itself
    sensitivity_points: int = Field(ge=0)  # a power of 2, times inputs + 3; 0: none

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = []
        for name, most, of in (
            ("first_days", self.days, "days"),
            ("screening_days", self.days, "days"),
            ("frontier_days", self.verification_days, "verification_days"),
        ):
            if getattr(self, name) > most:
                problems.append(f"{name} must be <= {of} {most}, got {getattr(self, name)}")
        if self.sensitivity_points & (self.sensitivity_points - 1):
            problems.append(f"sensitivity_points must be a power of 2 or 0, got {self.sensitivity_points}")
        if problems:
            raise RuleError(problems)
        return self


class AfterwardsParams(Params):
    """A day that came out: the plan is tried on it, with no input drawn."""

    label: str
    overrides: tuple[str, ...]
    runs: int = Field(ge=2)


class PlanFileParams(Params):
    """A whole plan file. `costs` are key figures in RMB that are paid for on top of the prices: the mean over the days."""

    question: str
    experiment: str
    overrides: tuple[str, ...] = ()
    scale: Annotated[float, Field(gt=0, le=1)]
    seed: int = Field(ge=0)
    variables: Annotated[dict[str, VariableParams], Field(min_length=1)]
    goals: Annotated[tuple[GoalParams, ...], Field(min_length=1)]
    together: Share  # probability that all goals are met on one day
    confidence: Share
    costs: tuple[str, ...] = ()
    inputs: dict[str, InputParams] = Field(default_factory=dict)
    effort: EffortParams
    afterwards: AfterwardsParams | None = None

    @model_validator(mode="after")
    def _goals_fit_together(self) -> Self:
        least = min(goal.probability for goal in self.goals)
        problems = []
        if self.together > least + 1e-12:
            problems.append(
                f"together must be <= the least probability of a goal {least:g}: a day meets all goals less often than any, "
                f"got {self.together:g}"
            )
        named = [goal.figure for goal in self.goals]
        problems += [f"goals name {name} twice" for name in sorted({name for name in named if named.count(name) > 1})]
        if problems:
            raise RuleError(problems)
        return self
