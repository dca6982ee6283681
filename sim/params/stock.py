"""Forward stocking: what merchants bring near to the customers before the day."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from sim.params.base import Params
from sim.params.orders import Clock, clock_problem


class PlaceParams(Params):
    """One regional warehouse: room for stock, and how fast it packs."""

    capacity_m3: float = Field(gt=0)
    pack_per_h: float = Field(gt=0)


class StockParams(Params):
    """Stock of the largest merchants in regional warehouses, by category, and the advice by which it is spread.

    `forecast`: place -> category -> share of the category's stock, for the policy of that name; null: it comes through a port.
    `replenish_clock`: when each day what was sold is ordered again; null: never.
    """

    policy: Literal["even", "past_sales", "path", "forecast"]
    merchants: int = Field(ge=1)
    placed_items: float = Field(gt=0)
    expected_orders: float = Field(gt=0)
    drift_sigma: float = Field(ge=0)
    replenish_clock: Clock | None
    replenish_h: float = Field(gt=0)
    places: Annotated[dict[str, PlaceParams], Field(min_length=1)]
    forecast: dict[str, dict[str, Annotated[float, Field(ge=0)]]] | None

    @field_validator("replenish_clock")
    @classmethod
    def _is_clock(cls, label: str | None) -> str | None:
        if label is not None and (problem := clock_problem(label)):
            raise ValueError(problem)
        return label
