"""The vehicles of line-haul and rail: how many of them do what, hour by hour. Trips are in real vehicles at every scale."""

import itertools

import numpy as np
import pandas as pd

from sim.units import DAY_S, HOUR_S

KINDS = ("own truck", "hired truck", "train")
DOING = ("loaded", "at the gate", "on the way back")


def fleet_hours(trips: pd.DataFrame, end_s: float) -> dict[str, pd.DataFrame]:
    """What vehicles of each kind do at each hour until the end; a kind without trips is left out.

    Returns
    -------
    Kind -> `time_s` and vehicles that drive loaded, wait or are unloaded at the gate, and drive back empty (`DOING`).
    """
    at_s = np.arange(0.0, end_s + HOUR_S, HOUR_S)
    kind_of = trips["vehicle"].astype(str).to_numpy()
    found = {}
    for kind in KINDS:
        own = trips[kind_of == kind]
        if own.empty:
            continue
        reached = [_by(own[name], own["vehicles"], at_s) for name in ("depart_s", "arrive_s", "unloaded_s", "back_s")]
        if kind == "train":  # it belongs to the railway, which fills its way back
            reached[3] = reached[2]
        doing = zip(DOING, (before - after for before, after in itertools.pairwise(reached)), strict=True)
        found[kind] = pd.DataFrame({"time_s": at_s, **dict(doing)})
    return found


def mostly_back_s(trips: pd.DataFrame, share: float = 0.99) -> float:
    """End of the day on which this share of the trips had been unloaded [s]; those that never were are left out."""
    unloaded_s = np.sort(trips["unloaded_s"].dropna().to_numpy())
    latest_s = unloaded_s[int(np.ceil(share * unloaded_s.size)) - 1] if unloaded_s.size else 0.0
    return float(np.ceil(latest_s / DAY_S) + 1) * DAY_S


def fleet_sizes(fleets: pd.DataFrame) -> dict[str, int]:
    """Vehicles of each kind that all carriers have together."""
    return {str(kind): int(count) for kind, count in fleets.groupby("vehicle", observed=True)["vehicles"].sum().items()}


def utilisation(hours: pd.DataFrame, vehicles: int) -> float:
    """Share of its vehicles that a fleet has out at its busiest hour, from `fleet_hours`."""
    return float(hours[list(DOING)].sum(axis=1).max() / vehicles) if vehicles else float("nan")


def _by(time_s: pd.Series, vehicles: pd.Series, at_s: np.ndarray) -> np.ndarray:
    """Vehicles whose time has come by each of the increasing instants; NaN never comes."""
    place = np.searchsorted(at_s, time_s.fillna(np.inf).to_numpy(), side="left")
    return np.asarray(np.cumsum(np.bincount(place, weights=vehicles.to_numpy(), minlength=at_s.size + 1))[: at_s.size])
