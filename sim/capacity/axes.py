"""What can be decided: the levels of each variable, with their prices."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sim.capacity.params import VariableParams

Decision = tuple[int, ...]
"""A level for each variable, by number."""


class Axis(NamedTuple):
    """A variable with its levels, lowest first, and what each costs.

    levels : numbers, or names of options
    prices_rmb : of the levels; units that are owned are free
    ordered : whether the levels are numbers, so that neighbours are alike
    """

    name: str
    label: str
    unit: str
    levels: tuple[float | str, ...]
    prices_rmb: tuple[float, ...]
    ordered: bool

    @property
    def cheapest(self) -> int:
        """Number of the cheapest level, the lowest of several."""
        return min(range(len(self.levels)), key=lambda level: self.prices_rmb[level])


def axes_of(variables: Mapping[str, VariableParams]) -> list[Axis]:
    """The axes of a plan file, in its order."""
    return [_axis(name, variable) for name, variable in variables.items()]


def _axis(name: str, variable: VariableParams) -> Axis:
    if variable.options is not None:
        prices = tuple(option.price_rmb for option in variable.options.values())
        return Axis(name, variable.label, "", tuple(variable.options), prices, ordered=False)
    assert variable.levels is not None
    assert variable.price_rmb is not None
    low, high, step = variable.levels.low, variable.levels.high, variable.levels.step
    levels = tuple(float(f"{low + number * step:.12g}") for number in range(round((high - low) / step) + 1))
    owned = variable.owned or 0.0
    prices = tuple(variable.price_rmb * max(level - owned, 0.0) for level in levels)
    return Axis(name, variable.label, variable.unit, levels, prices, ordered=True)


def price_rmb(axes: Sequence[Axis], decision: Decision) -> float:
    """What a decision costs before anything is run."""
    return sum(axis.prices_rmb[level] for axis, level in zip(axes, decision, strict=True))


def values(axes: Sequence[Axis], decision: Decision) -> dict[str, float | str]:
    """The levels of a decision by name of the variable."""
    return {axis.name: axis.levels[level] for axis, level in zip(axes, decision, strict=True)}


def dearest(axes: Sequence[Axis]) -> Decision:
    """The highest level of every number, and the first of all options."""
    return tuple(len(axis.levels) - 1 if axis.ordered else 0 for axis in axes)


def cheapest(axes: Sequence[Axis]) -> Decision:
    """The cheapest level of every variable."""
    return tuple(axis.cheapest for axis in axes)
