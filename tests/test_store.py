"""The results folder: complete or not there, and read back as it was written."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from sim import records, store
from sim.store import DiskFullError, InTheWayError, NotAResultError, NotWritableError, Result, StoreError

HUB = {"wave_s": 900, "cities": ["北京", "上海"]}
CONFIG = {"scale": 0.001, "seed": 1, "threads": 1, "replications": 1, "hub": HUB}


def orders() -> pd.DataFrame:
    return records.table(
        "orders",
        {
            "shopper": np.arange(4),
            "number": np.zeros(4),
            "paid_s": np.array([0.25, 1.5, np.nan, 2.0]),
            "value_rmb": np.full(4, 180.5),
            "channel": ["pc", "wireless", "pc", "pc"],
        },
    )


def result() -> Result:
    kpis = {"orders": np.int64(4), "gmv_rmb": np.float64(722.0), "latency_p99_s": float("nan"), "parcels": None}
    return Result(store.plain(kpis), {"orders": orders()}, CONFIG, {"seed": 1, "note": "é"}, None)


def kept(directory: Path) -> list[str]:
    """Names in a folder, hidden ones too."""
    return sorted(file.name for file in directory.iterdir()) if directory.exists() else []


def test_a_result_reads_back_as_it_was_written(tmp_path):
    with store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
    found = store.read_result(tmp_path / "run")
    assert found.kpis == {"orders": 4, "gmv_rmb": 722.0, "latency_p99_s": None, "parcels": None}
    assert found.params == CONFIG
    hashes = found.provenance.pop("table_hashes")
    assert found.provenance == {"seed": 1, "note": "é"}
    assert list(hashes) == ["orders"]
    assert list(found.tables) == ["orders"]
    pd.testing.assert_frame_equal(found.tables["orders"], orders())
    assert found.directory == tmp_path / "run"


def test_equal_tables_have_equal_hashes_and_others_do_not(tmp_path):
    hashes = []
    for name, changed in (("one", False), ("same", False), ("other", True)):
        (tmp_path / name).mkdir()
        orders_table = orders()
        if changed:
            orders_table.loc[0, "value_rmb"] += 0.01
        complete = store.write_result(tmp_path / name, result()._replace(tables={"orders": orders_table}))
        hashes.append(complete.provenance["table_hashes"]["orders"])
    assert hashes[0] == hashes[1] != hashes[2]


def test_key_figures_are_json_that_any_reader_takes(tmp_path):
    store.write_result(tmp_path, result())

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    assert json.loads((tmp_path / "kpis.json").read_text(), parse_constant=refuse)["latency_p99_s"] is None


def test_unit_and_meaning_of_a_column_travel_with_the_table(tmp_path):
    store.write_result(tmp_path, result())
    field = pyarrow.parquet.read_schema(tmp_path / "tables" / "orders.parquet").field("paid_s")
    assert field.metadata[b"unit"] == b"s"
    assert field.metadata[b"meaning"] == records.TABLES["orders"]["paid_s"].meaning.encode()
    packed = pyarrow.parquet.ParquetFile(tmp_path / "tables" / "orders.parquet").metadata.row_group(0).column(0)
    assert packed.compression == "ZSTD"


def test_a_table_that_is_not_as_its_schema_says_is_refused(tmp_path):
    bad = result()._replace(tables={"orders": orders().drop(columns="channel")})
    with pytest.raises(records.SchemaError, match="orders"):
        store.write_result(tmp_path, bad)


def test_nothing_is_left_of_a_run_that_fails(tmp_path):
    class Failure(Exception):
        pass

    with pytest.raises(Failure), store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
        raise Failure
    assert kept(tmp_path) == []


def test_nothing_is_left_of_a_run_that_is_interrupted(tmp_path):
    with pytest.raises(KeyboardInterrupt), store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
        raise KeyboardInterrupt
    assert kept(tmp_path) == []


def test_while_it_is_written_a_result_has_no_name(tmp_path):
    with store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
        assert not store.is_result(tmp_path / "run")
        assert partial.parent == tmp_path  # on one file system, so that it can be renamed
        assert partial.name.startswith(".")
    assert kept(tmp_path) == ["run"]


def test_of_two_processes_that_finish_the_same_run_the_first_one_stays(tmp_path):
    with store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
        (tmp_path / "run").mkdir()
        store.write_result(tmp_path / "run", result()._replace(provenance={"first": True}))
    assert store.read_result(tmp_path / "run").provenance["first"] is True
    assert kept(tmp_path) == ["run"]


KILLED = """
import os, signal, sys
from pathlib import Path
from sim import store
with store.{writes}(Path(sys.argv[1])) as partial:
    (partial / "half.txt").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed(writes: str, directory: Path) -> None:
    """Let another process be killed while it writes."""
    ended = subprocess.run([sys.executable, "-c", KILLED.format(writes=writes), str(directory)], check=False)
    assert ended.returncode == -signal.SIGKILL


