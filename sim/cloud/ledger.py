"""What the cloud writes down: how many machines of each service were where, from change to change, and what was paid."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sim.cloud.machines import BOOTING, DRAINING, FAILED, SERVING, WARMING, Machines
from sim.records import table
from sim.units import HOUR_S

_STATES = {"booting": BOOTING, "warming": WARMING, "serving": SERVING, "draining": DRAINING, "failed": FAILED}
_COLUMNS = ("time_s", "service", "ordered", *_STATES, "machine_s")


class Ledger:
    """A line for each service and stretch of time in which nothing changed, written when the stretch ends.

    Parameters
    ----------
    slots_per_machine : of each service, by name
    state : what `state` of another ledger gave; None: nothing is written yet
    """

    def __init__(self, slots_per_machine: Mapping[str, int], state: Mapping[str, Any] | None = None) -> None:
        self._slots_per_machine = dict(slots_per_machine)
        self._since_s, self._machine_s = ([0.0] * len(slots_per_machine) for _ in range(2))
        self._lines: list[tuple[Any, ...]] = []  # of _COLUMNS
        if state is not None:
            self._since_s, self._machine_s = list(state["since_s"]), list(state["machine_s"])
            self._lines = list(zip(*(state["lines"][name] for name in _COLUMNS), strict=True))

    def state(self) -> dict[str, Any]:
        """All that is written, as lists."""
        return {
            "since_s": list(self._since_s),
            "machine_s": list(self._machine_s),
            "lines": _columns(self._lines),
        }

    def bring_forward(self, service: int, machine_s: float) -> None:
        """Machine seconds of a service from before t = 0."""
        self._machine_s[service] = machine_s

    def note(self, service: int, machines: Machines, now_s: float) -> None:
        """What `machines` says of a service held until now: to be called before anything changes."""
        since_s = self._since_s[service]
        if now_s == since_s:
            return
        self._lines.append(_line(service, machines, since_s, self._machine_s[service]))
        self._machine_s[service] += machines.paid(service) * (now_s - since_s)
        self._since_s[service] = now_s

    def table(self, machines: Machines, now_s: float, machine_rmb_per_h: float) -> pd.DataFrame:
        """Table `machines`: all lines, and for each service one for now."""
        last = []
        for service, since_s in enumerate(self._since_s):
            machine_s = self._machine_s[service]
            last.append(_line(service, machines, since_s, machine_s))
            if now_s > since_s:
                last.append(_line(service, machines, now_s, machine_s + machines.paid(service) * (now_s - since_s)))
        lines = _columns([*self._lines, *last])
        machine_h = pd.Series(lines.pop("machine_s"), dtype=float).to_numpy() / HOUR_S
        columns: dict[str, object] = {
            **lines,
            "service": pd.Categorical.from_codes(lines["service"], list(self._slots_per_machine)),
            "slots_per_machine": np.array(list(self._slots_per_machine.values()))[lines["service"]],
            "machine_h": machine_h,
            "cost_rmb": machine_h * machine_rmb_per_h,
        }
        return table("machines", columns).sort_values(["time_s", "service"], kind="stable", ignore_index=True)


def _line(service: int, machines: Machines, time_s: float, machine_s: float) -> tuple[Any, ...]:
    counts = machines.counts[service]
    return (time_s, service, machines.ordered(service), *(counts[state] for state in _STATES.values()), machine_s)


def _columns(lines: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [line[place] for line in lines] for place, name in enumerate(_COLUMNS)}
