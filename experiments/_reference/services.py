"""A service of the site and an access link in plain SimPy: what the kernels of stations, guards and links have to match."""

import heapq
import math
from collections.abc import Generator
from functools import partial
from typing import Any

import simpy

from experiments._reference.protection import Breaker, Bucket
from experiments._reference.station import Slots
from sim.clock import at
from sim.params.services import ServiceParams


class Service:
    """One service in one cell: its guards and its lanes.

    Parameters
    ----------
    machines, slots, places : of the cell
    share : of the whole site at full scale that the cell has
    """

    def __init__(
        self, env: simpy.Environment, params: ServiceParams, machines: int, slots: int, places: int, share: float
    ) -> None:
        self.env = env
        self.dispatch = params.dispatch
        self.timeout_s = params.timeout_s
        self.central = params.dispatch == "central"
        self.slots_per_machine = params.slots_per_machine
        lanes = [slots] if self.central else [self.slots_per_machine] * machines
        self.lanes = [Slots(env, n) for n in lanes]
        self.open = len(self.lanes)
        self.places = places if self.central else max(places // machines, int(params.queue > 0))
        self.turn = 0
        self.mean_s = params.service.expected_s
        limit, breaker, degrade = params.rate_limit, params.breaker, params.degrade
        self.bucket = self.breaker = self.degrade = None
        if limit is not None:
            burst = max(1.0, limit.burst * share)
            self.bucket = Bucket(limit.rate_per_s * share, burst, limit.warm_up_s, limit.cold_share)
        if breaker is not None:
            rule = (breaker.window, breaker.least_answers, breaker.failure_share, breaker.open_s, breaker.trials)
            self.breaker = Breaker(*rule)
            self.slow_s = breaker.slow_s or math.inf
        most = params.concurrency_limit
        self.most = math.inf if most is None else max(1, round(most * share))
        self.deadline_s = params.shed.deadline_s if params.shed else None
        if degrade is not None:
            self.degrade = degrade.time_share
            self.simple_from = max(1, round(degrade.from_queue * share))
            self.simple_until = min(round(degrade.until_queue * share), self.simple_from - 1)
        self.simple = False

    def resize(self, machines: int, slots: int) -> None:
        """Have this many slots, or under any dispatch but central this many machines."""
        if self.central:
            self.lanes[0].resize(slots)
            return
        while len(self.lanes) < machines:
            self.lanes.append(Slots(self.env, self.slots_per_machine))
        self.open = machines

    @property
    def waiting(self) -> int:
        """Requests in queues."""
        return sum(len(lane.queue) for lane in self.lanes)

    @property
    def busy(self) -> int:
        """Requests in service."""
        return sum(int(lane.count) for lane in self.lanes)

    def permit(self) -> int | None:
        """What the breaker says to an arrival: the generation to report its answer under; None: refused."""
        return 0 if self.breaker is None else self.breaker.permit(self.env.now)

    def hear(self, generation: int, arrival_s: float, *, served: bool) -> None:
        """The breaker hears of an answer."""
        if self.breaker is not None:
            failed = not served or self.env.now - arrival_s > self.slow_s
            self.breaker.tell(self.env.now, generation, failed)

    def has_place(self) -> bool:
        """What rate limit and concurrency limit say to an arrival."""
        if self.bucket is not None and not self.bucket.take(self.env.now):
            return False
        return self.waiting + self.busy < self.most

    def is_in_time(self, sent_s: float) -> bool:
        """Whether an arrival of a page that was asked for at sent_s may expect its answer in time."""
        if self.deadline_s is None:
            return True
        slots = sum(int(lane.capacity) for lane in self.lanes[: self.open])
        wait_s = (self.waiting + 1.0) * self.mean_s / slots if self.busy >= slots else 0.0
        return bool(wait_s + self.mean_s <= sent_s + self.deadline_s - self.env.now)

    def time_share(self) -> float | None:
        """The share of its service time that an arrival takes in the degraded mode; None: no degraded mode now."""
        if self.degrade is None:
            return None
        if self.waiting >= self.simple_from:
            self.simple = True
        elif self.waiting <= self.simple_until:
            self.simple = False
        return self.degrade if self.simple else None

    def lane_for(self, choice: int) -> Slots:
        """The lane that an arrival is sent to; choice: 64 random bits."""
        if self.open == 1:
            return self.lanes[0]
        lanes = self.lanes[: self.open]
        if self.dispatch == "round_robin":
            self.turn += 1
            return lanes[(self.turn - 1) % len(lanes)]
        if self.dispatch == "least_connections":
            return min(lanes, key=lambda lane: lane.load)
        one = (choice >> 32) * len(lanes) >> 32
        if self.dispatch == "random":
            return lanes[one]
        other = (choice & 0xFFFFFFFF) * (len(lanes) - 1) >> 32
        other += other >= one
        return min(lanes[one], lanes[other], key=lambda lane: lane.load)


class Link:
    """An access link of one cell: transfers share its bandwidth, none gets more than one shopper's line."""

    def __init__(self, env: simpy.Environment, bandwidth: float, line: float) -> None:
        self.env = env
        self.bandwidth = bandwidth
        self.line = line
        self.clock = 0.0  # bits that a transfer under way since t = 0 would have got until at_s
        self.at_s = 0.0  # when the rate last changed
        self.rate = self._rate_of(0)  # what each transfer gets [bit/s]
        self.under_way: list[tuple[float, int, simpy.Event]] = []  # reading of the clock at the end, key, its event
        self.version = 0

    def transfer(self, key: int, size: float) -> Generator[Any, Any, None]:
        """Carry so many bits; of two transfers that end together the smaller key's goes first."""
        bit = self.clock + self.rate * (self.env.now - self.at_s)
        ended = self.env.event()
        heapq.heappush(self.under_way, (bit + size, key, ended))
        self._go_on(bit)
        yield ended

    def _rate_of(self, transfers: int) -> float:
        return min(self.line, self.bandwidth / max(1, transfers))

    def _go_on(self, bit: float) -> None:
        """A transfer has started or ended, when the clock showed so many bits: wait for the next end."""
        rate = self._rate_of(len(self.under_way))
        if rate != self.rate:
            self.clock, self.at_s, self.rate = bit, self.env.now, rate
        self.version += 1
        if self.under_way:
            end_s = self.at_s + max(0.0, (self.under_way[0][0] - self.clock) / rate)
            at(self.env, end_s).callbacks.append(partial(self._end, self.version))

    def _end(self, version: int, _: simpy.Event) -> None:
        if version == self.version:
            bit, _, ended = heapq.heappop(self.under_way)
            ended.succeed()
            self._go_on(bit)
