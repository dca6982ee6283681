"""What becomes of the parcels, counted once: the small tables that key figures, figures and reports are made of.

parcels (72 M rows, read in pieces) -> parcel_hours, parcel_moves, lead_times, tracking (some ten thousand rows)
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sim.metrics.stages import FINAL, ON_THE_WAY, STATES, Names, hours_reached, named
from sim.metrics.tracking import USUAL, Groups, Numbers, as_table
from sim.records import Counted, Counter, Survey, Tables, chunks, table
from sim.units import DAY_S, HOUR_S

SUMMARIES = ("parcel_hours", "parcel_moves", "lead_times", "tracking")
MORNING_S = 3 * DAY_S + 8 * HOUR_S
"""14 November, 08:00: most parcels are on their way and the first hubs are full; the report shows the tracking as of then."""
BANDS_KM = (200.0, 500.0, 1000.0, 1500.0, 2000.0)
BANDS = ("up to 200 km", "200-500 km", "500-1000 km", "1000-1500 km", "1500-2000 km", "over 2000 km", "unknown")
BIN_S = 900.0
MOVES_DAYS = 10
_NEVER_DAY = 127
_EARTH_KM = 6371.0
_COLUMNS = [*STATES.values(), "carrier", "origin", "destination", "merchant", "exception_s"]


def missing_summaries(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The summaries of the parcels, unless the tables have them or there are no parcels."""
    if "parcels" not in tables or all(name in tables for name in SUMMARIES):
        return {}
    return summaries(tables)


