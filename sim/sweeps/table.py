"""The result of a sweep: one table keyed by (code, config, seed), the same bytes whoever ran it, in whatever order."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sim import store
from sim.params.base import ParameterError
from sim.sweeps.plan import Plan
from sim.sweeps.records import DONE, FAILED, Record
from sim.sweeps.run import Row

FILE_NAME = "table.parquet"
_META = b"peakday.sweep"


def columns(plan: Plan, rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The table by columns: keys, axes, key figures; an axis is numbers where all its values are."""
    found: dict[str, list[Any]] = {
        "code": [store.source_hash()] * len(rows),
        "config": [store.config_key(row.task.settings) for row in rows],
        "seed": [row.task.settings["seed"] for row in rows],
        "run": [row.task.key for row in rows],
        "point": [row.task.point for row in rows],
        "replication": [row.task.replication for row in rows],
        "status": [row.record.status for row in rows],
        "error": [row.record.error for row in rows],
    }
    for axis in plan.axes:
        found[axis] = _numbers([plan.points[row.task.point].values[axis] for row in rows])
    for name in figures(rows):
        if name not in found:  # as seed is, and scale may be
            found[name] = [row.record.kpis.get(name) for row in rows]
    return found


def figures(rows: Sequence[Row]) -> list[str]:
    """Names of the key figures, in their order."""
    return list(dict.fromkeys(name for row in rows for name in row.record.kpis))


def _numbers(texts: Sequence[str]) -> list[Any]:
    """The values of an axis as numbers when all of them are, else as they are written."""
    for kind in (int, float):
        try:
            return [kind(text) for text in texts]
        except ValueError:
            continue
    return list(texts)


def write(file: Path, plan: Plan, rows: Sequence[Row]) -> None:
    """Write the table."""
    import pyarrow as pa
    import pyarrow.parquet

    found = columns(plan, rows)
    names = figures(rows)
    arrays = {name: _array(values) for name, values in found.items()}
    about = {"code": store.source_hash(), "axes": list(plan.axes), "figures": names}
    table = pa.table(arrays).replace_schema_metadata({_META: json.dumps(about).encode()})
    pyarrow.parquet.write_table(table, file, compression="zstd")


def _array(values: list[Any]) -> Any:
    """Whole numbers, numbers or text; nothing at all counts as numbers."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and kinds:
        return pa.array(values, pa.int64())
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    return pa.array(values, pa.string())


def known(file: Path) -> dict[str, Record]:
    """The runs of a sweep's table by key, to be read and not run.

    Raises
    ------
    ParameterError
        When the file is no table of a sweep, or one that other code has made.
    """
    import pyarrow as pa
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(file)
        about: Mapping[str, Any] = json.loads((table.schema.metadata or {})[_META])
    except (OSError, pa.ArrowInvalid, KeyError) as error:
        missing = isinstance(error, FileNotFoundError)
        told = "there is no such file" if missing else "it is not the table of a sweep"
        raise ParameterError([f"known={file} cannot be used: {told}"]) from None
    if about["code"] != store.source_hash():
        raise ParameterError(
            [
                f"known={file} was made by other code (source {about['code'][:8]}, this is {store.source_hash()[:8]}): "
                "its runs would not be what this code gives, so they cannot be used"
            ]
        )
    names = list(about["figures"])
    found = {}
    for row in table.to_pylist():
        if row["status"] == DONE:
            kpis = {name: row[name] for name in names}
            found[row["run"]] = Record(row["run"], DONE, kpis, None, None, {})
        else:
            found[row["run"]] = Record(row["run"], FAILED, {}, row["error"], None, {})
    return found
