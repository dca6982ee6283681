"""The report answers first, stands alone, and leaves out what was not simulated."""

import re
import shlex
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sim.metrics import kpis
from sim.metrics.parcels import longest_state
from sim.plots import FIGURES
from sim.report import write_report
from sim.report.answers import answers, worst_minute
from sim.report.assumptions import assumptions, commented_values, look_up
from sim.report.document import command, inline_svg
from sim.report.rows import carrier_rows, hub_rows, key_figures, parcels_by_day, tracking_rows
from sim.report.site import services
from tests.synthetic import empty_tables, summaries_of, synthetic_tables

SCALE = 0.001
PARAMS: dict[str, Any] = {
    "scale": SCALE,
    "seed": 7,
    "site": {"cells": 1, "services": {"item": {"machines": 500, "slots_per_machine": 3}}},
    "parcels": {"wave_s": 900},
}
PROVENANCE = {"experiment": "festival_2012", "seed": 7, "host": {"name": "<b>&"}}
SITE_TABLES = (
    "demand_seconds",
    "site_seconds",
    "site_capacity",
    "latency",
    "page_latency",
    "service_latency",
    "link_seconds",
    "rehearsal_cases",
    "rehearsal_seconds",
)
PARCEL_TABLES = ("parcels", "hub_hours", "trips", "hubs")
VOID = {"meta", "br", "link", "img", "input", "hr"}


