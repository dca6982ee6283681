"""The site with its cloud in plain SimPy, a process per machine: what the cloud on the festival's bench has to match.

The draws are the cloud's own, and so are the policies' formulas, which are pure functions; how machines come and go, what is
measured and what is paid is spelled out here once more.
"""

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from experiments._reference.services import Service
from experiments._reference.site import ReferenceSite
from experiments._reference.station import At
from sim.cloud.policies import Look, Memory, opening, wanted
from sim.cloud.quota import grants
from sim.draws import stream
from sim.festival import forecast_of
from sim.kernels.random import lognormal, uniform
from sim.params.cloud import PredictiveParams, ScheduledParams
from sim.params.festival import FestivalParams
from sim.site.shares import slots_of_cells
from sim.units import HOUR_S

SAMPLE, STOP, BOOT, LOOK = 0, 2, 3, 4  # the order at one instant


class Machine:
    """One machine: its diary."""

    def __init__(self, number: int, ordered_s: float, state: str) -> None:
        self.number = number
        self.ordered_s = ordered_s
        self.stopped_s: float | None = None
        self.state = state


class Farm:
    """The machines of one service."""

    def __init__(self, site: "ReferenceCloud", name: str, start: int) -> None:
        self.site, self.name, self.env = site, name, site.env
        self.cloud, self.limits = site.cloud, site.cloud.services[name]
        self.policy = site.cloud.policy_of(name)
        self.per_machine = site.site.services[name].slots_per_machine
        self.machines = [Machine(number, 0.0, "serving") for number in range(start)]
        self.memory = Memory()
        self.samples: list[tuple[int, int]] = []  # slots in use and requests waiting at the ends of the seconds
        sigma = math.sqrt(math.log1p(self.cloud.boot_cv**2))
        self.boot = (math.log(self.cloud.boot_s) - sigma**2 / 2, sigma)
        self.keys = [stream(site.params.seed, f"cloud.{what}.{name}") for what in ("boot", "failure")]

    def count(self, *states: str) -> int:
        """Machines in one of some states."""
        return sum(machine.state in states for machine in self.machines)

    @property
    def cells(self) -> list[Service]:
        """The service in each cell."""
        return self.site._of(self.name)

    def serve(self) -> None:
        """Share the machines that serve out to the cells."""
        machines = self.count("serving") + self.cloud.warm_share * self.count("warming")
        scale, cells = self.site.params.scale, self.site.cells
        servers = slots_of_cells(machines * scale, cells).tolist()
        slots = slots_of_cells(machines * self.per_machine * scale, cells).tolist()
        for service, own_servers, own_slots in zip(self.cells, servers, slots, strict=True):
            service.resize(own_servers, own_slots)

    def excess(self) -> int:
        """Requests in work on machines that take no new ones."""
        busy = 0
        for service in self.cells:
            busy += sum(lane.load for lane in service.lanes[service.open :])
            busy += sum(max(0, lane.count - lane.capacity) for lane in service.lanes[: service.open])
        return busy

    def look(self, from_s: int, until_s: int) -> Look:
        """What the policy is told."""
        slots = self.per_machine * self.site.params.scale
        seen = np.array(self.samples[from_s:until_s] or [(0, 0)]).mean(axis=0)
        needed, scheduled = 0.0, None
        if isinstance(self.policy, PredictiveParams):
            ends_s = self.env.now + self.policy.ahead_s + self.cloud.look_s
            service_s = self.site.site.services[self.name].service.expected_s
            needed = self.site.forecast(self.name, self.env.now, ends_s) * service_s / self.per_machine
        if isinstance(self.policy, ScheduledParams):
            scheduled = self.policy.machines(self.name, self.env.now)
        return Look(
            now_s=self.env.now,
            machines=self.count("booting", "warming", "serving"),
            serving=self.count("serving") + self.cloud.warm_share * self.count("warming"),
            busy=seen[0] / slots,
            waiting=seen[1] / slots,
            needed=needed,
            scheduled=scheduled,
        )

    def bounded(self, machines: int) -> int:
        """Within the service's limits."""
        return min(max(machines, self.limits.least_machines), self.limits.most_machines)

    def order(self) -> None:
        """Order one machine now."""
        machine = Machine(len(self.machines), self.env.now, "booting")
        self.machines.append(machine)
        self.env.process(self.live(machine))

    def live(self, machine: Machine) -> Generator[Any, Any, None]:
        """Boot, warm up, serve."""
        boot_s = lognormal(self.keys[0], machine.number, 0, *self.boot) if self.cloud.boot_cv else self.cloud.boot_s
        yield At(self.env, self.cloud.check_s * math.ceil(boot_s / self.cloud.check_s), BOOT)
        if uniform(self.keys[1], machine.number, 0) < self.cloud.boot_failure_share:
            machine.state, machine.stopped_s = "failed", self.env.now
            return
        if self.cloud.warm_up_s:
            machine.state = "warming"
            self.serve()
            yield At(self.env, self.cloud.warm_up_s, BOOT)
        machine.state = "serving"
        self.serve()

    def drain(self, machine: Machine) -> Generator[Any, Any, None]:
        """Take nothing new, and stop when no request is in excess."""
        machine.state = "draining"
        while machine.stopped_s is None:
            yield At(self.env, self.cloud.drain_s, STOP)
            if self.excess() == 0:
                machine.state, machine.stopped_s = "stopped", self.env.now


