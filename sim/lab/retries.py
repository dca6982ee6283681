"""Clients that try again: what they may do, their arrays, and the loop that gives the kernel room."""

import math
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from sim.kernels import retrial, retrial_state, station
from sim.kernels.departures import in_service
from sim.kernels.times import Distribution
from sim.params import Params
from sim.params.base import RuleError

Reason = Literal["rejected", "timed_out", "failed"]
Backoff = Literal["none", "fixed", "exponential"]
Jitter = Literal["none", "equal", "full", "decorrelated", "memoryless"]

REASONS: dict[Reason, int] = {
    "rejected": station.REJECTED,
    "timed_out": station.TIMED_OUT,
    "failed": retrial_state.FAILED,
}
BACKOFFS: dict[Backoff, int] = {
    "none": retrial.NO_BACKOFF,
    "fixed": retrial.FIXED,
    "exponential": retrial.GROWING,
}
JITTERS: dict[Jitter, int] = {
    "none": retrial.NO_JITTER,
    "equal": retrial.EQUAL,
    "full": retrial.FULL,
    "decorrelated": retrial.DECORRELATED,
    "memoryless": retrial.MEMORYLESS,
}


def retry(
    retries: int | None = 3,
    *,
    backoff: Backoff = "none",
    base_s: float | None = None,
    factor: float = 2.0,
    cap_s: float | None = None,
    jitter: Jitter = "none",
    on: Sequence[Reason] = ("rejected", "timed_out", "failed"),
    budget: float | None = None,
    budget_gain: float = 0.1,
) -> dict[str, Any]:
    """Clients try again when an attempt came to nothing.

    Parameters
    ----------
    retries : after the first attempt; None: for ever
    backoff : wait before the k-th retry: none, fixed (base_s), or exponential (base_s x factor**(k - 1), at most cap_s)
    jitter : what becomes of that wait v: none; equal, v / 2 and a uniform share of the other half; full, uniform up to v;
        decorrelated, uniform from base_s to three times the last wait, at most cap_s; memoryless, exponential with mean v
    on : the outcomes that are tried again
    budget : tokens that all clients share, full at first; a retry takes one and is not made when there is none; None: no budget
    budget_gain : tokens that a success puts back

    Sources: Brooker (2015), https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/ (jitter);
    Brooker (2022), https://brooker.co.za/blog/2022/02/28/retries.html (budget).
    """
    return {
        "retries": retries,
        "backoff": backoff,
        "base_s": base_s,
        "factor": factor,
        "cap_s": cap_s,
        "jitter": jitter,
        "on": list(on),
        "budget": budget,
        "budget_gain": budget_gain,
    }


class Retry(Params):
    """What clients do about an attempt that came to nothing; see `retry`."""

    retries: int | None = Field(default=3, ge=0)
    backoff: Backoff = "none"
    base_s: float | None = Field(default=None, gt=0)
    factor: float = Field(default=2.0, ge=1)
    cap_s: float | None = Field(default=None, gt=0)
    jitter: Jitter = "none"
    on: tuple[Reason, ...] = Field(default=("rejected", "timed_out", "failed"), min_length=1)
    budget: float | None = Field(default=None, ge=0)
    budget_gain: float = Field(default=0.1, ge=0)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = []
        if self.backoff != "none" and self.base_s is None:
            problems.append(f"base_s is missing [s]: backoff {self.backoff} waits that long before the first retry")
        if self.backoff == "none" and self.jitter != "none":
            problems.append(f"jitter must be none where backoff is none, got {self.jitter!r}")
        if self.jitter == "decorrelated" and self.backoff == "fixed":
            problems.append("jitter must not be decorrelated where backoff is fixed: its waits grow")
        if self.retries is None and self.backoff == "none":
            problems.append("retries must have an end where backoff is none: retries for ever at one instant")
        if problems:
            raise RuleError(problems)
        return self


def policy_of(chosen: Retry | None, *, deadline_s: float, failure_share: float) -> retrial_state.Policy:
    """What the kernel is told. deadline_s: from an attempt until its client gives it up, inf: never."""
    chosen = Retry(retries=0) if chosen is None else chosen
    return retrial_state.Policy(
        retries=retrial_state.FOR_EVER if chosen.retries is None else chosen.retries,
        reasons=sum(1 << REASONS[reason] for reason in set(chosen.on)),
        backoff=BACKOFFS[chosen.backoff],
        jitter=JITTERS[chosen.jitter],
        base_s=0.0 if chosen.base_s is None else chosen.base_s,
        factor=chosen.factor,
        cap_s=math.inf if chosen.cap_s is None else chosen.cap_s,
        deadline_s=deadline_s,
        failure_share=failure_share,
        budget=math.inf if chosen.budget is None else chosen.budget,
        budget_gain=chosen.budget_gain,
    )


FIRST_TICKETS = 1024


def serve_clients(
    clients: retrial_state.Clients,
    policy: retrial_state.Policy,
    gate: retrial_state.Gate,
    keys: retrial_state.Keys,
    service: Distribution,
    stations: station.Stations,
    *,
    stops_s: tuple[float, ...] = (math.inf,),
    tickets: int = FIRST_TICKETS,
) -> int:
    """Send clients, who may try again, through station 0; their rows are the result.

    Parameters
    ----------
    stations : idle, with room for `tickets` deadlines; the run works on wider copies where it needs them
    stops_s : instants to stop at on the way; nothing at or after the last happens
    tickets : attempts at the station that there is room for at first

    Returns the number of attempts.
    """
    jobs = station.empty_jobs(tickets)
    held = retrial_state.free_tickets(tickets)
    orbit = retrial_state.empty_orbit(clients.arrival_s.size, tickets, policy, gate)
    for stop_s in stops_s:
        rules = stop_s, policy, gate, keys, service
        while retrial.advance_clients(*rules, clients, orbit, held, stations, jobs) != retrial.DONE:
            stations, jobs, held = _more_tickets(stations, jobs, held, orbit)
    _tell_starts(clients, held, stations, jobs)
    return int(orbit.tally[retrial_state.ATTEMPTS])


def _more_tickets(
    stations: station.Stations, jobs: station.Jobs, tickets: retrial_state.Tickets, orbit: retrial_state.Orbit
) -> tuple[station.Stations, station.Jobs, retrial_state.Tickets]:
    """Twice the rows; all that there were are in use."""
    n = tickets.free.size
    wider_jobs = station.empty_jobs(2 * n)
    wider_jobs[:n] = jobs
    tickets = retrial_state.Tickets(*(np.concatenate([column, column]) for column in tickets))
    tickets.free[:n] = np.arange(n, 2 * n)[::-1]
    orbit.tally[retrial_state.FREE_TICKETS] = n
    if (stations.timer != station.FIRST_IN_LINE).any():
        wider = ((0, 0), (0, 2 * n - stations.deadline_s.shape[1]))
        stations = stations._replace(
            deadline_s=np.pad(stations.deadline_s, wider), deadline_job=np.pad(stations.deadline_job, wider)
        )
    return stations, wider_jobs, tickets


def _tell_starts(
    clients: retrial_state.Clients, tickets: retrial_state.Tickets, stations: station.Stations, jobs: station.Jobs
) -> None:
    """The start of the attempts that are still in service."""
    job = in_service(0, stations.departures)
    client = tickets.client[job]
    last = clients.attempts[client] == tickets.attempt[job] + 1
    clients.start_s[client[last]] = jobs["start_s"][job[last]]