class WellFormed(HTMLParser):
    """Checks that every element is closed, and collects tags and identifiers."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.identifiers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.identifiers += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return synthetic_tables()


def figures(tables: Mapping[str, pd.DataFrame], scale: float = SCALE) -> dict[str, Any]:
    return kpis(tables, scale=scale, seed=7, wall_s=1.0, peak_rss_bytes=1, shoppers=213_000)


def written(folder: Path, tables: Mapping[str, pd.DataFrame], scale: float = SCALE) -> str:
    return write_report(folder, tables, figures(tables, scale), PARAMS, PROVENANCE).read_text(encoding="utf-8")


def without(tables: dict[str, pd.DataFrame], names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    return {name: rows for name, rows in tables.items() if name not in names}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, pd.DataFrame]) -> str:
    return written(tmp_path_factory.mktemp("report"), tables)


def test_rows_that_are_too_heavy_for_trucks_are_admitted(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    def page_of(truck: dict[str, Any], scale: float) -> str:
        params = PARAMS | {"parcels": {"truck": truck}}
        return write_report(tmp_path, tables, figures(tables, scale), params, PROVENANCE).read_text(encoding="utf-8")

    truck = {"capacity_parcels": 10_000}
    assert "each row of this run stands for 10,000 parcels" in page_of(truck, 0.0001)
    assert "each row of this run" not in page_of(truck, 0.001)


def test_the_report_needs_nothing_from_outside(page: str) -> None:
    assert not re.search(r"(?:src|href)\s*=\s*[\"'](?!#)", page)
    assert not re.search(r"https?://|//[a-z]+\.|@import|url\((?!#)", page)
    assert "<script" not in page


def test_the_report_is_well_formed_and_its_identifiers_are_unique(page: str) -> None:
    parser = WellFormed()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    assert len(parser.identifiers) == len(set(parser.identifiers))
    assert parser.tags.count("svg") == parser.tags.count("figcaption") == len(FIGURES)


def test_the_report_is_the_same_every_time(tmp_path: Path, tables: dict[str, pd.DataFrame], page: str) -> None:
    assert written(tmp_path, tables) == page


def test_references_inside_the_figures_lead_somewhere(page: str) -> None:
    targets = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', page))
    assert targets
    assert targets <= set(re.findall(r'id="([^"]+)"', page))


def test_provenance_is_escaped(page: str) -> None:
    assert "&lt;b&gt;&amp;" in page
    assert "<b>&" not in page


def test_the_answers_come_before_the_first_figure(page: str) -> None:
    for question in ("Did the night survive?", "When do the parcels arrive?", "Which hubs overflow?"):
        assert 0 < page.index(question) < page.index("<svg")


def test_without_the_site_the_report_says_so(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    page = written(tmp_path, without(tables, SITE_TABLES))
    assert "The site was off" in page
    assert "Did the night survive?" not in page
    assert "The shopper’s own view" not in page
    assert "What if payment loses" not in page
    assert "Which hubs overflow?" in page


def test_what_shoppers_saw_is_told_and_shown(page: str) -> None:
    at = page.index("The shopper’s own view")
    assert at < page.index('id="shoppers"') < page.index("What shoppers saw") < page.index('id="latency"')
    assert page.index('id="latency"') < page.index("Time in each service") < page.index('id="links"')
    assert "Taiwan · wireless" in page


def test_without_access_links_only_their_part_is_missing(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    page = written(tmp_path, without(tables, ("link_seconds",)))
    assert "What shoppers saw" in page
    assert "Access links" not in page


def test_the_rehearsal_is_told_and_shown(page: str) -> None:
    at = page.index("What if payment loses 3 of 6 machines")
    assert at < page.index("The plan saves") < page.index('id="rehearsal"') < page.index("The three cases")


def test_without_parcels_the_report_says_so(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    page = written(tmp_path, without(tables, PARCEL_TABLES))
    assert "Parcels were off" in page
    assert "Which hubs overflow?" not in page
    assert "Did the night survive?" in page


def test_a_run_without_any_rows_has_a_report(tmp_path: Path) -> None:
    assert "<svg" not in written(tmp_path, empty_tables())


def test_figures_that_are_there_are_taken_as_they_are(tmp_path: Path, tables: dict[str, pd.DataFrame]) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "sales.svg").write_text(
        '<?xml version="1.0"?><svg width="1pt" height="2pt"><g id="x"/></svg>'
    )
    page = written(tmp_path, tables)
    assert '<g id="sales-x"/>' in page
    assert page.count("<svg") == 1


@pytest.mark.parametrize(
    ("lost", "verdict"),
    [(0, "Yes, after a rough minute"), (5, "Yes, with small losses"), (20, "Not unharmed"), (200, "No")],
)
def test_the_verdict_follows_the_share_of_orders_lost(lost: int, verdict: str, tables: dict[str, pd.DataFrame]) -> None:
    measured = figures(tables) | {"orders": 1000 - lost, "orders_lost": lost}
    assert answers(tables, measured)[0].verdict == verdict


def test_a_night_without_a_failed_request_survived(tables: dict[str, pd.DataFrame]) -> None:
    calm = tables | {"demand_seconds": tables["demand_seconds"].assign(rejected=0, timed_out=0)}
    assert answers(calm, figures(tables) | {"orders": 1000, "orders_lost": 0})[0].verdict == "Yes"


def test_the_worst_minute_is_that_with_the_largest_share_of_failures() -> None:
    seconds = pd.DataFrame(
        {"second_s": [0, 59, 60, 120], "served": [9, 9, 1, 0], "rejected": [0, 1, 1, 0], "timed_out": [1, 0, 0, 0]}
    )
    assert worst_minute(seconds) == (1, 0.5)
    assert worst_minute(seconds.head(0)) == (0, 0.0)


def test_the_longest_state_is_found() -> None:
    parcels = synthetic_tables(30)["parcels"].copy()
    parcels["out_s"] = parcels["outlet_s"] + 100 * 3600.0
    parcels["signed_s"] = parcels["out_s"] + 60.0
    assert longest_state(summaries_of(parcels)["parcel_hours"])[0] == "at outlet"


def test_key_figures_are_scaled_up_and_compared(tables: dict[str, pd.DataFrame]) -> None:
    measured = figures(tables) | {"orders": 110_000, "gmv_share_0219": 0.20}
    rows = {row[0]: row[1:4] for row in key_figures(measured).rows}
    assert rows["Orders"] == ("110 M", "105.8 M", "+4.0 %")
    assert rows["Share of the sales made by 02:19"] == ("20.0 %", "17.6 %", "+2.4 points")


def test_rounding_of_slots_is_reported(tables: dict[str, pd.DataFrame]) -> None:
    found = services(tables, PARAMS, SCALE)
    assert found is not None
    item = next(row for row in found.rows if row[0] == "item")
    exact = 3 * tables["site_capacity"].set_index("service").loc["item", "machines"]
    assert item[2:5] == (f"{exact:,.4g}", "30", f"{100 * (30 / exact - 1):+.1f} %")


def test_tables_have_as_many_cells_as_headings(tables: dict[str, pd.DataFrame]) -> None:
    found = (
        key_figures(figures(tables)),
        services(tables, PARAMS, SCALE),
        parcels_by_day(tables, SCALE),
        carrier_rows(tables, SCALE),
        hub_rows(tables),
        *tracking_rows(tables, SCALE),
    )
    for table in found:
        assert table is not None
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.header)}


CONFIG = """\
# a comment
cells: 2  # cells; assumed: one for each region
rate: 5  # 1/s; Smith 2012

