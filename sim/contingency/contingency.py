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

    Each part has a diary of its own, for the parts do not wait for each other.

    Parameters
    ----------
    env : the run's environment
    params : checked parameters
    ports : of the parts that the run has so far; what is for another part does not act
    site : terms in which faults of the site are put; None: it is off
    """

    def __init__(
        self,
        env: simpy.Environment,
        params: ContingencyParams,
        ports: Mapping[Part, Ports],
        site: SiteParams | None,
    ) -> None:
        self._env, self._params, self._site = env, params, site
        self._ports: dict[Part, Ports] = {}
        self._diaries: dict[Part, Diary] = {}
        self._watches: dict[Part, list[Watch]] = {}
        for part, own in ports.items():
            self.begin(part, own)

    def begin(self, part: Part, ports: Ports, state: Mapping[str, Any] | None = None) -> None:
        """Let faults strike a part and its plans be in force; state: what `state` gave at this clock, None: all are armed."""
        told = state or {"diary": [], "watches": {}}
        self._ports[part], self._diaries[part] = ports, Diary(told["diary"])
        for number, fault in enumerate(self._params.faults, 1):
            if fault.part == part:
                self.strike(f"fault {number}: {fault.kind}", fault)
        own = [plan for plan in self._params.plans if plan.part == part]
        self._watches[part] = [
            Watch(self._env, plan, ports, self._diaries[part], told["watches"].get(plan.id)) for plan in own
        ]

    @property
    def diary(self) -> Diary:
        """What has been written down, by time; at one instant the site comes first."""
        entries = [entry for part in ("site", "road") if part in self._diaries for entry in self._diaries[part].entries]
        by_time: list[Entry] = sorted(entries, key=lambda entry: entry.time_s)
        return Diary(by_time)

    def diary_of(self, part: Part) -> Diary:
        """The diary that all write into who act on a part."""
        return self._diaries[part]

    def strike(self, name: str, fault: FaultParams) -> Fault | None:
        """Let a fault strike at its onset, now or later; None when the run has no such part."""
        if fault.part not in self._ports:
            return None
        act = partial(struck, fault, params=self._params, site=self._site)
        return Fault(self._env, name, fault, self._ports[fault.part], act, self._diaries[fault.part])

    def watch(self, plan: PlanParams) -> Watch | None:
        """Put a plan into force; None when the run has no such part."""
        if plan.part not in self._ports:
            return None
        self._watches[plan.part].append(Watch(self._env, plan, self._ports[plan.part], self._diaries[plan.part]))
        return self._watches[plan.part][-1]

    def state(self, part: Part) -> dict[str, Any]:
        """What the plans of a part remember and its diary, as plain data."""
        return {
            "diary": [list(entry) for entry in self._diaries[part].entries],
            "watches": {watch.plan.id: watch.state() for watch in self._watches[part]},
        }

    def table(self) -> pd.DataFrame:
        """Table `contingency`: the diary."""
        entries = self.diary.entries
        columns = dict(zip(Entry._fields, zip(*entries, strict=True), strict=True)) if entries else {}
        return table("contingency", {name: list(columns.get(name, ())) for name in Entry._fields})
