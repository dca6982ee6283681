"""What is ordered from whom: merchants, their warehouses, and how orders become parcels."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from sim.params.base import Params, RuleError
from sim.units import DAY_S, seconds

Share = Annotated[float, Field(ge=0, le=1)]
Clock = str


def clock_problem(label: str) -> str | None:
    """Why a label is not a clock of one day, or None when it is."""
    try:
        time_s = seconds(label)
    except ValueError as error:
        return str(error)
    return None if time_s <= DAY_S else f"must be at most 24:00, got {label!r}"


class WarehouseParams(Params):
    """Merchants' pick-and-pack. Each packs first come, first served at its own rate inside the shift."""

    shift_start: Clock
    shift_end: Clock
    staffed_days: float = Field(gt=0)
    spread_sigma: float = Field(ge=0)

    @field_validator("shift_start", "shift_end")
    @classmethod
    def _is_clock(cls, label: str) -> str:
        if problem := clock_problem(label):
            raise ValueError(problem)
        return label

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> "WarehouseParams":
        if seconds(self.shift_start) >= seconds(self.shift_end):
            raise RuleError([f"shift_start must be before shift_end, got {self.shift_start!r} and {self.shift_end!r}"])
        return self


class OrdersParams(Params):
    """Orders, merchants and their parcels. Units stand in the fields' names; values and sources in configs/orders."""

    merchants: int = Field(gt=0)
    size_exponent: float = Field(ge=0)
    size_shift: float = Field(ge=0)
    virtual_share: Annotated[float, Field(ge=0, lt=1)]
    same_merchant_share: Share
    preferred_carrier_share: Share
    expected_parcels: float = Field(gt=0)
    weight_median_kg: float = Field(gt=0)
    weight_sigma: float = Field(ge=0)
    warehouse: WarehouseParams
