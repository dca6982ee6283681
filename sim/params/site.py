"""Parameters of the site: its services, the services that each page calls, the client and planned changes of capacity."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError, hint

SERVICES_MOST = 64  # service draws are numbered by try and service


class ServiceTimeParams(Params):
    """Distribution of the time that one request holds a slot."""

    kind: Literal["deterministic", "exponential", "lognormal"]
    mean_s: float = Field(gt=0)
    cv: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _lognormal_has_a_spread(self) -> Self:
        if (self.kind == "lognormal") != (self.cv is not None):
            raise RuleError([f"cv must be given with kind lognormal and only then, kind is {self.kind}"])
        return self


class ServiceParams(Params):
    """One service: machines with slots, one queue for all of them, first come first served."""

    machines: int = Field(ge=1)
    slots_per_machine: int = Field(ge=1)
    service: ServiceTimeParams
    queue: int = Field(ge=0)  # waiting places of the whole service
    timeout_s: float = Field(gt=0)  # longest wait in the queue

    @property
    def slots(self) -> int:
        """Slots of the whole service at full scale."""
        return self.machines * self.slots_per_machine


class RouteParams(Params):
    """One way of serving a page: services called one after the other, with the share of shoppers who are served so."""

    share: float = Field(gt=0, le=1)
    services: tuple[str, ...] = Field(min_length=1, max_length=16)


class ClientParams(Params):
    """What a shopper's browser does when the site is busy."""

    retries: int = Field(ge=0, le=15)
    backoff_least_s: float = Field(gt=0)
    backoff_s: float = Field(gt=0)
    backoff_factor: float = Field(ge=1)


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
        if problems:
            raise RuleError(problems)
        return self
