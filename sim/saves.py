"""A run saved at an instant, and what-ifs that branch from there, equal bit for bit to runs that never stopped.

Festival at 23:59 -> save -> FILE (arrays, no pickle) -> restore(FILE, params) -> Festival at 23:59

A state goes on only with the code that made it and with parameters that would have led to it: what acts after its instant may
differ, what would have acted before may not.

The file holds the site, which is most of a run's work, and the orders paid so far. What happened on the road follows from them,
and nothing that happens there comes back to the site; so when a state is restored the road does again what it has done. Hence a
branch may change all of the road: parcels, stock, weather.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from sim.festival import Festival, Past
from sim.params.contingency_kinds import KINDS
from sim.params.festival import FestivalParams
from sim.progress import Progress
from sim.records import OrderBatch
from sim.site.site import Site
from sim.site.state import SiteState, put_back, taken
from sim.store import StoreError, explained, plain, source_hash
from sim.units import DAY_S, HOUR_S

FORMAT = 2
_NOT_OF_THE_SITE = (
    "threads", "replications", "rehearsal", "data", "geography", "orders", "parcels", "stock", "weather",
)  # fmt: skip
_HEADER = "header"
_NO_SITE = "there is no site whose state could be saved: with site=off, or data.orders, a branch begins at the start"


class StateError(StoreError):
    """A state that cannot be saved or restored."""


class Origin(NamedTuple):
    """The words that made a run: an experiment and what is changed in it."""

    experiment: str
    overrides: tuple[str, ...]


class Stop(NamedTuple):
    """At which instant of a run its state goes into which file."""

    time_s: float
    file: Path


class Branch(NamedTuple):
    """Where a run begins, and where its state is kept."""

    source: Path | None  # the state to go on from; None: from the start
    stop: Stop | None
    origin: Origin

    def check(self, params: FestivalParams) -> None:
        """Refuse what cannot be restored or saved, before anything is simulated.

        Raises
        ------
        StateError
            With every reason.
        """
        problems, clock_s = [], 0.0
        if self.source is not None:
            with _opened(self.source) as stored:
                header = _header(self.source, stored)
            problems, clock_s = _refusals(self.source, header, params), header["clock_s"]
        elif params.site is None:
            problems = [_NO_SITE]
        if self.stop is not None and not clock_s <= self.stop.time_s <= _end_s(params):
            problems.append(
                f"save_at must be from {clock_s:g} s, where the run begins, to its end at {_end_s(params):g} s, "
                f"got {self.stop.time_s:g} s"
            )
        if problems:
            raise StateError("\n".join(problems))

    def begin(self, params: FestivalParams, progress: Callable[[Progress], None] | None = None) -> Festival:
        """The festival where it begins, or at the stop, where its state has been saved.

        Raises
        ------
        StateError
            When the state cannot be restored, or there is nothing to save.
        StoreError
            When the file cannot be written.
        """
        festival = (
            Festival(params, progress=progress) if self.source is None else restore(self.source, params, progress)
        )
        if self.stop is not None:
            if self.stop.time_s > festival.env.now:
                festival.env.run(until=self.stop.time_s)
            save(festival, params, self.stop.file, self.origin)
        return festival


def origin_of(file: str | Path) -> Origin:
    """The words that made a saved run.

    Raises
    ------
    StateError
        When the file is no state, or was not saved by a run that was made by words.
    """
    with _opened(Path(file)) as stored:
        origin = _header(Path(file), stored)["origin"]
    if origin is None:
        raise StateError(f"{file} does not say which experiment it is of: restore it with sim.saves.restore")
    return Origin(origin[0], tuple(origin[1]))


def save(festival: Festival, params: FestivalParams, file: str | Path, origin: Origin | None = None) -> Path:
    """The state of a festival at its clock, to which the site is advanced, into a file.

    The file is written aside and takes its name when it is complete. origin: what `origin_of` will tell.

    Raises
    ------
    StateError
        When the festival has no site.
    StoreError
        When the file cannot be written.
    """
    if not isinstance(festival.site, Site):
        raise StateError(_NO_SITE)
    file = Path(file)
    state = taken(festival.site)
    told = _told_before(params, state.clock_s)
    header = {
        "format": FORMAT,
        "version": _version(),
        "code": source_hash(),
        "key": _key(told),
        "clock_s": state.clock_s,
        "params": told,
        "values": state.values,
        "cloud": None if festival.cloud is None else plain(festival.cloud.state()),
        "contingency": None if festival.contingency is None else plain(festival.contingency.state("site")),
        "origin": origin,
    }
    partial = file.with_name(f".{file.name}.partial-{os.getpid()}")
    with explained(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **{_HEADER: np.array(json.dumps(header)), **state.arrays})
            partial.replace(file)
        finally:
            partial.unlink(missing_ok=True)
    return file


def restore(file: str | Path, params: FestivalParams, progress: Callable[[Progress], None] | None = None) -> Festival:
    """A festival that goes on from a saved state.

    Parameters
    ----------
    file : made by `save`
    params : checked parameters; they may differ from the saved run's on the road and in what acts from the state's instant on
    progress : as of `Festival`

    Raises
    ------
    StateError
        When the file is no state, was saved by other code or belongs to other parameters; with every reason.
    """
    with _opened(Path(file)) as stored:
        header = _header(Path(file), stored)
        problems = _refusals(Path(file), header, params)
        if problems:
            raise StateError("\n".join(problems))
        arrays = {name: stored[name] for name in stored.files if name != _HEADER}
    past = Past(header["clock_s"], _orders(arrays), header["cloud"], header["contingency"])
    festival = Festival(params, progress=progress, past=past)
    assert isinstance(festival.site, Site)
    put_back(festival.site, SiteState(header["clock_s"], arrays, header["values"]))
    if festival.parcels is not None:
        festival.site.bring_orders()  # the road has had them
    return festival


def objections(saved: FestivalParams, asked: FestivalParams, clock_s: float) -> list[str]:
    """Why a run may not branch from another at an instant: a message for every parameter that differs and acts before."""
    return list(_differences(_told_before(saved, clock_s), _told_before(asked, clock_s), "", clock_s))


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    try:
        with np.load(file, allow_pickle=False) as stored:
            yield stored
    except OSError as error:
        raise StateError(f"{file} is not a saved state: {error.strerror or error}") from None
    except (ValueError, KeyError, EOFError, BadZipFile):
        raise StateError(f"{file} is not a saved state: peakday run save_at=TIME writes one") from None


def _header(file: Path, stored: Mapping[str, Any]) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(str(stored[_HEADER]))
    if header.get("format") != FORMAT:
        raise StateError(f"{file} must have format {FORMAT}, got {header.get('format')}")
    return header


def _orders(arrays: Mapping[str, np.ndarray]) -> OrderBatch:
    """The orders paid so far, in order of time."""
    parts = [[arrays[f"orders.{part}.{name}"] for name in OrderBatch._fields] for part in ("fetched", "kept")]
    return OrderBatch(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _end_s(params: FestivalParams) -> float:
    site_s = params.demand.horizon_h * HOUR_S
    return site_s if params.parcels is None else max(site_s, params.parcels.horizon_days * DAY_S)


def _refusals(file: Path, header: Mapping[str, Any], params: FestivalParams) -> list[str]:
    """Why a state may not go on under these parameters."""
    if params.site is None:
        return ["site must not be off: the state is of a site"]
    problems = []
    if header["code"] != source_hash():
        problems.append(
            f"{file} was saved by other code: {header['version']} {header['code'][:8]}, this is {_version()} "
            f"{source_hash()[:8]}; save it again"
        )
    told = _told_before(params, header["clock_s"])
    if header["key"] != _key(told):
        problems += list(_differences(header["params"], told, "", header["clock_s"]))
    return problems


def _told_before(params: FestivalParams, clock_s: float) -> dict[str, Any]:
    """The parameters that a state at an instant depends on, as JSON knows them."""
    told: dict[str, Any] = json.loads(params.model_dump_json(exclude=set(_NOT_OF_THE_SITE)))
    if told.get("site") is not None:
        told["site"]["changes"] = [change for change in told["site"]["changes"] if change["at_s"] < clock_s]
    told["contingency"] = _contingency_before(told.get("contingency"), clock_s)
    return told


def _contingency_before(group: Mapping[str, Any] | None, clock_s: float) -> dict[str, Any]:
    """The site's faults before an instant and the terms that they are put in, and its plans in force before, by id."""
    if group is None:
        return {"faults": [], "plans": {}}
    faults = [fault for fault in group["faults"] if _is_of_site(fault) and fault["onset_s"] < clock_s]
    plans = {plan["id"]: plan for plan in group["plans"] if _is_of_site(plan["fault"]) and plan["from_s"] < clock_s}
    terms = {name: value for name, value in group.items() if name not in ("faults", "plans")} if faults else {}
    return {**terms, "faults": faults, "plans": plans}


def _is_of_site(fault: Mapping[str, Any]) -> bool:
    return KINDS[fault["kind"]].part == "site"


def _differences(saved: Any, asked: Any, path: str, clock_s: float) -> Iterator[str]:
    """A message for every parameter that is not what it was when the state was saved."""
    if isinstance(saved, Mapping) and isinstance(asked, Mapping):
        for name in [*saved, *(name for name in asked if name not in saved)]:
            dotted = f"{path}.{name}" if path else str(name)
            yield from _differences(saved.get(name), asked.get(name), dotted, clock_s)
    elif saved is None and path.startswith("contingency.plans."):
        yield f"{path} is in force before the state's instant: it needs from_s >= {clock_s:g}, got {asked['from_s']:g}"
    elif saved != asked:
        yield (
            f"{path} must be what it was when the state was saved, as it acts before {clock_s:g} s: "
            f"{json.dumps(saved)}, got {json.dumps(asked)}"
        )


def _key(told: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(told, sort_keys=True).encode(), digest_size=16).hexdigest()


def _version() -> str:
    try:
        return version("peakday")
    except PackageNotFoundError:
        return "unknown"
