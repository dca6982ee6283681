"""What a merchant wants to know in the morning: how far the parcels are, and which of them need somebody's care.

Rates are of all parcels that were ordered by then, the unfinished ones included.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.metrics.stages import Names, went_wrong
from sim.records import Counted, chunks, table
from sim.units import DAY_S

BY = ("carrier", "merchant", "lane", "city", "province")
COUNTS = (
    "parcels",
    "picked_up",
    "in_transit",
    "signed",
    "exceptions",
    "not_shipped",
    "long_in_transit",
    "just_signed",
)
COLUMNS = ("created_s", "picked_up_s", "signed_s", "returned_s", "lost_s", "exception_s")
"""Columns of `parcels` that rates need, besides those that name the groups."""

WAITING, NOT_SHIPPED, MOVING, LONG_IN_TRANSIT, SIGNED, JUST_SIGNED, ENDED = range(7)
"""How a parcel stands; `WRONG` is added to it when something went wrong."""
WRONG = 8
_CLASSES = 2 * WRONG


class Limits(NamedTuple):
    """From when on a merchant cares; all three are assumed, for want of published ones."""

    ship_s: float = 3 * DAY_S  # from the order to the pickup
    transit_s: float = 4 * DAY_S  # from the pickup to the signature
    signed_s: float = DAY_S  # how long a signature is news


USUAL = Limits()


def standing(parcels: pd.DataFrame, at_s: float, limits: Limits = USUAL) -> np.ndarray:
    """How each parcel stands at an instant, int64; those that are not ordered yet count as waiting."""
    picked_up_s, signed_s = parcels["picked_up_s"].to_numpy(), parcels["signed_s"].to_numpy()
    found = np.where(parcels["created_s"].to_numpy() < at_s - limits.ship_s, NOT_SHIPPED, WAITING)
    found[picked_up_s <= at_s] = MOVING
    found[picked_up_s < at_s - limits.transit_s] = LONG_IN_TRANSIT
    found[signed_s <= at_s] = JUST_SIGNED
    found[signed_s < at_s - limits.signed_s] = SIGNED
    found[parcels["lost_s"].to_numpy() <= at_s] = ENDED
    found[parcels["returned_s"].to_numpy() <= at_s] = ENDED
    return np.asarray(found + WRONG * went_wrong(parcels, at_s))


class Numbers(NamedTuple):
    """Numbers that somebody else's carriers, cities and hubs have in `Groups`."""

    carrier: np.ndarray
    city: np.ndarray
    hub: np.ndarray


