"""Drills of contingency plans: would users have noticed the fault, and did the plan help?

Question: with which plans does the night, and the road after it, survive their faults unnoticed?
Run:      peakday drill plans=all scale=0.001
Reads:    configs/, configs/contingency/plans.csv, or file=FILE (CSV or YAML)
Writes:   OUTPUT/drill/KEY/ with records/ID.json, drills.parquet, drills.json and report.html
"""

import hashlib
import json
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from pydantic import Field

from sim.params import Params

HELP = "drills of contingency plans: proof, times, damage, verdict; a report"

_TEXT = """Takes a moment of the site, one of the road, and for faults of merchants one while orders come; lets the fault of each
plan strike there and goes on three ways, with the same shoppers and parcels: without the fault, with it, and with it and the
plan. Plans that have a record are not drilled again, so the same command goes on after a crash."""

_NAMES = """parameters:
  plans=all            or ids and patterns with commas between them
  experiment=festival_2012  the day; ordinary_day is one with a sixth of the shoppers, on which a drill hurts fewer of them
  file=FILE            plans of a CSV or YAML file in place of the packaged library
  scale=0.001 seed=1   of the run
  workers=2            processes; one for each core by default
  site_at_s=600        the moment of the site, whole minutes; 14400 is a quiet hour
  site_span_s=420      how long the site is followed from then on, whole minutes
  road_at_h=36         the moment of the road, whole hours
  road_span_h=72       how long the road is followed
  orders_at_h=6        the moment of faults that only new orders meet, whole hours; followed to the same end
  slow_s=3             a page that takes longer is as bad as none
  bad_pages_share=0.005     more bad pages than that are noticed
  late_h=12            a parcel is late that comes so much later than without the fault
  late_parcels_share=0.01   more late parcels than that are noticed
  stop_share=0.05      the drill's own guard: ends the fault when more pages fail; none by default
  output=results"""


class DrillParams(Params):
    """Parameters of the question."""

    plans: str = "all"
    file: str | None = None
    experiment: str = "festival_2012"
    scale: float = Field(default=0.001, gt=0, le=1)
    seed: int = Field(default=1, ge=0)
    workers: int | None = Field(default=None, ge=1)
    site_at_s: int = Field(default=600, ge=60, multiple_of=60)
    site_span_s: int = Field(default=420, ge=60, multiple_of=60)
    road_at_h: int = Field(default=36, ge=1)
    road_span_h: int = Field(default=72, ge=1)
    orders_at_h: int = Field(default=6, ge=1)
    slow_s: float = Field(default=3.0, gt=0, lt=1000)
    bad_pages_share: float = Field(default=0.005, gt=0, lt=1)
    late_h: float = Field(default=12.0, gt=0)
    late_parcels_share: float = Field(default=0.01, gt=0, lt=1)
    stop_share: float | None = Field(default=None, gt=0, lt=1)
    output: str = "results"


def main(arguments: Sequence[str]) -> int:
    """Drill; the exit status is 0 when every plan has its record, whatever the verdicts."""
    from experiments.arguments import with_units
    from experiments.options import parse, parser

    options = parser("drill", "", _TEXT, _NAMES).parse_intermixed_args(arguments)
    params = parse(DrillParams, options.overrides)
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0

    from rich.progress import Progress

    from sim import runner
    from sim.drills.drill import Terms
    from sim.drills.plans import NEEDS, chosen_plans, plans_of, terms_of
    from sim.drills.series import DrillError, Series, read_records, run_series
    from sim.drills.stage import OF_ORDERS, RoadStage, SiteStage, Stage
    from sim.festival import check
    from sim.machine import cores
    from sim.params.base import ParameterError, build
    from sim.params.festival import FestivalParams
    from sim.units import HOUR_S

    own = [f"scale={params.scale}", f"seed={params.seed}", "threads=1"]
    config = runner.composed(params.experiment, [*own, *NEEDS])
    festival = build(FestivalParams, {name: value for name, value in config.items() if name != "output"})
    check(festival)
    if festival.site is None or festival.parcels is None:
        raise ParameterError(
            [f"experiment must be a day with a site and a road, as both are drilled; {params.experiment} lacks one"]
        )
    plans = chosen_plans(plans_of(params.file, festival), params.plans)
    folder = Path(params.output) / "drill" / _key(params, config)
    terms = Terms(params.bad_pages_share, params.late_parcels_share, params.late_h)
    bare = festival.model_copy(update={"stock": None})
    road_end_h = params.road_at_h + params.road_span_h
    stages: dict[str, Callable[[], Stage]] = {
        "site": partial(
            SiteStage, festival, terms_of(festival), float(params.site_at_s), float(params.site_span_s), params.slow_s,
            params.stop_share,
        ),
        "orders": partial(
            RoadStage, festival, terms_of(festival), HOUR_S * params.orders_at_h, HOUR_S * (road_end_h - params.orders_at_h)
        ),
        "road": partial(RoadStage, bare, terms_of(bare), HOUR_S * params.road_at_h, HOUR_S * params.road_span_h),
    }  # fmt: skip
    ran = 0
    with Progress(transient=True) as progress:
        task = progress.add_task("drills", total=len(plans))
        for name, stage in stages.items():
            own_plans = [plan for plan in plans if name == ("orders" if plan.fault.kind in OF_ORDERS else plan.part)]
            series = Series(own_plans, terms, folder / "records")
            try:
                ran += run_series(
                    series, stage, params.workers or cores(), lambda n: progress.update(task, completed=n)
                )
            except DrillError as error:
                print(f"peakday: {error}")
                return 1
    _tell(
        folder,
        read_records(folder / "records", plans),
        len(plans),
        ran,
        shlex.join(["peakday", "drill", *arguments]),
        config,
    )
    return 0


def _key(params: DrillParams, config: dict[str, object]) -> str:
    """Name of the folder: the same for the same code, festival and terms of the drills, whichever plans are chosen."""
    from sim.store import run_key

    told = params.model_dump(exclude={"plans", "file", "workers", "output"})
    text = json.dumps([run_key(config), told], sort_keys=True)
    digest = hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
    return f"seed{params.seed}-scale{params.scale:g}-{digest}"


def _tell(
    folder: Path, records: Sequence[dict[str, object]], planned: int, ran: int, command: str, config: dict[str, object]
) -> None:
    import pandas as pd

    from experiments.options import write_rows
    from sim.drills.drill import row_of
    from sim.metrics.drills import tally
    from sim.report.drills import write_report
    from sim.runner import code, versions
    from sim.store import explained

    drills = pd.DataFrame([row_of(record) for record in records])
    write_rows(folder, "drills", {"command": command}, drills)
    with explained(folder):
        report = write_report(
            folder, drills, records, planned, command, config, {"code": code(), "versions": versions()}
        )
    for word, number in tally(drills, planned):
        print(f"  {word:<34}{number}")
    print(f"  {'run now':<34}{ran:,}")
    print(f"report: {report}")
