"""Faults: SimPy processes that break the running model through its levers, along a course, and mend it again.

fault at a level -> struck: pulls of levers, visitors from outside -> ports
"""

import math
from collections.abc import Callable, Generator, Mapping
from typing import NamedTuple

import simpy

from sim.clock import at
from sim.contingency.ports import Diary, Ports
from sim.params.contingency import ContingencyParams, FaultParams
from sim.params.links import CHANNELS
from sim.params.site import SiteParams

FAULT_TURN = 0.25  # before everything else of their instant, but after SimPy's own urgent events
_LEAD_S = 1.0  # visitors from outside are sent ahead: no bucket of the calendar is wider


class Struck(NamedTuple):
    """What a fault does at a level: pulls of levers (lever, target, value), visitors a second from outside (page, rate)."""

    pulls: list[tuple[str, str, float]]
    visitors: list[tuple[str, float]]


def level(fault: FaultParams, since_s: float) -> float:
    """How bad a fault is so long after its onset; 0 from its end on."""
    if since_s >= fault.lasts_s:
        return 0.0
    if fault.course == "ramp":
        return fault.severity * min(1.0, since_s / fault.course_s)
    if fault.course == "heat":
        return fault.severity * (1.0 - math.exp(-since_s / fault.course_s))
    if fault.course == "decay":
        return fault.severity * math.exp(-since_s / fault.course_s)
    return fault.severity


def struck(fault: FaultParams, now: float, params: ContingencyParams, site: SiteParams | None) -> Struck:
    """What a fault does at the level `now`. site: None when there is none, and so no fault of it."""
    make = _MAKES[fault.kind]
    return make(_At(fault.where, now, params, site))


class _At(NamedTuple):
    """Where and how bad a fault is, and the terms that kinds of faults are put in."""

    where: str
    level: float
    params: ContingencyParams
    site: SiteParams | None

    @property
    def left(self) -> float:
        return 1.0 - self.level

    def services(self) -> list[str]:
        assert self.site is not None
        return list(self.site.services)

    def links_of_region(self) -> list[str]:
        return [f"{self.where}/{channel}" for channel in CHANNELS]

    def places(self) -> float:
        assert self.site is not None
        return float(self.site.services[self.where].queue)

    def slots(self) -> int:
        assert self.site is not None
        return self.site.services[self.where].slots

    def can_per_s(self) -> float:
        assert self.site is not None
        return self.slots() / self.site.services[self.where].service.expected_s

    def deadline_s(self) -> float:
        """What a clock that runs ahead by a share of the longest wait leaves of it."""
        assert self.site is not None
        service = self.site.services[self.where]
        return service.timeout_s * self.left + service.service.expected_s

    def last_service(self) -> str:
        """The service that answers a page in the end."""
        assert self.site is not None
        return self.site.pages[self.where][0].services[-1]


def _pull(*levers: str) -> Callable[[_At], Struck]:
    """Levers that are left with what the level leaves of them."""
    return lambda one: Struck([(lever, one.where, one.left) for lever in levers], [])


def _slower(times: float, *, stop_share: float = 0.0) -> Callable[[_At], Struck]:
    """Service times up to so many times as long; up to a share of the machines stops."""

    def make(one: _At) -> Struck:
        pulls = [("pace", one.where, 1.0 + (times - 1.0) * one.level)]
        if stop_share > 0.0:
            pulls.append(("capacity", one.where, 1.0 - stop_share * one.level))
        return Struck(pulls, [])

    return make


def _room(one: _At) -> Struck:
    left = 1.0 - one.level / one.params.rooms
    return Struck([("capacity", service, left) for service in one.services()], [])


def _hot_item(one: _At) -> Struck:
    return Struck(
        [("pace", one.last_service(), 1.0 + 4.0 * one.level)], [(one.where, one.level * one.params.storm_per_s)]
    )


