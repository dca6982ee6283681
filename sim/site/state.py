"""The state of a site as plain arrays and values: taken at env.now, and put back into a site that is built anew.

site at 23:59 -> taken -> arrays by dotted name, plain values -> put_back -> a new site from the same parameters, at 23:59

What follows from the parameters (who comes when, the graph of services) and scratch memory are left out; recorders end with
their last row that is not zero. A site that goes on from a state has the bits of one that never stopped.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from sim.kernels import cell_state as kernels
from sim.kernels.visits import Client
from sim.records import OrderBatch
from sim.site.cell import Cell
from sim.site.site import Accounts, Site

_DERIVED = ("arrivals", "boxes", "outcomes")
_CHANGED_TIMES = ("mean_s", "mu", "values_s", "error_share")
_SCRATCH = ("as_float", "as_bits")

Arrays = dict[str, np.ndarray]


class SiteState(NamedTuple):
    """What a site is at an instant."""

    clock_s: float
    arrays: Arrays  # by dotted name; records of several fields as bytes
    values: dict[str, Any]  # numbers, words, lists and mappings


def taken(site: Site) -> SiteState:
    """The state of a site at env.now, to which it is advanced. The arrays are the site's own until it goes on.

    Orders that nobody has fetched yet are told apart from those that somebody has.
    """
    site.advance()
    arrays: Arrays = {}
    lengths: dict[str, int] = {}
    for number, cell in enumerate(site.cells_in_order):
        for name, array in _arrays(cell.state, f"cells.{number}"):
            if ".record." in name:
                lengths[name] = array.shape[0]
                array = _without_empty_end(array)
            arrays[name] = array.view(np.uint8) if array.dtype.names else array
        arrays[f"cells.{number}.model.cumulative"] = cell.model.routes.cumulative
        for name in _CHANGED_TIMES:
            arrays[f"cells.{number}.model.{name}"] = getattr(cell.model.times, name)
        for cause, pace in cell.paces.items():
            arrays[f"cells.{number}.paces.{cause}"] = pace
    accounts = site.accounts()
    for part, batch in (("fetched", accounts.fetched), ("kept", accounts.kept)):
        for name, column in zip(OrderBatch._fields, batch, strict=True):
            arrays[f"orders.{part}.{name}"] = column
    values = {
        "lengths": lengths,
        "cells": [{"client": list(cell.model.client), **cell.marks()} for cell in site.cells_in_order],
        "capacity": [list(note) for note in accounts.capacity],
        "machines": dict(accounts.machines),
        "working": {name: share.tolist() for name, share in accounts.working.items()},
        "levers": site.levers.state(),
    }
    return SiteState(site.now_s, arrays, values)


def put_back(site: Site, state: SiteState) -> None:
    """Let a site go on from a state. It has been built from the parameters of the state's site, at the state's clock."""
    values = state.values
    for number, (cell, told) in enumerate(zip(site.cells_in_order, values["cells"], strict=True)):
        prefix = f"cells.{number}"
        _put_back_cell(cell, prefix, state.arrays, values["lengths"])
        cell.model.routes.cumulative[:] = state.arrays[f"{prefix}.model.cumulative"]
        for name in _CHANGED_TIMES:
            getattr(cell.model.times, name)[:] = state.arrays[f"{prefix}.model.{name}"]
        cell.model = cell.model._replace(client=Client(*told["client"]))
        cell.paces = {
            name.removeprefix(f"{prefix}.paces."): array.copy()
            for name, array in state.arrays.items()
            if name.startswith(f"{prefix}.paces.")
        }
        cell.go_on(told)
    fetched, kept = (
        OrderBatch(*(state.arrays[f"orders.{part}.{name}"] for name in OrderBatch._fields))
        for part in ("fetched", "kept")
    )
    site.open_accounts(
        Accounts(
            fetched,
            kept,
            [(time_s, name, machines, slots) for time_s, name, machines, slots in values["capacity"]],
            dict(values["machines"]),
            {name: np.array(share) for name, share in values["working"].items()},
        )
    )
    site.levers.put_back(values["levers"])


def _put_back_cell(cell: Cell, prefix: str, arrays: Mapping[str, np.ndarray], lengths: Mapping[str, int]) -> None:
    jobs = kernels.empty_requests(arrays[f"{prefix}.jobs"].size // kernels.REQUEST.itemsize)
    state = cell.state._replace(
        jobs=jobs,
        boxes=kernels.empty_boxes(cell.state.boxes.waiting.size, jobs.size),
        outcomes=kernels.empty_outcomes(jobs.size),
    )
    cell.state = _rebuilt(state, prefix, arrays, lengths)


def _arrays(group: Any, path: str) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of nested named tuples, each with its dotted name."""
    for name, value in zip(group._fields, group, strict=True):
        if name in _DERIVED or name in _SCRATCH:
            continue
        if isinstance(value, np.ndarray):
            yield f"{path}.{name}", value
        else:
            yield from _arrays(value, f"{path}.{name}")


def _rebuilt(group: Any, path: str, arrays: Mapping[str, np.ndarray], lengths: Mapping[str, int]) -> Any:
    """The same named tuples with the arrays of a state."""
    replaced: dict[str, Any] = {}
    for name, value in zip(group._fields, group, strict=True):
        if name in _DERIVED or name in _SCRATCH:
            continue
        dotted = f"{path}.{name}"
        if not isinstance(value, np.ndarray):
            replaced[name] = _rebuilt(value, dotted, arrays, lengths)
        elif dotted in lengths:
            whole = np.zeros((lengths[dotted], *arrays[dotted].shape[1:]), arrays[dotted].dtype)
            whole[: len(arrays[dotted])] = arrays[dotted]
            replaced[name] = whole
        elif name == "jobs" and value.dtype.names:  # it begins with a cache line
            value.view(np.uint8)[:] = arrays[dotted]
        else:
            replaced[name] = arrays[dotted].view(value.dtype).copy() if value.dtype.names else arrays[dotted].copy()
    return group._replace(**replaced)


def _without_empty_end(array: np.ndarray) -> np.ndarray:
    """The rows of a recorder up to the last one that is not zero."""
    used = np.flatnonzero(array.reshape(array.shape[0], -1).any(axis=1)) if array.size else np.zeros(0, np.int64)
    return array[: int(used[-1]) + 1] if used.size else array[:0]
