"""A visit as a state machine over pages: what a shopper wants, thinks, clicks and does when a page fails.

Each is a draw of the shopper's own, so that the same shopper has the same taste and patience in every scenario. A visit's state
is packed in 32 bits: page, try, orders paid so far, step.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined
from sim.kernels.random import exponential, lognormal, pick, uniform
from sim.kernels.retrial import DECORRELATED, backoff_time

NEW_VISIT = np.uint32(0)  # state of a shopper who is about to come; steps of a visit count from 1

ATTEMPTS_MOST = 16  # tries of one page that a visit's record can count
ORDERS_MOST = 255  # of a shopper one less: so many has a visitor from outside, who is no shopper and orders nothing


class Keys(NamedTuple):
    """Keys of the streams of draws. uint64 each."""

    arrival: np.uint64
    wanted: np.uint64
    value: np.uint64
    next_page: np.uint64
    think: np.uint64
    route: np.uint64
    service: np.uint64
    dispatch: np.uint64
    backoff: np.uint64
    region: np.uint64
    channel: np.uint64
    error: np.uint64


class Behaviour(NamedTuple):
    """What shoppers do. P pages; row P of a transition is leaving."""

    entry: int
    paid: int  # the page whose answer completes an order
    next_page: np.ndarray  # float64[2, P, P + 1], cumulative; first axis the mood: 0 browsing, 1 wants an order
    think_mean_s: np.ndarray  # float64[2, P], beyond the minimum
    think_least_s: float
    wants_more: (
        np.ndarray
    )  # float64[ORDERS_MOST + 1], share of the shoppers who want more than so many orders; last two 0
    value_mu: float  # of the logarithm of an order's value in RMB
    value_sigma: float
    region_cumulative: np.ndarray  # float64[regions], share of the shoppers
    wireless_share: float


class Client(NamedTuple):
    """What a browser does when a page fails; see sim.kernels.retrial for the kinds of backoff and jitter."""

    timeout_s: float  # from the request until the browser gives it up, inf: never; the work is done all the same
    retries: int
    backoff: int
    jitter: int
    least_s: float  # before any retry, on top of the backoff
    base_s: float
    factor: float
    cap_s: float
    budget: float  # most tokens of the cell's retry budget, inf: no budget
    budget_gain: float  # tokens for each page answered; a retry costs one


@inlined
def wants_order(key, shopper, orders, wants_more):
    """Whether a shopper who has paid so many orders came for more."""
    return uniform(key, shopper, 0) < wants_more[orders]


@inlined
def segment_of(shopper, keys, behaviour):
    """Row of a shopper's region and channel: two a region, PC and wireless."""
    region = pick(behaviour.region_cumulative, uniform(keys.region, shopper, 0))
    return 2 * region + (1 if uniform(keys.channel, shopper, 0) < behaviour.wireless_share else 0)


@inlined
def order_fen(key, shopper, number, mu, sigma):
    """Value of a shopper's order in whole fen, hundredths of an RMB, at least 1."""
    return max(np.int64(1), np.int64(100.0 * lognormal(key, shopper, number, mu, sigma) + 0.5))


@inlined
def think_time(key, shopper, step, mood, page, behaviour):
    """Time [s] between a page's answer and the shopper's next click."""
    return behaviour.think_least_s + exponential(key, shopper, step, behaviour.think_mean_s[mood, page])


@inlined
def retry_delay(key, shopper, step, attempt, client):
    """Time [s] between the failure of try number `attempt` (from 0) of a page and the next try."""
    draw = step * ATTEMPTS_MOST
    wait_s = 0.0
    first = 0 if client.jitter == DECORRELATED else attempt  # decorrelated waits grow from one another
    for retry in range(first, attempt + 1):
        wait_s = backoff_time(client, retry + 1, wait_s, uniform(key, shopper, draw + retry))
    return client.least_s + wait_s


@inlined
def pack(page, attempt, orders, step):
    """A visit's state in 32 bits."""
    return np.uint32(page | (attempt << 4) | (orders << 8) | (step << 16))


@inlined
def page_of(state):
    """Row of the page."""
    return np.int64(state) & 15


@inlined
def attempt_of(state):
    """Number of the try of that page, from 0."""
    return (np.int64(state) >> 4) & 15


@inlined
def orders_of(state):
    """Orders paid so far."""
    return (np.int64(state) >> 8) & 255


@inlined
def is_shopper(state):
    """Whether a visit is a shopper's, and not that of a visitor from outside."""
    return orders_of(state) < ORDERS_MOST


@inlined
def step_of(state):
    """Number of the page in the visit, from 1."""
    return np.int64(state) >> 16
