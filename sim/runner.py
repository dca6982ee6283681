"""From a name to a result: compose, check, simulate, measure, store."""

import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sim import store
from sim.compose import OverrideError, compose
from sim.params.base import ParameterError, build
from sim.store import Result

if TYPE_CHECKING:
    import pandas as pd

    from sim.params.festival import FestivalParams
    from sim.progress import Progress
    from sim.saves import Branch

DEFAULT_EXPERIMENT = "festival_2012"
_PACKAGES = ("numpy", "numba", "simpy", "networkx", "pandas", "pyarrow", "matplotlib", "hydra-core", "pydantic")

_TOLD_APART = (
    "scale",
    "seed",
    "replications",
    "output",
)  # overrides that provenance tells by themselves, or not at all

Watch = Callable[["Progress"], None]
_TABLES_SHARE = 0.9  # of the work after the simulation; the rest are figures and report


class Replication(NamedTuple):
    """One checked run with its own seed; `directory` is None when nothing is to be written.

    `overrides` are what made its config, for its provenance.
    """

    experiment: str
    config: dict[str, Any]
    params: "FestivalParams"
    directory: Path | None
    overrides: tuple[str, ...] = ()


def simulate(
    name: str = DEFAULT_EXPERIMENT,
    *,
    overrides: Sequence[str] = (),
    output: str | Path | None = None,
    progress: Watch | None = None,
    **values: Any,
) -> Result:
    """One run of an experiment.

    Parameters
    ----------
    name : an experiment in configs/experiment
    overrides : as on the command line, for dotted names: ["site.cells=2", "parcels=off"]
    output : results folder to write to; None writes nothing
    progress : called now and then with how far the run is
    values : overrides of names without dots: scale=0.001, seed=1, parcels="off"

    Raises
    ------
    ParameterError
        When the parameters cannot be simulated; nothing has been simulated then.
    sim.store.StoreError
        When `output` cannot be written.

    Examples
    --------
    >>> simulate("festival_2012", scale=0.0001, seed=1).kpis["seed"]  # doctest: +SKIP
    1
    """
    written = [*(f"{key}={_literal(value)}" for key, value in values.items()), *overrides]
    config = composed(name, written)
    replications = prepare(name, config, output=output, overrides=written)
    if config["replications"] > 1:
        raise ParameterError(
            [f"replications must be 1 in simulate(), got {config['replications']}; call it once for each seed"]
        )
    return run(next(replications), progress)


