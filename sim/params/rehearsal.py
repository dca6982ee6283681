"""Parameters of a rehearsal: the site's first minutes under a fault, once as it is and once with a plan."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from sim.params.base import ParameterError, Params, RuleError, build, hint
from sim.params.site import CapacityChange, SiteParams


class FaultParams(Params):
    """Machines of one service fail for a while."""

    service: str
    machines: int = Field(ge=1)  # that are left
    from_s: float = Field(ge=0)
    until_s: float = Field(gt=0)  # all are back

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.until_s <= self.from_s:
            raise RuleError([f"until_s must be > from_s {self.from_s:g} [s], got {self.until_s:g}"])
        return self


class Case(NamedTuple):
    """One of the sites that are compared; a site with a fault has its failing machines among its planned changes."""

    name: str
    site: SiteParams
    has_fault: bool
    plan: str  # the parameters that the plan changed: "services.payment.queue 100,000 → 16,000; ..."; "": no plan


class RehearsalParams(Params):
    """One fault and one plan. `site` and `plan` hold parts of the site's parameters, under the same names."""

    until_s: float = Field(gt=0)  # end of what is simulated
    scale: float = Field(gt=0, le=1)  # share of the day's shoppers
    site: dict[str, Any]  # differs from the run's site in all cases
    fault: FaultParams
    plan: dict[str, Any]

    @model_validator(mode="after")
    def _fault_ends_in_time(self) -> Self:
        if self.fault.until_s >= self.until_s:
            raise RuleError([f"fault.until_s must be < until_s {self.until_s:g} [s], got {self.fault.until_s:g}"])
        return self

    def cases(self, site: SiteParams) -> tuple[Case, Case, Case]:
        """The site without the fault, with it, and with it and the plan.

        Raises
        ------
        ParameterError
            When the changes do not fit the site, or when fault or plan change nothing.
        """
        common = _changed(site, self.site, "rehearsal.site")
        planned = _changed(common, self.plan, "rehearsal.plan")
        if planned == common:
            raise ParameterError(["rehearsal.plan must change the site: all that it sets is so already"])
        told = "; ".join(_differences(common.model_dump(), self.plan, ""))
        return (
            Case("no fault", common, False, ""),
            Case("fault", _struck(common, self.fault), True, ""),
            Case("fault and plan", _struck(planned, self.fault), True, told),
        )


def _changed(site: SiteParams, changes: Mapping[str, Any], path: str) -> SiteParams:
    """The site with some of its parameters replaced."""
    values = site.model_dump()
    problems = _unknown(values, changes, path)
    if problems:
        raise ParameterError(problems)
    return build(SiteParams, _merged(values, changes), path)


def _unknown(values: Mapping[str, Any], changes: Mapping[str, Any], path: str) -> list[str]:
    """A message for every name that the site does not have."""
    problems = []
    for name, change in changes.items():
        if name not in values:
            problems.append(f"{path}.{name} is not a parameter of the site{hint(name, list(values))}")
        elif isinstance(change, Mapping) and isinstance(values[name], Mapping):
            problems += _unknown(values[name], change, f"{path}.{name}")
    return problems


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with `changes`; groups are merged name by name, everything else is replaced."""
    merged = dict(values)
    for name, change in changes.items():
        both = isinstance(change, Mapping) and isinstance(values[name], Mapping)
        merged[name] = _merged(values[name], change) if both else change
    return merged


def _differences(values: Mapping[str, Any], changes: Mapping[str, Any], path: str) -> list[str]:
    """Dotted name, old and new value of everything that changes."""
    told = []
    for name, change in changes.items():
        if isinstance(change, Mapping) and isinstance(values[name], Mapping):
            told += _differences(values[name], change, f"{path}{name}.")
        elif change != values[name]:
            told.append(f"{path}{name} {_written(values[name])} → {_written(change)}")
    return told


def _written(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return " and ".join(f"{name} {_written(item)}" for name, item in value.items())
    return "none" if value is None else str(value)


def _struck(site: SiteParams, fault: FaultParams) -> SiteParams:
    """The site with the fault among its changes of capacity; what was planned for its time takes effect when it ends."""
    if fault.service not in site.services:
        known = hint(fault.service, list(site.services))
        raise ParameterError([f"rehearsal.fault.service is not a service{known}, got {fault.service!r}"])
    before, after = (_machines(site, fault.service, time_s) for time_s in (fault.from_s, fault.until_s))
    if fault.machines >= before:
        raise ParameterError(
            [f"rehearsal.fault.machines must be < {before} (machines that {fault.service} has), got {fault.machines}"]
        )
    others = [
        change
        for change in site.changes
        if change.service != fault.service or not fault.from_s <= change.at_s <= fault.until_s
    ]
    struck = CapacityChange(at_s=fault.from_s, service=fault.service, machines=fault.machines)
    mended = CapacityChange(at_s=fault.until_s, service=fault.service, machines=after)
    return site.model_copy(update={"changes": (*others, struck, mended)})


def _machines(site: SiteParams, service: str, time_s: float) -> int:
    """Machines of a service that are planned for an instant."""
    changes = sorted(
        (change.at_s, change.machines) for change in site.changes if change.service == service and change.at_s <= time_s
    )
    return changes[-1][1] if changes else site.services[service].machines
