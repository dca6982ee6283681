"""The tools that are measured: Peakday, SimPy, and what else is installed.

A tool's file is imported when it is its turn, so that a package which is missing or broken spoils nothing.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from experiments._bench.workloads import Case, Serve

PEAKDAY = "Peakday"


class Tool(NamedTuple):
    """A way to serve a case."""

    name: str
    place: str  # module:function in this folder, which takes a case and returns what serves it
    package: str  # that has to be installed
    share: float  # of the customers of a workload, so that nobody takes more than a few seconds a round
    compiled: bool = False  # then it serves once before the clock runs

    def prepare(self, case: Case) -> Serve:
        """Get ready to serve a case, imports and models included."""
        module, function = self.place.split(":")
        serve: Serve = getattr(import_module(f"experiments._bench.{module}"), function)(case)
        return serve


TOOLS = (
    Tool(PEAKDAY, "peakday:by_recursion", "peakday", 1.0, compiled=True),
    Tool("Peakday, event by event", "peakday:by_events", "peakday", 1.0, compiled=True),
    Tool("SimPy", "simpy_resource:prepare", "simpy", 0.25),
    Tool("Cimba", "cimba_servers:prepare", "cimba", 1.0, compiled=True),
    Tool("queueing-tool", "queueing_tool_server:prepare", "queueing-tool", 0.25),
    Tool("Ciw", "ciw_network:prepare", "ciw", 0.025),
    Tool("salabim", "salabim_resource:prepare", "salabim", 0.025),
)
ALWAYS = ("peakday", "simpy")  # installed with the project


def usable(tools: Sequence[Tool]) -> tuple[list[Tool], dict[str, str]]:
    """The tools that can be measured, and of the others why they cannot."""
    good, reasons = [], {}
    for tool in tools:
        if tool.package not in ALWAYS:
            try:
                version(tool.package)
                import_module(f"experiments._bench.{tool.place.split(':')[0]}")
            except PackageNotFoundError:
                reasons[tool.name] = "not installed"
                continue
            except Exception as error:  # whatever a foreign package does on import
                reasons[tool.name] = f"cannot be imported: {str(error).split(' (/')[0]}"
                continue
        good.append(tool)
    return good, reasons


def versions(tools: Sequence[Tool]) -> dict[str, str]:
    """Version of the package of each tool that is measured."""
    return {tool.name: version(tool.package) for tool in tools if tool.package != "peakday"}
