"""Parameters of one whole run: every part's group and the run's own values."""

from typing import Self

from pydantic import Field, model_validator

from sim.params.base import ParameterError, Params, RuleError, hint
from sim.params.cloud import CloudParams
from sim.params.contingency import ContingencyParams
from sim.params.data import DataParams
from sim.params.demand import DemandParams
from sim.params.geography import GeographyParams
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.params.rehearsal import RehearsalParams
from sim.params.site import ClientParams, SiteParams
from sim.params.stock import StockParams
from sim.params.weather import WeatherParams
from sim.units import DAY_S, HOUR_S


class FestivalParams(Params):
    """One festival. A part that is None is switched off."""

    scale: float = Field(gt=0, le=1)
    seed: int = Field(ge=0)
    replications: int = Field(ge=1)
    threads: int | None = Field(ge=1)  # None: one for each core; no result depends on it
    data: DataParams = DataParams()  # own files
    geography: GeographyParams
    demand: DemandParams
    site: SiteParams | None
    rehearsal: RehearsalParams | None  # of the site; without one there is none
    cloud: CloudParams | None = None  # of the site; without one its machines are fixed but for planned changes
    contingency: ContingencyParams | None = None  # faults and plans in force; without it nothing goes wrong
    orders: OrdersParams
    parcels: ParcelsParams | None
    stock: StockParams | None  # of the merchants in regional warehouses; without one all is with the merchants
    weather: WeatherParams | None  # on the roads; without one they are dry

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
        if self.data.orders is not None and (self.site is not None or self.parcels is None):
            problems.append("data.orders needs site=off and parcels: its orders take the place of the site's")
        if self.site is not None:
            visit_pages, site_pages = set(self.demand.visit.pages), set(self.site.pages)
            for page in sorted(visit_pages - site_pages):
                problems.append(f"site.pages.{page} is missing: demand.visit.pages has this page")
            for page in sorted(site_pages - visit_pages):
                problems.append(
                    f"site.pages.{page} is not a page of demand.visit.pages ({', '.join(sorted(visit_pages))})"
                )
            problems += _too_quick(self.site.client, self.demand.visit.bucket_s, "site.client")
            problems += _links_problems(self.site, self.demand, "site.links")
            if self.rehearsal is not None:
                problems += _rehearsal_problems(self.rehearsal, self.site, self.demand)
            if self.cloud is not None:
                problems += self.cloud.problems(self.site)
        elif self.cloud is not None:
            problems.append("cloud must be off: there is no site (site=off)")
        if problems:
            raise RuleError(problems)
        return self

    @property
    def shoppers(self) -> int:
        """Shoppers of this run: the first ids of those of the full day."""
        return round(self.scale * self.demand.shoppers)


def _too_quick(client: ClientParams, bucket_s: float, path: str) -> list[str]:
    """What a browser does sooner than the site's calendar can tell apart."""
    return [
        f"{path}.{name} must be >= demand.visit.bucket_s {bucket_s:g} [s], got {value:g}"
        for name, value in (("least_s", client.least_s), ("timeout_s", client.timeout_s))
        if value is not None and value < bucket_s
    ]


def _links_problems(site: SiteParams, demand: DemandParams, path: str) -> list[str]:
    """Regions whose shoppers have no access link, and links to nowhere."""
    if site.links is None:
        return []
    linked, regions = site.links.gbit_per_s, demand.regions
    missing = [
        f"{path}.gbit_per_s.{region} is missing: demand.regions has this region"
        for region in regions
        if region not in linked
    ]
    return missing + [
        f"{path}.gbit_per_s.{region} is not a region of demand.regions{hint(region, list(regions))}"
        for region in linked
        if region not in regions
    ]


def _rehearsal_problems(rehearsal: RehearsalParams, site: SiteParams, demand: DemandParams) -> list[str]:
    """What does not fit between a rehearsal, the site and the demand."""
    problems = []
    if rehearsal.until_s > demand.horizon_h * HOUR_S:
        problems.append(
            f"rehearsal.until_s must be <= demand.horizon_h {demand.horizon_h * HOUR_S:g} [s], got {rehearsal.until_s:g}"
        )
    if round(rehearsal.scale * demand.shoppers) < 1:
        problems.append(
            f"rehearsal.scale must leave at least one of {demand.shoppers} shoppers, got {rehearsal.scale:g}"
        )
    try:
        without_fault, _, planned = rehearsal.cases(site)
    except ParameterError as error:
        return [*problems, *error.problems]
    paying = {name for route in site.pages.get(demand.visit.paid, ()) for name in route.services}
    if rehearsal.fault.service not in paying:
        problems.append(
            f"rehearsal.fault.service must be called by the page {demand.visit.paid} ({', '.join(sorted(paying))}): "
            f"what counts are orders paid, got {rehearsal.fault.service!r}"
        )
    if not _links_problems(site, demand, "site.links"):
        problems += _links_problems(without_fault.site, demand, "rehearsal.site.links") or _links_problems(
            planned.site, demand, "rehearsal.plan.links"
        )
    bucket_s = demand.visit.bucket_s
    problems += _too_quick(without_fault.site.client, bucket_s, "rehearsal.site.client") or _too_quick(
        planned.site.client, bucket_s, "rehearsal.plan.client"
    )
    return problems
