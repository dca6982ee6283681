"""A run's site saved at an instant, and what-ifs that branch from there, equal bit for bit to runs that never stopped.

Festival at 23:59 -> save -> FILE (arrays, no pickle) -> restore(FILE, params) -> Festival at 23:59

A state goes on only with the code that made it and with parameters that would have led to it: what acts after its instant may
differ, what would have acted before may not. The road starts anew, so a run whose state is saved has `parcels=off`.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from sim.festival import Festival
from sim.params.festival import FestivalParams
from sim.site.site import Site
from sim.site.state import SiteState, put_back, taken
from sim.store import StoreError, explained, plain, source_hash

FORMAT = 1
_NOT_OF_THE_SITE = ("threads", "replications", "rehearsal", "orders", "parcels", "stock", "weather")
_HEADER = "header"


class StateError(StoreError):
    """A state that cannot be saved or restored."""


def save(festival: Festival, params: FestivalParams, file: str | Path) -> Path:
    """The state of a festival's site at its clock, to which the site is advanced, into a file.

    The file is written aside and takes its name when it is complete.

    Raises
    ------
    StateError
        When the festival has parcels or no site of its own.
    StoreError
        When the file cannot be written.
    """
    if festival.parcels is not None or not isinstance(festival.site, Site):
        raise StateError("only the site's state can be saved: the run needs parcels=off and no data.orders")
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
        "contingency": None if festival.contingency is None else plain(festival.contingency.state()),
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


def restore(file: str | Path, params: FestivalParams) -> Festival:
    """A festival that goes on from a saved state.

    Parameters
    ----------
    file : made by `save`
    params : checked parameters; they may differ from the saved run's in what acts at the state's instant or later

    Raises
    ------
    StateError
        When the file is no state, was saved by other code or belongs to other parameters; with every reason.
    """
    if params.parcels is not None:
        raise StateError("parcels must be off when a state is restored: the state is of the site only")
    try:
        with np.load(file, allow_pickle=False) as stored:
            header = json.loads(str(stored[_HEADER]))
            problems = _refusals(Path(file), header, params)
            if problems:
                raise StateError("\n".join(problems))
            arrays = {name: stored[name] for name in stored.files if name != _HEADER}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise StateError(f"{file} is not a saved state: {error}") from None
    festival = Festival(
        params, clock_s=header["clock_s"], cloud_state=header["cloud"], contingency_state=header["contingency"]
    )
    assert isinstance(festival.site, Site)
    put_back(festival.site, SiteState(header["clock_s"], arrays, header["values"]))
    return festival


def _refusals(file: Path, header: Mapping[str, Any], params: FestivalParams) -> list[str]:
    """Why a state may not go on under these parameters."""
    if header.get("format") != FORMAT:
        return [f"{file} must have format {FORMAT}, got {header.get('format')}"]
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
    if told.get("contingency") is not None:
        group = told["contingency"]
        group["faults"] = [fault for fault in group["faults"] if fault["onset_s"] < clock_s]
        if not group["faults"] and not group["plans"]:
            told["contingency"] = None
    return told


def _differences(saved: Any, asked: Any, path: str, clock_s: float) -> Iterator[str]:
    """A message for every parameter that is not what it was when the state was saved."""
    if isinstance(saved, Mapping) and isinstance(asked, Mapping):
        for name in [*saved, *(name for name in asked if name not in saved)]:
            dotted = f"{path}.{name}" if path else str(name)
            yield from _differences(saved.get(name), asked.get(name), dotted, clock_s)
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
