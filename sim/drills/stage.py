"""Where drills take place: one part of a festival, run up to the moment at which the faults of all drills begin."""

import json
import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import simpy

from sim.clock import at
from sim.contingency import Contingency, Ports
from sim.festival import Festival, ports_of
from sim.kernels.recorders import LATENCY_BUCKETS, latency_edges_s
from sim.params.contingency import ContingencyParams, FaultParams, PlanParams
from sim.params.contingency_kinds import Part
from sim.params.festival import FestivalParams
from sim.site.site import Site

OF_ORDERS = ("warehouse_system_down", "stock_count_wrong")  # faults that only what is ordered after their onset meets
_STOP_TURN = 0.75  # after the plans of its instant
FAULT = "fault"


class Stage(Protocol):
    """One part at its moment."""

    part: Part

    def go(self, fault: FaultParams | None, plan: PlanParams | None) -> dict[str, np.ndarray]:
        """Run on to the end with a fault and a plan; for a branch, as it can be done only once."""
        ...


class _Bench:
    """What both stages share: a festival that has been run up to the moment, and contingency that begins then."""

    def __init__(
        self, params: FestivalParams, terms: ContingencyParams, part: Part, moment_s: float, end_s: float
    ) -> None:
        self.part = part
        self._festival = Festival(params)
        self._festival.env.run(until=moment_s)
        self._advance()
        self._terms, self._site = terms, params.site
        self.moment_s, self.end_s = moment_s, end_s
        self.stop_share: float | None = None

    @property
    def env(self) -> simpy.Environment:
        return self._festival.env

    def _advance(self) -> None:
        if isinstance(self._festival.site, Site):
            self._festival.site.advance()
        if self._festival.parcels is not None:
            self._festival.parcels.advance()

    def _act(self, fault: FaultParams | None, plan: PlanParams | None) -> list[Any]:
        """Let fault and plan act until the end; the diary."""
        acting = Contingency(self.env, self._terms, self._ports(), self._site)
        if fault is not None:
            struck = acting.strike(FAULT, fault.model_copy(update={"onset_s": self.moment_s + fault.onset_s}))
            if self.stop_share is not None and struck is not None and self.part == "site":
                self._guard(struck.stop, acting)
        if plan is not None:
            acting.watch(plan)
        self.env.run(until=self.end_s)
        self._advance()
        return [list(entry) for entry in acting.diary.entries]

    def _ports(self) -> dict[Part, Ports]:
        return {self.part: ports_of(self._festival.site, self._festival.parcels)[self.part]}

    def _guard(self, stop: Callable[[], None], acting: Contingency) -> None:
        """The drill's own guard: it ends the fault as soon as too many shoppers meet failures."""
        ports, limit = self._ports()["site"], self.stop_share
        assert limit is not None

        def look() -> Any:
            while True:
                yield at(self.env, self.env.now + ports.step_s, _STOP_TURN)
                share = ports.read("failed_share", "site", 2 * ports.step_s)
                if share > limit:
                    acting.diary_of("site").write(self.env.now, FAULT, "stopped by the drill's guard", share)
                    stop()
                    return

        self.env.process(look())


class SiteStage(_Bench):
    """The site at its moment.

    slow_s : a page that takes longer is as bad as none
    stop_share : of pages that fail, at which the drill ends its fault; None: it goes on
    """

    def __init__(
        self,
        params: FestivalParams,
        terms: ContingencyParams,
        moment_s: float,
        span_s: float,
        slow_s: float,
        stop_share: float | None = None,
    ) -> None:
        alone = params.model_copy(update={"parcels": None, "rehearsal": None, "contingency": None})
        super().__init__(alone, terms, "site", moment_s, moment_s + span_s)
        self.stop_share = stop_share
        self._slow = int(np.searchsorted(latency_edges_s(), slow_s, side="right"))
        assert self._slow < LATENCY_BUCKETS

    def go(self, fault: FaultParams | None, plan: PlanParams | None) -> dict[str, np.ndarray]:
        """Counts from the moment on: by second of the pages and of each service, by name, and link; of slow pages by minute."""
        diary = self._act(fault, plan)
        site = self._festival.site
        assert isinstance(site, Site)
        first, end = int(self.moment_s), math.ceil(self.end_s)
        records = site.records()
        seen = slice(int(self.moment_s // 60), math.ceil(self.end_s / 60))
        return {
            "diary": np.array(json.dumps(diary)),
            "demand": np.sum([record.demand[first:end] for record in records], axis=0),
            "site": np.sum([record.site[first:end] for record in records], axis=0),
            "services": np.array(site.services),
            "link": np.sum([record.link[first:end] for record in records], axis=0),
            "slow": np.sum([record.latency[seen, :, self._slow :].sum(axis=(1, 2)) for record in records], axis=0),
        }


class RoadStage(_Bench):
    """The road at its moment."""

    def __init__(self, params: FestivalParams, terms: ContingencyParams, moment_s: float, span_s: float) -> None:
        alone = params.model_copy(update={"site": None, "cloud": None, "rehearsal": None, "contingency": None})
        super().__init__(alone, terms, "road", moment_s, moment_s + span_s)

    def go(self, fault: FaultParams | None, plan: PlanParams | None) -> dict[str, np.ndarray]:
        """When each parcel is signed, by its shopper and order; infinite where it is not by the end."""
        diary = self._act(fault, plan)
        road = self._festival.parcels
        assert road is not None
        key = road.column("shopper").astype(np.int64) * 256 + road.column("number").astype(np.int64)
        signed_s = road.column("signed_s").astype(np.float64)
        signed_s = np.where(signed_s <= self.end_s, signed_s, np.inf)  # nor where it is NaN
        order = np.argsort(key)
        return {"diary": np.array(json.dumps(diary)), "key": key[order], "signed_s": signed_s[order]}
