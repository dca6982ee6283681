"""What the runs of all sides say, in a few small tables: made from stored results, one after another."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.metrics.curves import curves
from sim.metrics.differences import group_differences, key_figure_differences
from sim.metrics.fates import fates
from sim.metrics.hubs import flows
from sim.store import Result, read_result

BASE = "base"


class Findings(NamedTuple):
    """Tables of a what-if; `side` is "base" or the name of a change.

    runs: side, seed and every key figure of each run, not scaled up. differences: `metrics.differences.key_figure_differences`
    with the column `change_name`. groups: `metrics.differences.group_differences` with `change_name`. curves:
    `metrics.curves.curves` with side and seed. flows: `metrics.hubs.flows` with side and seed. cities: those of the runs.
    """

    runs: pd.DataFrame
    differences: pd.DataFrame
    groups: pd.DataFrame
    curves: pd.DataFrame
    flows: pd.DataFrame
    cities: pd.DataFrame


class _OfRun(NamedTuple):
    """What is kept of one run while the others are read."""

    kpis: dict[str, Any]
    curves: pd.DataFrame
    fates: pd.DataFrame
    flows: pd.DataFrame


def find(sides: Mapping[str, Sequence[Path]], told: Callable[[str], None] = lambda text: None) -> Findings:
    """Compare the stored runs of the base with those of each change.

    Parameters
    ----------
    sides : folders of the results by side, "base" first, each in the same order of seeds
    told : called with what is being read

    Raises
    ------
    sim.store.NotAResultError
        When a folder does not hold a complete result.
    """
    kept: dict[str, list[_OfRun]] = {}
    cities = pd.DataFrame({"city": [], "longitude": [], "latitude": [], "population": []})
    for side, directories in sides.items():
        for directory in directories:
            told(f"reading {directory}")
            result = read_result(directory)
            kept.setdefault(side, []).append(_kept(result))
            if cities.empty and "cities" in result.tables:
                cities = result.tables["cities"].astype({"city": str, "province": str})
    changes = [side for side in sides if side != BASE]
    kpis = {side: [run.kpis for run in runs] for side, runs in kept.items()}
    groups = _by_run(kept, "fates")
    return Findings(
        runs=pd.DataFrame([{"side": side, **run.kpis} for side, runs in kept.items() for run in runs]),
        differences=_by_change({name: key_figure_differences(kpis[BASE], kpis[name]) for name in changes}),
        groups=_by_change({name: group_differences(groups, name) for name in changes}),
        curves=_by_run(kept, "curves"),
        flows=_by_run(kept, "flows"),
        cities=cities,
    )


def _kept(result: Result) -> _OfRun:
    tables = result.tables
    moved = "trips" in tables and "cities" in tables and len(tables["trips"])
    return _OfRun(
        result.kpis,
        curves(tables, scale=float(result.kpis["scale"])),
        fates(tables),
        flows(tables["trips"], tables["cities"]) if moved else pd.DataFrame(),
    )


def _by_run(kept: Mapping[str, Sequence[_OfRun]], name: str) -> pd.DataFrame:
    frames = [
        getattr(run, name).assign(side=side, seed=run.kpis["seed"]) for side, runs in kept.items() for run in runs
    ]
    return pd.concat(frames, ignore_index=True)


def _by_change(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame.assign(change_name=name) for name, frame in frames.items()], ignore_index=True)
