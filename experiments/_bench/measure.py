"""Rounds in which every tool serves the same customers, one tool right after the other."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from experiments._bench.tools import ALWAYS, PEAKDAY, Tool
from experiments._bench.workloads import Serve, Workload, case_of
from sim.lab.distributions import Times

LEAST_CPU_S = 0.1  # of a turn: shorter ones are repeated, for the clock's and the caches' sake


class Row(NamedTuple):
    """One tool at one workload, medians over the rounds."""

    workload: str
    tool: str
    customers: int
    per_s: float  # customers per second of CPU time
    ratio: float  # how many times as fast Peakday was in the same round; 1 for Peakday itself
    least: float  # how many times it has to be; 0: any
    equal: bool  # every departure to the last bit that of Peakday


class Turn(NamedTuple):
    """What a tool has to do in every round."""

    tool: str
    customers: int
    ready: Callable[[], Serve]  # before the clock runs
    expected_s: Times
    ours: bool  # then its failure is ours


class Failures(dict[str, str]):
    """Why a tool has no row."""

    def note(self, tool: str, error: Exception, *, ours: bool) -> None:
        """Remember what a foreign package has raised, and raise what we have."""
        if ours:
            raise error
        self[tool] = f"failed: {error}"


def measure(
    workload: Workload, tools: Sequence[Tool], *, rounds: int, seed: int, scale: float
) -> tuple[list[Row], Failures]:
    """A row for every tool, and why a tool has none; the first of the tools is Peakday."""
    turns, failures = [], Failures()
    for tool in tools:
        case = case_of(workload, max(1, round(workload.customers * tool.share * scale)), seed)
        expected_s = tools[0].prepare(case)()
        ours = tool.package in ALWAYS
        try:
            serve = tool.prepare(case)
            if tool.compiled:
                serve()
        except Exception as error:
            failures.note(tool.name, error, ours=ours)
            continue
        turns.append(Turn(tool.name, case.gap_s.size, lambda serve=serve: serve, expected_s, ours))  # type: ignore[misc]
    return in_rounds(workload.name, workload.least, turns, rounds, failures)


def in_rounds(
    workload: str, least: dict[str, float], turns: Sequence[Turn], rounds: int, failures: Failures
) -> tuple[list[Row], Failures]:
    """A row for every turn that does not fail; one of them is Peakday's."""
    took_s: dict[str, list[float]] = {turn.tool: [] for turn in turns}
    equal = dict.fromkeys(took_s, True)
    for _ in range(rounds):
        for turn in turns:
            if turn.tool in failures:
                continue
            try:
                departures_s, seconds = _timed(turn.ready)
            except Exception as error:
                failures.note(turn.tool, error, ours=turn.ours)
                continue
            took_s[turn.tool].append(seconds / turn.customers)
            equal[turn.tool] = equal[turn.tool] and bool(np.array_equal(departures_s, turn.expected_s))
    rows = []
    for turn in turns:
        if turn.tool in failures:
            continue
        theirs_s = took_s[turn.tool]
        ratio = statistics.median(their_s / our_s for their_s, our_s in zip(theirs_s, took_s[PEAKDAY], strict=True))
        per_s = 1.0 / statistics.median(theirs_s)
        rows.append(Row(workload, turn.tool, turn.customers, per_s, ratio, least.get(turn.tool, 0.0), equal[turn.tool]))
    return rows, failures


def _timed(ready: Callable[[], Serve]) -> tuple[Times, float]:
    """Departures, and seconds of CPU time that they took."""
    gc.collect()
    turns, took_s = 0, 0.0
    while turns == 0 or took_s < LEAST_CPU_S:
        serve = ready()
        started_s = time.process_time()
        departures_s = serve()
        took_s += time.process_time() - started_s
        turns += 1
    return departures_s, took_s / turns
