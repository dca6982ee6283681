"""Events at exact instants on the SimPy environment, and who goes first at one instant."""

import heapq

import simpy


def at(env: simpy.Environment, time_s: float, turn: float = 1) -> simpy.Event:
    """An event at exactly a time from now on, which now + (time - now) need not be.

    turn : of events at the same instant those with the smaller number come first; SimPy's own events have 0 and 1
    """
    event = simpy.Event(env)
    event._ok = True
    event._value = None
    heapq.heappush(env._queue, (time_s, turn, next(env._eid), event))
    return event