def composed(name: str, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """What `sim.compose.compose` gives; a bad override does not hide what else is wrong with the config.

    Raises
    ------
    ParameterError
        With every problem of the overrides and, where they can be seen, of the parameters.
    """
    try:
        return compose(name, overrides)
    except OverrideError as error:
        problems = list(error.problems)
        try:
            prepare(name, error.rest, output=error.rest.get("output"))
        except ParameterError as others:
            problems += others.problems
        raise ParameterError(problems) from None


def prepare(
    name: str, config: Mapping[str, Any], *, output: str | Path | None = None, overrides: Sequence[str] = ()
) -> Iterator[Replication]:
    """The runs of an experiment, one for each replication, with seeds seed, seed + 1, ...; checked when this returns.

    Parameters
    ----------
    name : the experiment's name, for the results folder
    config : as composed
    output : results folder to write to; None writes nothing
    overrides : what made the config, for the provenance

    Raises
    ------
    ParameterError
        With everything that is wrong with the config, this machine's limits included.
    """
    from sim import festival
    from sim.params.festival import FestivalParams

    settings = {key: value for key, value in config.items() if key != "output"}
    problems = [*_beyond_this_machine(settings), *_not_a_folder(output)]
    try:
        params = build(FestivalParams, settings)
    except ParameterError as error:
        raise ParameterError([*error.problems, *problems]) from None
    if problems:
        raise ParameterError(problems)
    festival.check(params)
    told = tuple(text for text in overrides if text.partition("=")[0].lstrip("+~") not in _TOLD_APART)
    return (
        _replication(name, settings | {"seed": params.seed + number, "replications": 1}, output, told)
        for number in range(params.replications)
    )


def run(replication: Replication, progress: Watch | None = None, branch: "Branch | None" = None) -> Result:
    """The result of one run: read when its results folder is there, else simulated and, if it has a folder, stored.

    branch : where it begins, and where its state is kept; None: at the start, nowhere
    """
    directory = replication.directory
    if directory is None:
        return _simulated(replication, progress, branch)
    if store.is_result(directory):
        return store.read_result(directory)
    teller = _Teller(progress)
    with store.new_folder(directory) as partial:
        result = _simulated(replication, teller, branch)
        result = store.write_result(partial, result, teller.writing(result.tables))
        teller.after("figures and report", 1.0)
        with store.explained(directory):
            illustrate(partial, result)
    return result._replace(directory=directory)


class _Teller:
    """Passes on how far the simulation is, and tells what comes after it."""

    def __init__(self, watch: Watch | None) -> None:
        self._watch = watch
        self._last: Progress | None = None

    def __call__(self, progress: "Progress") -> None:
        self._last = progress
        if self._watch is not None:
            self._watch(progress)

    def after(self, phase: str, share: float) -> None:
        """Tell a phase after the simulation; share: of what is left after that, in [0, 1]."""
        if self._watch is not None and self._last is not None:
            done = self._last.share + (_TABLES_SHARE * share) * (1.0 - self._last.share)
            self._watch(self._last._replace(phase=phase, share=done))

    def writing(self, tables: "Mapping[str, pd.DataFrame]") -> Callable[[str, int], None]:
        """Who is to be told how many rows of a table have been written, piece by piece."""
        from sim.records import rows_of

        whole = max(sum(rows_of(tables, name) for name in tables), 1)
        written = 0

        def piece(name: str, rows: int) -> None:
            nonlocal written
            written += rows
            self.after(f"writing {name}", written / whole)

        return piece


def illustrate(directory: Path, result: Result, *, png: bool = False) -> None:
    """Figures, as SVG and on request also as PNG, and report of a result into a folder."""
    from sim import plots, report

    year = report.year_of(result.params)
    plots.write_figures(directory, result.tables, scale=result.kpis["scale"], year=year, png=png)
    report.write_report(directory, result.tables, result.kpis, result.params, result.provenance)


def _replication(
    name: str, config: dict[str, Any], output: str | Path | None, overrides: tuple[str, ...]
) -> Replication:
    from sim.params.festival import FestivalParams

    directory = None if output is None else store.run_folder(output, name, config)
    return Replication(name, config, build(FestivalParams, config), directory, overrides)


def _simulated(replication: Replication, progress: Watch | None, branch: "Branch | None" = None) -> Result:
    from sim.machine import cores

    started_at = datetime.now(UTC)
    kpis, tables = measured(replication.params, progress, branch=branch)
    provenance = {
        "experiment": replication.experiment,
        "seed": replication.params.seed,
        "scale": replication.params.scale,
        "threads": replication.params.threads or cores(),
        "overrides": list(replication.overrides),
        "key": store.run_key(replication.config),
        "from_state": None if branch is None or branch.source is None else str(branch.source),
        "started_at": started_at.isoformat(timespec="seconds"),
        "wall_s": kpis["wall_s"],
        "peak_rss_bytes": kpis["peak_rss_bytes"],
        "code": code(),
        "versions": versions(),
        "host": {"name": platform.node(), "system": platform.platform(), "cores": cores()},
    }
    return Result(kpis, tables, replication.config, provenance, None)


def measured(
    params: "FestivalParams", progress: Watch | None = None, *, summaries: bool = True, branch: "Branch | None" = None
) -> tuple[dict[str, Any], "Mapping[str, pd.DataFrame]"]:
    """Key figures and tables of one simulation; without the summaries of the parcels when nobody will look at them."""
    from sim import festival, metrics

    started_s = time.perf_counter()
    _forget_peak_rss()
    begun = {} if branch is None else {"begun": branch.begin(params, progress)}
    tables = festival.run_festival(params, progress=progress, **begun)
    if summaries:
        tables = tables | metrics.missing_summaries(tables)
    wall_s = time.perf_counter() - started_s
    kpis = metrics.kpis(
        tables,
        scale=params.scale,
        seed=params.seed,
        wall_s=wall_s,
        peak_rss_bytes=_peak_rss_bytes(),
        shoppers=_shoppers(params, tables),
    )
    return store.plain(kpis), tables


def _shoppers(params: "FestivalParams", tables: "Mapping[str, pd.DataFrame]") -> int:
    """Shoppers of a run; those of the user's own orders are counted."""
    return params.shoppers if params.data.orders is None else int(tables["orders"]["shopper"].nunique())


def _beyond_this_machine(config: Mapping[str, Any]) -> list[str]:
    from sim.machine import cores

    threads = config.get("threads")
    if isinstance(threads, int) and threads > cores():
        return [f"threads must be <= {cores()} (cores of this machine), got {threads}"]
    return []


def _not_a_folder(output: object) -> list[str]:
    if output is None or isinstance(output, Path) or (isinstance(output, str) and output):
        return []
    return [f"output must be the name of a folder, got {output!r}"]


def _forget_peak_rss() -> None:
    """Let the peak of this process's memory begin anew, so that each of several runs has its own; only Linux can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_rss_bytes() -> int:
    """Most memory that this process has held since `_forget_peak_rss` or, where that cannot be forgotten, so far [B]."""
    with suppress(OSError, StopIteration), open("/proc/self/status", encoding="ascii") as lines:
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))
    kilobytes_or_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes_or_bytes if sys.platform == "darwin" else kilobytes_or_bytes * 1024


def code() -> dict[str, Any]:
    """Which code made the result: the version, a hash of the sources and, in a checkout, the revision."""
    try:
        installed = version("peakday")
    except PackageNotFoundError:  # used from a checkout without installation
        installed = None
    revision, status = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    modified = None if revision is None else bool(status)
    return {"version": installed, "source_hash": store.source_hash(), "revision": revision, "modified": modified}


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result hangs on."""
    return {"python": platform.python_version()} | {package: version(package) for package in _PACKAGES}


def _git(*arguments: str) -> str | None:
    checkout = Path(__file__).resolve().parent.parent
    if not (checkout / ".git").exists():
        return None
    try:
        answer = subprocess.run(["git", "-C", str(checkout), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


def _literal(value: Any) -> str:
    """A Python value in the grammar of overrides."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_literal, value)) + "]"
    if hasattr(value, "item"):  # a NumPy number
        value = value.item()
    if isinstance(value, (int, float)):
        return repr(value)
    text = str(value)
    if text.isidentifier() and text.lower() not in ("null", "true", "false", "nan", "inf"):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
