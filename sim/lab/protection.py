"""What protects a station from its clients: limits, a waiting room, a circuit breaker, shedding and a degraded mode."""

import math
from typing import Any, Self

from pydantic import Field, model_validator

from sim.kernels import retrial_state
from sim.params import Params
from sim.params.base import RuleError


def token_bucket(
    rate_per_s: float, burst: float, *, warm_up_s: float = 0.0, cold_share: float = 1 / 3
) -> dict[str, Any]:
    """A limit on the rate of attempts: each takes a token, of which the bucket holds `burst` and is full at first.

    Tokens come at rate_per_s; from 0 s on over the warm-up the rate grows from cold_share of that in proportion to time.
    """
    return {"rate_per_s": rate_per_s, "burst": burst, "warm_up_s": warm_up_s, "cold_share": cold_share}


def concurrency_limit(most: int, *, waiting_room: int | None = 0) -> dict[str, Any]:
    """A limit on the attempts inside, which wait or are served: at most so many at once.

    waiting_room : places outside for those beyond, who are told their place in the one line there and let in one by one as others
        leave the station; timeouts and patience begin when they are let in. 0: those beyond are rejected; None: endless
    """
    return {"most": most, "waiting_room": waiting_room}


def circuit_breaker(
    window: int,
    *,
    open_s: float,
    failure_share: float = 0.5,
    least_answers: int | None = None,
    trials: int = 1,
) -> dict[str, Any]:
    """All attempts are rejected for a while when too many of the last ones came to nothing.

    Parameters
    ----------
    window : answers that it remembers
    open_s : how long it rejects all [s]; then it lets `trials` attempts through and decides anew when their answers are in
    failure_share : of the answers, from which on it opens: failed, timed out, shed, or rejected because the queue is full
    least_answers : before it opens; None: a full window
    trials : at most the window

    Source: Nygard (2018), Release It!, 2nd edition, chapter 5.
    """
    return {
        "window": window,
        "open_s": open_s,
        "failure_share": failure_share,
        "least_answers": least_answers,
        "trials": trials,
    }


def shedding(within_s: float | None = None) -> dict[str, Any]:
    """An attempt is rejected at its arrival when its answer is not expected within so long [s].

    With all slots busy and q jobs in queues (q + 1) / slots mean services are expected to pass before its own begins; where
    it would be served in degraded mode all of them are expected to be. None: the timeout of clients whose work is not cancelled.
    """
    return {"within_s": within_s}


def degraded_mode(above: int, share: float) -> dict[str, Any]:
    """An attempt that finds more than so many jobs waiting is served in a share of its time, a page without its venue, say."""
    return {"above": above, "share": share}


class RateLimit(Params):
    """A token bucket in front of a station; see `token_bucket`."""

    rate_per_s: float = Field(gt=0)
    burst: float = Field(ge=1)
    warm_up_s: float = Field(default=0.0, ge=0)
    cold_share: float = Field(default=1 / 3, ge=0, le=1)


class Concurrency(Params):
    """A limit on the attempts inside; see `concurrency_limit`."""

    most: int = Field(ge=1)
    waiting_room: int | None = Field(default=0, ge=0)


class Breaker(Params):
    """See `circuit_breaker`."""

    window: int = Field(ge=1)
    open_s: float = Field(gt=0)
    failure_share: float = Field(default=0.5, gt=0, le=1)
    least_answers: int | None = Field(default=None, ge=1)
    trials: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [
            f"{name} must be <= window = {self.window}, got {value}"
            for name, value in (("least_answers", self.least_answers), ("trials", self.trials))
            if value is not None and value > self.window
        ]
        if problems:
            raise RuleError(problems)
        return self


class Shedding(Params):
    """See `shedding`."""

    within_s: float | None = Field(default=None, gt=0)


class Degraded(Params):
    """See `degraded_mode`."""

    above: int = Field(ge=0)
    share: float = Field(gt=0, le=1)


def gate_of(
    rate_limit: RateLimit | None,
    concurrency: Concurrency | None,
    breaker: Breaker | None,
    degrade: Degraded | None,
    *,
    within_s: float = math.inf,
    mean_s: float = 0.0,
    slots: int = 0,
) -> retrial_state.Gate:
    """What the kernel is told. within_s: an attempt whose answer is expected later is shed; mean_s: of a service."""
    rules: dict[str, Any] = {"within_s": within_s, "mean_s": mean_s, "slots": slots}
    if rate_limit is not None:
        rules |= rate_limit.model_dump()
    if concurrency is not None:
        endless = concurrency.waiting_room is None
        rules |= {
            "most": concurrency.most,
            "waiting_room": retrial_state.NO_LIMIT if endless else concurrency.waiting_room,
        }
    if breaker is not None:
        rules |= {
            "window": breaker.window,
            "least_answers": breaker.window if breaker.least_answers is None else breaker.least_answers,
            "open_share": breaker.failure_share,
            "open_s": breaker.open_s,
            "trials": breaker.trials,
        }
    if degrade is not None:
        rules |= {"degrade_above": degrade.above, "degraded_share": degrade.share}
    return retrial_state.Gate(**rules)
