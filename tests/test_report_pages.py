"""How reports end and how they get onto paper: validation, assumptions, appendices, PDF."""

import builtins
import json
import re

import pytest

from experiments import cli
from sim.metrics.published import FACTS, gmv_milestones
from sim.report import pdf
from sim.report.assumptions import assumptions
from sim.report.page import closing, rendered, validation
from sim.report.rows import key_figures
from sim.runner import composed

ROW = {
    "check": "A1",
    "law": "M/M/1",
    "measure": "wait [s]",
    "theory": 4.0,
    "simulated": 4.01,
    "half_width": 0.02,
    "verdict": "green",
}
PAGE = """<!DOCTYPE html><html><head><style>{% include "style.css.j2" %}</style></head><body><main><h1>What?</h1>
{% set rests %}<p>On this.</p>{% endset %}{% set changed_for = "this" %}{% set files = "Again." %}{% include "closing.html.j2" %}
</main></body></html>"""


@pytest.fixture
def results(tmp_path):
    """A results folder with the folder of a run in it."""
    run = tmp_path / "festival" / "run"
    run.mkdir(parents=True)
    return run


def page(directory, code: str = "abc") -> str:
    from sim.report import page as module

    found = assumptions(composed("festival_2012", ["parcels=off", "rehearsal=off"]))[:30]
    values = closing(directory, found, "peakday run scale=0.1", {"code": {"source_hash": code}})
    return module._environment().from_string(PAGE).render(answers=[], **values)


def stored(results, **changes: str) -> None:
    rows = [ROW, ROW | changes]
    (results.parents[1] / "validate.json").write_text(json.dumps({"source_hash": "abc", "rows": rows}))


def test_a_report_shows_the_validation_that_lies_in_its_results_folder(results) -> None:
    assert validation(results, "abc") is None
    assert "peakday validate output=results" in page(results)
    stored(results, verdict="red")
    found = validation(results / ".partial-1", "abc")
    assert found is not None
    assert (found.green, len(found.rows), found.same_code) == (1, 2, True)
    assert found.rows[0] == ("A1", "M/M/1", "wait [s]", "4", "4.01", "0.02", "green")
    assert "1 of 2 measures" in page(results)
    assert "of other code" not in page(results)
    assert "of other code" in page(results, code="def")
    (results.parents[1] / "validate.json").write_text("{}")
    assert validation(results, "abc") is None


def test_every_assumed_parameter_of_the_config_is_listed_and_nothing_that_is_merely_chosen() -> None:
    listed = {one.path for one in assumptions(composed("festival_2012"))}
    assert {"demand.horizon_h", "demand.regions", "parcels.last_mile.stop_s"} <= listed
    assert not {"scale", "seed", "replications"} & listed
    assert "demand.shoppers" not in listed


def test_on_paper_nothing_is_folded_away_and_appendices_come_last(results) -> None:
    stored(results)
    text = pdf.printable(page(results))
    assert "details" not in text.replace("details[", "")
    headings = re.findall(r"<h2>(.*?)</h2>", text)
    assert headings == [
        "What this rests on",
        "Is the simulator right?",
        "Run it again",
        "Appendix: the 30 assumed parameters",
        "Appendix: provenance",
    ]
    assert text.count("<section") == text.count("</section>")
    assert "<h3>Simulated against theory</h3>" in text


def test_a_page_is_laid_out_on_numbered_paper_with_the_same_bytes_each_time(results) -> None:
    pytest.importorskip("weasyprint", exc_type=ImportError)
    file = results / "report.html"
    file.write_text(page(results))
    assert cli.main(["report", str(results)]) == 0
    first = (results / "report.pdf").read_bytes()
    assert first.startswith(b"%PDF-")
    assert b"/Count" in first or len(first) > 5_000
    assert cli.main(["report", str(results), "pdf=true"]) == 0
    assert (results / "report.pdf").read_bytes() == first
    assert sorted(one.name for one in results.iterdir()) == ["report.html", "report.pdf"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ImportError("No module named 'weasyprint'"), "pip install 'peakday[report]'"),
        (OSError("cannot load library 'libgobject-2.0-0'"), "a PDF needs Pango, which this system does not have"),
    ],
)
def test_without_weasyprint_or_pango_it_says_how_to_get_them(results, monkeypatch, capsys, error, told) -> None:
    usual = builtins.__import__

    def without(name, *arguments, **named):
        if name.partition(".")[0] == "weasyprint":
            raise error
        return usual(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    (results / "report.html").write_text(page(results))
    assert cli.main(["report", str(results), "pdf=true"]) == 2
    assert told in capsys.readouterr().err


def test_questions_that_could_not_be_laid_out_are_not_begun(tmp_path, monkeypatch, capsys) -> None:
    def missing() -> None:
        raise pdf.PdfError("no paper")

    monkeypatch.setattr(pdf, "check_installed", missing)
    assert cli.main(["whatif", "change=more_trucks", "pdf=true", f"output={tmp_path}", "scale=0.0001"]) == 2
    assert cli.main(["sweep", "-m", "site.cells=1,2", "pdf=true", f"output={tmp_path}"]) == 2
    assert capsys.readouterr().err.count("peakday: no paper") == 2
    assert list(tmp_path.iterdir()) == []


def test_wrong_words_are_told(results, capsys) -> None:
    assert cli.main(["report", str(results), "pdf=maybe"]) == 2
    assert "pdf must be true or false, got 'maybe'" in capsys.readouterr().err
    (results / "report.html").write_text("<html></html>")
    assert cli.main(["report", str(results), "animation=on"]) == 2
    assert "animation is of a run" in capsys.readouterr().err


def test_a_day_is_held_against_what_was_published_of_its_year() -> None:
    kpis = {"scale": 1.0, "gmv_rmb": 35.0e9, "signed_share_1118_1500": 0.8}
    table = key_figures(kpis, 2013)
    assert table.header[2] == "published 2013"
    assert next(row for row in table.rows if row[0] == "Sales, RMB")[2] == "35.02 bn"
    assert gmv_milestones(2013)["gmv_rmb"].iloc[-1] == FACTS[2013]["gmv_rmb"].value
    assert all(row[2] == "–" for row in key_figures(kpis, 2020).rows)
    assert gmv_milestones(2020).empty
    assert composed("festival_2013")["demand"]["year"] == 2013
    assert "2013" in rendered(
        "report.html.j2", year=2013, answers=[], kpis={"shoppers": 1}, scale=1, key_figures=table, tables={}
    )
