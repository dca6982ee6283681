"""Parameters of one service of the site: its machines, its service times and what protects it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError

Positive = Annotated[float, Field(gt=0)]


class ServiceTimeParams(Params):
    """Distribution of the time that one request holds a slot."""

    kind: Literal["deterministic", "exponential", "lognormal", "gamma", "empirical"]
    mean_s: float | None = Field(default=None, gt=0)
    cv: float | None = Field(default=None, gt=0)
    values_s: tuple[Positive, ...] | None = Field(default=None, min_length=1)  # observed times, all equally likely

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        problems = []
        if (self.kind in ("lognormal", "gamma")) != (self.cv is not None):
            problems.append(f"cv must be given with kind lognormal or gamma and only then, kind is {self.kind}")
        if (self.kind == "empirical") != (self.values_s is not None):
            problems.append(f"values_s must be given with kind empirical and only then, kind is {self.kind}")
        if (self.kind == "empirical") == (self.mean_s is not None):
            problems.append(f"mean_s must be given with every kind but empirical, kind is {self.kind}")
        if problems:
            raise RuleError(problems)
        return self

    @property
    def expected_s(self) -> float:
        """Mean of the distribution [s]."""
        if self.values_s is not None:
            return sum(self.values_s) / len(self.values_s)
        assert self.mean_s is not None
        return self.mean_s


class RateLimitParams(Params):
    """A token bucket in front of a service: what finds it empty is refused."""

    rate_per_s: float = Field(gt=0)
    burst: float = Field(ge=1)  # requests that may pass at once
    warm_up_s: float = Field(default=0.0, ge=0)  # from midnight until the full rate
    cold_share: float = Field(default=1.0, gt=0, le=1)  # of the full rate at midnight


class ShedParams(Params):
    """Refuse at once what could not be answered in time: expected wait and service against what is left of the deadline."""

    deadline_s: float = Field(gt=0)  # from the page's request until an answer is of use


class BreakerParams(Params):
    """A circuit breaker: it refuses all while the service fails, then tries it with a few requests."""

    window: int = Field(ge=1, le=10_000)  # answers that it judges by
    least_answers: int = Field(ge=1)  # before it judges
    failure_share: float = Field(gt=0, le=1)  # of the answers in its window, at which it opens
    slow_s: float | None = Field(
        default=None, gt=0
    )  # an answer after more than this counts as failed; None: however slow
    open_s: float = Field(gt=0)  # how long it refuses all
    trials: int = Field(ge=1)  # requests let through after that, which decide

    @model_validator(mode="after")
    def _window_holds_what_it_judges_by(self) -> Self:
        problems = [
            f"{name} must be <= window {self.window} [answers], got {value}"
            for name, value in (("least_answers", self.least_answers), ("trials", self.trials))
            if value > self.window
        ]
        if problems:
            raise RuleError(problems)
        return self


class DegradeParams(Params):
    """A simpler answer while the queue is long: it takes a share of the service time."""

    from_queue: int = Field(ge=1)  # requests that wait in the whole service when it begins
    until_queue: int = Field(ge=0)  # requests that wait when it ends
    time_share: float = Field(gt=0, lt=1)  # of the service time

    @model_validator(mode="after")
    def _ends_below_its_begin(self) -> Self:
        if self.until_queue >= self.from_queue:
            raise RuleError([f"until_queue must be < from_queue {self.from_queue} [requests], got {self.until_queue}"])
        return self


class WaitingRoomParams(Params):
    """ "Please wait" with a place in line: requests are let through to the service at a steady rate, first come first served.

    The browser's timeout does not run in the room.
    """

    rate_per_s: float = Field(gt=0)  # let in
    places: int = Field(ge=1)  # in line; what finds none is refused
    patience_s: float = Field(gt=0)  # longest wait in line


class ServiceParams(Params):
    """One service: machines with slots, their queues and what stands in front of them."""

    machines: int = Field(ge=1)
    slots_per_machine: int = Field(ge=1)
    dispatch: Literal["central", "random", "round_robin", "two_choices", "least_connections"] = "central"
    service: ServiceTimeParams
    queue: int = Field(
        ge=0
    )  # waiting places of the whole service; under any dispatch but central shared out to machines
    timeout_s: float = Field(gt=0)  # longest wait in the queue
    error_share: float = Field(default=0.0, ge=0, lt=1)  # of its answers that are errors, after the full service time
    waiting_room: WaitingRoomParams | None = None
    breaker: BreakerParams | None = None
    rate_limit: RateLimitParams | None = None
    concurrency_limit: int | None = Field(default=None, ge=1)  # requests in the whole service, waiting and served
    shed: ShedParams | None = None
    degrade: DegradeParams | None = None

    @property
    def slots(self) -> int:
        """Slots of the whole service at full scale."""
        return self.machines * self.slots_per_machine

    @model_validator(mode="after")
    def _deadline_leaves_time_to_serve(self) -> Self:
        if self.shed is not None and self.shed.deadline_s < self.service.expected_s:
            least_s = self.service.expected_s
            raise RuleError(
                [f"shed.deadline_s must be >= the mean service {least_s:g} [s], got {self.shed.deadline_s:g}"]
            )
        return self
