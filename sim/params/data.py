"""The user's own files in place of what ships with the package; docs/own_data.md describes their columns."""

from datetime import date

from pydantic import field_validator

from sim.params.base import Params


class DataParams(Params):
    """Names of CSV or Parquet files; null: what ships with the package.

    `day_zero` is the day of t = 0, for files that hold dates.
    """

    day_zero: str = "2012-11-11"
    cities: str | None = None
    links: str | None = None
    carriers: str | None = None
    hubs: str | None = None
    lanes: str | None = None
    trains: str | None = None
    orders: str | None = None

    @field_validator("day_zero")
    @classmethod
    def _is_a_day(cls, text: str) -> str:
        try:
            date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"must be a day such as 2012-11-11, got {text!r}") from None
        return text

    @property
    def files(self) -> dict[str, str]:
        """Files that are given, by the name of the parameter."""
        names = ("cities", "links", "carriers", "hubs", "lanes", "trains", "orders")
        return {name: file for name in names if (file := getattr(self, name)) is not None}
