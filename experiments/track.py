"""Where a stored run's parcels are and which of them need care, as of any instant: a merchant's morning.

Question: how far are the parcels at this instant, and for which should the merchant do something?
Run:      peakday track results/festival_2012/RUN at="14 Nov 08:00" merchant=12
Reads:    DIR/kpis.json, tables/
Writes:   OUTPUT/track.parquet and track.json with all care lists in full, when output=DIR is given
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator

from sim.params import Params

if TYPE_CHECKING:
    import pandas as pd

    from sim.store import Result

HELP = "where a stored run's parcels are, and care lists, as of any instant"

_TEXT = """Shows how far the parcels of a stored run are at an instant, group by group, and the care lists: parcels that are
not shipped, long in transit, struck by weather, in trouble, or signed in the last day. DIR is the folder of a run, as printed by
`peakday run`, or a folder above it that holds one run only. Rates are of all parcels ordered by then."""

_NAMES = """parameters:
  at="14 Nov 08:00"   the instant; "day 3 08:00" counts from the day of t = 0
  by=carrier          groups: carrier, merchant, lane, city or province
  merchant=12         only this merchant, by its rank from 0
  carrier=STO         only this carrier
  rows=10             groups and rows of a list that are shown
  ship_h=72           not shipped: that long after the order
  transit_h=96        long in transit: that long after the pickup
  signed_h=24         just signed: for that long
  output=DIR          write all lists in full there"""

_INSTANT = re.compile(r"(?:day (?P<after>\d+)|(?P<day>\d{1,2}) ?(?P<month>Nov|Dec))(?: (?P<clock>\d\d:\d\d))?")


class TrackParams(Params):
    """Parameters of the question."""

    at: str = "14 Nov 08:00"
    by: Literal["carrier", "merchant", "lane", "city", "province"] = "carrier"
    merchant: int | None = Field(default=None, ge=0)
    carrier: str | None = None
    rows: int = Field(default=10, ge=1)
    ship_h: float = Field(default=72.0, ge=0)
    transit_h: float = Field(default=96.0, ge=0)
    signed_h: float = Field(default=24.0, gt=0)
    output: str | None = None

    @field_validator("at")
    @classmethod
    def _is_instant(cls, text: str) -> str:
        instant_s(text)
        return text


def instant_s(text: str) -> float:
    """Seconds on the run's axis of an instant: "14 Nov 08:00" -> 288000.0, "1 Dec" -> 1728000.0, "day 2" -> 172800.0.

    Raises
    ------
    ValueError
        When it is not a day of November or December, with or without a clock.
    """
    from sim.units import DAY_S, FESTIVAL_DAY_OF_NOVEMBER, seconds

    found = _INSTANT.fullmatch(text)
    if found is not None and found["after"] is not None:
        return int(found["after"]) * DAY_S + seconds(found["clock"] or "00:00")
    last = {"Nov": 30, "Dec": 31}.get(found["month"], 0) if found else 0
    if found is None or not 1 <= int(found["day"]) <= last:
        raise ValueError(f"must be a day and a clock such as '14 Nov 08:00', got {text!r}")
    day = int(found["day"]) + (30 if found["month"] == "Dec" else 0) - FESTIVAL_DAY_OF_NOVEMBER
    return day * DAY_S + seconds(found["clock"] or "00:00")


def main(arguments: Sequence[str]) -> int:
    """Track; the exit status is 0 when the run was read."""
    from experiments.arguments import with_units
    from experiments.options import folder, parse, parser, write_rows
    from experiments.report import run_in
    from sim import store
    from sim.metrics.care import care_lists
    from sim.metrics.tracking import Limits, rates, tracked
    from sim.params import ParameterError
    from sim.units import HOUR_S

    options = parser("track", "DIR ", _TEXT, _NAMES).parse_intermixed_args(arguments)
    places = [word for word in options.overrides if "=" not in word]
    params = parse(TrackParams, [word for word in options.overrides if "=" in word])
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0
    if len(places) != 1:
        raise ParameterError([f"peakday track takes one folder, got {' '.join(places) or 'none'}"])
    result = store.read_result(run_in(places[0]))
    _check(params, result)
    directory = folder(params.output)

    at_s = instant_s(params.at)
    limits = Limits(params.ship_h * HOUR_S, params.transit_h * HOUR_S, params.signed_h * HOUR_S)
    groups = rates(
        tracked(result.tables, params.by, at_s, merchant=params.merchant, carrier=params.carrier, limits=limits)
    )
    lists = care_lists(
        result.tables,
        at_s,
        merchant=params.merchant,
        carrier=params.carrier,
        most=None if directory is not None else params.rows,
        limits=limits,
    )
    scale = result.kpis["scale"]
    _show(params, groups, scale)
    for one in lists:
        _show_list(one.name, one.total, one.rows.head(params.rows), scale)
    if directory is not None:
        import pandas as pd

        whole = pd.concat([one.rows.assign(list=one.name) for one in lists], ignore_index=True)
        about = {"params": params.model_dump(), "run": str(result.directory), "weight": 1 / scale}
        write_rows(directory, "track", about, whole)
    return 0


def _check(params: TrackParams, result: "Result") -> None:
    from sim.params import ParameterError
    from sim.params.base import hint

    if "parcels" not in result.tables:
        raise ParameterError([f"{result.directory} has no parcels: they were off in this run"])
    carriers = sorted(map(str, result.tables["areas"]["carrier"].unique())) if "areas" in result.tables else []
    if not carriers:
        raise ParameterError(
            [f"{result.directory} was made by an earlier version, which kept no table areas; run it again"]
        )
    if params.carrier is not None and params.carrier not in carriers:
        raise ParameterError([f"carrier {params.carrier!r} is not in the run{hint(params.carrier, carriers)}"])


def _show(params: TrackParams, groups: "pd.DataFrame", scale: float) -> None:
    from experiments.figures import print_table, table_of

    shown = table_of(params.by, "parcels", *(name.replace("_", " ") for name in groups.columns[2:]))
    for group, parcels, *shares in groups.head(params.rows).itertuples(index=False, name=None):
        shown.add_row(str(group), f"{parcels / scale:,.0f}", *(f"{100 * share:.1f} %" for share in shares))
    print(f"As of {params.at}, of the parcels ordered by then" + (f" (x {1 / scale:g})" if scale < 1 else ""))
    print_table(shown)
    if len(groups) > params.rows:
        print(f"and {len(groups) - params.rows} more")


def _show_list(name: str, count: int, rows: "pd.DataFrame", scale: float) -> None:
    from experiments.figures import print_table, table_of

    print(f"\n{name}: {count / scale:,.0f} parcels")
    if rows.empty:
        return
    shown = table_of("parcel", "merchant", "carrier", "from", "to", "state", "exception", "hours")
    for row in rows.itertuples():
        words = (row.parcel, row.merchant, row.carrier, row.origin, row.destination, row.state, row.exception)
        shown.add_row(*map(str, words), f"{row.since_h:.1f}")
    print_table(shown)
