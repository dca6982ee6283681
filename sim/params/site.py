"""Parameters of the site: its services, the services that each page calls, the client and planned changes of capacity."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError, hint

SERVICES_MOST = 64  # service draws are numbered by try and service


class ServiceTimeParams(Params):
    """Distribution of the time that one request holds a slot."""

    kind: Literal["deterministic", "exponential", "lognormal", "gamma"]
    mean_s: float = Field(gt=0)
    cv: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _has_a_spread_where_it_needs_one(self) -> Self:
        if (self.kind in ("lognormal", "gamma")) != (self.cv is not None):
            raise RuleError([f"cv must be given with kind lognormal or gamma and only then, kind is {self.kind}"])
        return self


class RateLimitParams(Params):
    """A token bucket in front of a service: what finds it empty is refused."""

    rate_per_s: float = Field(gt=0)
    burst: float = Field(ge=1)  # requests that may pass at once
    warm_up_s: float = Field(default=0.0, ge=0)  # from midnight until the full rate
    cold_share: float = Field(default=1.0, gt=0, le=1)  # of the full rate at midnight


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
    rate_limit: RateLimitParams | None = None

    @property
    def slots(self) -> int:
        """Slots of the whole service at full scale."""
        return self.machines * self.slots_per_machine


class RouteParams(Params):
    """One way of serving a page: services called one after the other, with the share of shoppers who are served so."""

    share: float = Field(gt=0, le=1)
    services: tuple[str, ...] = Field(min_length=1, max_length=16)


class RetryBudgetParams(Params):
    """A bucket of tokens that the shoppers of a cell share: a retry costs one, each page answered brings some."""

    tokens: float = Field(ge=1)  # of the whole site at full scale
    gain: float = Field(gt=0, le=1)


class ClientParams(Params):
    """What a shopper's browser does when the site is busy."""

    timeout_s: float | None = Field(gt=0)  # None: it waits as long as it takes
    retries: int = Field(ge=0, le=15)
    backoff: Literal["none", "fixed", "growing"]
    jitter: Literal["none", "equal", "full", "decorrelated", "memoryless"]
    least_s: float = Field(gt=0)
    base_s: float = Field(gt=0)
    factor: float = Field(ge=1)
    cap_s: float = Field(gt=0)
    budget: RetryBudgetParams | None = None

    @model_validator(mode="after")
    def _cap_is_above_the_base(self) -> Self:
        if self.cap_s < self.base_s:
            raise RuleError([f"cap_s must be >= base_s {self.base_s:g} [s], got {self.cap_s:g}"])
        return self


class CapacityChange(Params):
    """Machines of a service from an instant on, ordered beforehand."""

    at_s: float = Field(ge=0)
    service: str
    machines: int = Field(ge=1)


class SiteParams(Params):
    """The site of one festival day."""

    cells: int = Field(ge=1)
    machine_rmb_per_h: float = Field(ge=0)
    services: dict[str, ServiceParams] = Field(min_length=1, max_length=SERVICES_MOST)
    pages: dict[str, tuple[RouteParams, ...]] = Field(min_length=1)
    client: ClientParams
    changes: tuple[CapacityChange, ...] = ()

    @model_validator(mode="after")
    def _names_and_shares_agree(self) -> Self:
        problems = []
        for page, routes in self.pages.items():
            total = sum(route.share for route in routes)
            if abs(total - 1) > 1e-9:
                problems.append(f"pages.{page} must have shares that sum to 1, they sum to {total:g}")
            for unknown in sorted({name for route in routes for name in route.services} - set(self.services)):
                problems.append(
                    f"pages.{page} calls an unknown service{hint(unknown, list(self.services))}, got {unknown!r}"
                )
        for i, change in enumerate(self.changes):
            if change.service not in self.services:
                problems.append(
                    f"changes.{i}.service is not a service{hint(change.service, list(self.services))}, got {change.service!r}"
                )
        fastest_s = min(service.service.mean_s for service in self.services.values())
        if self.client.timeout_s is not None and self.client.timeout_s < fastest_s:
            problems.append(
                f"client.timeout_s must be >= the fastest service {fastest_s:g} [s], got {self.client.timeout_s:g}"
            )
        if problems:
            raise RuleError(problems)
        return self
