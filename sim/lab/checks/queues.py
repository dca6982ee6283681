"""Queues in steady state: checks A1 to A10."""

import math

import numpy as np

from sim import theory
from sim.lab.arrivals import sinusoid
from sim.lab.checks.check import Check, Measures, Run, time_average
from sim.lab.distributions import Specification, deterministic, exponential, hyperexponential
from sim.lab.retries import retry
from sim.lab.stations import station
from sim.units import HOUR_S


def _delays(run: Run) -> Check:
    def expected(load: float) -> Measures:
        queue = (run.servers, run.arrival_per_s, run.service_s * load)
        return {
            "share that waits": theory.erlang_c(run.servers, run.arrival_per_s * run.service_s * load),
            "mean wait [s]": theory.mmc_wait_s(*queue),
            "90th percentile of the wait [s]": theory.mmc_wait_quantile_s(0.9, *queue),
            "utilisation": min(1.0, run.arrival_per_s * run.service_s * load / run.servers),
        }

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        window_s = (run.warm_up_s, float(jobs["arrival_s"].iloc[-1]))
        wait_s = jobs["wait_s"].to_numpy()[jobs["arrival_s"].to_numpy() >= run.warm_up_s]
        busy = time_average(jobs["start_s"].to_numpy(), jobs["departure_s"].to_numpy(), window_s)
        return {
            "share that waits": float(np.mean(wait_s > 0)),
            "mean wait [s]": float(np.mean(wait_s)),
            "90th percentile of the wait [s]": float(np.quantile(wait_s, 0.9)),
            "utilisation": busy / run.servers,
        }

    law = f"M/M/{run.servers}, {run.arrival_per_s * 60:g} arrivals and 1 service a minute"
    return Check("A1", law, expected, simulate)


def _finite_queue(name: str, run: Run) -> Check:
    """Blocking, and the queue where there is room for one."""
    assert run.capacity is not None
    servers, places = run.servers, run.capacity

    def expected(load: float) -> Measures:
        if places == servers:
            return {"share rejected": theory.erlang_b(servers, run.arrival_per_s * run.service_s * load)}
        steady = theory.mmck(servers, places, run.arrival_per_s, run.service_s * load)
        return {"share rejected": steady.blocked_share, "jobs in queue": steady.queue}

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        window_s = (run.warm_up_s, float(jobs["arrival_s"].iloc[-1]))
        rejected = (jobs["outcome"] == "rejected").to_numpy()[jobs["arrival_s"].to_numpy() >= run.warm_up_s]
        measured = {"share rejected": float(np.mean(rejected))}
        if places > servers:
            measured["jobs in queue"] = time_average(jobs["arrival_s"].to_numpy(), jobs["start_s"].to_numpy(), window_s)
        return measured

    return Check(
        name, f"M/M/{servers}/{places}, offered load {run.arrival_per_s * run.service_s:g}", expected, simulate
    )


