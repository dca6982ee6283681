"""Which plans there are: the packaged library, a user's files, and the library made anew."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.resources import files

import numpy as np

from sim.contingency import plan_problems
from sim.contingency.library import library
from sim.contingency.plan_files import read_file, read_plans
from sim.contingency.road_templates import road_templates
from sim.contingency.site_templates import site_templates
from sim.drills.loads import usual_loads
from sim.festival import scopes
from sim.geography import load_geography
from sim.params.base import ParameterError, build, hint
from sim.params.contingency import ContingencyParams, PlanParams
from sim.params.festival import FestivalParams

ALL = "all"
NEEDS = ("stock=regional",)  # overrides of the festival that the library is for
_PACKAGED = "plans.csv"
_MOST_TOLD = 20
TERMS = {
    "rooms": 4,  # assumed: a quarter of every service's machines in each
    "attack_per_s": 200_000,  # assumed: as many visits as the crowd of midnight
    "storm_per_s": 100_000,  # assumed: half as many
}


def terms_of(festival: FestivalParams) -> ContingencyParams:
    """The terms in which faults are put: the run's own, else the usual ones; no faults, no plans."""
    if festival.contingency is None:
        return build(ContingencyParams, TERMS, "contingency")
    return festival.contingency.model_copy(update={"faults": (), "plans": ()})


def scopes_with(festival: FestivalParams) -> dict[str, list[str]]:
    """What the plans for a festival may name; the largest cities come first."""
    geography = load_geography()
    cities = geography.name[np.argsort(-geography.population, kind="stable")].tolist()
    return scopes(festival.model_copy(update={"contingency": terms_of(festival)}), cities)


def library_of(festival: FestivalParams) -> list[PlanParams]:
    """The library made anew from its templates; the festival has site, parcels and stock, see `NEEDS`."""
    known = scopes_with(festival)
    assert festival.site is not None
    return library(site_templates(festival.site, known, usual_loads(festival)), road_templates(known))


def packaged_plans() -> list[PlanParams]:
    """The 2,000 plans of the package."""
    return read_plans((files("configs") / "contingency" / _PACKAGED).read_text(encoding="utf-8"), _PACKAGED)


def plans_of(file: str | None, festival: FestivalParams) -> list[PlanParams]:
    """The plans of a file, or the packaged ones, all of which a festival can run.

    Raises
    ------
    ParameterError
        For what is no plan, and for what a plan names and the festival does not have.
    """
    plans = packaged_plans() if file is None else read_file(file)
    known = scopes_with(festival)
    problems = [problem for plan in plans for problem in plan_problems(plan, known)]
    if problems:
        more = len(problems) - _MOST_TOLD
        raise ParameterError([*problems[:_MOST_TOLD], *([f"{more} more problems"] if more > 0 else [])])
    return plans


def chosen_plans(plans: Sequence[PlanParams], words: str) -> list[PlanParams]:
    """The plans that "all", or ids and patterns with commas between them, choose; in the library's order.

    Raises
    ------
    ParameterError
        For every word that chooses none.
    """
    if words == ALL:
        return list(plans)
    problems, chosen = [], set()
    for word in words.split(","):
        found = [plan.id for plan in plans if fnmatchcase(plan.id, word)]
        if not found:
            near = hint(word, [plan.id for plan in plans]).split(" (known:")[0]
            problems.append(f"plans: no plan has the id or matches the pattern {word!r}{near}")
        chosen.update(found)
    if problems:
        raise ParameterError(problems)
    return [plan for plan in plans if plan.id in chosen]
