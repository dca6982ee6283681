"""Care lists: the parcels that a merchant should do something about this morning, longest first.

not shipped       ordered days ago and not picked up: press the warehouse
long in transit   picked up days ago and still on the way: write to the customer
struck by weather in the origin hub or on the road of a way that weather slows or closes: tell the customer
exceptions        something went wrong and the parcel is not signed: settle it with the carrier
just signed       signed in the last day: the customer is owed a word after the sale
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.metrics.stages import STATES, Names, state_at, went_wrong
from sim.metrics.tracking import (
    COLUMNS,
    JUST_SIGNED,
    LONG_IN_TRANSIT,
    NOT_SHIPPED,
    SIGNED,
    USUAL,
    WRONG,
    Limits,
    chosen,
    standing,
)
from sim.records import chunks
from sim.units import HOUR_S

LISTS = {
    "not shipped": ("created_s", NOT_SHIPPED),
    "long in transit": ("picked_up_s", LONG_IN_TRANSIT),
    "struck by weather": ("picked_up_s", None),
    "exceptions": ("created_s", None),
    "just signed": ("signed_s", JUST_SIGNED),
}
"""List -> the time since which its parcels wait for care, and how they stand where that alone decides."""

SLOWED_SHARE = 0.9
"""A way is struck when the speed on one of its lanes is below this share of the dry one."""
_STRUCK_IN = ("in origin hub", "on line-haul")

_TICKS_PER_S = 1024.0  # of stamps

_SHOWN = ("parcel", "merchant", "carrier", "origin", "destination", "exception")


class CareList(NamedTuple):
    """One list: how many rows belong on it, and the first of them.

    `rows` has `parcel`, `merchant`, `carrier`, `origin`, `destination`, `exception` (by then), `state` and `since_h`, hours since
    the order, the pickup or the signature.
    """

    name: str
    total: int
    rows: pd.DataFrame


def care_lists(
    tables: Mapping[str, pd.DataFrame],
    at_s: float,
    *,
    merchant: int | None = None,
    carrier: str | None = None,
    most: int | None = None,
    limits: Limits = USUAL,
) -> list[CareList]:
    """The care lists as of an instant, in the order of `LISTS`.

    Parameters
    ----------
    tables : with `parcels`, which is read in pieces
    at_s : the instant [s]
    merchant, carrier : whose parcels; None: everybody's
    most : rows of a list, longest waiting first, then in order of creation; None: all
    limits : what is long
    """
    kept: dict[str, list[pd.DataFrame]] = {name: [] for name in LISTS}
    counts = dict.fromkeys(LISTS, 0)
    struck = _StruckWays(tables, at_s)
    for piece in chunks(tables, "parcels", list(dict.fromkeys((*STATES.values(), *COLUMNS, *_SHOWN)))):
        own = chosen(piece, merchant, carrier)
        stand = standing(own, at_s, limits)
        ordered = own["created_s"].to_numpy() <= at_s
        for name, (since, wanted) in LISTS.items():
            if wanted is not None:
                belongs = stand % WRONG == wanted
            elif name == "exceptions":
                belongs = _is_unsettled(stand)
            else:
                belongs = struck.hold(own)
            listed = np.flatnonzero(ordered & belongs)
            counts[name] += listed.size
            rows = _longest(own.iloc[listed], since, most)
            if len(rows):
                kept[name].append(_told(rows, since, at_s))
    return [CareList(name, counts[name], _joined(kept[name], most)) for name in LISTS]


def _is_unsettled(stand: np.ndarray) -> np.ndarray:
    """Something went wrong, and the parcel is not signed."""
    return np.asarray((stand >= WRONG) & ~np.isin(stand % WRONG, (SIGNED, JUST_SIGNED)))


class _StruckWays:
    """Ways between hubs that weather slows or closes at an instant.

    A parcel's way is the usual one from the hub of its origin to that of its destination, direct or by other hubs. A parcel that
    left when a train left on its way, and no truck, is on that train, which weather does not touch.
    """

    def __init__(self, tables: Mapping[str, pd.DataFrame], at_s: float) -> None:
        self._at_s = at_s
        self._carriers, self._cities, self._hubs = Names(), Names(), Names()
        weather = tables["lane_weather"] if "lane_weather" in tables else pd.DataFrame({"hour": []})
        now = weather[weather["hour"] == at_s // HOUR_S]
        self._any = len(now) > 0
        if not self._any:
            return
        now = now[now["speed_share"] < SLOWED_SHARE]
        areas = tables["areas"]
        carrier, city = self._carriers.codes(areas["carrier"]), self._cities.codes(areas["city"])
        self._hub_of = np.zeros((carrier.max() + 1, city.max() + 1), np.int64)
        self._hub_of[carrier, city] = self._hubs.codes(areas["hub"])
        struck = self._ways(now)
        self._is_struck = np.zeros((len(self._carriers), len(self._hubs), len(self._hubs)), bool)
        self._is_struck[struck] = True
        self._trains = self._only_trains(tables["trips"])

    def _ways(self, rows: pd.DataFrame) -> tuple[np.ndarray, ...]:
        """Carrier, origin and destination of rows, as numbers."""
        return (
            self._carriers.codes(rows["carrier"]),
            *(self._hubs.codes(rows[end]) for end in ("origin", "destination")),
        )

    def _only_trains(self, trips: pd.DataFrame) -> np.ndarray:
        """Departures of trains, see `_departures`, at which no truck left on the same lane."""
        is_train = (trips["vehicle"].astype(str) == "train").to_numpy()
        left = self._departures(self._ways(trips), trips["depart_s"].to_numpy())
        return np.setdiff1d(left[is_train], left[~is_train])

    def _departures(self, ways: tuple[np.ndarray, ...], depart_s: np.ndarray) -> np.ndarray:
        """One number for each way and instant of departure."""
        carrier, origin, destination = ways
        way = (carrier * len(self._hubs) + origin) * len(self._hubs) + destination
        return np.asarray(way * 2**40 + np.nan_to_num(np.floor(depart_s * _TICKS_PER_S), nan=-1.0).astype(np.int64))

    def hold(self, parcels: pd.DataFrame) -> np.ndarray:
        """Whether each parcel is in its origin hub or on the road of such a way, bool."""
        if not self._any:
            return np.zeros(len(parcels), bool)
        carrier = self._carriers.codes(parcels["carrier"])
        origin, end = (self._hub_of[carrier, self._cities.codes(parcels[city])] for city in ("origin", "destination"))
        state = state_at(parcels, self._at_s)
        in_hub, on_line_haul = (list(STATES).index(name) for name in _STRUCK_IN)
        by_train = np.isin(self._departures((carrier, origin, end), parcels["departed_s"].to_numpy()), self._trains)
        exposed = (state == in_hub) | ((state == on_line_haul) & ~by_train)
        return np.asarray(self._is_struck[carrier, origin, end] & exposed)


def _longest(rows: pd.DataFrame, since: str, most: int | None) -> pd.DataFrame:
    """Those that have waited longest, in no order."""
    if most is None or len(rows) <= most:
        return rows
    order = np.lexsort((rows["parcel"].to_numpy(), rows[since].to_numpy()))
    return rows.iloc[order[:most]]


def _told(rows: pd.DataFrame, since: str, at_s: float) -> pd.DataFrame:
    names = np.array(list(STATES), dtype=object)
    told = rows[list(_SHOWN)].assign(
        state=names[state_at(rows, at_s)], since_h=(at_s - rows[since].to_numpy(dtype=float)) / HOUR_S
    )
    told["exception"] = np.where(went_wrong(rows, at_s), told["exception"].astype(str), "none")
    return told.astype({"carrier": str, "origin": str, "destination": str})


def _joined(parts: list[pd.DataFrame], most: int | None) -> pd.DataFrame:
    if not parts:
        return pd.DataFrame({name: [] for name in (*_SHOWN, "state", "since_h")})
    whole = pd.concat(parts, ignore_index=True)
    whole = whole.sort_values(["since_h", "parcel"], ascending=[False, True], ignore_index=True)
    return whole if most is None else whole.head(most)
