"""The results folder: written aside, renamed when it is complete, so that nothing half-written looks finished.

DIR/config.yaml  provenance.json  kpis.json  tables/*.parquet  figures/  report.html
"""

import errno
import fcntl
import hashlib
import itertools
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

    from sim.records import Column

CONFIG, PROVENANCE, KPIS, TABLES = "config.yaml", "provenance.json", "kpis.json", "tables"
_LIST = "tag:yaml.org,2002:seq"
_PARTIAL = ".partial-"
NOT_PART_OF_A_RUN = ("output", "replications")  # where it goes and how many others there are do not change a run


class StoreError(Exception):
    """A result cannot be written or read."""


class NotWritableError(StoreError):
    """The results folder may not be written."""


class DiskFullError(StoreError):
    """The disk has no room for the result."""


class InTheWayError(StoreError):
    """Something that is not a result has the name that the result needs."""


class NotAResultError(StoreError):
    """The folder does not hold a complete result."""


class Result(NamedTuple):
    """What one run left behind.

    `kpis` are the key figures by name (None: not measured), `tables` the tables of `sim.records` by name, `params` the
    composed config, `provenance` how it was made, `directory` the results folder or None when nothing was written.
    """

    kpis: dict[str, Any]
    tables: "Mapping[str, pd.DataFrame]"
    params: dict[str, Any]
    provenance: dict[str, Any]
    directory: Path | None


class StoredTables(Mapping[str, "pd.DataFrame"]):
    """The tables of a results folder, each read when it is asked for."""

    def __init__(self, directory: Path) -> None:
        self._files = {file.stem: file for file in sorted(directory.glob("*.parquet"))}

    def __getitem__(self, name: str) -> "pd.DataFrame":
        import pyarrow.parquet

        return pyarrow.parquet.read_table(self._files[name]).to_pandas()

    def chunks(self, name: str, columns: Sequence[str] | None, rows: int) -> "Iterator[pd.DataFrame]":
        """One table, or some of its columns, in pieces; see `sim.records.chunks`."""
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(self._files[name]) as file:
            for batch in file.iter_batches(batch_size=rows, columns=None if columns is None else list(columns)):
                yield batch.to_pandas()

    def __contains__(self, name: object) -> bool:
        return name in self._files  # without reading it

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


