"""Elastic capacity: checks C1 to C5."""

import numpy as np
import simpy

from sim import theory, theory_setup
from sim.cloud import Cloud, Ports
from sim.cloud.policies import Look, Memory, stabilised, wanted
from sim.lab.arrivals import poisson
from sim.lab.checks.check import Check, Measures, time_average
from sim.lab.distributions import exponential
from sim.lab.farms import farm
from sim.params.cloud import CloudParams, CloudServiceParams, PredictiveParams, TargetParams
from sim.params.services import ServiceParams, ServiceTimeParams
from sim.records import ServiceLoad
from sim.units import MINUTE_S

WARM_UP_S = 300.0
MORE_SERVERS = 2
LONGER_SETUP = 1.5


def _setup(servers: int, arrival_per_s: float, setup_s: float, jobs: int) -> Check:
    """Servers that are off when idle, each waiting job sets one up."""

    def servers_of(load: float) -> int:
        return servers if load == 1.0 else servers + MORE_SERVERS

    def expected(load: float) -> Measures:
        steady = theory_setup.mmk_setup(servers_of(load), arrival_per_s, 1.0, setup_s)
        return {"time in system [s]": steady.sojourn_s, "servers in set-up": steady.in_setup}

    def simulate(seed: int, share: float, load: float) -> Measures:
        return _farm(servers_of(load), arrival_per_s, setup_s, None, round(jobs * share), seed)

    law = f"M/M/{servers} with set-up of {setup_s:g} s, {arrival_per_s:g}/s, off when idle"
    return Check("C1", law, expected, simulate, "two servers more")


