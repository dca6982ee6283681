"""Every machine of the cloud as a row, and how many of each service are where.

order -> BOOTING -> WARMING -> SERVING -> DRAINING -> STOPPED
            `-> FAILED, which is noticed when the boot should have ended
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

BOOTING, WARMING, SERVING, DRAINING, STOPPED, FAILED = range(6)
STATES = 6

MACHINE = np.dtype(
    [
        ("service", np.int32),  # row of its service
        ("number", np.int32),  # among the machines of its service, in order of their orders
        ("state", np.int8),
        ("ordered_s", np.float64),
        ("due_s", np.float64),  # next instant at which something is to happen to it; inf: none
        ("stopped_s", np.float64),  # NaN: not yet
    ]
)


class Machines:
    """All machines that were ever ordered, in order of their orders.

    Parameters
    ----------
    services : how many services there are
    columns : what `state` gave; None: no machines yet
    """

    def __init__(self, services: int, columns: Mapping[str, Any] | None = None) -> None:
        self._rows = np.zeros(64, MACHINE)
        self._ordered = 0
        self.counts = [[0] * STATES for _ in range(services)]  # of each service by state
        if columns is not None:
            self._make_room(len(columns["number"]))
            for name in MACHINE.names or ():
                self.rows[name] = columns[name]
            for service, state in zip(self.rows["service"].tolist(), self.rows["state"].tolist(), strict=True):
                self.counts[service][state] += 1

    @property
    def rows(self) -> np.ndarray:
        """MACHINE[n], changed by `add` and `move` only."""
        return self._rows[: self._ordered]

    def ordered(self, service: int) -> int:
        """Machines of a service ordered so far."""
        return sum(self.counts[service])

    def on_hand(self, service: int) -> int:
        """Machines of a service that serve or will."""
        counts = self.counts[service]
        return counts[BOOTING] + counts[WARMING] + counts[SERVING]

    def paid(self, service: int) -> int:
        """Machines of a service that cost: from their order to their stop."""
        counts = self.counts[service]
        return sum(counts) - counts[STOPPED] - counts[FAILED]

    def add(self, service: int, count: int, state: int, ordered_s: float, due_s: np.ndarray | float) -> np.ndarray:
        """New machines: their rows, int64[count]."""
        first_number = self.ordered(service)
        first = self._ordered
        self._make_room(first + count)
        new = self.rows[first:]
        new["service"], new["state"], new["ordered_s"], new["due_s"] = service, state, ordered_s, due_s
        new["number"] = first_number + np.arange(count)
        new["stopped_s"] = np.nan
        self.counts[service][state] += count
        return np.arange(first, first + count)

    def move(self, chosen: np.ndarray, state: int, due_s: np.ndarray | float, now_s: float) -> None:
        """Machines of one service, all in the same state, come to another. chosen: their rows, not none."""
        rows, first = self.rows, chosen[0]
        counts = self.counts[rows["service"][first]]
        counts[rows["state"][first]] -= chosen.size
        counts[state] += chosen.size
        rows["state"][chosen] = state
        rows["due_s"][chosen] = due_s
        if state in (STOPPED, FAILED):
            rows["stopped_s"][chosen] = now_s

    def of(self, service: int, *states: int) -> np.ndarray:
        """Rows of a service's machines in one of some states, oldest first."""
        rows = self.rows
        state = rows["state"]
        return np.flatnonzero((rows["service"] == service) & np.logical_or.reduce([state == one for one in states]))

    def state(self) -> dict[str, list[Any]]:
        """All machines in plain lists, by column."""
        return {name: self.rows[name].tolist() for name in MACHINE.names or ()}

    def _make_room(self, n: int) -> None:
        if n > self._rows.size:
            larger = np.zeros(max(n, 2 * self._rows.size), MACHINE)
            larger[: self._ordered] = self.rows
            self._rows = larger
        self._ordered = n
