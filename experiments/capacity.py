"""The least-cost plan that meets service levels with stated probabilities, and how sure that is.

Question: what is the least that has to be paid, so that every goal holds with its probability?
Run:      peakday capacity plan=festival_2013
Reads:    configs/capacity/NAME.yaml or FILE.yaml, configs/, sim/data/
Writes:   OUTPUT/capacity/NAME/ with plan.json, tables/, figures/ and report.html; OUTPUT/sweeps/runs/
"""

import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import Field

from sim.params.base import ParameterError, Params

if TYPE_CHECKING:
    from sim.capacity.configs import Configs
    from sim.capacity.runs import Progress
    from sim.sweeps.engine import Engine

HELP = "the least-cost capacity plan that meets service levels with stated probabilities; also: peakday plan"

_TEXT = """Screens what can be decided, searches for the least cost at which every goal holds on enough days, verifies the plan
on fresh days with the whole model, and tells how the figures hang on what is not known beforehand. Writes OUTPUT/capacity/NAME/
with the report. Every run is kept as soon as it ends: begin again after a crash, and only what is missing is run. The exit
status is 1 when no plan could be shown to meet the goals; the closest one is reported then. docs/capacity_plans.md tells more.

This is not `peakday plans`, which lists the contingency plans."""

_NAMES = """parameters:
  plan=festival_2013   a packaged plan file, or FILE.yaml
  goals.0.most=0.02    anything in the plan file, by its dotted name, in place of what it says
  scale=0.001          in place of the plan file's
  seed=2013            in place of the plan file's
  workers=2            runs at the same time; otherwise one for each core
  engine=local         processes on this machine; ray: Ray Core, on this machine or at an address
  address=HOST:PORT    of a running Ray cluster
  pdf=true             write report.pdf, too; needs the extra [report]
  output=results       folder for the results"""

SECONDS_BETWEEN_LINES = 5.0


class CapacityQuestionParams(Params):
    """Parameters of the question."""

    plan: str = "festival_2013"
    scale: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = Field(default=None, ge=0)
    workers: int | None = Field(default=None, ge=1)
    engine: str = Field(default="local", pattern="^(local|ray)$")
    address: str | None = None
    pdf: str = Field(default="false", pattern="^(true|false)$")
    output: str = "results"


def main(arguments: Sequence[str]) -> int:
    """Work the plan out; the exit status is 0 when it is shown to meet its goals, else 1."""
    from experiments.options import parse, parser
    from sim.sweeps.engine import EngineError

    options = parser("capacity", "[plan=NAME] ", _TEXT, _NAMES).parse_intermixed_args(arguments)
    dotted = [word for word in options.overrides if "." in word.partition("=")[0]]
    params = parse(CapacityQuestionParams, [word for word in options.overrides if word not in dotted])
    text, values = _read(params, dotted)
    if options.cfg:
        from sim.store import as_yaml

        print(as_yaml(values), end="")
        return 0
    try:
        return _answer(params, text, values, arguments)
    except EngineError as error:
        raise ParameterError([f"{error} (what was done is kept)"]) from None


def _read(params: CapacityQuestionParams, dotted: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """The plan file, with what the command line puts in its place."""
    from sim.capacity.plan_file import put, read

    text, values = read(params.plan)
    put(values, dotted)
    values |= {name: value for name in ("scale", "seed") if (value := getattr(params, name)) is not None}
    return text, values


def _answer(params: CapacityQuestionParams, text: str, values: dict[str, Any], arguments: Sequence[str]) -> int:
    import shlex

    from experiments.report import check_pdf, print_pdf
    from sim.capacity import store
    from sim.capacity.plan_file import checked
    from sim.capacity.runs import Runs
    from sim.capacity.study import work_out
    from sim.store import claimed
    from sim.sweeps.folder import records_folder
    from sim.sweeps.records import Records

    if params.pdf == "true":
        check_pdf()
    configs = checked(values)
    directory = store.folder(params.output, params.plan, configs.plan)
    lines = Lines(sys.stderr)
    started_s = time.perf_counter()
    with claimed(directory), _engine(params, configs) as engine:
        runs = Runs(engine, Records(records_folder(params.output)), lines.watch)
        found = work_out(configs, runs, lines.say)
        effort = {"wall_s": time.perf_counter() - started_s, "engine": params.engine, "workers": engine.workers}
    command = shlex.join(["peakday", "capacity", *arguments])
    store.write(directory, params.plan, text, found, command=command, effort=effort)
    for line in store.summary(found):
        print(line)
    print(f"report: {directory}/report.html")
    if params.pdf == "true":
        print_pdf(directory / "report.html")
    return 0 if found.chosen.holds else 1


def _engine(params: CapacityQuestionParams, configs: "Configs") -> "Engine":
    from sim import machine
    from sim.sweeps.cluster import check_address, check_installed
    from sim.sweeps.work import Keep

    if params.engine == "ray":
        from sim.sweeps.cluster import RayWorkers

        check_installed()
        if params.address is not None:
            check_address(params.address)
        return RayWorkers(params.address, params.workers, Keep())
    if params.address is not None:
        raise ParameterError([f"address={params.address} needs engine=ray"])
    from sim.sweeps.local import LocalWorkers

    needed = configs.memory_needed_bytes()
    room = max(int(machine.memory_available_bytes() // needed), 1)
    wanted = params.workers or machine.cores()
    if room < wanted:
        print(f"{room} workers instead of {wanted}: a run may need {needed / 1e9:.1f} GB")
    return LocalWorkers(min(wanted, room), Keep())


class Lines:
    """What is being done, in lines: each new step, and how far it is now and then."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._begun_s, self._told_s, self._step = out, time.monotonic(), 0.0, ""

    def watch(self, progress: "Progress") -> None:
        """Say how far a step is, unless that was said a moment ago."""
        now_s = time.monotonic()
        if progress.step != self._step or now_s - self._told_s >= SECONDS_BETWEEN_LINES:
            self._step, self._told_s = progress.step, now_s
            self.say(f"{progress.step}: {progress.done} of {progress.asked} runs so far")

    def say(self, text: str) -> None:
        """A line with the time since the start."""
        print(f"{time.monotonic() - self._begun_s:.0f} s: {text}", file=self._out, flush=True)
