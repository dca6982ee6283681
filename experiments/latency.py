"""How long pages and services of a stored run took: percentiles of any group, over the run or in one hour.

Question: what did 99.99 % of the shoppers in Taiwan wait for a page at most, in the first hour?
Run:      peakday latency results/festival_2012/RUN by=region,channel percentiles=50,99,99.99 hour=0
Reads:    DIR/kpis.json, tables/
Writes:   OUTPUT/latency.parquet and latency.json, when output=DIR is given
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, field_validator

from sim.params import Params

if TYPE_CHECKING:
    import pandas as pd

HELP = "percentiles of page and service times of a stored run, by any group"

_TEXT = """Shows percentiles of how long pages took, or requests in the services, from the histograms of a stored run. DIR is the
folder of a run, as printed by `peakday run`, or a folder above it that holds one run only. A page's time runs from the
request until the page is there; a service's from the request's arrival until it is served."""

_NAMES = """parameters:
  by=page               groups: one or more of page or service, region, channel, with commas between
  percentiles=50,90,99,99.9,99.99
                        above 0 and below 100; one that too few answers tell is shown as -
  hour=0                only answers of this hour, counted from midnight
  output=DIR            write the rows there"""


class LatencyParams(Params):
    """Parameters of the question."""

    by: str = "page"
    percentiles: str = "50,90,99,99.9,99.99"
    hour: int | None = Field(default=None, ge=0)
    output: str | None = None

    @field_validator("by")
    @classmethod
    def _are_groups(cls, text: str) -> str:
        groups(text)
        return text

    @field_validator("percentiles")
    @classmethod
    def _are_percentiles(cls, text: str) -> str:
        shares(text)
        return text


class Groups(NamedTuple):
    """The table that is asked and the columns to group by."""

    table: str
    columns: tuple[str, ...]


def groups(text: str) -> Groups:
    """What "service,region" asks for.

    Raises
    ------
    ValueError
        When a word is no group, comes twice, or when pages and services are both asked for.
    """
    columns = tuple(text.split(","))
    known = ("page", "service", "region", "channel")
    if unknown := [column for column in columns if column not in known]:
        raise ValueError(f"must be of {', '.join(known)}, got {unknown[0]!r}")
    if len(set(columns)) < len(columns):
        raise ValueError(f"must name each group once, got {text!r}")
    if {"page", "service"} <= set(columns):
        raise ValueError(f"must be of pages or of services, got {text!r}")
    return Groups("service_latency" if "service" in columns else "page_latency", columns)


def shares(text: str) -> tuple[float, ...]:
    """Shares of one for "50,99.9".

    Raises
    ------
    ValueError
        When a word is no number, or no percentile above 0 and below 100.
    """
    from sim.metrics.latency import PercentileError, check

    try:
        found = tuple(round(float(word) / 100, 12) for word in text.split(","))
    except ValueError:
        raise ValueError(f"must be numbers with commas between, got {text!r}") from None
    try:
        check(found)
    except PercentileError as error:
        raise ValueError(str(error).removeprefix("a percentile ")) from None
    return found


def main(arguments: Sequence[str]) -> int:
    """Show the percentiles; the exit status is 0 when the run was read."""
    from experiments.arguments import with_units
    from experiments.options import folder, parse, parser, write_rows
    from experiments.report import run_in
    from sim import store
    from sim.metrics.latency import percentiles_by
    from sim.params import ParameterError

    options = parser("latency", "DIR ", _TEXT, _NAMES).parse_intermixed_args(arguments)
    places = [word for word in options.overrides if "=" not in word]
    params = parse(LatencyParams, [word for word in options.overrides if "=" in word])
    if options.cfg:
        print(with_units(params.model_dump()))
        return 0
    if len(places) != 1:
        raise ParameterError([f"peakday latency takes one folder, got {' '.join(places) or 'none'}"])
    result = store.read_result(run_in(places[0]))
    table, columns = groups(params.by)
    if table not in result.tables or not len(result.tables[table]):
        raise ParameterError(
            [f"{result.directory} has no table {table}: the site was off, or an earlier version made the run"]
        )
    histogram, scale = result.tables[table], result.kpis["scale"]
    if params.hour is not None and params.hour not in set(histogram["hour"]):
        last = histogram["hour"].max()
        raise ParameterError(
            [f"hour must be one in which something was answered, 0 to {last} at most, got {params.hour}"]
        )
    directory = folder(params.output)
    found = percentiles_by(histogram, columns, shares(params.percentiles), hour=params.hour)
    _show(found, len(columns), scale)
    if directory is not None:
        about = {"params": params.model_dump(), "run": str(result.directory), "scale": scale}
        write_rows(directory, "latency", about, found.astype(dict.fromkeys(columns, str)))
    return 0


def _show(found: "pd.DataFrame", groups: int, scale: float) -> None:
    from experiments.figures import print_table, table_of

    shown = table_of(" · ".join(found.columns[:groups]), *found.columns[groups:])
    for row in found.itertuples(index=False, name=None):
        times = (_time(time_s) for time_s in row[groups + 1 :])
        shown.add_row(" · ".join(map(str, row[:groups])), f"{row[groups] / scale:,.0f}", *times)
    print_table(shown)
    if scale < 1:
        print(f"Answers x {1 / scale:g}; a percentile is shown where the run's own answers tell it.")


def _time(time_s: float) -> str:
    from sim.metrics.latency import BEYOND_S
    from sim.plots.latency import duration

    if time_s != time_s:
        return "-"
    return duration(time_s) if time_s < float("inf") else f"> {BEYOND_S:g} s"
