"""What a schema of a table is made of."""

from typing import NamedTuple


class Column(NamedTuple):
    """One column: NumPy dtype or "category", unit ("" where there is none) and meaning."""

    dtype: str
    unit: str
    meaning: str


Schema = dict[str, Column]


class SchemaError(Exception):
    """A table does not have the columns that its schema lists."""
