"""Clients that compete for one record by optimistic writes: read, write, and again when someone else wrote in between.

    read --leg--> server --leg--> client --leg--> write: succeeds if nobody wrote since the read
      ^                                             | failed
      +--------------- leg, back off <---leg--------+

The set-up is that of Brooker (2015), https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
"""

import math

import numpy as np

from sim.kernels import kernel
from sim.kernels.heap import put_in_place
from sim.kernels.random import normal_quantile, uniform
from sim.kernels.retrial import backoff_time

NOT_READ = -1

# draws of a client: the backoff of retry k is draw LEGS * k, its legs are those that follow
LEGS = 5


@kernel
def _leg(key, client, draw, mean_s, sd_s):
    """Time on the network, one way [s]."""
    return math.fabs(mean_s + sd_s * normal_quantile(uniform(key, client, draw)))


@kernel
def compete(key, policy, mean_s, sd_s, heap_s, heap_client, place, order, version, failures, delay_s):
    """Have every client write once; returns the number of writes that were tried.

    Parameters
    ----------
    key : of all draws; the entity is the client
    policy : `retrial.Policy`, of which the backoff and its jitter are used
    mean_s, sd_s : of a leg, the absolute value of a normal
    heap_s, heap_client : float64[n], int32[n], scratch: the next instant that each client reaches the server
    place : int32[n], scratch: where each client is in the heap
    order : int64[n], 0, 1, ..., decides ties
    version : int64[n], scratch: what the client read
    failures : int64[n], scratch
    delay_s : float64[n], scratch: the last wait
    """
    n = order.size
    written = 0
    calls = 0
    for client in range(n):
        version[client] = NOT_READ
        failures[client] = 0
        delay_s[client] = 0.0
        first_s = _leg(key, client, 1, mean_s, sd_s)
        put_in_place(heap_s, heap_client, client, client + 1, first_s, np.int32(client), order, place)
    while n > 0:
        now_s = heap_s[0]
        client = heap_client[0]
        first = LEGS * failures[client]
        if version[client] == NOT_READ:
            version[client] = written
            now_s += _leg(key, client, first + 2, mean_s, sd_s) + _leg(key, client, first + 3, mean_s, sd_s)
            put_in_place(heap_s, heap_client, 0, n, now_s, client, order, place)
            continue
        calls += 1
        if version[client] == written:
            written += 1
            n -= 1
            if n > 0:
                put_in_place(heap_s, heap_client, 0, n, heap_s[n], heap_client[n], order, place)
            continue
        version[client] = NOT_READ
        failures[client] += 1
        delay_s[client] = backoff_time(
            policy, failures[client], delay_s[client], uniform(key, client, LEGS * failures[client])
        )
        now_s += _leg(key, client, first + 4, mean_s, sd_s) + delay_s[client]
        now_s += _leg(key, client, LEGS * failures[client] + 1, mean_s, sd_s)
        put_in_place(heap_s, heap_client, 0, n, now_s, client, order, place)
    return calls