def _single_server(law: str, squared_cv: float, run: Run) -> Check:
    def expected(load: float) -> Measures:
        return {"mean wait [s]": theory.mg1_wait_s(run.arrival_per_s, run.service_s * load, squared_cv)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        return {"mean wait [s]": float(jobs["wait_s"].to_numpy()[jobs["arrival_s"].to_numpy() >= run.warm_up_s].mean())}

    return Check("A4", f"{law}, utilisation {run.arrival_per_s * run.service_s:g}", expected, simulate)


def _impatience(run: Run, patience_s: float) -> Check:
    run = run._replace(more={"patience": exponential(patience_s)})

    def expected(load: float) -> Measures:
        steady = theory.erlang_a(run.servers, run.arrival_per_s, run.service_s * load, patience_s)
        return {
            "share that leaves unserved": steady.abandoned_share,
            "mean wait [s]": steady.wait_s,
            "jobs in queue": steady.queue,
            "utilisation": steady.utilisation,
        }

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.table(seed, share, load)
        window_s = (run.warm_up_s, float(jobs["arrival_s"].iloc[-1]))
        arrival_s, start_s, departure_s = (jobs[name].to_numpy() for name in ("arrival_s", "start_s", "departure_s"))
        late = arrival_s >= run.warm_up_s
        queued_until_s = arrival_s + jobs["wait_s"].to_numpy()
        return {
            "share that leaves unserved": float(np.mean((jobs["outcome"] == "timed_out").to_numpy()[late])),
            "mean wait [s]": float(jobs["wait_s"].to_numpy()[late].mean()),
            "jobs in queue": time_average(arrival_s, queued_until_s, window_s),
            "utilisation": time_average(start_s, departure_s, window_s) / run.servers,
        }

    law = f"M/M/{run.servers}+M, A1 with exponential patience of {patience_s:g} s on average"
    return Check("A2", law, expected, simulate)


def _classes(arrivals_per_s: tuple[float, ...], jobs: int) -> Check:
    run = Run(sum(arrivals_per_s), exponential, 1.0, jobs, warm_up_s=1000.0, more={"priority": arrivals_per_s})
    measures = [f"mean wait of class {k + 1} [s]" for k in range(len(arrivals_per_s))]

    def expected(load: float) -> Measures:
        return dict(zip(measures, theory.priority_waits_s(arrivals_per_s, run.service_s * load), strict=True))

    def simulate(seed: int, share: float, load: float) -> Measures:
        table = run.measured(seed, share, load)
        priority, wait_s = table["priority"].to_numpy(), table["wait_s"].to_numpy()
        return {measure: float(wait_s[priority == k].mean()) for k, measure in enumerate(measures)}

    shares = " and ".join(f"{rate:g}" for rate in arrivals_per_s)
    return Check("A5", f"M/M/1 with priority classes, utilisation {shares}", expected, simulate)


def _retrials(name: str, run: Run, return_per_s: float) -> Check:
    """Blocked customers come back for ever; the orbit is measured by Little's law."""
    for_ever = retry(None, backoff="fixed", base_s=1.0 / return_per_s, jitter="memoryless")
    run = run._replace(capacity=run.servers, more={"retry": for_ever})

    def expected(load: float) -> Measures:
        if run.servers == 1:
            return {
                "customers in orbit": theory.mm1_retrial_orbit(run.arrival_per_s, run.service_s * load, return_per_s)
            }
        steady = theory.mmc_retrial(run.servers, run.arrival_per_s, run.service_s * load, return_per_s)
        return {"share blocked at first": steady.blocked_share, "customers in orbit": steady.orbit}

    def simulate(seed: int, share: float, load: float) -> Measures:
        jobs = run.measured(seed, share, load)
        jobs = jobs[jobs["arrival_s"] < jobs["arrival_s"].iloc[-1] - run.warm_up_s / 2.0]
        measured = {"customers in orbit": run.arrival_per_s * float(jobs["backoff_s"].mean())}
        if run.servers > 1:
            measured["share blocked at first"] = float((jobs["attempts"] > 1).mean())
        return measured

    load = run.arrival_per_s * run.service_s
    law = f"M/M/{run.servers} with retrials at rate {return_per_s:g}, offered load {load:g}"
    return Check(name, law, expected, simulate)


def _many_servers(
    dispatch: str, utilisation: float, servers: int, jobs: int, warm_up_s: float, tolerance: float = 0.0
) -> Check:
    run = Run(utilisation * servers, exponential, 1.0, jobs, warm_up_s, servers, more={"dispatch": dispatch})

    def expected(load: float) -> Measures:
        if dispatch == "random":
            wait_s = theory.mg1_wait_s(utilisation, run.service_s * load, 1.0)
            return {"mean time in system [s]": wait_s + run.service_s * load}
        return {"mean time in system [s]": theory.two_choices_sojourn_s(utilisation * load, run.service_s * load)}

    def simulate(seed: int, share: float, load: float) -> Measures:
        return {"mean time in system [s]": float(run.measured(seed, share, load)["sojourn_s"].mean())}

    law = f"{servers} servers, dispatch {dispatch}, utilisation {utilisation:g}"
    return Check("A8", law, expected, simulate, tolerance=tolerance)


def _sinusoid(days: int) -> Check:
    """The load is measured by its mean and first harmonic over whole periods; theory says that it has no others."""
    mean_per_s, swing, period_s, service_s = 100.0 / HOUR_S, 0.6, 24.0 * HOUR_S, HOUR_S
    turn = 2.0 * math.pi / period_s

    def longer(load: float) -> float:
        return service_s * (1.0 if load == 1.0 else 1.1)

    def expected(load: float) -> Measures:
        peak, peak_s = theory.sinusoid_load(mean_per_s, swing, period_s, longer(load))
        return {"largest mean load": peak, "hour of the largest load": peak_s / HOUR_S}

    def simulate(seed: int, share: float, load: float) -> Measures:
        begin_s, end_s = period_s, (1 + max(1, round(days * share))) * period_s
        jobs = station(
            arrival=sinusoid(mean_per_s, swing, period_s),
            service=exponential(longer(load)),
            servers=1000,
            horizon_s=end_s,
            seed=seed,
        )
        from_s = np.clip(jobs["arrival_s"].to_numpy(), begin_s, end_s)
        until_s = np.clip(jobs["departure_s"].fillna(end_s).to_numpy(), begin_s, end_s)
        half_s = (end_s - begin_s) / 2.0
        in_phase = float(np.sum(np.cos(turn * from_s) - np.cos(turn * until_s))) / turn / half_s  # with the sine
        out_of_phase = float(np.sum(np.sin(turn * until_s) - np.sin(turn * from_s))) / turn / half_s
        mean = float(np.sum(until_s - from_s)) / (end_s - begin_s)
        peak_s = math.atan2(in_phase, out_of_phase) / turn
        return {
            "largest mean load": mean + math.hypot(in_phase, out_of_phase),
            "hour of the largest load": peak_s / HOUR_S,
        }

    law = "Mt/M/infinity, 100 (1 + .6 sin(2 pi t / 24)) arrivals an hour that stay an hour"
    return Check("A9", law, expected, simulate, planted="services take 10 % longer")


def _squared_cv_4(mean_s: float) -> Specification:
    return hyperexponential(mean_s, 2.0)


CALL_CENTRE = Run(48 / 60, exponential, 60.0, jobs=800_000, warm_up_s=60_000.0, servers=50)

# Runs are so long, and warm-ups so many relaxation times, that an error of 3 % in the service stands out far from the
# noise. M/M/c relaxes in 1 / (sqrt(c mu) - sqrt(lambda))**2: 49 minutes in A1.
CHECKS = (
    _delays(CALL_CENTRE),
    _impatience(CALL_CENTRE._replace(jobs=100_000, warm_up_s=6000.0), 120.0),
    *(
        _finite_queue(
            "A3", Run(arrival_per_s, exponential, 1.0, jobs=400_000, warm_up_s=100.0, servers=10, capacity=20)
        )
        for arrival_per_s in (9.0, 12.0)
    ),
    *(
        _single_server("M/D/1", 0.0, Run(arrival_per_s, deterministic, 1.0, jobs=400_000, warm_up_s=2000.0))
        for arrival_per_s in (0.8, 0.9)
    ),
    _single_server("M/G/1 with squared cv 4", 4.0, Run(0.8, _squared_cv_4, 1.0, jobs=400_000, warm_up_s=4000.0)),
    _classes((0.3, 0.5), jobs=400_000),
    *(
        _retrials("A6", Run(0.7, exponential, 1.0, jobs=jobs, warm_up_s=2000.0), return_per_s)
        for return_per_s, jobs in ((0.1, 200_000), (1.0, 100_000), (10.0, 50_000))
    ),
    _retrials("A7", Run(8.0, exponential, 1.0, jobs=200_000, warm_up_s=200.0, servers=10), 1.0),
    # a finite number of servers n adds a share of the order of 1 / n to the theory's time
    _many_servers("two_choices", 0.9, 1000, jobs=100_000, warm_up_s=60.0, tolerance=0.01),
    _many_servers("two_choices", 0.7, 1000, jobs=50_000, warm_up_s=40.0, tolerance=0.003),
    _many_servers("random", 0.9, 20, jobs=300_000, warm_up_s=2000.0),
    _sinusoid(days=100),
    *(
        _finite_queue(
            "A10", Run(load, exponential, 1.0, jobs=400_000, warm_up_s=20.0, servers=servers, capacity=servers)
        )
        for servers, load in ((10, 10.0), (100, 90.0), (1000, 1000.0))
    ),
)