_MAKES: Mapping[str, Callable[[_At], Struck]] = {
    "machines_down": _pull("capacity"),
    "room_cooling": _room,
    "room_power": _room,
    "rack_down": lambda one: Struck([("capacity", one.where, 1.0 - 0.25 * one.level)], []),
    "cell_down": _pull("cell"),
    "bank_lines_down": _pull("capacity"),
    "bank_hangs": _slower(20.0),
    "slow_dependency": _slower(5.0),
    "cache_loss": _slower(10.0),
    "bad_release": _slower(3.0),
    "bad_release_errors": _pull("answers"),
    "memory_leak": _slower(4.0, stop_share=0.5),
    "pool_exhausted": lambda one: Struck([("concurrency", one.where, max(1.0, one.left * one.slots()))], []),
    "queue_misset": lambda one: Struck([("queue", one.where, max(1.0, one.left * one.places()))], []),
    "limit_misset": lambda one: Struck([("rate", one.where, max(1.0, one.left * one.can_per_s()))], []),
    "clock_skew": lambda one: Struck([("deadline", one.where, one.deadline_s())], []),
    "link_loss": lambda one: Struck([("bandwidth", one.where, max(0.001, one.left))], []),
    "region_loss": lambda one: Struck(
        [("bandwidth", link, max(0.001, one.left)) for link in one.links_of_region()], []
    ),
    "bandwidth_attack": lambda one: Struck(
        [("bandwidth", link, max(0.001, one.left)) for link in one.links_of_region()], []
    ),
    "request_attack": lambda one: Struck([], [(one.where, one.level * one.params.attack_per_s)]),
    "hot_item": _hot_item,
    "red_packet_storm": lambda one: Struck([], [(one.where, one.level * one.params.storm_per_s)]),
    "retry_storm": lambda one: Struck([("backoff", one.where, 1.0 - 0.9 * one.level)], []),
    "route_lost": _pull("route"),
    "sorter_down": _pull("sorting"),
    "hub_fire": _pull("sorting", "storage", "docks"),
    "hub_strike": _pull("sorting"),
    "docks_blocked": _pull("docks"),
    "storage_lost": _pull("storage"),
    "labels_unreadable": _pull("labels"),
    "road_closed": lambda one: Struck([("lane", one.where, 0.0)], []),
    "road_slow": _pull("speed"),
    "truck_breakdowns": lambda one: Struck(
        [("trucks", f"{one.where}/{fleet}", one.left) for fleet in ("own", "hired")], []
    ),
    "driver_strike": lambda one: Struck([("trucks", f"{one.where}/own", one.left)], []),
    "hired_trucks_missing": lambda one: Struck([("trucks", f"{one.where}/hired", one.left)], []),
    "train_cancelled": lambda one: Struck([("wagons", one.where, 0.0)], []),
    "wagons_missing": _pull("wagons"),
    "interface_down": lambda one: Struck([("pickup", one.where, 0.0)], []),
    "courier_strike": _pull("couriers"),
    "outlet_closed": _pull("couriers"),
    "warehouse_system_down": lambda one: Struck([("packing", one.where, 1.0 - 0.9 * one.level)], []),
    "stock_count_wrong": _pull("stock"),
}


class Fault:
    """One fault at work. Its only state is the clock: what it does follows from the time since its onset.

    Parameters
    ----------
    env : its clock
    name : who pulls the levers
    fault : its parameters, with its onset on the run's axis
    act : what it does at a level
    """

    def __init__(
        self,
        env: simpy.Environment,
        name: str,
        fault: FaultParams,
        ports: Ports,
        act: Callable[[float], Struck],
        diary: Diary,
    ) -> None:
        self._env, self.name, self._fault, self._ports, self._act, self._diary = env, name, fault, ports, act, diary
        self._stopped = False
        env.process(self._run())

    def stop(self) -> None:
        """End it now; what it broke is mended."""
        if not self._stopped:
            self._stopped = True
            self._end()

    def _run(self) -> Generator[simpy.Event, None, None]:
        fault, ports = self._fault, self._ports
        end_s = fault.onset_s + fault.lasts_s
        steps = max(
            0, math.ceil((self._env.now - fault.onset_s) / ports.step_s)
        )  # a state that is put back is in the middle
        while (time_s := fault.onset_s + steps * ports.step_s) < end_s:
            yield at(self._env, time_s, FAULT_TURN)
            if self._stopped:
                return
            self._strike(steps, min(time_s + ports.step_s, end_s))
            steps += 1
        if self._env.now <= end_s:
            yield at(self._env, end_s, FAULT_TURN)
            self.stop()

    def _strike(self, step: int, until_s: float) -> None:
        """Do what the level of this step asks for."""
        now_s = float(self._env.now)
        reached = level(self._fault, now_s - self._fault.onset_s)
        if step == 0:
            self._diary.write(now_s, self.name, "struck", self._fault.severity)
        does = self._act(reached)
        if step > 0 and self._fault.course == "step":  # it is broken already
            does = does._replace(pulls=[])
        for lever, target, value in does.pulls:
            self._ports.pull(self.name, lever, target, value)
        for page, per_s in does.visitors:
            self._ports.send(page, per_s, now_s + _LEAD_S, until_s + _LEAD_S)

    def _end(self) -> None:
        self._ports.release(self.name)
        self._diary.write(float(self._env.now), self.name, "mended", 0.0)
