"""Plans at work: look at a metric, act when it is bad, withdraw when the guard trips or when all has been well for a while.

armed -> (metric beyond its threshold) -> reacting -> (delay) -> acting -> (well for undo_s) -> armed
                                                                   '-----> (guard trips) -> stopped
"""

import math
from collections.abc import Generator, Mapping
from typing import Any

import simpy

from sim.clock import at
from sim.contingency.ports import Diary, Ports
from sim.params.contingency import PlanParams

PLAN_TURN = 0.5  # after the faults of their instant, before everything else
ARMED, REACTING, ACTING, STOPPED = "armed", "reacting", "acting", "stopped"


class Watch:
    """One plan in force. It looks at the multiples of the part's step, at metrics of what has happened until then.

    Parameters
    ----------
    env : its clock
    state : what `state` of another watch gave at this clock; None: it is armed
    """

    def __init__(
        self,
        env: simpy.Environment,
        plan: PlanParams,
        ports: Ports,
        diary: Diary,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._env, self.plan, self._ports, self._diary = env, plan, ports, diary
        told = state or {}
        self._phase: str = told.get("phase", ARMED)
        self._due_s: float = told.get("due_s", math.inf)  # when it acts
        self._well_since_s: float = told.get("well_since_s", math.inf)
        self._acted_s: float = told.get("acted_s", math.inf)
        env.process(self._run())

    def state(self) -> dict[str, Any]:
        """What it remembers, as plain data; infinite times are left out."""
        told: dict[str, Any] = {"phase": self._phase, "due_s": self._due_s}
        told |= {"well_since_s": self._well_since_s, "acted_s": self._acted_s}
        return {name: value for name, value in told.items() if value != math.inf}

    def _run(self) -> Generator[simpy.Event, None, None]:
        first_s = max(self._env.now, self.plan.from_s)
        looks = max(1, math.ceil(first_s / self._ports.step_s))  # there is nothing to read at t = 0
        while self._phase != STOPPED:
            look_s = looks * self._ports.step_s
            time_s = min(look_s, self._due_s)
            yield at(self._env, time_s, PLAN_TURN)
            if self._phase == REACTING and time_s == self._due_s:
                self._act()
            if time_s == look_s:
                looks += 1
                self._look()

    def _look(self) -> None:
        detect, now_s = self.plan.detect, float(self._env.now)
        value = self._ports.read(detect.metric, detect.at, detect.window_s)
        if self._phase == ARMED and detect.is_beyond(value):
            self._phase, self._due_s = REACTING, now_s + detect.delay_s
            self._diary.write(now_s, self.plan.id, "detected", value)
            if detect.delay_s == 0.0:
                self._act()
        elif self._phase == ACTING:
            self._watch_over(value)

    def _act(self) -> None:
        act, now_s = self.plan.act, float(self._env.now)
        self._phase, self._due_s, self._well_since_s, self._acted_s = ACTING, math.inf, math.inf, now_s
        self._ports.pull(self.plan.id, self.plan.act.lever, act.where, act.amount)
        self._diary.write(now_s, self.plan.id, "acted", act.amount)

    def _watch_over(self, value: float) -> None:
        """Withdraw the action when its guard trips, or when the metric has been good for long enough.

        The guard judges the action, so it looks when its whole window lies after that.
        """
        guard, now_s = self.plan.guard, float(self._env.now)
        reading = self._ports.read(guard.metric, guard.at, guard.window_s)
        if now_s >= self._acted_s + guard.window_s and guard.is_beyond(reading):
            self._withdraw("guard tripped", reading, STOPPED)
        elif self.plan.detect.is_beyond(value):
            self._well_since_s = math.inf
        else:
            if self._well_since_s == math.inf:
                self._well_since_s = now_s
                self._diary.write(now_s, self.plan.id, "well", value)
            if now_s - self._well_since_s >= self.plan.undo_s:
                self._withdraw("undone", value, ARMED)

    def _withdraw(self, why: str, value: float, phase: str) -> None:
        self._phase = phase
        self._ports.release(self.plan.id)
        self._diary.write(float(self._env.now), self.plan.id, why, value)