def _staggered(servers: int, arrival_per_s: float, setup_s: float, jobs: int) -> Check:
    """Only one set-up at a time: the time of M/M/k and one set-up."""

    def longer_s(load: float) -> float:
        return setup_s if load == 1.0 else LONGER_SETUP * setup_s

    def expected(load: float) -> Measures:
        wait_s = theory.mmc_wait_s(servers, arrival_per_s, 1.0)
        return {"time in system [s]": wait_s + 1.0 + longer_s(load)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        measured = _farm(servers, arrival_per_s, longer_s(load), 1, round(jobs * share), seed)
        return {"time in system [s]": measured["time in system [s]"]}

    law = f"M/M/{servers} with set-up of {setup_s:g} s, {arrival_per_s:g}/s, one at a time"
    return Check("C2", law, expected, simulate, "set-ups half as long again")


def _farm(servers: int, arrival_per_s: float, setup_s: float, at_once: int | None, jobs: int, seed: int) -> Measures:
    """One run from empty, of which what comes before the warm-up's end is not measured."""
    table = farm(
        arrival=poisson(arrival_per_s),
        service=exponential(1.0),
        setup=exponential(setup_s),
        servers=servers,
        at_once=at_once,
        jobs=jobs + round(WARM_UP_S * arrival_per_s),
        seed=seed,
    )
    arrival_s, start_s, departure_s = (table[name].to_numpy() for name in ("arrival_s", "start_s", "departure_s"))
    measured = arrival_s >= WARM_UP_S
    return {
        "time in system [s]": float((departure_s - arrival_s)[measured].mean()),
        "servers in set-up": _in_setup(arrival_s, start_s, departure_s, servers),
    }


def _in_setup(arrival_s: np.ndarray, start_s: np.ndarray, departure_s: np.ndarray, servers: int) -> float:
    """Servers in set-up, mean over time: as many as jobs wait, if so many servers are off."""
    time_s = np.concatenate([arrival_s, start_s, departure_s])
    order = np.argsort(time_s, kind="stable")
    n = arrival_s.size
    waiting = np.cumsum(np.repeat([1, -1, 0], n)[order])
    busy = np.cumsum(np.repeat([0, 1, -1], n)[order])
    in_setup = np.minimum(waiting, servers - busy)[:-1]
    from_s, until_s = time_s[order][:-1], time_s[order][1:]
    window_s = (WARM_UP_S, float(arrival_s[-1]))
    return sum(
        level * time_average(from_s[in_setup == level], until_s[in_setup == level], window_s)
        for level in range(1, servers + 1)
    )


def _target_tracking(machines: int, current: float, target: float, desired: int) -> Check:
    """Source: Kubernetes, Horizontal Pod Autoscaling, "Algorithm details"."""

    def current_of(load: float) -> float:
        return current if load == 1.0 else 1.1 * current

    def expected(load: float) -> Measures:
        ratio = current_of(load) / target
        if load == 1.0:
            return {"machines": float(desired)}
        return {"machines": float(machines if abs(ratio - 1) <= 0.1 else np.ceil(machines * ratio))}

    def simulate(seed: int, share: float, load: float) -> Measures:
        policy = TargetParams(
            kind="target",
            metric="utilisation",
            target_share=target / 1000.0,
            tolerance_share=0.1,
            window_s=0,
            up_share=10.0,
            down_share=1.0,
        )
        busy = machines * current_of(load) / 1000.0
        return {"machines": float(wanted(policy, _look(machines, busy=busy), Memory()))}

    law = f"target tracking of {target:g} with a tolerance of a tenth, {machines} machines at {current:g}"
    return Check("C3", law, expected, simulate, "a load that is a tenth higher")


def _look(machines: int, *, busy: float) -> Look:
    return Look(0.0, machines, float(machines), busy, waiting=0.0, needed=0.0, scheduled=None)


def _stabilisation() -> Check:
    """Source: as `_target_tracking`, "Stabilization window"."""
    minutes = range(1, 12)
    recommended = (10, 9, 8, 9, 9, 8, 9, 8, 9, 8, 7)

    def window_s(load: float) -> float:
        return 10 * MINUTE_S if load == 1.0 else MINUTE_S

    def expected(load: float) -> Measures:
        ten, eleven = (10.0, 9.0) if load == 1.0 else (8.0, 7.0)
        return {"machines at minute 10": ten, "machines at minute 11": eleven}

    def simulate(seed: int, share: float, load: float) -> Measures:
        memory, machines, found = Memory(), 10, {}
        for minute, recommendation in zip(minutes, recommended, strict=True):
            machines = stabilised(minute * MINUTE_S, machines, recommendation, window_s(load), memory)
            found[minute] = float(machines)
        return {"machines at minute 10": found[10], "machines at minute 11": found[11]}

    law = "scale-down window of 10 min over 10 9 8 9 9 8 9 8 9 8, then 7"
    return Check("C4", law, expected, simulate, "a window of a minute")


def _ramp(ahead_s: int) -> Check:
    """Machines that are missing when the demand grows by 2 a minute and each boot takes 5 minutes."""
    per_minute, boot_min = 2, 5

    def minutes(load: float) -> int:
        return boot_min if load == 1.0 else boot_min + 1

    def expected(load: float) -> Measures:
        return {"machines missing": max(0.0, per_minute * (minutes(load) - ahead_s / MINUTE_S))}

    def simulate(seed: int, share: float, load: float) -> Measures:
        return {"machines missing": _missing(per_minute, ahead_s, minutes(load) * MINUTE_S)}

    when = f"ordered {ahead_s / MINUTE_S:g} min ahead" if ahead_s else "what is missing now is ordered"
    return Check(
        "C5", f"demand + {per_minute} machines/min, boot {boot_min} min, {when}", expected, simulate, "boots take 6 min"
    )


def _missing(per_minute: int, ahead_s: int, boot_s: float) -> float:
    """Mean of an hour's minutes, from half an hour after the start, on the festival's own cloud."""
    env = simpy.Environment()
    serving = 0.0

    def demand(time_s: float) -> float:
        return per_minute * (1.0 + time_s // MINUTE_S)

    def set_machines(service: str, machines: float) -> None:
        nonlocal serving
        serving = machines

    service = CloudServiceParams(start_machines=per_minute, least_machines=1, most_machines=10_000, priority=0)
    params = CloudParams(
        quota=10_000,
        look_s=round(MINUTE_S),
        boot_s=boot_s,
        boot_cv=0.0,
        boot_failure_share=0.0,
        check_s=1,
        warm_up_s=0,
        warm_share=0.0,
        drain_s=1,
        machine_rmb_per_h=1.0,
        policy=PredictiveParams(
            kind="predictive",
            target_share=1.0,
            tolerance_share=0.0,
            window_s=0,
            up_share=1000.0,
            down_share=1.0,
            ahead_s=ahead_s,
            error_share=0.0,
        ),
        services={"one": service},
    )
    second = ServiceTimeParams(kind="deterministic", mean_s=1.0)  # so that a machine serves one request a second
    Cloud(
        env,
        params,
        {"one": ServiceParams(machines=1, slots_per_machine=1, service=second, queue=0, timeout_s=1.0)},
        {"one": per_minute},
        Ports(
            observe=lambda name, from_s, until_s: ServiceLoad(0.0, 0.0),
            set_machines=set_machines,
            excess=lambda name: 0,
            forecast=lambda name, from_s, until_s: demand(until_s - 1.0),
        ),
        scale=1.0,
        until_s=2.0 * 3600.0,
        seed=1,
    )
    missing = []
    for minute in range(30, 90):
        env.run(until=minute * MINUTE_S + 1.0)
        missing.append(demand(env.now) - serving)
    return float(np.mean(missing))


CHECKS = (
    _setup(4, 2.0, 10.0, jobs=8_000),
    _setup(10, 8.0, 10.0, jobs=30_000),
    _staggered(10, 8.0, 1.0, jobs=20_000),
    _target_tracking(50, 90.0, 75.0, 60),
    _target_tracking(10, 109.0, 100.0, 10),
    _target_tracking(10, 111.0, 100.0, 12),
    _stabilisation(),
    _ramp(0),
    _ramp(300),
)
