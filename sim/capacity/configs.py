"""From a decision and a day to the config of a run, of one part of the model or of the whole.

The road does not act back on the site, and a site that loses hardly any order leaves the road what the demand says. So the
site's variables are searched with the road off and the road's with the site off; plans are verified on the whole.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from sim import store
from sim.capacity.axes import Decision, axes_of, cheapest, dearest, values
from sim.capacity.days import Day, outcome, value
from sim.capacity.levers import pull
from sim.capacity.params import PlanFileParams
from sim.compose import compose_points, groups
from sim.params.base import ParameterError, build
from sim.params.festival import FestivalParams
from sim.sweeps.plan import Task

WHOLE, SITE, ROAD = "whole", "site", "road"
_OWN = {SITE: ("site", "cloud", "rehearsal", "contingency"), ROAD: ("parcels", "stock", "orders", "weather")}
_OFF = {
    WHOLE: ("rehearsal=off",),
    SITE: ("rehearsal=off", "parcels=off", "stock=off", "weather=off"),
    ROAD: ("rehearsal=off", "site=off", "cloud=off"),
}
_OTHER = {SITE: ROAD, ROAD: SITE}
_MACHINES = (("site", "services", "machines"), ("cloud", "services", "start_machines"))


class Configs:
    """Makes the runs of a plan file. Groups are composed once for each combination of options.

    Raises
    ------
    ParameterError
        From the methods, with every problem that can be seen at once.
    """

    def __init__(self, plan: PlanFileParams) -> None:
        self.plan = plan
        self.axes = axes_of(plan.variables)
        self._groups = groups()
        self._composed: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
        base = self._base(WHOLE, ())
        self.parts = [part for part in (SITE, ROAD) if base[{SITE: "site", ROAD: "parcels"}[part]] is not None]

    def part_of(self, name: str) -> str:
        """The part that a variable acts on: site, road, or whole for both."""
        variable = self.plan.variables[name]
        overrides = [text for option in (variable.options or {}).values() for text in option.overrides]
        return self._touched([*(variable.paths or ()), *overrides])

    def _touched(self, names: Sequence[str]) -> str:
        found = {part for part in self.parts for name in names if not self._is_others(name, part)}
        return found.pop() if len(found) == 1 else WHOLE

    def task(self, part: str, decision: Decision, day: Day, also: Sequence[str] = ()) -> Task:
        """The run of a decision on a day; without quantiles nothing is drawn. `also`: overrides of a day that came out."""
        settings = self.settings(part, decision, day, also)
        return Task(store.run_key(settings), 0, 0, self.plan.experiment, settings, ())

    def settings(self, part: str, decision: Decision, day: Day, also: Sequence[str] = ()) -> dict[str, Any]:
        """The config of that run."""
        chosen = values(self.axes, decision)
        overrides = [*also]
        for name, variable in self.plan.variables.items():
            if variable.options is not None:
                overrides += variable.options[str(chosen[name])].overrides
        drawn = dict(zip(self.plan.inputs, day.quantiles, strict=True)) if day.quantiles else {}
        for name, quantile in drawn.items():
            if (outcomes := self.plan.inputs[name].outcomes) is not None:
                overrides += outcomes[outcome(self.plan.inputs[name], quantile)].overrides
        settings = copy.deepcopy(self._base(part, tuple(overrides)))
        problems = []
        for name, variable in self.plan.variables.items():
            if variable.paths is not None:
                found = self._pull(settings, part, variable.lever, variable.paths, float(chosen[name]))
                problems += [f"variables.{name}.paths: {text}" for text in found]
        for name, quantile in drawn.items():
            given = self.plan.inputs[name]
            if given.paths is not None:
                found = self._pull(settings, part, given.lever, given.paths, value(given, quantile))
                problems += [f"inputs.{name}.paths: {text}" for text in found]
        if problems:
            raise ParameterError(problems)
        return settings | {"seed": day.seed}

    def _pull(self, settings: dict[str, Any], part: str, lever: str, paths: Mapping[str, float], v: float) -> list[str]:
        return pull(settings, lever, {path: w for path, w in paths.items() if not self._is_others(path, part)}, v)

    def _is_others(self, name: str, part: str) -> bool:
        """Whether a parameter belongs to the part that is off."""
        return part in _OTHER and name.lstrip("+~").partition("=")[0].partition(".")[0] in _OWN[_OTHER[part]]

    def _base(self, part: str, options: tuple[str, ...]) -> dict[str, Any]:
        """What the decision and the day act on: experiment, overrides of the plan, of the part and of the options."""
        own = tuple(text for text in options if not self._is_others(text, part))
        if (part, own) not in self._composed:
            told = [text for text in (*self.plan.overrides, *own) if not self._is_others(text, part)]
            chosen = [*_OFF[part], *told, f"scale={self.plan.scale}", "threads=1", "replications=1"]
            # a later one takes an earlier one's place
            last = {text.lstrip("+~").partition("=")[0]: text for text in chosen}
            choices = [text for name, text in last.items() if name in self._groups]
            others = [text for name, text in last.items() if name not in self._groups]
            config = compose_points(self.plan.experiment, choices, [others])[0]
            settings = {name: item for name, item in config.items() if name not in store.NOT_PART_OF_A_RUN}
            self._composed[part, own] = settings | {"replications": 1}
        return self._composed[part, own]

    def memory_needed_bytes(self) -> float:
        """What the largest run may need."""
        from sim import machine

        highest = tuple(len(axis.levels) - 1 for axis in self.axes)
        late = Day(self.plan.seed, (0.99,) * len(self.plan.inputs))
        return float(machine.memory_needed_bytes(build(FestivalParams, self.settings(WHOLE, highest, late))))

    def check(self) -> None:
        """Raise ParameterError unless the ends of every variable and of every input can be simulated."""
        from sim import festival

        problems: dict[str, None] = {}
        middle = tuple(len(axis.levels) // 2 for axis in self.axes)
        corners = [middle, dearest(self.axes), cheapest(self.axes)] + [
            (*middle[:k], level, *middle[k + 1 :])
            for k, axis in enumerate(self.axes)
            for level in ((0, len(axis.levels) - 1) if axis.ordered else range(len(axis.levels)))
        ]
        half = Day(self.plan.seed, (0.5,) * len(self.plan.inputs))
        ends = [
            Day(self.plan.seed, (*half.quantiles[:k], end, *half.quantiles[k + 1 :]))
            for k in range(len(self.plan.inputs))
            for end in (0.001, 0.999)
        ]
        cases = [*((corner, half) for corner in corners), *((middle, day) for day in ends)]
        runs = [*((WHOLE, *case) for case in cases), *((part, middle, half) for part in self.parts)]
        for part, decision, day in runs:
            try:
                festival.check(build(FestivalParams, self.settings(part, decision, day)))
            except ParameterError as error:
                problems |= dict.fromkeys(error.problems)
        problems |= dict.fromkeys(self._without_effect())
        if problems:
            raise ParameterError(problems)

    def _without_effect(self) -> list[str]:
        """Steps of machines that the scale rounds away: less than a slot of the service."""
        problems = []
        services = (self._base(WHOLE, ())["site"] or {}).get("services", {})
        for name, variable in self.plan.variables.items():
            for path, weight in (variable.paths or {}).items():
                steps = path.split(".")
                if variable.levels is None or len(steps) != 4 or (*steps[:2], steps[3]) not in _MACHINES:
                    continue
                slots = variable.levels.step * weight * services.get(steps[2], {}).get("slots_per_machine", 1)
                if slots * self.plan.scale < 1 - 1e-9:
                    least = variable.levels.step / (slots * self.plan.scale)
                    problems.append(
                        f"variables.{name}.levels.step must be >= {least:g} [{variable.unit}] at scale {self.plan.scale:g}, "
                        f"for less is no slot of {steps[2]}, got {variable.levels.step:g}"
                    )
        return problems
