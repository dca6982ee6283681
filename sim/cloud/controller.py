"""The cloud on the festival's bench: looks at the services, orders and drains machines, and tells the site how many serve.

    site -> observe -+                                     +-> order -> boot -> warm up -> serve
                     +-> policies -> quota -> orders, drains                                 |    set_machines -> site
          forecast --+                                     +-> drain -> no request in excess -> stop

SimPy processes: one for the looks, one for each batch that was ordered or drained together. At one instant drained machines
stop first, then machines come up, then the policies look; all of that before any event on the site.
"""

from collections import deque
from collections.abc import Callable, Generator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import simpy

from sim.clock import at
from sim.cloud.boots import Boots
from sim.cloud.ledger import Ledger
from sim.cloud.machines import BOOTING, DRAINING, FAILED, SERVING, STOPPED, WARMING, Machines
from sim.cloud.policies import Look, Memory, opening, wanted
from sim.cloud.quota import grants
from sim.params.cloud import CloudParams, PredictiveParams, ScheduledParams
from sim.params.services import ServiceParams
from sim.records import ServiceLoad

DRAIN_TURN, BOOT_TURN, LOOK_TURN = 2, 3, 4


class Ports(NamedTuple):
    """What the cloud is connected to."""

    observe: Callable[[str, float, float], ServiceLoad]  # service, from, until
    set_machines: Callable[[str, float], None]  # service, machines of the real day that serve from now on
    excess: Callable[[str], int]  # requests of a service on machines that take no new ones
    forecast: Callable[[str, float, float], float]  # service, from, until -> highest load of the real day [1/s]


