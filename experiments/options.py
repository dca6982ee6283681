"""Arguments of the questions that simulate no festival: NAME=VALUE words, checked by a parameter class."""

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from sim.params import ParameterError, Params, build
from sim.store import explained, plain

if TYPE_CHECKING:
    import pandas as pd

P = TypeVar("P", bound=Params)


def parser(question: str, usage: str, description: str, parameters: str) -> argparse.ArgumentParser:
    """Parser of a question's words, with --help and --cfg; the words NAME=VALUE end up in `overrides`."""
    built = argparse.ArgumentParser(
        prog=f"peakday {question}",
        usage=f"peakday {question} {usage}[PARAMETER=VALUE ...] [--cfg job] [--help]",
        description=description,
        epilog=parameters,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    built.add_argument("overrides", nargs="*", help=argparse.SUPPRESS)
    built.add_argument("-c", "--cfg", choices=["job"], help="print the parameters, run nothing")
    return built


def parse(model: type[P], words: Sequence[str]) -> P:
    """Parameters of a question from its words.

    Raises
    ------
    ParameterError
        With one message for every word that is not NAME=VALUE, every name twice and every bad value.
    """
    values: dict[str, Any] = {}
    problems = []
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name:
            problems.append(f"{word!r} is not NAME=VALUE")
        elif name in values:
            problems.append(f"{name} is given twice")
        values[name] = _value(text, model, name)
    if problems:
        raise ParameterError(problems)
    return build(model, values)


def folder(output: str | None) -> Path | None:
    """The folder for the results, made and tried before anything is simulated; None when nothing is to be written.

    Raises
    ------
    sim.store.StoreError
        When the folder cannot be written.
    """
    if output is None:
        return None
    directory = Path(output)
    with explained(directory):
        directory.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=directory).close()
    return directory


def write_rows(directory: Path, name: str, about: Mapping[str, Any], rows: "pd.DataFrame") -> None:
    """NAME.parquet and NAME.json (with `about` in front) into a folder; each takes its name when it is complete.

    Raises
    ------
    sim.store.StoreError
        When the folder cannot be written.
    """
    described = json.dumps(
        plain({**about, "rows": rows.to_dict("records")}), indent=2, ensure_ascii=False, allow_nan=False
    )
    with explained(directory):
        for suffix in ("parquet", "json"):
            partial = directory / f".{name}.{suffix}.partial-{os.getpid()}"
            try:
                if suffix == "json":
                    partial.write_text(described + "\n", encoding="utf-8")
                else:
                    rows.to_parquet(partial, compression="zstd", index=False)
                partial.replace(directory / f"{name}.{suffix}")
            finally:
                partial.unlink(missing_ok=True)


def _value(text: str, model: type[Params], name: str) -> int | float | str:
    """A number where the parameter takes one and the text is one."""
    field = model.model_fields.get(name)
    if field is not None and str in (field.annotation, *get_args(field.annotation)):
        return text
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