def test_what_a_killed_run_has_left_goes_with_the_next_run(tmp_path):
    killed("new_folder", tmp_path / "run")
    assert len(kept(tmp_path)) == 1
    with store.new_folder(tmp_path / "another"):
        assert kept(tmp_path) == [f".another.partial-{os.getpid()}"]


def test_what_a_killed_report_has_left_goes_with_the_next_report(tmp_path):
    killed("renewed", tmp_path)
    assert len(kept(tmp_path)) == 1
    with store.renewed(tmp_path):
        pass
    assert kept(tmp_path) == []


def test_a_folder_of_a_dead_process_of_our_own_number_is_not_in_the_way(tmp_path):
    left = tmp_path / f".run.partial-{os.getpid()}"
    left.mkdir()
    (left / "half.txt").touch()
    with store.new_folder(tmp_path / "run") as partial:
        assert kept(partial) == []


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    with store.new_folder(tmp_path / "run") as partial:
        (partial / "half.txt").touch()
        with store.new_folder(tmp_path / "another"):
            assert kept(partial) == ["half.txt"]


def test_where_nothing_can_be_locked_nothing_is_removed(tmp_path, monkeypatch):
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    (tmp_path / ".run.partial-1").mkdir()
    with store.new_folder(tmp_path / "another"):
        pass
    assert kept(tmp_path) == [".run.partial-1", "another"]


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(DiskFullError, match="disk is full"), store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
    assert kept(tmp_path) == []


def test_a_disk_that_fills_up_under_a_table_is_told_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(pyarrow.parquet, "ParquetWriter", full_disk)
    with pytest.raises(DiskFullError, match="disk is full"), store.new_folder(tmp_path / "run") as partial:
        store.write_result(partial, result())
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (errno.EACCES, NotWritableError),
        (errno.EROFS, NotWritableError),
        (errno.EDQUOT, DiskFullError),
        (errno.EIO, StoreError),
    ],
)
def test_what_the_system_says_is_told_with_the_place(tmp_path, monkeypatch, number, expected):
    def fail(self: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", fail)
    with pytest.raises(StoreError, match=str(tmp_path)) as raised, store.new_folder(tmp_path / "run"):
        pytest.fail("the block must not be entered")
    assert type(raised.value) is expected


def test_a_folder_below_a_file_is_refused_before_the_run(tmp_path):
    (tmp_path / "results").write_text("a file")
    told = f"^{re.escape(str(tmp_path / 'results'))} is in the way"
    with pytest.raises(InTheWayError, match=told), store.new_folder(tmp_path / "results" / "a" / "run"):
        pytest.fail("the block must not be entered")
    assert (tmp_path / "results").read_text() == "a file"


def test_what_is_in_the_way_of_a_run_is_left_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("ten years of work")
    with pytest.raises(InTheWayError, match="not a complete result"), store.new_folder(tmp_path / "run"):
        pytest.fail("the block must not be entered")
    assert (tmp_path / "run" / "thesis.txt").read_text() == "ten years of work"


def test_what_is_renewed_takes_its_place_only_when_it_is_complete(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "sales.svg").write_text("old")
    (tmp_path / "report.html").write_text("old")
    with pytest.raises(DiskFullError), store.renewed(tmp_path) as partial:
        (partial / "report.html").write_text("half")
        full_disk()
    assert (tmp_path / "report.html").read_text() == "old"
    with store.renewed(tmp_path) as partial:
        (partial / "figures").mkdir()
        (partial / "figures" / "sales.svg").write_text("new")
        (partial / "report.html").write_text("new")
    assert (tmp_path / "report.html").read_text() == "new"
    assert (tmp_path / "figures" / "sales.svg").read_text() == "new"
    assert kept(tmp_path) == ["figures", "report.html"]


def test_a_folder_that_is_no_result_is_not_read(tmp_path):
    with pytest.raises(NotAResultError, match="nowhere"):
        store.read_result(tmp_path / "nowhere")
    store.write_result(tmp_path, result())
    (tmp_path / "kpis.json").unlink()
    with pytest.raises(NotAResultError):
        store.read_result(tmp_path)


def test_the_key_follows_config_and_seed_and_nothing_else():
    key = store.run_key(CONFIG)
    assert store.run_key(dict(reversed(CONFIG.items()))) == key
    assert store.run_key(CONFIG | {"replications": 5, "output": "elsewhere"}) == key
    assert store.run_key(CONFIG | {"seed": 2}) != key
    assert store.run_key(CONFIG | {"hub": HUB | {"wave_s": 901}}) != key


def test_the_key_follows_the_code(monkeypatch):
    key = store.run_key(CONFIG)
    monkeypatch.setattr(store, "source_hash", lambda: "other code")
    assert store.run_key(CONFIG) != key


def test_the_folder_of_a_run_tells_seed_and_scale():
    folder = store.run_folder("results", "festival_2012", CONFIG)
    assert folder.parent == Path("results/festival_2012")
    assert folder.name == f"seed1-scale0.001-{store.run_key(CONFIG)[:8]}"
