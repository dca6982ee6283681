"""What the parcels part writes down as it runs: trips and hourly states of the hubs."""

import numpy as np
from numpy.typing import NDArray

from sim.kernels.convoys import Docks
from sim.kernels.hub import Hubs
from sim.kernels.lane import SENT

VEHICLES = ("own truck", "hired truck", "train")

_ROOM = 1024  # trips, until there are more


class Trips:
    """Line-haul trips in order of departure. `rows` moves in memory when it grows: never keep it across an event."""

    def __init__(self) -> None:
        self._room = np.empty(_ROOM, SENT)
        self._count = 0

    @property
    def rows(self) -> NDArray[np.void]:
        """All departures so far, SENT[n]."""
        return self._room[: self._count]

    def depart(self, sent: NDArray[np.void]) -> int:
        """Write down departures, SENT[n]; returns the number of the first one's trip."""
        first, self._count = self._count, self._count + sent.size
        if self._count > self._room.size:
            self._room = np.concatenate([self._room, np.empty(max(self._room.size, sent.size), SENT)])
        self._room[first : self._count] = sent
        return first


class HubHours:
    """State of all hubs at the end of every hour, and what they did in it."""

    def __init__(self, hubs: Hubs, docks: Docks) -> None:
        self._hubs = hubs
        self._docks = docks
        self._counters: list[NDArray[np.int64]] = [self._now()]
        self._stored: list[NDArray[np.int64]] = []
        self._waiting: list[NDArray[np.int64]] = []
        self._vehicles: list[NDArray[np.int64]] = []
        self._everyday: list[NDArray[np.int64]] = []  # stored
        self._everyday_waiting: list[NDArray[np.int64]] = []

    @property
    def written(self) -> int:
        """Hours written down so far."""
        return len(self._stored)

    def sorted_until(self, hour: int, hub: int, weight: float) -> float:
        """Parcels that a hub had sorted by the end of an hour that is written down; 0: the start. Rows count `weight` parcels."""
        rows, everyday = self._counters[hour][:, 1, hub].tolist()
        return float(rows * weight + everyday)

    def write(self) -> None:
        """Write down the hour that ends now; the hubs have been advanced."""
        self._counters.append(self._now())
        self._stored.append(self._hubs.stored.copy())
        self._waiting.append(self._docks.rows.copy())
        self._vehicles.append(self._docks.vehicles.copy())
        self._everyday.append(self._hubs.everyday.stored.copy())
        self._everyday_waiting.append(self._docks.everyday.copy())

    def columns(self, weight: float) -> dict[str, NDArray[np.generic]]:
        """Columns by hour, then hub: counts in parcels of `weight` a row."""
        hubs, hours = self._hubs.stored.size, len(self._stored)
        rows, parcels = np.moveaxis(np.diff(np.array(self._counters), axis=0), 1, 0)  # [hours, 3, hubs]
        stored, waiting = (
            np.array(counts, dtype=np.float64).reshape(-1) for counts in (self._everyday, self._everyday_waiting)
        )
        columns: dict[str, NDArray[np.generic]] = {"hour": np.repeat(np.arange(1, hours + 1, dtype=np.int32), hubs)}
        for place, name in enumerate(("arrived", "sorted", "departed")):
            columns[f"{name}_parcels"] = (rows[:, place] * weight + parcels[:, place]).reshape(-1)
            columns[f"everyday_{name}_parcels"] = parcels[:, place].reshape(-1).astype(np.float64)
        gate = np.array(self._waiting, dtype=np.float64).reshape(-1) * weight + waiting
        return columns | {
            "backlog_parcels": np.array(self._stored, dtype=np.float64).reshape(-1) * weight + stored,
            "everyday_backlog_parcels": stored,
            "gate_parcels": gate,
            "everyday_gate_parcels": waiting,
            "gate_vehicles": np.array(self._vehicles, dtype=np.int32).reshape(-1),
            "overflow": gate > 0,
        }

    def _now(self) -> NDArray[np.int64]:
        hubs, everyday = self._hubs, self._hubs.everyday
        return np.array(
            [[hubs.arrived, hubs.sorted, hubs.departed], [everyday.arrived, everyday.sorted, everyday.departed]]
        )
