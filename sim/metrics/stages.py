"""The stages of a parcel's way and what a parcel has come to at an instant, from its timestamps."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from sim.units import HOUR_S

STATES = {
    "at merchant": "created_s",
    "waiting for pickup": "packed_s",
    "picked up": "picked_up_s",
    "in origin hub": "origin_hub_s",
    "on line-haul": "departed_s",
    "in destination hub": "destination_hub_s",
    "at outlet": "outlet_s",
    "out for delivery": "out_s",
    "on the way back": "sent_back_s",
    "signed": "signed_s",
    "returned": "returned_s",
    "lost": "lost_s",
}
"""State -> column of the instant at which a parcel enters it. "picked up" lasts until it is unloaded into the origin hub,
"on line-haul" until it is unloaded into the destination hub, so both include waiting at a hub's gate. "out for delivery" includes
waiting in a locker, and from one attempt to the next."""

FINAL = ("signed", "returned", "lost")
ON_THE_WAY = tuple(state for state in STATES if state not in FINAL)


def hours_reached(time_s: pd.Series, never: int) -> np.ndarray:
    """The first whole hour at or after each time, int32, 0 for what was before midnight; `never` for NaN."""
    hours = np.ceil(time_s.to_numpy(dtype=float) / HOUR_S)
    return np.asarray(np.maximum(np.nan_to_num(hours, copy=False, nan=never), 0.0).astype(np.int32))


def state_at(parcels: pd.DataFrame, at_s: float) -> np.ndarray:
    """The latest state that each parcel has entered by an instant, as its place in `STATES`, int8; -1: not ordered yet."""
    found = np.full(len(parcels), -1, np.int8)
    for place, column in enumerate(STATES.values()):
        found[parcels[column].to_numpy() <= at_s] = place
    return found


def went_wrong(parcels: pd.DataFrame, at_s: float) -> np.ndarray:
    """Whether something had gone wrong with each parcel by an instant; the gravest thing of each is dated."""
    return np.asarray(parcels["exception_s"].to_numpy() <= at_s)


class Names:
    """Numbers for names, the same over all chunks of a table, in which a category's own codes may differ."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._numbers = {name: number for number, name in enumerate(names)}

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def number(self, name: str) -> int:
        """The number of a name; a new one for a name that has none."""
        return self._numbers.setdefault(name, len(self._numbers))

    def codes(self, values: pd.Series) -> np.ndarray:
        """The numbers of a column of names, int64."""
        if not isinstance(values.dtype, pd.CategoricalDtype):
            values = values.astype("category")
        numbers = np.array([self.number(str(name)) for name in values.cat.categories], dtype=np.int64)
        return np.asarray(numbers[values.cat.codes.to_numpy()])


def named(codes: np.ndarray, names: Iterable[str]) -> pd.Categorical:
    """Categories from numbers of names."""
    return pd.Categorical.from_codes(codes, pd.Index(list(names), dtype=object))
