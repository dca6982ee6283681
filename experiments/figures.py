"""The tables of key figures that end a run, beside what was published of the real day."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from sim.units import unit_of

Figures = Mapping[str, Any]
WIDEST = 1000


def show_figures(kpis: Figures, published: Mapping[str, float]) -> None:
    """Print one run's key figures; `published` has the published values by the same names, at the run's scale."""
    table = table_of("key figure", "this run", "published x scale", "difference")
    for name, value in kpis.items():
        known = published.get(name)
        difference = f"{value / known - 1:+.1%}" if known and value is not None else ""
        table.add_row(_labelled(name), written(value), written(known) if known else "", difference)
    print_table(table)


def show_replications(runs: Sequence[Figures], published: Mapping[str, float]) -> None:
    """Print mean and spread of the key figures over replications."""
    table = table_of("key figure", "mean", "standard deviation", "least", "most", "published x scale")
    for name in runs[0]:
        values = [run[name] for run in runs if run[name] is not None]
        if name == "seed" or len(values) < 2:
            continue
        spread = [statistics.fmean(values), statistics.stdev(values), min(values), max(values)]
        known = published.get(name)
        table.add_row(_labelled(name), *map(written, spread), written(known) if known else "")
    print_table(table)


def published_at(scale: float, year: int | None) -> dict[str, float]:
    """Published values of a year by the names of the key figures: counts and rates at the run's scale, shares as is."""
    from sim.metrics.published import facts_of, gmv_milestones

    counts = {name: fact.value * (1 if fact.unit == "share" else scale) for name, fact in facts_of(year).items()}
    milestones = gmv_milestones(year)
    shares = zip(milestones["clock"], milestones["share"], strict=True)
    return counts | {f"gmv_share_{clock.replace(':', '')}": float(share) for clock, share in shares}


def written(value: float | None) -> str:
    """A number for people: whole above 1,000, four digits below; "-" for None."""
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _labelled(name: str) -> str:
    unit = unit_of(name)
    return f"{name} \\[{unit}]" if unit else name


def table_of(first: str, *others: str) -> Table:
    """A table for the terminal: words first, then numbers."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True)
    for column in others:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def print_table(table: Table) -> None:
    """As wide as the table is: a number that is cut is worse than a line that wraps."""
    console = Console(highlight=False, width=WIDEST)
    console.width = Measurement.get(console, console.options, table).maximum
    console.print(table, soft_wrap=True)
