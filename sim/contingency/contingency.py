"""The faults and plans of one run at work, and what they have written down."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd
import simpy

from sim.contingency.faults import Fault, struck
from sim.contingency.plans import Watch
from sim.contingency.ports import Diary, Entry, Ports
from sim.params.contingency import ContingencyParams, FaultParams, PlanParams
from sim.params.contingency_kinds import Part
from sim.params.site import SiteParams
from sim.records import table


class Contingency:
    """Starts the faults and the watches of the plans on an environment; more may join while it runs.

    Parameters
    ----------
    env : the run's environment
    params : checked parameters
    ports : of the parts that the run has; what is for another part does not act
    site : terms in which faults of the site are put; None: it is off
    state : what `state` of another one gave at this clock; None: all plans are armed
    """

    def __init__(
        self,
        env: simpy.Environment,
        params: ContingencyParams,
        ports: Mapping[Part, Ports],
        site: SiteParams | None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._env, self._params, self._ports, self._site = env, params, ports, site
        told = state or {"diary": [], "watches": {}}
        self.diary = Diary(told["diary"])
        self.faults = [self.strike(f"fault {i + 1}: {fault.kind}", fault) for i, fault in enumerate(params.faults)]
        self.watches = [self.watch(plan, told["watches"].get(plan.id)) for plan in params.plans]

    def strike(self, name: str, fault: FaultParams) -> Fault | None:
        """Let a fault strike at its onset, now or later; None when the run has no such part."""
        if fault.part not in self._ports:
            return None
        act = partial(struck, fault, params=self._params, site=self._site)
        return Fault(self._env, name, fault, self._ports[fault.part], act, self.diary)

    def watch(self, plan: PlanParams, state: Mapping[str, Any] | None = None) -> Watch | None:
        """Put a plan into force; None when the run has no such part."""
        if plan.part not in self._ports:
            return None
        return Watch(self._env, plan, self._ports[plan.part], self.diary, state)

    def state(self) -> dict[str, Any]:
        """What the plans remember and the diary, as plain data."""
        return {
            "diary": [list(entry) for entry in self.diary.entries],
            "watches": {watch.plan.id: watch.state() for watch in self.watches if watch is not None},
        }

    def table(self) -> pd.DataFrame:
        """Table `contingency`: the diary."""
        entries = self.diary.entries
        columns = dict(zip(Entry._fields, zip(*entries, strict=True), strict=True)) if entries else {}
        return table("contingency", {name: list(columns.get(name, ())) for name in Entry._fields})