@cache
def source_hash() -> str:
    """Hash of everything that can change a run's numbers besides its config: code and data of the package."""
    package = Path(__file__).parent
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(package.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def run_key(config: Mapping[str, Any]) -> str:
    """Key of a run: the same for the same code, config and seed, whatever the folder and the number of replications."""
    described = {name: value for name, value in config.items() if name not in NOT_PART_OF_A_RUN}
    text = json.dumps([source_hash(), described, _digests(config.get("data") or {})], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def config_key(config: Mapping[str, Any]) -> str:
    """Key of what a run is asked, whatever its seed and the code that answers."""
    described = {name: value for name, value in config.items() if name not in (*NOT_PART_OF_A_RUN, "seed")}
    text = json.dumps([described, _digests(config.get("data") or {})], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _digests(data: Mapping[str, Any]) -> dict[str, str]:
    """Hashes of the user's own files, so that a run with a changed file is another run."""
    files = {name: Path(str(file)) for name, file in data.items() if file is not None and name != "day_zero"}
    return {
        name: hashlib.blake2b(file.read_bytes(), digest_size=16).hexdigest()
        for name, file in files.items()
        if file.is_file()
    }


def run_folder(output: str | Path, experiment: str, config: Mapping[str, Any]) -> Path:
    """Where a run's result belongs: OUTPUT/EXPERIMENT/seed1-scale0.001-KEY."""
    return Path(output) / experiment / f"seed{config['seed']}-scale{config['scale']:g}-{run_key(config)[:8]}"


def is_result(directory: Path) -> bool:
    """Whether the folder holds a complete result."""
    return all((directory / name).is_file() for name in (CONFIG, PROVENANCE, KPIS))


@contextmanager
def new_folder(directory: Path) -> Iterator[Path]:
    """A hidden folder beside `directory` that takes its name when the block ends and is removed when the block fails.

    Raises
    ------
    NotWritableError, DiskFullError, InTheWayError, StoreError
        Before the block is entered when it is plain that the folder cannot be written.
    """
    if directory.exists() or directory.is_symlink():
        raise InTheWayError(
            f"{directory} is in the way: it is not a complete result; move it or choose another output=DIR"
        )
    with explained(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        partial, lock = _begin(directory.parent, f".{directory.name}")
    try:
        yield partial
        if not is_result(directory):  # the same run, finished meanwhile by another process, is as good as this one
            with explained(directory):
                partial.rename(directory)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)


@contextmanager
def renewed(directory: Path) -> Iterator[Path]:
    """A hidden folder in a result whose files take the place of the result's own when the block ends, and only then."""
    with explained(directory):
        partial, lock = _begin(directory, "")
        try:
            yield partial
            for file in sorted(partial.rglob("*")):
                place = directory / file.relative_to(partial)
                if file.is_dir():
                    place.mkdir(exist_ok=True)
                else:
                    file.replace(place)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            os.close(lock)


def _begin(folder: Path, name: str) -> tuple[Path, int]:
    """A new hidden folder for this process to write in, and the lock that says so for as long as the process lives.

    What processes that were killed have left in `folder` is removed first. The lock goes with its process, however that
    ends; where a file system has no locks, nothing is removed.
    """
    for left in folder.glob(f"*{_PARTIAL}*"):
        _remove_abandoned(left)
    partial = folder / f"{name}{_PARTIAL}{os.getpid()}"
    while True:
        partial.mkdir()
        with suppress(FileNotFoundError):
            lock = os.open(partial, os.O_RDONLY)
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
            if partial.exists():
                return partial, lock
            os.close(lock)  # another process has found the folder before it was locked; once more


def _remove_abandoned(partial: Path) -> None:
    with suppress(OSError):  # locked, not ours to remove, or gone already
        lock = os.open(partial, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(partial, ignore_errors=True)
        finally:
            os.close(lock)


@contextmanager
def claimed(directory: Path) -> Iterator[None]:
    """Make a folder and keep other processes from it while the block runs; a lock dies with its process.

    Raises
    ------
    StoreError
        When the folder cannot be written or another process has it.
    """
    with explained(directory):
        directory.mkdir(parents=True, exist_ok=True)
        lock = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(f"{directory} is being worked on by another process; wait for it or end it") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(lock)


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn what the operating system says about writing below `directory` into an error that a planner understands."""
    try:
        yield
    except OSError as error:
        where = next(place for place in (directory, *directory.absolute().parents) if os.path.exists(place))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"the disk is full: the result does not fit into {directory.parent}; nothing was kept"
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise NotWritableError(f"{where} cannot be written: {error.strerror}; choose another output=DIR") from error
        if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.ENOTEMPTY):
            raise InTheWayError(
                f"{where} is in the way: a folder is needed there; choose another output=DIR"
            ) from error
        raise StoreError(f"{where} cannot be written: {error.strerror or error}") from error


def write_result(directory: Path, result: Result, written: Callable[[str, int], None] | None = None) -> Result:
    """Config, provenance, key figures and tables of a result into an existing folder.

    written : told the name of a table and the number of its rows that were written, piece by piece


    Returns the result with its provenance completed: `table_hashes`, of each table's file. Equal runs have equal hashes,
    whatever their threads.
    """
    with explained(directory):
        (directory / CONFIG).write_text(as_yaml(result.params), encoding="utf-8")
        _write_json(directory / KPIS, result.kpis)
        (directory / TABLES).mkdir()
        hashes = {}
        for name in result.tables:
            file = directory / TABLES / f"{name}.parquet"
            _write_table(file, name, result.tables, written)
            hashes[name] = _hash(file)
        complete = result._replace(provenance={**result.provenance, "table_hashes": hashes})
        _write_json(directory / PROVENANCE, complete.provenance)
    return complete


def write_tables(directory: Path, tables: "Mapping[str, pd.DataFrame]", names: Sequence[str]) -> None:
    """Some of a run's tables, those that it has, as a folder of Parquet files that is there whole or not at all."""
    if directory.exists():
        return
    with explained(directory):
        directory.parent.mkdir(parents=True, exist_ok=True)
        partial, lock = _begin(directory.parent, f".{directory.name}")
        try:
            for name in names:
                if name in tables:
                    _write_table(partial / f"{name}.parquet", name, tables)
            if not directory.exists():
                partial.rename(directory)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
            os.close(lock)


def _hash(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def read_result(directory: Path) -> Result:
    """A stored result; its tables are read when they are asked for.

    Raises
    ------
    NotAResultError
        When the folder is not there, or not complete.
    """
    import yaml

    if not is_result(directory):
        raise NotAResultError(
            f"{directory} holds no complete result (config.yaml, provenance.json, kpis.json, tables/)"
        )
    return Result(
        kpis=json.loads((directory / KPIS).read_text(encoding="utf-8")),
        tables=StoredTables(directory / TABLES),
        params=yaml.safe_load((directory / CONFIG).read_text(encoding="utf-8")),
        provenance=json.loads((directory / PROVENANCE).read_text(encoding="utf-8")),
        directory=directory,
    )


def as_yaml(config: Mapping[str, Any]) -> str:
    """A config as YAML for people: in its own order, a name a line, lists on one line."""
    import yaml

    dumper: Any = type("ListsInBrackets", (yaml.SafeDumper,), {})
    dumper.add_representer(list, lambda one, items: one.represent_sequence(_LIST, items, flow_style=True))
    return str(yaml.dump(dict(config), Dumper=dumper, sort_keys=False, allow_unicode=True, width=10_000))


def plain(value: Any) -> Any:
    """The same value in the types that JSON knows; NaN and infinity, which it does not know, become None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):  # a NumPy number
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _write_json(file: Path, values: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(plain(values), indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _described(column: "Column") -> dict[str, str]:
    return {"unit": column.unit, "meaning": column.meaning}


def _write_table(
    file: Path, name: str, tables: "Mapping[str, pd.DataFrame]", told: Callable[[str, int], None] | None = None
) -> None:
    """One table as Parquet, piece by piece; unit and meaning of each column travel with it."""
    import pyarrow as pa
    import pyarrow.parquet

    from sim.records import TABLES as SCHEMAS
    from sim.records import SchemaError, chunks

    schema = SCHEMAS.get(name)
    with ExitStack() as open_:
        aside = ThreadPoolExecutor(1)  # writes a piece while the next one is made
        writer, written = None, None
        for piece in itertools.chain(chunks(tables, name), (tables[name],) if _is_empty(tables, name) else ()):
            if schema is None or list(piece.columns) != list(schema):
                raise SchemaError(
                    f"table {name} must have the columns that sim.records lists for it, got {list(piece.columns)}"
                )
            arrow = pa.Table.from_pandas(piece, preserve_index=False)
            fields = [
                field.with_metadata({"unit": schema[field.name].unit, "meaning": schema[field.name].meaning})
                for field in arrow.schema
            ]
            described = pa.schema(fields, arrow.schema.metadata)
            if writer is None:
                writer = open_.enter_context(pyarrow.parquet.ParquetWriter(file, described, compression="zstd"))
                open_.callback(aside.shutdown)  # which comes before the end of the writer
            if written is not None:
                written.result()
            written = aside.submit(writer.write_table, arrow.cast(described))
            if told is not None:
                told(name, arrow.num_rows)
        if written is not None:
            written.result()


def _is_empty(tables: "Mapping[str, pd.DataFrame]", name: str) -> bool:
    from sim.records import chunks

    return next(chunks(tables, name), None) is None
