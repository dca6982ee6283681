"""Parameters of one whole run: every part's group and the run's own values."""

from typing import Self

from pydantic import Field, model_validator

from sim.params.base import Params, RuleError
from sim.params.demand import DemandParams
from sim.params.geography import GeographyParams
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.params.site import SiteParams
from sim.units import DAY_S, HOUR_S


class FestivalParams(Params):
    """One festival. A part that is None is switched off."""

    scale: float = Field(gt=0, le=1)
    seed: int = Field(ge=0)
    replications: int = Field(ge=1)
    threads: int | None = Field(ge=1)  # None: one for each core; no result depends on it
    geography: GeographyParams
    demand: DemandParams
    site: SiteParams | None
    orders: OrdersParams
    parcels: ParcelsParams | None

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        problems = []
        if self.shoppers < 1:
            problems.append(f"scale must leave at least one of {self.demand.shoppers} shoppers, got {self.scale:g}")
        if self.parcels is not None and self.parcels.horizon_days * DAY_S < self.demand.horizon_h * HOUR_S:
            problems.append(
                f"parcels.horizon_days must not end before demand.horizon_h {self.demand.horizon_h:g} [h], "
                f"got {self.parcels.horizon_days:g}"
            )
        if self.site is not None:
            visit_pages, site_pages = set(self.demand.visit.pages), set(self.site.pages)
            for page in sorted(visit_pages - site_pages):
                problems.append(f"site.pages.{page} is missing: demand.visit.pages has this page")
            for page in sorted(site_pages - visit_pages):
                problems.append(
                    f"site.pages.{page} is not a page of demand.visit.pages ({', '.join(sorted(visit_pages))})"
                )
            bucket_s, client = self.demand.visit.bucket_s, self.site.client
            for name, value in (("least_s", client.least_s), ("timeout_s", client.timeout_s)):
                if value is not None and value < bucket_s:
                    problems.append(
                        f"site.client.{name} must be >= demand.visit.bucket_s {bucket_s:g} [s], got {value:g}"
                    )
        if problems:
            raise RuleError(problems)
        return self

    @property
    def shoppers(self) -> int:
        """Shoppers of this run: the first ids of those of the full day."""
        return round(self.scale * self.demand.shoppers)
