"""Parameters of the demand: who comes when, what a visit is and what it buys."""

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError
from sim.units import DAY_S, HOUR_S, seconds

Share = Annotated[float, Field(ge=0, le=1)]
LEAVE = "leave"


class SalesPoint(Params):
    """A published point of the day's cumulative sales."""

    clock: str
    gmv_rmb: float = Field(ge=0)

    @model_validator(mode="after")
    def _clock_is_a_label(self) -> Self:
        try:
            seconds(self.clock)
        except ValueError as error:
            raise RuleError([f"clock: {error}"]) from None
        return self

    @property
    def time_s(self) -> float:
        """Seconds since midnight."""
        return seconds(self.clock)


class CrowdParams(Params):
    """The crowd that waits for midnight and clicks within seconds of it."""

    shoppers: int = Field(ge=0)
    mean_delay_s: float = Field(gt=0, le=HOUR_S)


class ArrivalParams(Params):
    """When shoppers come. Their curve is made so that the sales follow the published points."""

    crowd: CrowdParams
    sales: tuple[SalesPoint, ...] = Field(min_length=1)
    hour_weight: tuple[Annotated[float, Field(gt=0)], ...] = Field(min_length=24, max_length=24)

    @model_validator(mode="after")
    def _sales_rise_to_the_days_end(self) -> Self:
        times = [point.time_s for point in self.sales]
        values = [point.gmv_rmb for point in self.sales]
        if times != sorted(set(times)) or values != sorted(set(values)):
            raise RuleError(["sales must rise in clock and gmv_rmb from point to point"])
        if times[-1] != DAY_S:
            raise RuleError([f"sales must end with a point at clock 24:00, ends at {self.sales[-1].clock}"])
        return self


class OrderValueParams(Params):
    """Value of an order: lognormal."""

    mean_rmb: float = Field(gt=0)
    cv: float = Field(gt=0)


class MoodParams(Params):
    """What a shopper of one mood does on a page: think, then go to the next page, or "leave", by chance."""

    think_mean_s: float = Field(gt=0)
    next: dict[str, Share]


class PageParams(Params):
    """What follows a page, for shoppers who still want an order and for those who do not."""

    buying: MoodParams
    browsing: MoodParams


class VisitParams(Params):
    """A visit as a state machine over pages, in one of two moods: orders are still wanted, or not."""

    entry: str
    paid: str
    bucket_s: float = Field(gt=0, le=1)  # width of the calendar's buckets
    think_least_s: float = Field(gt=0)
    pages: dict[str, PageParams] = Field(min_length=1, max_length=16)

    @model_validator(mode="after")
    def _transitions_lead_somewhere(self) -> Self:
        problems = []
        if math.frexp(self.bucket_s)[0] != 0.5:
            problems.append(f"bucket_s must be a power of two [s], such as 0.5, got {self.bucket_s:g}")
        if self.think_least_s < self.bucket_s:
            problems.append(f"think_least_s must be >= bucket_s {self.bucket_s:g} [s], got {self.think_least_s:g}")
        for role in ("entry", "paid"):
            if getattr(self, role) not in self.pages:
                problems.append(
                    f"{role} must be one of its pages ({', '.join(self.pages)}), got {getattr(self, role)!r}"
                )
        for name, page in self.pages.items():
            for mood_name, mood in (("buying", page.buying), ("browsing", page.browsing)):
                path = f"pages.{name}.{mood_name}"
                if mood.think_mean_s < self.think_least_s:
                    least = f"think_least_s {self.think_least_s:g} [s]"
                    problems.append(f"{path}.think_mean_s must be >= {least}, got {mood.think_mean_s:g}")
                unknown = sorted(set(mood.next) - set(self.pages) - {LEAVE})
                if unknown:
                    problems.append(f"{path}.next leads to unknown pages: {', '.join(unknown)}")
                if abs(sum(mood.next.values()) - 1) > 1e-9:
                    problems.append(f"{path}.next must sum to 1, sums to {sum(mood.next.values()):g}")
        if problems:
            raise RuleError(problems)
        return self


class DemandParams(Params):
    """Demand of one festival day."""

    year: int | None = Field(ge=2009)  # of the festival, for what a run is compared with; None: an ordinary day
    shoppers: int = Field(gt=0, lt=2**32)
    horizon_h: float = Field(ge=24)  # how long visits are followed, counted from midnight
    arrivals: ArrivalParams
    wireless_share: Share
    regions: dict[str, Share] = Field(min_length=1, max_length=16)  # share of the shoppers
    buyer_share: Share
    orders_per_buyer: float = Field(ge=1)
    order_value: OrderValueParams
    visit: VisitParams

    @model_validator(mode="after")
    def _regions_hold_all_shoppers(self) -> Self:
        total = sum(self.regions.values())
        if abs(total - 1) > 1e-9:
            raise RuleError([f"regions must have shares that sum to 1, they sum to {total:g}"])
        return self

    @model_validator(mode="after")
    def _crowd_is_part_of_the_shoppers(self) -> Self:
        if self.arrivals.crowd.shoppers > self.shoppers:
            raise RuleError(
                [f"arrivals.crowd.shoppers must be <= shoppers {self.shoppers}, got {self.arrivals.crowd.shoppers}"]
            )
        return self
