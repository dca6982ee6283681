"""Parameters of the site: its services, the services that each page calls, the client and planned changes of capacity."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError, hint
from sim.params.links import LinksParams
from sim.params.services import ServiceParams

SERVICES_MOST = 64  # with their waiting rooms: service draws are numbered by try and service


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
    services: dict[str, ServiceParams] = Field(min_length=1, max_length=SERVICES_MOST)
    pages: dict[str, tuple[RouteParams, ...]] = Field(min_length=1)
    priorities: dict[str, Annotated[int, Field(ge=0, lt=8)]] = Field(default_factory=dict)  # of pages: 0 goes first
    client: ClientParams
    changes: tuple[CapacityChange, ...] = ()
    links: LinksParams | None = None

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
        for page in self.priorities:
            if page not in self.pages:
                problems.append(f"priorities.{page} is not a page{hint(page, list(self.pages))}")
        if self.links is not None:
            sized = self.links.page_kbyte
            problems += [f"links.page_kbyte.{page} is missing" for page in self.pages if page not in sized]
            problems += [f"links.page_kbyte.{page} is not a page" for page in sized if page not in self.pages]
        rooms = sum(service.waiting_room is not None for service in self.services.values())
        if len(self.services) + rooms > SERVICES_MOST:
            problems.append(
                f"services must be at most {SERVICES_MOST} with their waiting rooms, got {len(self.services) + rooms}"
            )
        fastest_s = min(service.service.expected_s for service in self.services.values())
        if self.client.timeout_s is not None and self.client.timeout_s < fastest_s:
            problems.append(
                f"client.timeout_s must be >= the fastest service {fastest_s:g} [s], got {self.client.timeout_s:g}"
            )
        if problems:
            raise RuleError(problems)
        return self