class ReferenceCloud(ReferenceSite):
    """Every shopper and every machine of a festival's site."""

    def __init__(self, params: FestivalParams) -> None:
        super().__init__(params)
        assert params.cloud is not None
        self.cloud = params.cloud
        self.forecast = forecast_of(params)
        start = self.cloud.start_machines(self.site)
        self.farms = [Farm(self, name, start[name]) for name in self.cloud.services]
        orders = []
        for farm in self.farms:
            found = opening(farm.policy, farm.look(0, 0))
            orders.append(0 if found is None else max(0, farm.bounded(found) - len(farm.machines)))
        for farm, count in zip(self.farms, self._granted(orders), strict=True):
            if isinstance(farm.policy, PredictiveParams | ScheduledParams):
                numbers = range(len(farm.machines), len(farm.machines) + count)
                farm.machines += [Machine(number, -farm.policy.ahead_s, "serving") for number in numbers]
            farm.memory.recommended.append([0.0, len(farm.machines)])
            farm.serve()
        self.env.process(self._sample())
        self.env.process(self._look())

    def machine_h(self, until_s: float) -> list[float]:
        """Hours paid for each service: each machine from its order to its stop."""
        return [
            sum(
                (until_s if machine.stopped_s is None else machine.stopped_s) - machine.ordered_s
                for machine in farm.machines
            )
            / HOUR_S
            for farm in self.farms
        ]

    def _granted(self, orders: list[int]) -> list[int]:
        running = sum(farm.count("booting", "warming", "serving", "draining") for farm in self.farms)
        free = max(0, self.cloud.quota - running)
        return grants(orders, [farm.limits.priority for farm in self.farms], free)

    def _sample(self) -> Generator[Any, Any, None]:
        while True:
            yield At(self.env, 1, SAMPLE)
            for farm in self.farms:
                farm.samples.append(
                    (sum(service.busy for service in farm.cells), sum(service.waiting for service in farm.cells))
                )

    def _look(self) -> Generator[Any, Any, None]:
        while True:
            yield At(self.env, self.cloud.look_s, LOOK)
            now_s = round(self.env.now)
            orders = []
            for farm in self.farms:
                look = farm.look(now_s - self.cloud.look_s, now_s)
                desired = farm.bounded(wanted(farm.policy, look, farm.memory))
                orders.append(max(0, desired - look.machines))
                serving = [machine for machine in farm.machines if machine.state == "serving"]
                leaving = min(look.machines - desired, len(serving) - farm.limits.least_machines)
                for machine in serving[len(serving) - max(0, leaving) :]:
                    self.env.process(farm.drain(machine))
                    machine.state = "draining"
                if leaving > 0:
                    farm.serve()
            for farm, count in zip(self.farms, self._granted(orders), strict=True):
                for _ in range(count):
                    farm.order()
