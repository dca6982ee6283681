"""Contingency: what goes wrong, and the plans that answer it. It acts on the running model through ports only."""

from sim.contingency.check import plan_problems, problems, scopes_of
from sim.contingency.contingency import Contingency
from sim.contingency.ports import Ports

__all__ = ["Contingency", "Ports", "plan_problems", "problems", "scopes_of"]
