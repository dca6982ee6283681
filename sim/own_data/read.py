"""Reading of one file: its columns with their types, every problem with its row and column."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sim.params import ParameterError
from sim.params.base import hint
from sim.units import seconds

if TYPE_CHECKING:
    import pandas as pd

MOST_TOLD = 5  # problems of one kind
_LONGEST = 40


class Field(NamedTuple):
    """One column of a file.

    `kind` is text, number, whole, clock or instant; `rule` a bound of numbers; `default` what an optional column holds that is
    not there.
    """

    name: str
    kind: str
    rule: str = ""  # "> 0" or ">= 0"
    default: object = None
    optional: bool = False  # the column may be missing
    blank: bool = False  # its cells may be empty: NaN


class Table:
    """The rows of a file, checked; `problems` grows as more is found.

    Parameters
    ----------
    parameter : the run's parameter that names the file, such as data.hubs
    file : CSV with a header, or Parquet
    fields : columns that it must and may have; further ones are not looked at
    day_zero : the day of t = 0, for instants
    """

    def __init__(self, parameter: str, file: str, fields: Sequence[Field], day_zero: str = "2012-11-11") -> None:
        self.file, self.problems = file, list[str]()
        self._first_row = 1 if Path(file).suffix == ".parquet" else 2  # a CSV's header is its row 1
        raw = _read(parameter, file)
        known = list(map(str, raw.columns))
        missing = [field.name for field in fields if field.name not in known and not field.optional]
        if missing:
            raise ParameterError([f"{file} must have a column {name}{hint(name, known)}" for name in missing])
        self.rows = len(raw)
        self._columns: dict[str, np.ndarray] = {}
        for field in fields:
            if field.name in known:
                self._columns[field.name] = self._typed(raw[field.name], field, day_zero)
            else:
                self._columns[field.name] = np.full(self.rows, field.default)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]

    def tell(self, row: int, column: str, rule: str) -> None:
        """Note a problem of a row, counted from 0, and a column."""
        self.problems.append(f"{self.file} row {row + self._first_row}, column {column} {rule}")

    def tell_all(self, wrong: np.ndarray, column: str, rule: Callable[[int], str]) -> None:
        """Note a problem of each marked row, the first of them in words."""
        rows = np.flatnonzero(wrong)
        for row in rows[:MOST_TOLD].tolist():
            self.tell(row, column, rule(row))
        if (more := rows.size - MOST_TOLD) > 0:
            self.problems.append(f"{self.file}, column {column}: {more} more rows like these")

    def known(self, column: str, names: Iterable[str], what: str) -> None:
        """Every value must be one of the names."""
        values, allowed = self[column], list(names)
        wrong = ~np.isin(values.astype(str), allowed)
        self.tell_all(wrong, column, lambda row: f"must be {what}, got {values[row]!r}{_hint(values[row], allowed)}")

    def unique(self, *columns: str) -> None:
        """No two rows may agree in all of these columns."""
        first: dict[tuple[object, ...], int] = {}
        for row, key in enumerate(zip(*(self[column].tolist() for column in columns), strict=True)):
            if key in first:
                self.tell(row, columns[-1], f"repeats row {first[key] + self._first_row}: {', '.join(map(str, key))}")
            first.setdefault(key, row)

    def _typed(self, values: "pd.Series", field: Field, day_zero: str) -> np.ndarray:
        import pandas as pd

        if field.kind == "text":
            text = values.astype(str).to_numpy(dtype=object)
            self.tell_all(
                np.array([not one.strip() or one == "nan" for one in text], bool), field.name, lambda _: "is empty"
            )
            return np.asarray(text)
        if field.kind == "clock":
            return self._clocks(values, field)
        if field.kind == "instant":
            at = pd.to_datetime(values, errors="coerce", format="ISO8601")
            if at.dt.tz is not None:
                at = at.dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
            wrong = at.isna().to_numpy()
            if field.blank:
                wrong = wrong & ~(values.isna() | (values.astype(str).str.strip() == "")).to_numpy()
            rule = "must be a date and time such as 2012-11-11 00:00:03"
            self.tell_all(wrong, field.name, lambda row: f"{rule}, got {_short(values.iloc[row])}")
            return np.asarray((at - pd.Timestamp(day_zero)).dt.total_seconds().to_numpy(dtype=float))
        number = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
        wrong = ~np.isfinite(number)
        if field.kind == "whole":
            wrong |= number != np.round(number)
        kind = "a whole number" if field.kind == "whole" else "a number"
        self.tell_all(wrong, field.name, lambda row: f"must be {kind}, got {_short(values.iloc[row])}")
        bad = {"> 0": number <= 0, ">= 0": number < 0, "": np.zeros(number.size, bool)}[field.rule] & ~wrong
        self.tell_all(bad, field.name, lambda row: f"must be {field.rule}, got {number[row]:g}")
        return np.asarray(number)

    def _clocks(self, values: "pd.Series", field: Field) -> np.ndarray:
        times_s = np.zeros(len(values))
        for row, text in enumerate(values.astype(str)):
            try:
                times_s[row] = seconds(text)
            except ValueError:
                self.tell(row, field.name, f"must be a clock such as 08:50, got {text!r}")
        return times_s


def _read(parameter: str, file: str) -> "pd.DataFrame":
    import pandas as pd

    if Path(file).suffix not in (".csv", ".parquet"):
        raise ParameterError([f"{parameter} must be a .csv or a .parquet file, got {file!r}"])
    try:
        if file.endswith(".parquet"):
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype=str, keep_default_na=False, skip_blank_lines=False)
    except FileNotFoundError:
        raise ParameterError([f"{parameter}: there is no file {file!r}"]) from None
    except (OSError, ValueError) as error:  # pandas' and pyarrow's own errors are of these kinds
        reason = str(error).strip().splitlines() or ["empty"]
        raise ParameterError([f"{parameter}: {file} cannot be read: {reason[-1]}"]) from None


def _short(value: object) -> str:
    text = repr(value if isinstance(value, str) else str(value))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...'"


def _hint(name: object, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(str(name), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
