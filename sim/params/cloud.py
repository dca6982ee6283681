"""Parameters of the elastic cloud: how a machine comes and goes, what it costs, and how many each service is to have."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError, hint
from sim.params.site import SiteParams

Share = Annotated[float, Field(ge=0, le=1)]
Target = Annotated[float, Field(gt=0, le=1)]


class FixedParams(Params):
    """As many machines as there are at the start."""

    kind: Literal["fixed"]


class ScheduledMachines(Params):
    """Machines of one service that are to serve from an instant on."""

    at_s: int
    service: str
    machines: int = Field(ge=1)


class ScheduledParams(Params):
    """Machines by the clock, ordered so long ahead."""

    kind: Literal["scheduled"]
    ahead_s: int = Field(ge=0)
    steps: tuple[ScheduledMachines, ...] = Field(min_length=1)

    def machines(self, service: str, now_s: float) -> int | None:
        """The most machines that are scheduled for a service from now until `ahead_s` later; None: none yet."""
        own = sorted((step.at_s, step.machines) for step in self.steps if step.service == service)
        begun = [machines for at_s, machines in own if at_s <= now_s]
        soon = [machines for at_s, machines in own if now_s < at_s <= now_s + self.ahead_s]
        return max([*begun[-1:], *soon], default=None)


class ThresholdParams(Params):
    """A step up above one threshold, a step down below another, and then no step until the cool-down is over."""

    kind: Literal["threshold"]
    metric: Literal["utilisation", "concurrency"]
    up_above_share: float = Field(gt=0)
    down_below_share: float = Field(ge=0)
    up_share: float = Field(gt=0)  # machines of a step up, of those there are
    down_share: float = Field(gt=0, lt=1)  # machines of a step down
    cool_down_s: int = Field(ge=0)

    @model_validator(mode="after")
    def _steps_do_not_call_for_each_other(self) -> Self:
        after_down = self.up_above_share * (1 - self.down_share)
        after_up = self.up_above_share / (1 + self.up_share)
        problems = []
        for limit, way in ((after_down, "a step down"), (after_up, "a step up")):
            if self.down_below_share >= limit:
                problems.append(
                    f"down_below_share must be < {limit:g}, or {way} calls for one back, got {self.down_below_share:g}"
                )
        if problems:
            raise RuleError(problems)
        return self


class TrackingParams(Params):
    """What policies have in common that keep a target: tolerance, stabilisation window and step limits."""

    target_share: Target
    tolerance_share: Share  # no change while the metric is off by no more
    window_s: int = Field(ge=0)  # machines go when none of the recommendations within it wants them
    up_share: float = Field(gt=0)  # most machines ordered at one look, of those there are
    down_share: float = Field(gt=0, le=1)  # most machines drained at one look


class TargetParams(TrackingParams):
    """As many machines as bring the metric to its target."""

    kind: Literal["target"]
    metric: Literal["utilisation", "concurrency"]


class PredictiveParams(TrackingParams):
    """As many machines as the forecast load needs, from now until so long ahead, at the target utilisation."""

    kind: Literal["predictive"]
    ahead_s: int = Field(ge=0)
    error_share: float = Field(ge=0)  # standard deviation of the forecast's relative error, drawn for each hour


Policy = Annotated[
    FixedParams | ScheduledParams | ThresholdParams | TargetParams | PredictiveParams, Field(discriminator="kind")
]


class CloudServiceParams(Params):
    """How many machines one service has at the start, and may have."""

    start_machines: int | None = Field(default=None, ge=1)  # None: those of the site
    least_machines: int = Field(ge=1)
    most_machines: int = Field(ge=1)
    priority: int = Field(ge=0)  # 0 is served first when machines run short
    policy: Policy | None = None  # None: the cloud's

    @model_validator(mode="after")
    def _least_is_below_most(self) -> Self:
        if self.least_machines > self.most_machines:
            raise RuleError(
                [f"least_machines must be <= most_machines {self.most_machines}, got {self.least_machines}"]
            )
        return self


class CloudParams(Params):
    """Machines by the hour for some services of the site. Numbers of machines are of the real day, at every scale."""

    quota: int = Field(ge=1)  # machines of all its services at once, from their order to their stop
    look_s: int = Field(ge=1)  # between two looks of the policies
    boot_s: float = Field(gt=0)  # mean, from order to boot
    boot_cv: float = Field(ge=0)  # 0: each boot takes the mean
    boot_failure_share: float = Field(ge=0, lt=1)
    check_s: int = Field(ge=1)  # between two health checks of a machine, which notice that it has booted
    warm_up_s: int = Field(ge=0)
    warm_share: Share  # of its slots that a machine gives while it warms up; 0: none
    drain_s: int = Field(ge=1)  # least time from the last new request to the stop
    machine_rmb_per_h: float = Field(ge=0)
    policy: Policy
    services: dict[str, CloudServiceParams] = Field(min_length=1)

    def policy_of(self, service: str) -> Policy:
        """The policy of a service."""
        return self.services[service].policy or self.policy

    def start_machines(self, site: SiteParams) -> dict[str, int]:
        """Machines of each service before any policy has looked."""
        return {
            name: site.services[name].machines if service.start_machines is None else service.start_machines
            for name, service in self.services.items()
        }

    def problems(self, site: SiteParams) -> list[str]:
        """What does not fit the site, each message with its dotted path."""
        known = list(site.services)
        told = [
            f"cloud.services.{name} is not a service of the site{hint(name, known)}"
            for name in self.services
            if name not in site.services
        ]
        told += self._schedule_problems()
        told += [
            f"site.changes.{i} must not change {change.service}: its machines are the cloud's (cloud.services.{change.service})"
            for i, change in enumerate(site.changes)
            if change.service in self.services
        ]
        least = sum(service.least_machines for service in self.services.values())
        if self.quota < least:
            told.append(f"cloud.quota must be >= {least} (least_machines of all its services), got {self.quota}")
        if all(name in site.services for name in self.services):
            running = sum(self.start_machines(site).values())
            if self.quota < running:
                told.append(f"cloud.quota must be >= {running} (machines that run at the start), got {self.quota}")
        return told

    def _schedule_problems(self) -> list[str]:
        """What is scheduled for services that do not follow the schedule."""
        told = []
        policies = {"policy": self.policy} | {
            f"services.{name}.policy": service.policy for name, service in self.services.items() if service.policy
        }
        for path, policy in policies.items():
            if isinstance(policy, ScheduledParams):
                names = [name for name in self.services if self.policy_of(name) is policy]
                told += [
                    f"cloud.{path}.steps.{i}.service must be a service with this policy{hint(step.service, names)}"
                    for i, step in enumerate(policy.steps)
                    if step.service not in names
                ]
        return told
