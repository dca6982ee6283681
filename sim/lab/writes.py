"""Clients that compete for one record by optimistic writes."""

import math
from typing import Any

import numpy as np
from pydantic import Field

from sim.draws import stream
from sim.kernels.optimistic import compete
from sim.lab.retries import Retry, policy_of
from sim.params import Params, build


class ContentionParams(Params):
    """What `contention` simulates."""

    clients: int = Field(ge=1)
    leg_mean_s: float = Field(ge=0)
    leg_sd_s: float = Field(ge=0)
    retry: Retry
    runs: int = Field(ge=1)
    seed: int


def contention(
    *,
    clients: int,
    retry: dict[str, Any],
    leg_mean_s: float = 0.010,
    leg_sd_s: float = 0.002,
    runs: int = 1,
    seed: int = 1,
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Have clients each win one optimistic write on the same record; return how many writes they tried in all, per run.

    A client reads and then writes; the write succeeds only if nobody wrote since the read, else the client backs off and reads
    again, for ever. Source: Brooker (2015), https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.

    Parameters
    ----------
    clients : all start at once
    retry : their backoff and its jitter, see `retry`; nothing else of it is used
    leg_mean_s, leg_sd_s : of the normal whose absolute value is the time on the network, one way [s]
    runs : independent ones
    seed : of the draws

    Raises
    ------
    ParameterError
        With one message for every parameter that cannot be simulated.
    """
    params = build(
        ContentionParams,
        {
            "clients": clients,
            "retry": retry,
            "leg_mean_s": leg_mean_s,
            "leg_sd_s": leg_sd_s,
            "runs": runs,
            "seed": seed,
        },
    )
    policy = policy_of(params.retry, deadline_s=math.inf, failure_share=0.0)
    n = params.clients
    scratch = (
        np.empty(n),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
        np.arange(n),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n),
    )
    return np.array(
        [
            compete(stream(params.seed, f"lab.contention/{run}"), policy, params.leg_mean_s, params.leg_sd_s, *scratch)
            for run in range(params.runs)
        ]
    )
