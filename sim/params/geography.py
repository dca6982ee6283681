"""Where parcels come from and go to."""

from typing import Annotated

from pydantic import Field

from sim.params.base import Params

Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=1)]


class GeographyParams(Params):
    """Origins and destinations of parcels by province and city, names as in `sim.geography`.

    Attributes
    ----------
    origin_items : parcels sent from each province in one and the same period [items]; only their proportions matter
    origin_share : share of its province's parcels that a city sends; the other cities send the rest, by population
    spending : what a person spends online in each province, over the country's average [ratio]
    city_spending : what a person spends online in a city, over the cities of its province that are not named [ratio];
        moves destinations within the province and leaves the province's total alone
    """

    origin_items: dict[str, Positive]
    origin_share: dict[str, Share]
    spending: dict[str, Positive]
    city_spending: dict[str, Positive]
