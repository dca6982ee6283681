"""What becomes of the parcels of each carrier, place and lane of a run: for comparing runs group by group."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.metrics.stages import Names
from sim.records import chunks
from sim.units import DAY_S

BY_S = 7 * DAY_S
_COLUMNS = ("created_s", "signed_s", "returned_s", "lost_s", "carrier", "origin", "destination")
_BY = ("carrier", "province", "city", "lane")


def fates(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a carrier, province and city of destination, and lane of a carrier from one hub's area to another's.

    Returns
    -------
    `by`, `group`, `parcels` (rows of the run); `signed_share`, of all parcels, by 18 November 00:00; `days` from order to
    signature, where a parcel that is still on its way counts with its age when the run ends. Those that were lost or went back
    to the merchant have no signature to wait for and are not in `days`.

    Notes
    -----
    A mean over the signed ones alone would flatter a change that leaves the slowest parcels unsigned; this is the mean
    restricted to the run's length. Source: Royston, Parmar (2013), doi:10.1186/1471-2288-13-152.
    """
    if "parcels" not in tables or "areas" not in tables or not len(tables["areas"]):
        return pd.DataFrame({"by": [], "group": [], "parcels": [], "signed_share": [], "days": []})
    groups = _Groups(tables)
    end_s = _end_s(tables)
    for piece in chunks(tables, "parcels", _COLUMNS):
        groups.add(piece, end_s)
    return groups.table()


def _end_s(tables: Mapping[str, pd.DataFrame]) -> float:
    """When the run's last hour ended."""
    return float(tables["hub_hours"]["hour"].max()) * 3600.0


class _Groups:
    """Sums by group: parcels, those signed in time, those with an age, and their ages."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        self._carriers, self._cities, self._provinces, self._hubs = Names(), Names(), Names(), Names()
        places, areas = tables["cities"], tables["areas"]
        city = self._cities.codes(places["city"])
        self._province = np.zeros(len(self._cities), np.int64)
        self._province[city] = self._provinces.codes(places["province"])
        carrier = self._carriers.codes(areas["carrier"])
        self._hub = np.zeros((len(self._carriers), len(self._cities)), np.int64)
        self._hub[carrier, self._cities.codes(areas["city"])] = self._hubs.codes(areas["hub"])
        self._sums = {by: np.zeros((0, 4)) for by in _BY}

    def add(self, piece: pd.DataFrame, end_s: float) -> None:
        carrier, origin, destination = (
            self._carriers.codes(piece["carrier"]),
            self._cities.codes(piece["origin"]),
            self._cities.codes(piece["destination"]),
        )
        signed_s = piece["signed_s"].to_numpy()
        waits = np.isnan(piece["returned_s"].to_numpy()) & np.isnan(piece["lost_s"].to_numpy())
        age_d = np.where(waits, np.nan_to_num(signed_s, nan=end_s) - piece["created_s"].to_numpy(), 0.0) / DAY_S
        hubs = len(self._hubs)
        keys = {
            "carrier": carrier,
            "province": self._province[destination],
            "city": destination,
            "lane": (carrier * hubs + self._hub[carrier, origin]) * hubs + self._hub[carrier, destination],
        }
        for by, key in keys.items():
            columns = (np.ones(len(piece)), (signed_s <= BY_S).astype(float), waits.astype(float), age_d)
            size = max(len(self._sums[by]), int(key.max(initial=-1)) + 1)
            sums = np.stack([_sums(key, column, size) for column in columns], axis=1)
            sums[: len(self._sums[by])] += self._sums[by]
            self._sums[by] = sums

    def table(self) -> pd.DataFrame:
        frames = []
        for by, sums in self._sums.items():
            known = np.flatnonzero(sums[:, 2])
            parcels, in_time, waits, age_d = sums[known].T
            columns = {"parcels": parcels.astype(np.int64), "signed_share": in_time / parcels, "days": age_d / waits}
            frames.append(
                pd.DataFrame({"by": by, "group": [self._called(by, key) for key in known.tolist()], **columns})
            )
        return pd.concat(frames, ignore_index=True)

    def _called(self, by: str, key: int) -> str:
        if by == "lane":
            pair, destination = divmod(key, len(self._hubs))
            carrier, origin = divmod(pair, len(self._hubs))
            hubs = list(self._hubs)
            return f"{list(self._carriers)[carrier]} {hubs[origin]} - {hubs[destination]}"
        return list({"carrier": self._carriers, "province": self._provinces, "city": self._cities}[by])[key]


def _sums(key: np.ndarray, values: np.ndarray, size: int) -> np.ndarray:
    """Sum of the values of each key, float64[size]."""
    return np.asarray(np.bincount(key, weights=values, minlength=size), dtype=float)
