"""What `lab.station` may be asked for, and the rules that it has to keep."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.kernels import station as kernels
from sim.lab.arrivals import Arrival
from sim.lab.distributions import Service
from sim.lab.protection import Breaker, Concurrency, Degraded, RateLimit, Shedding
from sim.lab.retries import Retry
from sim.params import Params
from sim.params.base import RuleError

Dispatch = Literal["central", "random", "round_robin", "two_choices", "least_connections"]

DISPATCHES: dict[Dispatch, int] = {
    "central": kernels.CENTRAL,
    "random": kernels.RANDOM,
    "round_robin": kernels.ROUND_ROBIN,
    "two_choices": kernels.TWO_CHOICES,
    "least_connections": kernels.LEAST_CONNECTIONS,
}
MOST_JOBS = 2**31 - 1  # the kernel numbers its jobs with 32 bits


class StationParams(Params):
    """What `station` simulates."""

    arrival: Arrival
    service: Service
    servers: int = Field(default=1, ge=1)
    slots: int = Field(default=1, ge=1)
    dispatch: Dispatch = "central"
    capacity: int | None = None
    timeout_s: float | None = Field(default=None, ge=0)
    cancel: bool = True
    patience: Service | None = None
    priority: tuple[Annotated[float, Field(ge=0)], ...] | None = Field(default=None, min_length=1, max_length=127)
    failure_share: float = Field(default=0.0, ge=0, le=1)
    rate_limit: RateLimit | None = None
    concurrency: Concurrency | None = None
    breaker: Breaker | None = None
    shed: Shedding | None = None
    degrade: Degraded | None = None
    retry: Retry | None = None
    jobs: int | None = Field(default=None, ge=1, le=MOST_JOBS)
    horizon_s: float | None = Field(default=None, gt=0)
    seed: int = 1

    @property
    def places(self) -> int:
        """Jobs that are served at once for each queue."""
        return self.slots * (self.servers if self.dispatch == "central" else 1)

    @property
    def deadline_s(self) -> float:
        """From an attempt until its client leaves, whether it is served or not; inf: never [s]."""
        return math.inf if self.cancel or self.timeout_s is None else self.timeout_s

    @property
    def within_s(self) -> float:
        """An attempt whose answer is expected later is shed; inf: none is [s]."""
        if self.shed is None:
            return math.inf
        return self.deadline_s if self.shed.within_s is None else self.shed.within_s

    @property
    def plain(self) -> bool:
        """Whether every job makes one attempt, which nothing but the station itself may refuse."""
        gate = (self.rate_limit, self.concurrency, self.breaker, self.shed, self.degrade)
        return self.retry is None and self.cancel and self.failure_share == 0.0 and all(rule is None for rule in gate)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Rules over several parameters."""
        problems = []
        if self.capacity is not None and self.capacity < self.places:
            name = "servers x slots" if self.dispatch == "central" else "slots"
            problems.append(f"capacity must be >= {name} = {self.places}, got {self.capacity}")
        if not self.cancel and self.timeout_s is None:
            problems.append("timeout_s is missing [s]: cancel=False says what becomes of work that timed out")
        if not self.cancel and self.timeout_s is not None and self.timeout_s < self.service.least_s:
            least_s = self.service.least_s
            problems.append(f"timeout_s must be >= the shortest service = {least_s:g} [s], got {self.timeout_s:g}")
        if self.shed is not None and math.isinf(self.within_s):
            problems.append("shed.within_s is missing [s]: there is no timeout of clients whose work is not cancelled")
        elif self.within_s < self.service.mean_s:
            mean_s = self.service.mean_s
            problems.append(
                f"shed.within_s must be >= the mean service = {mean_s:g} [s], got {self.within_s:g}: else all is shed"
            )
        if self.priority is not None and sum(self.priority) <= 0:
            problems.append("priority must have a share > 0")
        problems += self._endless()
        if problems:
            raise RuleError(problems)
        return self

    def _endless(self) -> list[str]:
        """What would keep the run from its end."""
        if self.horizon_s is None:
            for_ever = self.retry is not None and self.retry.retries is None and "failed" in self.retry.on
            if for_ever and self.failure_share == 1.0:
                return ["horizon_s must be given: every attempt fails and is tried again for ever"]
            if self.retry is not None and self.retry.retries is None and not math.isinf(self.deadline_s):
                return ["horizon_s must be given: retries for ever may keep the station busy with late work for ever"]
            return ["jobs or horizon_s must be given: nothing ends the run"] if self.jobs is None else []
        if self.jobs is None and self.arrival.arrivals_before(self.horizon_s) > 0.99 * MOST_JOBS:
            return [f"horizon_s must bring fewer than {MOST_JOBS:,} arrivals, got {self.horizon_s:g}"]
        return []