class Groups:
    """Counts of parcels by group as of one instant, filled piece by piece.

    Parameters
    ----------
    at_s : the instant [s]; infinite for the end of the run
    tables : the tables `cities` and `areas` name the groups
    carriers, cities : numbers of their names, shared with whoever makes the pieces
    by : which groups, of `BY`
    limits : what is long
    """

    def __init__(
        self,
        at_s: float,
        tables: Mapping[str, pd.DataFrame],
        carriers: Names,
        cities: Names,
        by: Sequence[str] = BY,
        limits: Limits = USUAL,
    ) -> None:
        self.at_s, self.limits = at_s, limits
        self.carriers, self.cities, self.hubs, self.provinces = carriers, cities, Names(), Names()
        places, areas = tables["cities"], tables["areas"]
        count = 1 + int(cities.codes(places["city"]).max(initial=-1))
        self._province = np.zeros(count, np.int64)
        self._province[cities.codes(places["city"])] = self.provinces.codes(places["province"])
        carrier = carriers.codes(areas["carrier"])
        self.hub = np.zeros((int(carrier.max(initial=-1)) + 1, count), np.int64)
        self.hub[carrier, cities.codes(areas["city"])] = self.hubs.codes(areas["hub"])
        self._counts = {name: np.zeros((0, _CLASSES), np.int64) for name in by}
        self._lanes: np.ndarray | None = None  # numbers of the rows of their counts; None: the rows' own

    def add(self, piece: pd.DataFrame, carrier: np.ndarray, origin: np.ndarray, destination: np.ndarray) -> None:
        """Count a piece of the parcels; the numbers of its carriers and cities are given."""
        standing_ = standing(piece, self.at_s, self.limits)
        ordered = piece["created_s"].to_numpy() <= self.at_s
        everyone = bool(ordered.all())
        for name, counts in self._counts.items():
            key = _CLASSES * self._number(name, piece, carrier, origin, destination) + standing_
            found = np.bincount(key if everyone else key[ordered], minlength=counts.size)
            found = np.concatenate((found, np.zeros(-found.size % _CLASSES, np.int64))).reshape(-1, _CLASSES)
            found[: len(counts)] += counts
            self._counts[name] = found

    def take(self, counted: Counted, instant: int, there: Numbers) -> None:
        """Take what has been counted as of number `instant`."""
        for by in self._counts:
            if by == "merchant":
                self._counts[by] = counted.by_merchant[instant]
            elif by == "carrier":
                self._counts[by] = np.zeros((len(self.carriers), _CLASSES), np.int64)
                self._counts[by][there.carrier] = counted.by_lane[instant].sum(axis=(1, 2))
            elif by == "lane":
                hubs, lanes = len(self.hubs), counted.by_lane[instant].reshape(-1, _CLASSES)
                pairs = there.hub[:, None] * hubs + there.hub
                numbers = (there.carrier[:, None, None] * hubs * hubs + pairs).reshape(-1)
                self._lanes = np.sort(numbers)  # of their rows
                self._counts[by] = lanes[np.argsort(numbers)]
            else:
                number = there.city if by == "city" else self._province[there.city]
                self._counts[by] = np.zeros((int(number.max(initial=-1)) + 1, _CLASSES), np.int64)
                np.add.at(self._counts[by], number, counted.by_city[instant])

    def _number(
        self, by: str, piece: pd.DataFrame, carrier: np.ndarray, origin: np.ndarray, destination: np.ndarray
    ) -> np.ndarray:
        if by == "carrier":
            return carrier
        if by == "merchant":
            return np.asarray(piece["merchant"].to_numpy().astype(np.int64))
        if by == "city":
            return destination
        if by == "province":
            return np.asarray(self._province[destination])
        hubs = len(self.hubs)
        return np.asarray((carrier * hubs + self.hub[carrier, origin]) * hubs + self.hub[carrier, destination])

    def frames(self) -> Iterator[pd.DataFrame]:
        """For each kind of group: `by`, `group` and the `COUNTS` of each group that has parcels."""
        for by, counts in self._counts.items():
            known = np.flatnonzero(counts.sum(axis=1))
            numbers = known if by != "lane" or self._lanes is None else self._lanes[known]
            stand = counts[known].reshape(-1, 2, WRONG).sum(axis=1)
            columns = {
                "parcels": stand.sum(axis=1),
                "picked_up": stand[:, MOVING:].sum(axis=1),
                "in_transit": stand[:, [MOVING, LONG_IN_TRANSIT]].sum(axis=1),
                "signed": stand[:, [SIGNED, JUST_SIGNED]].sum(axis=1),
                "exceptions": counts[known, WRONG:].sum(axis=1),
                "not_shipped": stand[:, NOT_SHIPPED],
                "long_in_transit": stand[:, LONG_IN_TRANSIT],
                "just_signed": stand[:, JUST_SIGNED],
            }
            yield pd.DataFrame({"by": by, "group": [self._name(by, number) for number in numbers.tolist()], **columns})

    def _name(self, by: str, number: int) -> str:
        if by == "merchant":
            return str(number)
        if by == "lane":
            pair, destination = divmod(number, len(self.hubs))
            carrier, origin = divmod(pair, len(self.hubs))
            hubs = list(self.hubs)
            return f"{list(self.carriers)[carrier]} {hubs[origin]} - {hubs[destination]}"
        return list({"carrier": self.carriers, "city": self.cities, "province": self.provinces}[by])[number]


def as_table(groups: Sequence[tuple[float, Groups]]) -> pd.DataFrame:
    """Table `tracking` of groups with the instants that they are as of."""
    frames = [frame.assign(time_s=time_s) for time_s, one in groups for frame in one.frames()]
    empty: dict[str, list[object]] = {name: [] for name in ("time_s", "by", "group", *COUNTS)}
    whole = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(empty)
    return table("tracking", {name: whole[name].to_numpy() for name in ("time_s", "by", "group", *COUNTS)})


def rates(counts: pd.DataFrame) -> pd.DataFrame:
    """Shares instead of counts, the largest group first: `group`, `parcels` and a share of them for each other count."""
    shares = counts[["group", *COUNTS]].sort_values(["parcels", "group"], ascending=[False, True], ignore_index=True)
    for name in COUNTS[1:]:
        shares[name] = shares[name] / shares["parcels"]
    return shares


def tracked(
    tables: Mapping[str, pd.DataFrame],
    by: str,
    at_s: float,
    *,
    merchant: int | None = None,
    carrier: str | None = None,
    limits: Limits = USUAL,
) -> pd.DataFrame:
    """Table `tracking` of one kind of group as of any instant, of all parcels or of a merchant's or a carrier's."""
    groups = Groups(at_s, tables, Names(), Names(), (by,), limits)
    needed = {*COLUMNS, "carrier", "origin", "destination", "merchant"}
    for piece in chunks(tables, "parcels", sorted(needed)):
        own = chosen(piece, merchant, carrier)
        groups.add(
            own,
            groups.carriers.codes(own["carrier"]),
            groups.cities.codes(own["origin"]),
            groups.cities.codes(own["destination"]),
        )
    return as_table([(at_s, groups)])


def chosen(parcels: pd.DataFrame, merchant: int | None, carrier: str | None) -> pd.DataFrame:
    """The parcels of a merchant and of a carrier; None: of all."""
    if merchant is not None:
        parcels = parcels[parcels["merchant"].to_numpy() == merchant]
    if carrier is not None:
        parcels = parcels[(parcels["carrier"] == carrier).to_numpy()]
    return parcels
