"""The command: questions, help, key figures, errors without tracebacks, exit statuses."""

import json
import re
from io import StringIO

import pytest
import yaml
from rich.console import Console

from experiments import cli, figures, progress, run
from sim import runner
from sim.progress import Progress
from tests.doubles import stand_in


@pytest.fixture
def double(monkeypatch, tmp_path):
    """The simulation replaced, results into an empty folder, and paper instead of figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(runner, "illustrate", lambda directory, result: (directory / "report.html").touch())
    return stand_in(monkeypatch)


def test_alone_it_lists_the_questions(capsys):
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    for name in ("run", "report", "track", "olist", "validate", "bench"):
        assert re.search(rf"^  {name} +\S", printed, flags=re.MULTILINE), name


def test_every_question_says_what_it_asks_reads_and_writes():
    for name, module in cli.questions().items():
        assert module.__doc__, name
        for word in ("Question:", "Run:", "Reads:", "Writes:"):
            assert word in module.__doc__, (name, word)
        assert "\n" not in module.HELP


def test_a_wrong_question_is_told_with_the_closest_one(capsys):
    assert cli.main(["rnu"]) == 2
    assert "'rnu' is not a question; did you mean run? (known: " in capsys.readouterr().err
    assert cli.main(["arguments"]) == 2  # a module of the folder that answers no question
    assert cli.main(["../run"]) == 2


def test_a_question_may_have_two_words(capsys):
    assert cli.main(["capacity", "--cfg", "job"]) == 0
    told = capsys.readouterr().out
    assert cli.main(["plan", "--cfg", "job"]) == 0
    assert capsys.readouterr().out == told


@pytest.mark.parametrize("question", ["run", "report", "validate", "bench"])
def test_every_question_explains_itself(capsys, question):
    try:
        assert cli.main([question, "--help"]) == 0
    except SystemExit as ending:  # argparse ends like this
        if ending.code:
            raise
    assert f"peakday {question}" in capsys.readouterr().out


def test_help_shows_groups_options_and_parameters_with_their_units(capsys):
    assert cli.main(["run", "--help"]) == 0
    printed = capsys.readouterr().out
    for shown in ("site=off", "parcels=off", "geography=china", "experiment=festival_2012", "scale=0.001", "threads="):
        assert shown in printed
    assert "assumed" not in printed  # a word for config files


@pytest.mark.parametrize(
    "example", [example for example in run.EXAMPLES if " from=" not in example]
)  # see test_state.py
def test_the_examples_of_the_help_can_be_run(capsys, double, example):
    assert cli.main([*example.split()[1:], "--cfg", "job"]) == 0


def test_the_composed_config_is_printed_with_units_and_nothing_is_run(capsys, double):
    assert cli.main(["run", "scale=0.002", "--cfg", "job"]) == 0
    printed = capsys.readouterr().out
    config = yaml.safe_load(printed)
    assert config["scale"] == 0.002
    assert config["demand"]["horizon_h"] >= 24
    assert re.search(r"^  horizon_h: \d+  # h$", printed, flags=re.MULTILINE)
    assert double.runs == []


def test_a_run_prints_key_figures_beside_the_published_ones_and_the_report(capsys, double, tmp_path):
    assert cli.main(["run", "scale=0.0001"]) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("orders "))
    assert row.split()[2] == "10,580"  # 105.8 M at this scale
    report = printed.splitlines()[-1].removeprefix("report: ")
    assert (tmp_path / report).is_file()


def test_output_puts_the_results_elsewhere(capsys, double, tmp_path):
    assert cli.main(["run", "scale=0.0001", "output=some/where"]) == 0
    (kpis,) = (tmp_path / "some" / "where").glob("festival_2012/*/kpis.json")
    assert json.loads(kpis.read_text())["scale"] == 0.0001
    assert not (tmp_path / "results").exists()


def test_without_an_output_nothing_is_written_and_that_is_said(capsys, double, tmp_path):
    assert cli.main(["run", "scale=0.0001", "output=null"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing was written (output=null)"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("output", ["5", "true", "[a, b]", "{a: 1}", ""])
def test_an_output_that_is_no_folder_is_told(capsys, double, output):
    assert cli.main(["run", f"output={output}"]) == 2
    assert "output must be the name of a folder, got " in capsys.readouterr().err
    assert double.runs == []


def test_the_same_run_again_says_that_it_was_read(capsys, double):
    cli.main(["run", "scale=0.0001"])
    first = capsys.readouterr().out
    assert cli.main(["run", "scale=0.0001"]) == 0
    again = capsys.readouterr().out
    assert "read from" in again
    assert again.endswith(first)
    assert len(double.runs) == 1


def test_replications_print_mean_and_spread(capsys, double, tmp_path):
    assert cli.main(["run", "scale=0.0001", "seed=4", "replications=3"]) == 0
    printed = capsys.readouterr().out
    assert [params.seed for params in double.runs] == [4, 5, 6]
    assert "standard deviation" in printed
    assert printed.count("report: ") == 3
    values = [json.loads(file.read_text())["gmv_rmb"] for file in tmp_path.glob("results/*/*/kpis.json")]
    row = next(line for line in printed.splitlines() if line.startswith("gmv_rmb "))
    assert figures.written(sum(values) / 3) in row


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_no_number_is_cut_however_narrow_the_terminal(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    kpis = {"seed": 10**30, "hubs_first_day_parcels": 12_345_678, "cost_rmb": 1.5e15}
    figures.show_figures(kpis, {"cost_rmb": 1.0e15})
    figures.show_replications([kpis, kpis | {"cost_rmb": 2.5e15}], {})
    printed = capsys.readouterr().out
    assert "…" not in printed
    for whole in (f"{10**30:,}", "hubs_first_day_parcels [parcels]", "1,500,000,000,000,000", "2,000,000,000,000,000"):
        assert whole in printed


def test_all_bad_parameters_are_told_at_once_and_nothing_is_simulated(capsys, double, tmp_path):
    assert cli.main(["run", "scale=-1", "demand.wireless_share=2", "threads=9999"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "scale must be > 0, got -1" in printed.err
    assert "demand.wireless_share must be <= 1 [share], got 2" in printed.err
    assert "threads must be <= " in printed.err
    assert "Traceback" not in printed.err
    assert double.runs == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["demand.wireless_shar=0.1"], "did you mean wireless_share?"),
        (["site=of"], "did you mean off?"),
        (["experiment=festval_2012"], "did you mean festival_2012?"),
        (["experiment=a", "experiment=b"], "must be named once"),
        (["scale"], "write key=value"),
        (["hydra.verbose=true"], "changes Hydra itself"),
        (["site=off", "site.horizon_h=9"], "switched off"),
    ],
)
def test_a_wrong_override_is_told_in_one_line(capsys, double, words, told):
    assert cli.main(["run", *words]) == 2
    errors = capsys.readouterr().err
    assert told in errors
    assert len(errors.splitlines()) == 1
    assert double.runs == []


def test_an_option_that_does_not_exist_ends_with_status_2(capsys, double):
    with pytest.raises(SystemExit) as ending:
        cli.main(["run", "--sacle", "3"])
    assert ending.value.code == 2
    assert "--sacle" in capsys.readouterr().err


def test_an_interrupted_run_leaves_nothing_and_ends_with_status_130(capsys, double, tmp_path):
    double.failure = KeyboardInterrupt()
    assert cli.main(["run", "scale=0.0001"]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_results_folder_that_cannot_be_made_ends_with_status_2(capsys, double, tmp_path):
    (tmp_path / "results").touch()
    assert cli.main(["run", "scale=0.0001"]) == 2
    assert "results" in capsys.readouterr().err
    assert double.runs == []


def test_too_little_memory_is_told(capsys, double):
    double.failure = MemoryError()
    assert cli.main(["run", "scale=0.0001"]) == 1
    assert "smaller scale" in capsys.readouterr().err


def test_a_report_is_made_again_from_the_tables(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    double = stand_in(monkeypatch)
    with monkeypatch.context() as hurried:
        hurried.setattr(runner, "illustrate", lambda directory, result: None)
        cli.main(["run", "scale=0.0001"])
    assert cli.main(["report", "results"]) == 0  # the only run below it
    directory = tmp_path / capsys.readouterr().out.splitlines()[-1].removeprefix("report: ").removesuffix(
        "/report.html"
    )
    assert "<svg" in (directory / "report.html").read_text(encoding="utf-8")
    assert list((directory / "figures").glob("*.svg"))
    assert len(double.runs) == 1


def test_a_report_needs_one_complete_result(capsys, double):
    assert cli.main(["report"]) == 2
    assert cli.main(["report", "nowhere"]) == 2
    cli.main(["run", "scale=0.0001", "replications=2"])
    assert cli.main(["report", "results"]) == 2
    errors = capsys.readouterr().err
    assert "takes one folder" in errors
    assert "nowhere holds no complete result" in errors
    assert "holds several results" in errors


def at(clock_s: float, rows: int = 1234567) -> Progress:
    return Progress(clock_s=clock_s, end_s=10 * 3600.0, rows=rows, phase="site", share=clock_s / 7200.0)


def test_progress_is_told_in_plain_lines_where_there_is_no_terminal(capsys, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    with progress.watch("seed 1") as tell:
        tell(at(0.0, rows=0))
        tell(at(3600.0))
    first, second = capsys.readouterr().err.splitlines()
    assert first == "seed 1, site: 0 s, 11 Nov 00:00:00, 0 rows"
    assert second == "seed 1, site: 0 s, 11 Nov 01:00:00, 1,234,567 rows, 0 s left"


def test_a_bar_shows_clock_and_rows_on_a_terminal():
    screen = StringIO()
    with progress.ProgressBar("seed 1", Console(file=screen, force_terminal=True, width=120)) as tell:
        tell(at(3600.0))
    assert "site, 11 Nov 01:00:00, 1,234,567 rows" in screen.getvalue()
