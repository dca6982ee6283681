"""A series of drills on several processes; each drill's record is written aside and renamed, so that none is run twice or lost.

plans -> grouped by fault -> workers, one stage each -> records/ID.json
"""

import gc
import json
import os
import signal
import time
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sim.drills.branch import branched
from sim.drills.drill import Terms, as_record, drilled
from sim.drills.stage import Stage
from sim.params.contingency import PlanParams
from sim.store import explained, plain


class DrillError(Exception):
    """Drills that could not be run to their end."""


class Series(NamedTuple):
    """What is to be drilled, and where its records go."""

    plans: Sequence[PlanParams]
    terms: Terms
    folder: Path


def run_series(series: Series, stage: Callable[[], Stage], workers: int, done: Callable[[int], None]) -> int:
    """Run the drills of one part that have no record yet. Returns how many were run.

    stage : builds the part at its moment; called once in each worker
    workers : processes that drill; no result depends on it
    done : told how many records there are, now and then

    Raises
    ------
    DrillError
        When a worker died; the records of finished drills stay.
    """
    with explained(series.folder):
        series.folder.mkdir(parents=True, exist_ok=True)
    open_plans = [plan for plan in series.plans if not record_file(series.folder, plan.id).is_file()]
    groups = _by_fault(open_plans)
    if not groups:
        return 0
    children: list[int] = []
    for number in range(min(workers, len(groups))):
        children.append(_start(series, stage, groups[number :: min(workers, len(groups))]))
    try:
        failed = _wait(children, lambda: done(sum(1 for _ in series.folder.glob("*.json"))))
    except BaseException:
        for child in children:
            os.kill(child, signal.SIGTERM)
        raise
    if failed:
        raise DrillError(f"{failed} of {len(children)} drill workers died; run the same command again to go on")
    return len(open_plans)


def record_file(folder: Path, name: str) -> Path:
    """Where a drill's record is."""
    return folder / f"{name}.json"


def read_records(folder: Path, plans: Sequence[PlanParams]) -> list[dict[str, object]]:
    """The records of plans that have been drilled, in the plans' order."""
    found = [record_file(folder, plan.id) for plan in plans]
    return [json.loads(file.read_text(encoding="utf-8")) for file in found if file.is_file()]


def _by_fault(plans: Sequence[PlanParams]) -> list[list[PlanParams]]:
    groups: dict[str, list[PlanParams]] = {}
    for plan in plans:
        groups.setdefault(plan.fault.model_dump_json(), []).append(plan)
    return list(groups.values())


def _start(series: Series, stage: Callable[[], Stage], groups: Sequence[Sequence[PlanParams]]) -> int:
    """A worker process that drills some groups."""
    parent = os.getpid()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _work(series, stage(), groups, parent)
        status = 0
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(status)


def _work(series: Series, stage: Stage, groups: Sequence[Sequence[PlanParams]], parent: int) -> None:
    """Drill group by group, for as long as there is somebody to drill for."""
    gc.freeze()  # what branches share stays shared
    usual = branched(lambda: stage.go(None, None))
    for plans in groups:
        without = branched(partial(stage.go, plans[0].fault, None))
        for plan in plans:
            if os.getppid() != parent:
                return
            _write(series.folder, plan.id, as_record(drilled(stage, plan, usual, without, series.terms)))


def _write(folder: Path, name: str, record: dict[str, object]) -> None:
    file = record_file(folder, name)
    partial = file.with_name(f".{name}.partial-{os.getpid()}")
    partial.write_text(json.dumps(plain(record), ensure_ascii=False), encoding="utf-8")
    partial.replace(file)


def _wait(children: Sequence[int], look: Callable[[], None]) -> int:
    """Wait for the workers; the number of those that died."""
    left, failed = set(children), 0
    while left:
        for child in list(left):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                left.discard(child)
                failed += status != 0
        look()
        if left:
            time.sleep(0.2)
    return failed
