"""The kernel's speed against plain SimPy on the same requests, in one run, with the answers compared.

Question: how many requests a second does the kernel serve on one core, and how many times as many as SimPy?
Run:      peakday bench
Reads:    nothing
Writes:   OUTPUT/bench.parquet and bench.json, when output=DIR is given
"""

import gc
import math
import statistics
import sys
import time
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from pydantic import Field

from sim.params import Params

if TYPE_CHECKING:
    import pandas as pd

    from sim.lab.distributions import Times

HELP = "speed against plain SimPy, in one run"

REQUESTS = 100_000
KERNEL_TURNS = 10  # a round: the kernel is done in milliseconds, too short a time to measure on a shared machine

_TEXT = """Serves the same requests with the kernel and with plain SimPy (a process per request, simpy.Resource), one
after the other in every round, each on one core. Shown are medians over the rounds. The exit status is 1 when any
departure time differs in a single bit or the ratio is below least_ratio."""

_NAMES = """parameters:
  seed=1              of the draws
  replications=5      rounds
  scale=1             requests, as a share of 100,000
  least_ratio=100     of requests per second, below which the exit status is 1
  output=DIR          write bench.parquet and bench.json there"""


class BenchParams(Params):
    """Parameters of the question."""

    seed: int = 1
    replications: int = Field(default=5, ge=1)
    scale: float = Field(default=1.0, ge=1 / REQUESTS)
    least_ratio: float = Field(default=100.0, ge=0)
    output: str | None = None


class Workload(NamedTuple):
    """Requests that arrive at random at a station with exponential service times of mean 1 s."""

    name: str
    servers: int
    utilisation: float


class Row(NamedTuple):
    """One workload, medians over the rounds."""

    workload: str
    requests: int
    simpy_per_s: float
    peakday_per_s: float
    ratio: float
    equal: bool  # every departure time, bit by bit


WORKLOADS = (Workload("M/M/1, utilisation 0.9", 1, 0.9), Workload("M/M/1000, utilisation 0.95", 1000, 0.95))


def main(arguments: Sequence[str]) -> int:
    """Measure; the exit status is 0 when all answers are equal and fast enough."""
    from experiments.arguments import with_units
    from experiments.options import folder, parse, parser, write_rows
    from sim import store

    options = parser("bench", "", _TEXT, _NAMES).parse_intermixed_args(arguments)
    params = parse(BenchParams, options.overrides)
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0

    directory = folder(params.output)
    rows = [measure(workload, params) for workload in WORKLOADS]
    _show(rows)
    if directory is not None:
        about = {"params": params.model_dump(), "source_hash": store.source_hash()}
        write_rows(directory, "bench", about, table(rows))
    return 0 if all(row.equal and row.ratio >= params.least_ratio for row in rows) else 1


def measure(workload: Workload, params: BenchParams) -> Row:
    """Serve a workload's requests with both, turn by turn."""
    from sim.draws import stream
    from sim.lab.distributions import Exponential
    from sim.lab.stations import NO_LIMIT, serve

    n = round(REQUESTS * params.scale)
    gap = Exponential(kind="exponential", mean_s=1.0 / (workload.servers * workload.utilisation))
    gap_s = gap.draw(stream(params.seed, "bench.arrival"), n)
    service_s = Exponential(kind="exponential", mean_s=1.0).draw(stream(params.seed, "bench.service"), n)
    arrival_s = np.cumsum(gap_s)
    gaps, services = gap_s.tolist(), service_s.tolist()

    def with_kernel() -> "Times":
        served = serve(arrival_s, service_s, slots=workload.servers, limit=NO_LIMIT, timeout_s=math.inf, end_s=math.inf)
        return served.departure_s

    def with_simpy() -> "Times":
        return np.array(serve_with_simpy(gaps, services, workload.servers))

    with_kernel()  # compiled, or read from the cache, before any clock runs
    simpy_took_s, kernel_took_s, equal = [], [], True
    for _ in range(params.replications):
        gc.collect()
        expected, took_s = _timed(with_simpy, 1)
        simpy_took_s.append(took_s)
        departure_s, took_s = _timed(with_kernel, KERNEL_TURNS)
        kernel_took_s.append(took_s)
        equal = equal and bool(np.array_equal(departure_s, expected))
    simpy_per_s = n / statistics.median(simpy_took_s)
    kernel_per_s = n / statistics.median(kernel_took_s)
    return Row(workload.name, n, simpy_per_s, kernel_per_s, kernel_per_s / simpy_per_s, equal)


def serve_with_simpy(gaps: Sequence[float], services: Sequence[float], servers: int) -> list[float]:
    """Departure times of requests that come `gaps` apart, as anyone would write it in SimPy."""
    import simpy

    env = simpy.Environment()
    station = simpy.Resource(env, servers)
    departures = [math.nan] * len(gaps)

    def request(number: int, service: float) -> Generator[Any, Any, None]:
        with station.request() as server:
            yield server
            yield env.timeout(service)
        departures[number] = env.now

    def source() -> Generator[Any, Any, None]:
        for number, (gap, service) in enumerate(zip(gaps, services, strict=True)):
            yield env.timeout(gap)
            env.process(request(number, service))

    env.process(source())
    env.run()
    return departures


def table(rows: Sequence[Row]) -> "pd.DataFrame":
    """The rows as a table."""
    import pandas as pd

    return pd.DataFrame(rows, columns=list(Row._fields))


def _timed(serve: "Callable[[], Times]", turns: int) -> "tuple[Times, float]":
    """Departure times and seconds a turn."""
    started_s = time.perf_counter()
    for _ in range(turns):
        departure_s = serve()
    return departure_s, (time.perf_counter() - started_s) / turns


def _show(rows: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("workload")
    for column in ("requests", "SimPy [1/s]", "Peakday [1/s]", "ratio", "answers"):
        shown.add_column(column, justify="right")
    for row in rows:
        answers = "equal, bit by bit" if row.equal else "[bold red]DIFFER[/]"
        numbers = (f"{row.requests:,}", f"{row.simpy_per_s:,.0f}", f"{row.peakday_per_s:,.0f}", f"{row.ratio:,.0f}")
        shown.add_row(row.workload, *numbers, answers)
    Console(highlight=False, width=None if sys.stdout.isatty() else 120).print(shown)
