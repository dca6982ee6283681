"""Sweeps: nothing twice, nothing lost, the same table whoever ran it; failures, progress, goals, and the command itself."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from experiments import cli, sweep_progress
from experiments import sweep as question
from sim import store
from sim.params import ParameterError
from sim.sweeps import folder, table
from sim.sweeps.records import Records, done, failed
from sim.sweeps.run import Progress, Sweep
from sim.sweeps.work import Keep, run
from tests.doubles import stand_in
from tests.sweep_case import GOAL, InlineEngine, orders_of, plan_of


class Killed(BaseException):
    """Whatever ends the driver."""


def test_a_sweep_that_was_killed_resumes_runs_nothing_twice_and_gives_the_same_table(tmp_path):
    plan = plan_of("replications=3")
    undisturbed = Sweep(plan, Records(tmp_path / "a"), Keep())
    undisturbed.run(InlineEngine())

    def dies_at_the_third(progress: Progress) -> None:
        if progress.done == 3:
            raise Killed

    first, second = InlineEngine(workers=3), InlineEngine(workers=1)
    with pytest.raises(Killed):
        Sweep(plan, Records(tmp_path / "b"), Keep()).run(first, dies_at_the_third)
    resumed = Sweep(plan, Records(tmp_path / "b"), Keep())
    assert (resumed.known, resumed.missing) == (3, 3)
    resumed.run(second)
    ran = [task.key for task in first.ran + second.ran]
    assert sorted(ran) == sorted(task.key for task in plan.tasks())
    table.write(tmp_path / "a.parquet", plan, undisturbed.rows)
    table.write(tmp_path / "b.parquet", plan, resumed.rows)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    rows = pd.read_parquet(tmp_path / "a.parquet")
    assert len(rows.drop_duplicates(["code", "config", "seed"])) == len(rows) == 6
    assert rows["orders"].tolist() == [1, 2, 3, 101, 102, 103]
    assert rows["demand.wireless_share"].tolist() == [0.05] * 3 + [0.1] * 3


def test_a_known_run_of_another_sweep_is_read(tmp_path):
    Sweep(plan_of("replications=2"), Records(tmp_path), Keep()).run(InlineEngine())
    wider = Sweep(plan_of("replications=2", axis=["demand.wireless_share=0.05,0.1,0.2"]), Records(tmp_path), Keep())
    assert (wider.known, wider.missing) == (4, 2)


def test_a_record_that_was_cut_off_is_no_record(tmp_path):
    plan, records = plan_of(), Records(tmp_path)
    task = plan.task(0, 0)
    records.write(orders_of(task))
    assert records.read(task.key) == orders_of(task)
    whole = records.file(task.key).read_text()
    for cut in ("", whole[:50], "[]", whole.replace(task.key, "0" * 32)):
        records.file(task.key).write_text(cut)
        assert records.read(task.key) is None


def test_a_failed_run_is_recorded_with_its_error_and_stops_nothing(tmp_path, monkeypatch):
    double = stand_in(monkeypatch)
    plan = plan_of("replications=2")
    sweep = Sweep(plan, Records(tmp_path), Keep())
    double.failure = ZeroDivisionError("no orders\nat all")
    sweep.run(InlineEngine(lambda task: run(task, Keep())))
    record = sweep.rows[0].record
    assert (record.status, record.error) == ("failed", "ZeroDivisionError: no orders at all")
    assert "Traceback" in (record.detail or "")
    assert (len(sweep.rows), sweep.missing) == (4, 0)
    assert Sweep(plan, Records(tmp_path), Keep()).missing == 0
    again = Sweep(plan, Records(tmp_path), Keep(), again=True)
    assert again.missing == 4
    double.failure = None
    again.run(InlineEngine(lambda task: run(task, Keep())))
    assert {row.record.status for row in again.rows} == {"done"}


def test_replications_go_on_until_the_interval_is_narrow_whatever_the_order(tmp_path):
    plan = plan_of("replications=3", goals=(GOAL,), most_replications=20)
    counts = []
    for workers in (1, 7):
        sweep = Sweep(plan, Records(tmp_path / str(workers)), Keep())
        sweep.run(InlineEngine(workers=workers))
        counts.append([(row.task.point, row.task.replication) for row in sweep.rows])
        assert Sweep(plan, Records(tmp_path / str(workers)), Keep()).missing == 0
    assert counts[0] == counts[1]
    narrow = plan_of("replications=3", goals=(GOAL._replace(width=0.1),), most_replications=11)
    sweep = Sweep(narrow, Records(tmp_path / "most"), Keep())
    sweep.run(InlineEngine())
    assert len(sweep.rows) == 22


def test_progress_tells_done_running_failed_and_the_time_left():
    progress = Progress(known=2, done=3, failed=1, running=2, total=12, elapsed_s=40.0, workers=2)
    assert progress.left_s == 60.0
    assert sweep_progress.told(progress) == "5 of 12 done, 2 running, 1 failed, 1 min 00 s left"
    assert sweep_progress.told(progress._replace(done=0, failed=0)) == "2 of 12 done, 2 running, 0 failed"


def test_chosen_tables_of_each_run_are_kept_and_a_run_without_them_is_run_again(tmp_path, monkeypatch):
    stand_in(monkeypatch)
    plan = plan_of(keep=("demand_seconds",))
    keep = Keep(plan.keep, str(tmp_path / "tables"))
    sweep = Sweep(plan, Records(tmp_path / "runs"), keep)
    sweep.run(InlineEngine(lambda task: run(task, keep)))
    kept = sorted(file.relative_to(tmp_path / "tables").as_posix() for file in tmp_path.glob("tables/*/*"))
    assert kept == sorted(f"{task.key}/demand_seconds.parquet" for task in plan.tasks())
    assert Sweep(plan, Records(tmp_path / "runs"), keep).missing == 0
    assert Sweep(plan, Records(tmp_path / "runs"), Keep(plan.keep, str(tmp_path / "elsewhere"))).missing == 2


def test_a_table_gives_its_runs_back_unless_other_code_made_it(tmp_path, monkeypatch):
    plan = plan_of("replications=2")
    sweep = Sweep(plan, Records(tmp_path / "runs"), Keep())
    sweep.run(InlineEngine(lambda task: failed(task.key, "Broken: x") if task.point else orders_of(task)))
    file = tmp_path / "table.parquet"
    table.write(file, plan, sweep.rows)
    found = Sweep(plan, Records(tmp_path / "empty", table.known(file)), Keep())
    assert (found.known, found.missing) == (4, 0)
    table.write(tmp_path / "again.parquet", plan, found.rows)
    assert (tmp_path / "again.parquet").read_bytes() == file.read_bytes()
    monkeypatch.setattr(store, "source_hash", lambda: "f" * 32)
    with pytest.raises(ParameterError, match=r"was made by other code \(source .{8}, this is ffffffff\)"):
        table.known(file)
    file.write_text("point,orders\n")
    with pytest.raises(ParameterError, match="it is not the table of a sweep"):
        table.known(file)


def test_two_processes_cannot_be_at_one_sweep(tmp_path):
    plan = plan_of()
    with (
        folder.opened(tmp_path / plan.name, plan),
        pytest.raises(store.StoreError, match="is being worked on by another process"),
        folder.opened(tmp_path / plan.name, plan),
    ):
        pass


@pytest.fixture
def command(monkeypatch, tmp_path):
    """The command with the simulation replaced, run in this process; results into an empty folder."""
    monkeypatch.chdir(tmp_path)
    double = stand_in(monkeypatch)
    engine = InlineEngine(lambda task: run(task, Keep()))
    monkeypatch.setattr(question, "_engine", lambda *ignored: engine)
    return double


FEW = ["sweep", "-m", "demand.wireless_share=0.05,0.1", "scale=0.0001", "figures=orders"]
WORDS = ["sweep", "-m", "demand.wireless_share=0.05,0.1", "site.cells=1,2", "scale=0.0001", "replications=2"]


def test_the_command_leaves_table_provenance_figures_and_report_and_then_reads_them(command, capsys):
    assert cli.main(WORDS) == 0
    printed = capsys.readouterr().out
    assert "4 points x 2 replications; 8 to run" in printed
    (file,) = Path("results/sweeps").glob("*/table.parquet")
    rows = pd.read_parquet(file)
    assert len(rows) == 8
    assert set(rows["status"]) == {"done"}
    assert not {"wall_s", "peak_rss_bytes"} & set(rows)
    told = json.loads((file.parent / "provenance.json").read_text())
    assert told["command"] == "peakday " + " ".join(WORDS)
    assert (told["runs"], told["failed"], told["seeds"]) == (8, 0, [1, 2])
    assert all(params.rehearsal is None and params.threads == 1 for params in command.runs)
    html = (file.parent / "report.html").read_text(encoding="utf-8")
    assert "8 runs at scale 0.0001. All came to their end." in html
    assert html.count("<svg") == len(list(file.parent.glob("figures/*.svg"))) > 0
    assert not re.search(r'(src|href)="http', html)
    before = file.read_bytes()
    assert cli.main(WORDS) == 0
    assert "8 of them known and read; 0 to run" in capsys.readouterr().out
    assert len(command.runs) == 8
    assert file.read_bytes() == before


def test_a_table_alone_is_enough_to_know_its_runs(command, capsys, tmp_path):
    assert cli.main(FEW) == 0
    (file,) = (tmp_path / "results" / "sweeps").glob("*/table.parquet")
    assert cli.main([*FEW, "output=elsewhere", f"known={file}"]) == 0
    assert len(command.runs) == 2


def test_the_exit_status_tells_of_failed_runs(command, capsys):
    command.failure = RuntimeError("too bad")
    assert cli.main(FEW) == 1
    printed = capsys.readouterr().out
    assert "failed: demand.wireless_share=0.05, seed=1: RuntimeError: too bad" in printed
    assert "2 of 2 runs failed; failed=again runs them again" in printed


def test_results_of_other_code_are_told_and_left_alone(command, capsys, monkeypatch):
    assert cli.main(FEW) == 0
    monkeypatch.setattr(store, "source_hash", lambda: "f" * 32)
    assert cli.main(FEW) == 0
    printed = capsys.readouterr().out
    assert "was made by other code: its runs are not used" in printed
    assert len(command.runs) == 4
    assert len(list(Path("results/sweeps").glob("*/table.parquet"))) == 2


def test_all_that_is_wrong_with_a_command_is_told_at_once(command, capsys):
    words = [
        "demand.wireles_share=1,2",
        "scale=-1",
        "workers=0",
        "engine=spark",
        "keep=foo",
        "until=foo:3",
        "design=nix.csv",
    ]
    assert cli.main(["sweep", "-m", *words]) == 2
    told = capsys.readouterr().err
    for problem in (
        "workers must be >= 1, got 0",
        "engine must be 'local' or 'ray', got 'spark'",
        "until: foo is not a key figure",
        "keep: foo is not a table",
        "nix.csv cannot be read: No such file or directory",
        "scale must be > 0, got -1",
    ):
        assert problem in told
    assert command.runs == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["scale=0.001"], "the sweep is empty"),
        (["demand.wireles_share=1,2"], "demand.wireles_share is not a parameter; did you mean wireless_share?"),
        (["site.cells=1,2", "address=h:1"], "address=h:1 needs engine=ray"),
        (["site.cells=1,2", "figures=ordrs"], "figures: ordrs is not a key figure; did you mean orders?"),
        (["site.cells=1,2", "known=nix.parquet"], "known=nix.parquet cannot be used: there is no such file"),
        (["experiment=no_rail", "experiment=festival_2013", "site.cells=1,2"], "experiment must be named once"),
    ],
)
def test_a_wrong_command_is_told_what_is_wrong(command, capsys, words, told):
    assert cli.main(["sweep", *words]) == 2
    assert told in capsys.readouterr().err


def test_help_and_config_run_nothing(command, capsys):
    assert cli.main(["sweep", "--help"]) == 0
    assert "most_replications=30" in capsys.readouterr().out
    assert cli.main(["sweep", "-m", "site.cells=1,2", "--cfg", "job"]) == 0
    assert "rehearsal: null" in capsys.readouterr().out
    assert command.runs == []


def test_a_record_tells_what_a_run_took_beside_its_figures():
    record = done("k", {"orders": 1, "wall_s": 2.0, "peak_rss_bytes": 3}, "here")
    assert record.kpis == {"orders": 1}
    assert record.effort == {"wall_s": 2.0, "peak_rss_bytes": 3, "host": "here"}
