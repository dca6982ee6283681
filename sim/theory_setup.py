"""The known answer for servers that are switched off when idle and take time to set up: the balance equations, solved."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

_RARE = 1e-12  # chance of more jobs than are looked at, roughly


class SetUpQueue(NamedTuple):
    """Steady state of M/M/k with set-up times."""

    sojourn_s: float  # mean time of a job from its arrival to its departure
    in_setup: float  # servers in set-up, mean over time


@lru_cache
def mmk_setup(
    servers: int, arrival_per_s: float, service_s: float, setup_s: float, at_once: int | None = None
) -> SetUpQueue:
    """M/M/k in which an idle server is switched off at once, and each job that waits sets one up, exponentially long.

    A set-up is given up when the job that it was begun for has been taken by another server and no other job needs it.

    Parameters
    ----------
    at_once : most set-ups at the same time; None: no limit. With 1, the mean time is that of M/M/k plus one set-up

    Raises
    ------
    ValueError
        When the queue is not stable.

    Source: Gandhi, Doroudi, Harchol-Balter, Scheller-Wolf (2013), Exact analysis of the M/M/k/setup class of Markov chains via
    recursive renewal reward, doi:10.1145/2465529.2465760; with at_once=1 Gandhi, Harchol-Balter, Adan (2010), Server farms with
    setup costs, doi:10.1016/j.peva.2010.07.004.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import spsolve

    load = arrival_per_s * service_s / servers
    if load >= 1.0:
        raise ValueError(f"the load of each server must be < 1, got {load:g}")
    most = servers + round(np.log(_RARE) / np.log(max(load, 0.5)) + 6.0 * arrival_per_s * setup_s)
    busy, jobs = (column.ravel() for column in np.meshgrid(np.arange(servers + 1), np.arange(most + 1), indexing="ij"))
    waiting = jobs - busy
    in_setup = np.where(waiting > 0, np.minimum(waiting, servers - busy), 0)
    in_setup = in_setup if at_once is None else np.minimum(in_setup, at_once)
    possible, place = waiting >= 0, np.arange(busy.size)
    there = most + 1  # from one number of busy servers to the next
    moves = (
        (possible & (jobs < most), np.full(busy.size, arrival_per_s), place + 1),
        (possible & (busy > 0), busy / service_s, place - 1 - there * (waiting == 0)),
        (possible & (in_setup > 0), in_setup / setup_s, place + there),
    )
    rows, columns, rates = (
        np.concatenate(parts) for parts in zip(*((to[on], place[on], rate[on]) for on, rate, to in moves), strict=True)
    )
    rows, columns, rates = np.append(rows, columns), np.append(columns, columns), np.append(rates, -rates)
    kept = rows != 0  # the first equation is replaced by: all chances sum to 1; states that cannot be have chance 0
    never = place[~possible]
    matrix = coo_matrix(
        (
            np.concatenate([rates[kept], np.ones(possible.sum()), np.ones(never.size)]),
            (
                np.concatenate([rows[kept], np.zeros(possible.sum(), np.int64), never]),
                np.concatenate([columns[kept], place[possible], never]),
            ),
        ),
        shape=(place.size, place.size),
    )
    chance = spsolve(matrix.tocsc(), (place == 0).astype(float))
    return SetUpQueue(float(chance @ jobs) / arrival_per_s, float(chance @ in_setup))