def summaries(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Tables `parcel_hours`, `parcel_moves`, `lead_times` and `tracking` of a run.

    The tracking is of all groups as of `MORNING_S`, and of the carriers also as of the end.

    One pass over `parcels`, in pieces, or none where somebody counts without making the table (`sim.records.Counter`); the
    tables `cities` and `areas` name its places.
    """
    cities, carriers = Names(), Names()
    band_of = _bands(tables["cities"], cities)
    groups = [Groups(MORNING_S, tables, carriers, cities), Groups(np.inf, tables, carriers, cities, ("carrier",))]
    hours, leads = _Hours(), _Leads(band_of)
    if isinstance(tables, Tables) and (counter := tables.counter("parcels")) is not None:
        _ask(counter, cities, carriers, band_of, groups, hours, leads)
        return _told(hours, leads, groups, carriers)
    for piece in chunks(tables, "parcels", _COLUMNS):
        carrier, origin, destination = (
            carriers.codes(piece["carrier"]),
            cities.codes(piece["origin"]),
            cities.codes(piece["destination"]),
        )
        hours.add(piece, carrier)
        leads.add(piece, carrier, origin, destination)
        for one in groups:
            one.add(piece, carrier, origin, destination)
    return _told(hours, leads, groups, carriers)


def _ask(
    counter: Counter,
    cities: Names,
    carriers: Names,
    band_of: np.ndarray,
    groups: Sequence[Groups],
    hours: "_Hours",
    leads: "_Leads",
) -> None:
    """Have somebody count who need not make the table; the numbers of carriers and cities are brought together."""
    city = np.array([cities.number(name) for name in counter.cities])
    carrier = np.array([carriers.number(name) for name in counter.carriers])
    hub, place = np.unique(groups[0].hub[np.ix_(carrier, city)], return_inverse=True)
    survey = Survey(
        at_s=np.array([one.at_s for one in groups]),
        limits_s=(USUAL.ship_s, USUAL.transit_s, USUAL.signed_s),
        hub_of=place.reshape(carrier.size, city.size),
        hubs=hub.size,
        band_of=band_of[np.ix_(city, city)],
        bands=len(BANDS),
        bin_s=BIN_S,
        moves_days=MOVES_DAYS,
    )
    counted = counter.answer(survey)
    hours.take(counted, carrier)
    leads.take(counted, carrier)
    for instant, one in enumerate(groups):
        one.take(counted, instant, Numbers(carrier, city, hub))


def _told(hours: "_Hours", leads: "_Leads", groups: Sequence[Groups], carriers: Names) -> dict[str, pd.DataFrame]:
    end_s = hours.end * HOUR_S
    return {
        "parcel_hours": hours.table(carriers),
        "parcel_moves": hours.moves_table(),
        "lead_times": leads.table(carriers),
        "tracking": as_table([(min(one.at_s, end_s), one) for one in groups if one.at_s == np.inf or one.at_s < end_s]),
    }


class _Hours:
    """Rows of each carrier by the hour in which they enter each state."""

    def __init__(self) -> None:
        self._entered = np.zeros((0, len(STATES), 1), np.int64)  # [carrier, state, hour]
        self._moves = np.zeros((MOVES_DAYS, len(STATES) + 1, len(STATES) + 1), np.int64)  # [day, before, after]

    @property
    def end(self) -> int:
        """The last hour in which anything happened."""
        return self._entered.shape[2] - 1

    def add(self, piece: pd.DataFrame, carrier: np.ndarray) -> None:
        latest = max(float(np.fmax.reduce(piece[column].to_numpy(), initial=0.0)) for column in STATES.values())
        hours = max(self._entered.shape[2], int(np.ceil(latest / HOUR_S)) + 1)
        count = max(self._entered.shape[0], int(carrier.max(initial=-1)) + 1)
        grown = np.zeros((count, len(STATES), hours), np.int64)
        grown[: self._entered.shape[0], :, : self._entered.shape[2]] = self._entered
        self._entered = grown
        never = hours  # one bin behind the last, for what has not happened
        next_hour = np.full(len(piece), never, np.int32)
        days = np.empty((len(STATES), len(piece)), np.int8)
        for place, (state, column) in reversed(list(enumerate(STATES.items()))):
            hour = hours_reached(piece[column], never)
            if state in FINAL:
                next_hour = np.minimum(next_hour, hour)
            else:
                hour = next_hour = np.minimum(next_hour, hour)
            days[place] = np.where(hour == never, _NEVER_DAY, np.minimum(-(-hour // 24), _NEVER_DAY))
            counted = np.bincount(carrier * (never + 1) + hour, minlength=count * (never + 1))
            grown[:, place] += counted.reshape(count, never + 1)[:, :never]

        self._add_moves(days)

    def take(self, counted: Counted, carrier: np.ndarray) -> None:
        """The same from who has counted all; carrier: the numbers of the carriers there."""
        present = _present(counted)
        self._entered = np.zeros((int(carrier[present].max(initial=-1)) + 1, *counted.entered.shape[1:]), np.int64)
        self._entered[carrier[present]] = counted.entered[present]
        self._moves = counted.moves

    def _add_moves(self, days: np.ndarray) -> None:
        """Count what each day has changed.

        days: int8[states, rows], by whose end each state is entered; those of the states on the way ascend.
        """
        before = np.zeros(days.shape[1], np.int64)  # 0: not ordered, then the states
        for day in range(MOVES_DAYS):
            after = (days[: len(ON_THE_WAY)] <= day + 1).sum(axis=0, dtype=np.int8).astype(np.int64)
            for place, state in enumerate(STATES):
                if state in FINAL:
                    after[days[place] <= day + 1] = place + 1
            count = len(STATES) + 1
            self._moves[day] += np.bincount(before * count + after, minlength=count * count).reshape(count, count)
            before = after

    def moves_table(self) -> pd.DataFrame:
        """Table `parcel_moves` of the first days."""
        day, before, after = np.nonzero(self._moves)
        names = ["not ordered", *STATES]
        return table(
            "parcel_moves",
            {
                "day": day,
                "before": named(before, names),
                "after": named(after, names),
                "parcels": self._moves[day, before, after],
            },
        )

    def table(self, carriers: Names) -> pd.DataFrame:
        """How many rows are in each state at each hour: those that entered it, less those that entered a later one."""
        entered = np.cumsum(self._entered, axis=2)
        places = {state: place for place, state in enumerate(STATES)}
        there = entered.copy()
        left = sum((entered[:, places[state]] for state in FINAL), np.zeros_like(entered[:, 0]))
        for state in reversed([state for state in STATES if state not in FINAL]):
            there[:, places[state]] = entered[:, places[state]] - left
            left = entered[:, places[state]]
        count, states, hours = there.shape
        return table(
            "parcel_hours",
            {
                "hour": np.tile(np.arange(hours), count * states),
                "carrier": named(np.repeat(np.arange(count), states * hours), list(carriers)),
                "state": named(np.tile(np.repeat(np.arange(states), hours), count), list(STATES)),
                "parcels": there.reshape(-1),
            },
        )


class _Leads:
    """Rows by carrier, distance and quarters of an hour from order to signed."""

    def __init__(self, band_of: np.ndarray) -> None:
        self._band_of = band_of  # int64[cities, cities]
        self._count = np.zeros((0, len(BANDS), 1), np.int64)  # the first bin is of those that are not signed

    def add(self, piece: pd.DataFrame, carrier: np.ndarray, origin: np.ndarray, destination: np.ndarray) -> None:
        lead_s = piece["signed_s"].to_numpy(dtype=float) - piece["created_s"].to_numpy(dtype=float)
        bin_ = np.nan_to_num(np.maximum(np.ceil(lead_s / BIN_S), 1.0), nan=0.0).astype(np.int64)
        bins = max(self._count.shape[2], int(bin_.max(initial=0)) + 1)
        count = max(self._count.shape[0], int(carrier.max(initial=-1)) + 1)
        key = (carrier * len(BANDS) + self._band_of[origin, destination]) * bins + bin_
        grown = np.bincount(key, minlength=count * len(BANDS) * bins).reshape(count, len(BANDS), bins)
        grown[: self._count.shape[0], :, : self._count.shape[2]] += self._count
        self._count = grown

    def take(self, counted: Counted, carrier: np.ndarray) -> None:
        """The same from who has counted all; carrier: the numbers of the carriers there."""
        present = _present(counted)
        self._count = np.zeros((int(carrier[present].max(initial=-1)) + 1, *counted.leads.shape[1:]), np.int64)
        self._count[carrier[present]] = counted.leads[present]

    def table(self, carriers: Names) -> pd.DataFrame:
        carrier, band, bin_ = np.nonzero(self._count)
        return table(
            "lead_times",
            {
                "carrier": named(carrier, list(carriers)),
                "distance": named(band, list(BANDS)),
                "within_h": np.where(bin_ == 0, np.nan, bin_ * (BIN_S / HOUR_S)),
                "parcels": self._count[carrier, band, bin_],
            },
        )


def _present(counted: Counted) -> np.ndarray:
    """Which carriers have parcels: bool[carriers]."""
    return np.asarray(counted.leads.any(axis=(1, 2)))


def _bands(cities: pd.DataFrame, names: Names) -> np.ndarray:
    """Band of the great-circle distance between each two cities, int64[cities, cities]; numbers the cities.

    Haversine formula; R. W. Sinnott (1984), "Virtues of the Haversine", Sky and Telescope 68(2).
    """
    names.codes(cities["city"])
    rows = cities.set_index(cities["city"].astype(str)).loc[list(names)]
    longitude, latitude = np.radians(rows["longitude"].to_numpy()), np.radians(rows["latitude"].to_numpy())
    half = np.sin((latitude[:, None] - latitude) / 2) ** 2
    half += np.cos(latitude[:, None]) * np.cos(latitude) * np.sin((longitude[:, None] - longitude) / 2) ** 2
    km = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    band = np.searchsorted(BANDS_KM, km).astype(np.int64)
    band[np.isnan(km)] = len(BANDS) - 1
    return np.asarray(band)
