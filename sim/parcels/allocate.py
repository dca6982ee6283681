"""How much of what to place where before the day: the policies, as functions of what is known then."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Outlook(NamedTuple):
    """What is known before the day, of the merchants that stock forward. A region is what one place serves."""

    categories: tuple[str, ...]
    places: tuple[str, ...]
    demand_items: Floats  # [categories, places], expected from each region where the place is nearer than the merchant
    past_share: Floats  # [categories, places], of each category's sales a year ago
    saved_km: Floats  # [categories, places], mean way that an item spares when it is sent from the place
    item_dm3: Floats  # [categories]
    room_dm3: Floats  # [places]
    placed_items: float  # in all


Advice = Callable[[Outlook], Floats]
"""The port for forecasts: shares float64[categories, places] of the stock; only their proportions count."""


def even(outlook: Outlook) -> Floats:
    """As much of every category as is expected of it, the same everywhere: no advice."""
    share = np.ones(len(outlook.places)) / len(outlook.places)
    return np.asarray(np.outer(outlook.demand_items.sum(axis=1), share))


def past_sales(outlook: Outlook) -> Floats:
    """Where it was bought a year ago."""
    return np.asarray(outlook.demand_items.sum(axis=1)[:, None] * outlook.past_share)


def path(outlook: Outlook) -> Floats:
    """Where an item spares most kilometres first, never more than is expected to be sold and has room."""
    chosen = np.zeros(outlook.demand_items.shape)
    left, room_dm3 = outlook.placed_items, outlook.room_dm3.copy()
    for cell in np.argsort(-outlook.saved_km, axis=None, kind="stable").tolist():
        category, place = divmod(cell, room_dm3.size)
        fits = room_dm3[place] / outlook.item_dm3[category]
        chosen[category, place] = items = max(0.0, min(outlook.demand_items[category, place], left, fits))
        left -= items
        room_dm3[place] = max(0.0, room_dm3[place] - items * outlook.item_dm3[category])
    return chosen


def forecast(table: Mapping[str, Mapping[str, float]]) -> Advice:
    """The advice of a table, place -> category -> share of the category's stock; what it does not name gets nothing."""

    def advice(outlook: Outlook) -> Floats:
        share = np.array(
            [[table.get(place, {}).get(name, 0.0) for place in outlook.places] for name in outlook.categories]
        )
        total = share.sum(axis=1, keepdims=True)
        share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
        return np.asarray(outlook.demand_items.sum(axis=1)[:, None] * share)

    return advice


POLICIES: dict[str, Advice] = {"even": even, "past_sales": past_sales, "path": path}


def placed(advice: Floats, outlook: Outlook) -> Floats:
    """Items that are placed on an advice: as many as there are, cut in proportion where a warehouse has no room for them."""
    total = advice.sum()
    if total <= 0.0:
        return np.zeros(advice.shape)
    items = advice * (outlook.placed_items / total)
    volume_dm3 = outlook.item_dm3 @ items
    fits = np.divide(outlook.room_dm3, volume_dm3, out=np.ones_like(volume_dm3), where=volume_dm3 > outlook.room_dm3)
    return np.asarray(items * np.minimum(fits, 1.0))
