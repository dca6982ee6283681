"""The library of contingency plans, and a user's own.

Question: which plans are there, and can they be run?
Run:      peakday plans show='room-cooling-*'
Reads:    configs/contingency/plans.csv, or file=FILE (CSV or YAML)
Writes:   the library anew when library=FILE is given
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sim.params import Params

if TYPE_CHECKING:
    from sim.params.contingency import PlanParams

HELP = "the contingency plans: list, check a user's own, write the library anew"

_TEXT = """Lists contingency plans by kind of fault, or those that match a pattern; checks plans of a file against the default
festival; writes the library, which is made of typed templates, as a table to read and edit."""

_NAMES = """parameters:
  show=ID,GLOB,...   these plans in full
  file=FILE          plans of a CSV or YAML file in place of the packaged library
  library=FILE       make the library from its templates and write it as CSV"""


class PlansParams(Params):
    """Parameters of the question."""

    show: str | None = None
    file: str | None = None
    library: str | None = None


def main(arguments: Sequence[str]) -> int:
    """List, check or write; the exit status is 0 when every plan can be run."""
    from experiments.arguments import with_units
    from experiments.options import parse, parser

    options = parser("plans", "", _TEXT, _NAMES).parse_intermixed_args(arguments)
    params = parse(PlansParams, options.overrides)
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0

    from sim import runner
    from sim.contingency.plan_files import as_csv
    from sim.drills.plans import NEEDS, chosen_plans, library_of, plans_of
    from sim.params.base import build
    from sim.params.festival import FestivalParams
    from sim.store import explained

    config = runner.composed(runner.DEFAULT_EXPERIMENT, NEEDS)
    festival = build(FestivalParams, {name: value for name, value in config.items() if name != "output"})
    if params.library is not None:
        plans = library_of(festival)
        with explained(Path(params.library)):
            Path(params.library).write_text(as_csv(plans), encoding="utf-8")
        print(f"{len(plans):,} plans: {params.library}")
        return 0
    plans = plans_of(params.file, festival)
    if params.show is not None:
        for plan in chosen_plans(plans, params.show):
            _show(plan)
        return 0
    for kind, count in Counter(plan.fault.kind for plan in plans).most_common():
        print(f"  {count:5,}  {kind.replace('_', ' ')}")
    print(f"  {len(plans):5,}  plans")
    return 0


def _show(plan: "PlanParams") -> None:
    from experiments.arguments import with_units

    print(with_units({plan.id: plan.model_dump(exclude={"id"})}))
