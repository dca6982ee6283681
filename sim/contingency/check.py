"""What faults, readings and actions may name: the services, links, hubs, lanes and trains that a run has."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

from sim.params.base import hint
from sim.params.contingency import ContingencyParams, FaultParams, PlanParams
from sim.params.contingency_kinds import ACTIONS, KINDS, METRICS
from sim.params.links import CHANNELS
from sim.params.parcels import ParcelsParams
from sim.params.site import SiteParams

Scopes = Mapping[str, Sequence[str]]
_SHOWN = 12


def scopes_of(
    params: ContingencyParams,
    site: SiteParams | None,
    parcels: ParcelsParams | None,
    *,
    regions: Sequence[str] = (),
    cities: Sequence[str] = (),
    places: Sequence[str] = (),
) -> dict[str, list[str]]:
    """What there is of every scope. regions: of the shoppers; cities: of the map; places: regional warehouses."""
    scopes: dict[str, list[str]] = {}
    if site is not None:
        links = regions if site.links is not None else ()
        by_way = [[set(way.services) for way in ways] for ways in site.pages.values()]
        some = [set[str]().union(*ways) - ways[0].intersection(*ways) for ways in by_way]
        scopes |= {
            "site": ["site"],
            "service": list(site.services),
            "gateway": [name for name in site.services if any(name in names for names in some)],
            "room": [str(room) for room in range(1, params.rooms + 1)],
            "cell": [str(cell) for cell in range(site.cells)],
            "link": [f"{region}/{channel}" for region in links for channel in CHANNELS],
            "region": list(links),
            "page": list(site.pages),
            "route": [
                f"{page}/{way}" for page, ways in site.pages.items() if len(ways) > 1 for way in range(len(ways))
            ],
            "shoppers": ["shoppers"],
        }
    if parcels is not None:
        carriers = parcels.carriers
        scopes |= {
            "carrier": list(carriers),
            "hub": [f"{name}/{hub}" for name, carrier in carriers.items() for hub in carrier.hubs],
            "lane": [
                f"{name}/{origin}-{destination}"
                for name, carrier in carriers.items()
                for origin, destination in (
                    itertools.permutations(carrier.hubs, 2) if carrier.lanes == "complete" else carrier.lanes
                )
            ],
            "fleet": [f"{name}/{fleet}" for name in carriers for fleet in ("own", "hired")],
            "train": [
                f"{name}/{train.origin}-{train.destination}"
                for name, carrier in carriers.items()
                for train in carrier.trains
            ],
            "outlet": [*carriers, *(f"{name}/{city}" for name in carriers for city in cities)],
            "merchants": ["merchants"],
            "place": list(places),
        }
    return scopes


def problems(params: ContingencyParams, scopes: Scopes) -> list[str]:
    """A message for everything that faults and plans in force name and the run does not have."""
    told: list[str] = []
    for number, fault in enumerate(params.faults):
        told += _of_fault(fault, scopes, f"contingency.faults.{number}")
    for number, plan in enumerate(params.plans):
        told += _of_plan(plan, scopes, f"contingency.plans.{number}")
    return told


def _of_fault(fault: FaultParams, scopes: Scopes, path: str) -> Iterator[str]:
    yield from _unknown(fault.where, KINDS[fault.kind].scope, scopes, f"{path}.where")


def _of_plan(plan: PlanParams, scopes: Scopes, path: str) -> Iterator[str]:
    yield from _of_fault(plan.fault, scopes, f"{path}.fault")
    for name, reading in (("detect", plan.detect), ("guard", plan.guard)):
        yield from _unknown(reading.at, METRICS[reading.metric].scope, scopes, f"{path}.{name}.at")
    yield from _unknown(plan.act.where, ACTIONS[plan.act.kind].scope, scopes, f"{path}.act.where")


def plan_problems(plan: PlanParams, scopes: Scopes) -> list[str]:
    """A message for everything that one plan names and the run does not have."""
    return list(_of_plan(plan, scopes, plan.id))


def _unknown(name: str, scope: str, scopes: Scopes, path: str) -> Iterator[str]:
    known = scopes.get(scope, ())
    if name not in known:
        there = hint(name, list(known)) if len(known) <= _SHOWN else _close(name, known)
        yield f"{path} is not a {scope} of this run{there if known else ' (there is none)'}, got {name!r}"


def _close(name: str, known: Sequence[str]) -> str:
    return hint(name, list(known)).split(" (known:")[0]
