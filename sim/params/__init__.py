"""One frozen parameter class per config group, checked once when it is built."""

from sim.params.base import ParameterError, Params, build

__all__ = ["ParameterError", "Params", "build"]
