"""What is ordered from whom: categories, merchants, their warehouses, and how orders become parcels."""

from typing import Annotated

from pydantic import Field, field_validator, model_validator

from sim.params.base import Params, RuleError
from sim.units import DAY_S, seconds

Share = Annotated[float, Field(ge=0, le=1)]
Clock = str
MOST_CATEGORIES = 256  # a merchant's category is kept in 8 bits


def clock_problem(label: str) -> str | None:
    """Why a label is not a clock of one day, or None when it is."""
    try:
        time_s = seconds(label)
    except ValueError as error:
        return str(error)
    return None if time_s <= DAY_S else f"must be at most 24:00, got {label!r}"


class CategoryParams(Params):
    """What merchants of one category sell. The items of an order are alike; their weight is lognormal."""

    share: float = Field(gt=0)
    order_items: float = Field(ge=1)
    item_median_kg: float = Field(gt=0)
    item_sigma: float = Field(ge=0)
    dm3_per_kg: float = Field(gt=0)


class PrepackedParams(Params):
    """Best sellers that the largest merchants have packed before the day: they only get a label, on a line of their own."""

    merchants: int = Field(ge=0)
    share: Annotated[float, Field(ge=0, lt=1)]
    label_s: float = Field(gt=0)
    staffed_days: float = Field(gt=0)


class WarehouseParams(Params):
    """Merchants' pick-and-pack. Each works first come, first served inside the shift, with hands for what it expects."""

    shift_start: Clock
    shift_end: Clock
    cutoff: Clock
    pick_s: float = Field(ge=0)
    pack_s: float = Field(gt=0)
    staffed_days: float = Field(gt=0)
    spread_sigma: float = Field(ge=0)
    hired_from_days: int = Field(ge=0)
    hired_factor: float = Field(gt=0)
    promise_h: float = Field(gt=0)
    prepacked: PrepackedParams

    @field_validator("shift_start", "shift_end", "cutoff")
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

    merchants: int = Field(gt=0, le=65_536)  # a parcel row keeps its merchant in 16 bits
    size_exponent: float = Field(ge=0)
    size_shift: float = Field(ge=0)
    virtual_share: Annotated[float, Field(ge=0, lt=1)]
    same_merchant_share: Share
    preferred_carrier_share: Share
    switch_share: Share
    expected_parcels: float = Field(gt=0)
    categories: Annotated[dict[str, CategoryParams], Field(min_length=1, max_length=MOST_CATEGORIES)]
    warehouse: WarehouseParams

    @model_validator(mode="after")
    def _merchants_of_best_sellers_exist(self) -> "OrdersParams":
        if self.warehouse.prepacked.merchants > self.merchants:
            raise RuleError(
                [
                    f"warehouse.prepacked.merchants must be at most merchants, {self.merchants}, "
                    f"got {self.warehouse.prepacked.merchants}"
                ]
            )
        return self
