"""From tables, key figures, parameters and provenance to one HTML file."""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from sim.metrics.published import YEAR
from sim.plots import FIGURES, write_figures
from sim.plots.figures import FOLDER, drawable, in_memory
from sim.plots.style import TITLE_X
from sim.report import cloud, rows, site
from sim.report.answers import answers
from sim.report.assumptions import Assumption, assumptions
from sim.report.page import closing, rendered
from sim.report.rehearsal import rehearsal, rehearsal_rows

FILE_NAME = "report.html"
LEAST_ROWS_A_TRUCK = 10


def write_report(
    directory: Path,
    tables: Mapping[str, pd.DataFrame],
    kpis: Mapping[str, Any],
    params: Mapping[str, Any],
    provenance: Mapping[str, Any],
    assumed: Sequence[Assumption] | None = None,
) -> Path:
    """Write `directory`/report.html: self-contained, no script, no outside reference.

    Parameters
    ----------
    directory : the results folder; its figures are taken as they are, and drawn when there are none
    tables : by name, as in `sim.records.TABLES`; absent or empty ones mean that the part was off
    kpis : from `sim.metrics.kpis`
    params : the run's config as plain nested dicts
    provenance : how the run was made, any JSON
    assumed : the assumed parameters; None reads them from the packaged config files
    """
    tables = in_memory(tables)
    scale = float(kpis["scale"])
    if not any((directory / FOLDER).glob("*.svg")):
        write_figures(directory, tables, scale=scale, year=year_of(params))
    text = rendered(
        "report.html.j2",
        answers=answers(tables, kpis),
        rehearsal=rehearsal(tables),
        year=year_of(params),
        key_figures=rows.key_figures(kpis, year_of(params)),
        figures=_figures(directory, tables),
        tables={
            "services": site.services(tables, params, scale),
            "cloud": cloud.machines(tables, params),
            "latencies": site.latencies(tables, scale),
            "shoppers": site.shoppers(tables, scale),
            "links": site.links(tables, scale),
            "rehearsal": rehearsal_rows(tables),
            "by_day": rows.parcels_by_day(tables, scale),
            "carriers": rows.carrier_rows(tables, scale),
            "hubs": rows.hub_rows(tables),
            "tracking": rows.tracking_rows(tables, scale),
        },
        has_site=kpis["requests"] is not None,
        has_parcels=kpis["parcels"] is not None,
        kpis=kpis,
        scale=scale,
        coarse=is_coarse(params, scale),
        **closing(
            directory,
            assumptions(params) if assumed is None else assumed,
            command(params, provenance),
            provenance,
        ),
    )
    path = directory / FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def year_of(params: Mapping[str, Any]) -> int | None:
    """The year whose festival a run simulates; None for an ordinary day."""
    year: int | None = (params.get("demand") or {}).get("year", YEAR)
    return year


def is_coarse(params: Mapping[str, Any], scale: float) -> bool:
    """Whether a truck holds so few of the run's rows that waiting for it to fill is not what it is with real parcels."""
    truck = (params.get("parcels") or {}).get("truck") or {}
    return bool(truck) and float(truck["capacity_parcels"]) * scale < LEAST_ROWS_A_TRUCK


def _figures(directory: Path, tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Inline SVG and caption of each figure that there are rows for."""
    found = {}
    for spec in FIGURES:
        path = directory / FOLDER / f"{spec.name}.svg"
        if drawable(spec, tables) and path.is_file():
            found[spec.name] = {
                "svg": Markup(inline_svg(path.read_text(encoding="utf-8"), spec.name)),
                "caption": spec.caption,
            }
    return found


def inline_svg(text: str, name: str) -> str:
    """An SVG document as an element of a page.

    Without prologue, as wide as its column with its title flush left, and with identifiers that no other figure has.
    """
    element = text[text.index("<svg") :]
    element = re.sub(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', _flush_left, element, count=1)
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", element, count=1)
    element = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", element, count=1)
    element = re.sub(r' xmlns(:xlink)?="[^"]*"', "", element)
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", element).replace("xlink:href", "href")


def _flush_left(box: re.Match[str]) -> str:
    width = float(box[1])
    return f'viewBox="{width * TITLE_X:g} 0 {width * (1 - 2 * TITLE_X):g} {box[2]}"'


def command(params: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """The command that runs it again, as a shell takes it."""
    words = ["peakday", "run"]
    if provenance.get("experiment"):
        words.append(f"experiment={provenance['experiment']}")
    words += [f"{name}={params[name]}" for name in ("scale", "seed") if name in params]
    return shlex.join([*words, *map(str, provenance.get("overrides") or ())])