class Cloud:
    """The machines of some services, from their orders to their stops.

    Parameters
    ----------
    env : the clock
    params : the cloud's parameters
    services : the site's services, by name
    start : machines of each of the cloud's services that serve at t = 0
    ports : see `Ports`
    scale : share of the day's shoppers that is simulated
    until_s : instant from which on nobody looks and nothing is paid
    seed : of the run
    state : what `state` of another cloud gave at this clock, to go on from there; the site has its capacity already
    """

    def __init__(
        self,
        env: simpy.Environment,
        params: CloudParams,
        services: Mapping[str, ServiceParams],
        start: Mapping[str, int],
        ports: Ports,
        *,
        scale: float,
        until_s: float,
        seed: int,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._env, self._params, self._ports = env, params, ports
        self._until_s = until_s
        self.services = list(params.services)
        slots_per_machine = {name: services[name].slots_per_machine for name in self.services}
        self._slots_per_machine = list(slots_per_machine.values())
        self._service_s = [services[name].service.expected_s for name in self.services]
        self._scale = scale
        self._boots = [Boots(params, seed, name) for name in self.services]
        if state is None:
            self.machines = Machines(len(self.services))
            self._memory = [Memory() for _ in self.services]
            self._looks = 0
            self._ledger = Ledger(slots_per_machine)
            self._open(start)
        else:
            self.machines = Machines(len(self.services), state["machines"])
            self._memory = [Memory(**memory) for memory in state["memory"]]
            self._looks = state["looks"]
            self._ledger = Ledger(slots_per_machine, state["ledger"])
            for service in range(len(self.services)):
                self._follow_up(service, self.machines.of(service, BOOTING, WARMING))
                self._follow_down(service, self.machines.of(service, DRAINING))
        env.process(self._look_again_and_again())

    def state(self) -> dict[str, Any]:
        """All that the cloud knows, as numbers, strings, lists and dicts; every event before env.now has to be done."""
        return {
            "machines": self.machines.state(),
            "memory": [memory.state() for memory in self._memory],
            "looks": self._looks,
            "ledger": self._ledger.state(),
        }

    def table(self) -> pd.DataFrame:
        """Table `machines`, until env.now."""
        now_s = min(self._env.now, self._until_s)
        return self._ledger.table(self.machines, now_s, self._params.machine_rmb_per_h)

    # decisions

    def _open(self, start: Mapping[str, int]) -> None:
        """The machines at t = 0: those at the start, and what policies that look ahead have ordered in time."""
        for service, name in enumerate(self.services):
            self.machines.add(service, start[name], SERVING, 0.0, np.inf)
        orders = [0] * len(self.services)
        for service, name in enumerate(self.services):
            found = opening(self._params.policy_of(name), self._seen(service, ServiceLoad(0.0, 0.0)))
            if found is not None:
                orders[service] = max(0, self._bounded(service, found) - start[name])
        for service, count in enumerate(self._granted(orders)):
            if count:
                self.machines.add(service, count, SERVING, -float(self._ahead_s(service)), np.inf)
            self._ledger.bring_forward(service, float(count * self._ahead_s(service)))
            self._memory[service].recommended.append([0.0, self.machines.on_hand(service)])
            self._serve(service)

    def _look_again_and_again(self) -> Generator[simpy.Event, Any, None]:
        period_s = self._params.look_s
        while (next_s := (self._looks + 1) * period_s) < self._until_s:
            yield at(self._env, float(next_s), LOOK_TURN)
            self._look(next_s - period_s, next_s)
            self._looks += 1

    def _look(self, from_s: float, now_s: float) -> None:
        """Ask every policy, drain what is too much, and order what is missing as far as the quota allows."""
        missing = [0] * len(self.services)
        for service, name in enumerate(self.services):
            look = self._seen(service, self._ports.observe(name, from_s, now_s))
            desired = self._bounded(service, wanted(self._params.policy_of(name), look, self._memory[service]))
            missing[service] = max(0, desired - look.machines)
            self._drain(service, look.machines - desired)
        for service, count in enumerate(self._granted(missing)):
            self._order(service, count)

    def _seen(self, service: int, load: ServiceLoad) -> Look:
        """What the policy of a service is told."""
        now_s, name = self._env.now, self.services[service]
        policy, slots = self._params.policy_of(name), self._slots_per_machine[service]
        needed = 0.0
        if isinstance(policy, PredictiveParams):
            until_s = now_s + policy.ahead_s + self._params.look_s
            needed = self._ports.forecast(name, now_s, until_s) * self._service_s[service] / slots
        scheduled = None
        if isinstance(policy, ScheduledParams):
            scheduled = policy.machines(name, now_s)
        return Look(
            now_s=now_s,
            machines=self.machines.on_hand(service),
            serving=self._serving(service),
            busy=load.busy / (slots * self._scale),
            waiting=load.waiting / (slots * self._scale),
            needed=needed,
            scheduled=scheduled,
        )

    def _ahead_s(self, service: int) -> int:
        policy = self._params.policy_of(self.services[service])
        return policy.ahead_s if isinstance(policy, PredictiveParams | ScheduledParams) else 0

    def _bounded(self, service: int, machines: int) -> int:
        limits = self._params.services[self.services[service]]
        return min(max(machines, limits.least_machines), limits.most_machines)

    def _granted(self, orders: list[int]) -> list[int]:
        """What the quota leaves of the services' orders."""
        free = self._params.quota - sum(self.machines.paid(service) for service in range(len(self.services)))
        return grants(orders, [service.priority for service in self._params.services.values()], max(0, free))

    # machines

    def _serving(self, service: int) -> float:
        """Machines that serve; those that warm up count in part."""
        counts = self.machines.counts[service]
        return counts[SERVING] + self._params.warm_share * counts[WARMING]

    def _serve(self, service: int) -> None:
        """Tell the site how many machines serve from now on."""
        self._ports.set_machines(self.services[service], self._serving(service))

    def _order(self, service: int, count: int) -> None:
        if count == 0:
            return
        now_s, first = self._env.now, self.machines.ordered(service)
        boot_s = self._boots[service].boot_s(first + np.arange(count))
        self._note(service)
        self._follow_up(service, self.machines.add(service, count, BOOTING, now_s, now_s + boot_s))

    def _drain(self, service: int, count: int) -> None:
        """Drain the newest machines that serve, but leave as many serving as there are to be at least."""
        least = self._params.services[self.services[service]].least_machines
        count = min(count, self.machines.counts[service][SERVING] - least)
        if count <= 0:
            return
        self._note(service)
        chosen = self.machines.of(service, SERVING)[-count:]
        self.machines.move(chosen, DRAINING, self._env.now + self._params.drain_s, self._env.now)
        self._serve(service)
        self._follow_down(service, chosen)

    def _follow_up(self, service: int, batch: np.ndarray) -> None:
        if batch.size:
            self._env.process(self._come_up(service, batch))

    def _follow_down(self, service: int, batch: np.ndarray) -> None:
        if batch.size:
            self._env.process(self._go_down(service, batch))

    def _come_up(self, service: int, batch: np.ndarray) -> Generator[simpy.Event, Any, None]:
        """A batch of machines boots, warms up and serves, those that are due at one instant together."""
        booting, warming = (self._by_instant(batch, state) for state in (BOOTING, WARMING))
        warm_up_s = self._params.warm_up_s
        while booting or warming:
            due_s = min(queue[0][0] for queue in (booting, warming) if queue)
            if due_s >= self._until_s:
                return
            yield at(self._env, due_s, BOOT_TURN)
            self._note(service)
            while warming and warming[0][0] == due_s:
                self._move(warming.popleft()[1], SERVING, np.inf)
            if booting and booting[0][0] == due_s:
                _, booted = booting.popleft()
                failed = self._boots[service].fails(self.machines.rows["number"][booted])
                self._move(booted[failed], FAILED, np.inf)
                booted = booted[~failed]
                if warm_up_s and booted.size:
                    warming.append((due_s + warm_up_s, booted))
                    self._move(booted, WARMING, due_s + warm_up_s)
                else:
                    self._move(booted, SERVING, np.inf)
            self._serve(service)

    def _by_instant(self, batch: np.ndarray, state: int) -> deque[tuple[float, np.ndarray]]:
        """The machines of a batch that are in a state, by the instant at which something is to happen to them, earliest first."""
        batch = batch[self.machines.rows["state"][batch] == state]
        if not batch.size:
            return deque()
        due_s = self.machines.rows["due_s"][batch]
        instants_s, first = np.unique(np.sort(due_s), return_index=True)
        in_order = batch[np.argsort(due_s, kind="stable")]
        return deque(zip(instants_s.tolist(), np.split(in_order, first[1:]), strict=True))

    def _go_down(self, service: int, batch: np.ndarray) -> Generator[simpy.Event, Any, None]:
        """A batch of drained machines stops when no request is in excess any more."""
        while batch.size and (due_s := float(self.machines.rows["due_s"][batch].min())) < self._until_s:
            yield at(self._env, due_s, DRAIN_TURN)
            due = batch[self.machines.rows["due_s"][batch] == due_s]
            if self._ports.excess(self.services[service]) > 0:
                self._move(due, DRAINING, due_s + self._params.drain_s)
            else:
                self._note(service)
                self._move(due, STOPPED, np.inf)
            batch = batch[np.isfinite(self.machines.rows["due_s"][batch])]

    def _move(self, chosen: np.ndarray, state: int, due_s: float) -> None:
        if chosen.size:
            self.machines.move(chosen, state, due_s, self._env.now)

    def _note(self, service: int) -> None:
        """Write down how many machines there were until now, before they change."""
        self._ledger.note(service, self.machines, self._env.now)
