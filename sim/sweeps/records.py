"""One small file for each run: the sweep's memory, which outlives workers, drivers and machines.

OUTPUT/sweeps/runs/ab/abcdef....json, keyed by (code, config, seed) and shared by all sweeps of a results folder. A file is
written aside, brought to the disk and renamed: it is there whole or not at all.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sim import store

DONE, FAILED = "done", "failed"
NOT_REPEATED = ("wall_s", "peak_rss_bytes")  # of the key figures: two equal runs differ in them


class Record(NamedTuple):
    """How a run ended.

    key : of (code, config, seed)
    status : done or failed
    kpis : the key figures; none of a failed run
    error : what went wrong, in a line; None of a run that is done
    detail : the traceback of a failed run
    effort : what it took: wall time [s], peak memory [B], host; differs between equal runs
    """

    key: str
    status: str
    kpis: dict[str, Any]
    error: str | None
    detail: str | None
    effort: dict[str, Any]


class Records:
    """The records of a results folder.

    Parameters
    ----------
    directory : the folder of all records
    others : records from elsewhere, such as a sweep's table; the folder's own come first

    Raises
    ------
    sim.store.StoreError
        From `write`, when the folder cannot be written.
    """

    def __init__(self, directory: Path, others: Mapping[str, Record] | None = None) -> None:
        self._directory, self._others = directory, others or {}

    def file(self, key: str) -> Path:
        """Where the record of a key belongs."""
        return self._directory / key[:2] / f"{key}.json"

    def read(self, key: str) -> Record | None:
        """The record of a key; None when there is none that can be read."""
        try:
            values = json.loads(self.file(key).read_text(encoding="utf-8"))
            record = Record(**values)
        except (OSError, ValueError, TypeError):
            return self._others.get(key)
        return record if record.key == key and record.status in (DONE, FAILED) else self._others.get(key)

    def write(self, record: Record) -> None:
        """Keep a record; when this returns it is on the disk."""
        file = self.file(record.key)
        with store.explained(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f".{record.key}.partial-{os.getpid()}")
            try:
                with partial.open("w", encoding="utf-8") as content:
                    json.dump(record._asdict(), content, ensure_ascii=False, allow_nan=False)
                    content.flush()
                    os.fsync(content.fileno())
                partial.replace(file)
            finally:
                partial.unlink(missing_ok=True)
            _sync_folder(file.parent)


def done(key: str, kpis: Mapping[str, Any], host: str) -> Record:
    """The record of a run that came to its end."""
    figures = {name: value for name, value in kpis.items() if name not in NOT_REPEATED}
    effort = {name: kpis.get(name) for name in NOT_REPEATED} | {"host": host}
    return Record(key, DONE, figures, None, None, effort)


def failed(key: str, error: str, detail: str | None = None, host: str | None = None) -> Record:
    """The record of a run that did not."""
    return Record(key, FAILED, {}, error, detail, {"host": host})


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to the disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