services:
  item:
    machines: 500  # machines; assumed
    service: {kind: lognormal, mean_s: 0.012}  # s; 12 ms: InfoQ, kind assumed
pages:
  pay:
    - {share: 0.6}  # share; InfoQ
    - {share: 0.4}  # share; assumed: the rest
names: [a, b]  # names; assumed
after: "x # y"
"""


def test_comments_are_found_with_their_paths() -> None:
    found = {line.path: (line.value, line.comment) for line in commented_values(CONFIG, "site.")}
    assert found["site.cells"] == (2, "cells; assumed: one for each region")
    assert found["site.services.item.machines"] == (500, "machines; assumed")
    assert found["site.services.item.service"][0] == {"kind": "lognormal", "mean_s": 0.012}
    assert found["site.pages.pay.1"] == ({"share": 0.4}, "share; assumed: the rest")
    assert found["site.names"][0] == ["a", "b"]
    assert "site.services" not in found


def test_assumptions_are_those_of_the_chosen_file_with_the_values_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.yaml").write_text("cells: 9  # cells; assumed: another option\n")
    (tmp_path / "site" / "b.yaml").write_text(CONFIG)
    params = {
        "site": {"cells": 4, "rate": 5, "services": {"item": {"machines": 500}}, "pages": {"pay": [{}, {"share": 0.4}]}}
    }
    found = {one.path: one for one in assumptions(params, tmp_path)}
    assert set(found) == {"site.cells", "site.services.item.machines", "site.pages.pay.1"}
    assert (found["site.cells"].value, found["site.cells"].changed) == ("4", True)
    assert (found["site.pages.pay.1"].value, found["site.pages.pay.1"].changed) == ("share 0.4", False)
    assert found["site.cells"].reason == "one for each region"


def test_the_assumptions_of_the_packaged_configs_are_found() -> None:
    assert [one.path for one in assumptions({"site": {"cells": 2}})] == ["site.cells"]
    assert assumptions({"site": None}) == []


def test_a_path_that_is_not_there_is_not_a_value() -> None:
    assert look_up({"a": [{"b": 1}]}, "a.0.b") == 1
    assert look_up({"a": None}, "a") is None
    assert look_up({"a": []}, "a.0") is look_up({}, "b")


def test_the_command_runs_the_same_again() -> None:
    assert command(PARAMS, PROVENANCE) == "peakday run experiment=festival_2012 scale=0.001 seed=7"
    overrides = ["site=off", "parcels.carriers.EMS.hubs.Xi'an.sort_per_h=5", "demand.arrivals.crowd={shoppers: 3}"]
    assert shlex.split(command({"scale": 0.01}, {"overrides": overrides})) == [
        "peakday",
        "run",
        "scale=0.01",
        *overrides,
    ]


def test_an_inlined_figure_is_as_wide_as_its_column() -> None:
    attributes = 'xmlns="http://www.w3.org/2000/svg" width="9pt" height="4pt" viewBox="0 0 1000 40"'
    text = f'<?xml version="1.0"?>\n<svg {attributes}><g id="a"/>'
    assert inline_svg(text, "map") == '<svg viewBox="12 0 976 40"><g id="map-a"/>'
