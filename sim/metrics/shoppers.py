"""The shopper's own view of the site: how long pages take, how many fail, what is not bought because of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

SEGMENT = ("region", "channel")
_COUNTS = ("requests", "answered", "failed", "gave_up", "orders", "orders_lost")


class Segments(NamedTuple):
    """The regions and channels in a table, in order of their categories, and the number of each row's."""

    names: list[tuple[str, str]]
    of_row: np.ndarray  # int64[rows]


def segments(rows: pd.DataFrame) -> Segments:
    """The segments of a table with the columns `region` and `channel`."""
    regions, channels = rows["region"].cat, rows["channel"].cat
    codes = regions.codes.to_numpy().astype(np.int64) * len(channels.categories) + channels.codes.to_numpy()
    present, of_row = np.unique(codes, return_inverse=True)
    pairs = (divmod(code, len(channels.categories)) for code in present.tolist())
    names = [(str(regions.categories[region]), str(channels.categories[channel])) for region, channel in pairs]
    return Segments(names, of_row)


def seen(
    shopper_minutes: pd.DataFrame, by: Sequence[str] = SEGMENT, *, scale: float, start_min: int = 0, end_min: int = 1440
) -> pd.DataFrame:
    """What shoppers saw of the site in [start_min, end_min) minutes from midnight.

    Returns
    -------
    One row per group of `by`, in order of the categories; counts are scaled up to the real day: `requests`, `answered`, `failed`,
    `gave_up`, `orders`, `orders_lost`; `page_time_s`, the mean time from request to page received, NaN without answers;
    `error_rate`, failed requests per request that ended, NaN when none did; `lost_share` of the orders wanted, NaN without.
    """
    minute = shopper_minutes["minute"]
    within = shopper_minutes[(minute >= start_min) & (minute < end_min)]
    summed = within.groupby(list(by), observed=True)[[*_COUNTS, "page_s"]].sum().reset_index()
    return _with_rates(summed, scale)


def seen_over_time(
    shopper_minutes: pd.DataFrame, *, scale: float, start_min: int, end_min: int, step_min: int
) -> dict[tuple[str, str], pd.DataFrame]:
    """The same for each region and channel in steps of whole minutes.

    Returns
    -------
    For each segment: `time_s`, the step's start [s], and the columns of `seen`; every step is listed.
    """
    names, segment = segments(shopper_minutes)
    minute = shopper_minutes["minute"].to_numpy()
    within = (minute >= start_min) & (minute < end_min)
    steps = -(-(end_min - start_min) // step_min)
    place = segment[within] * steps + (minute[within] - start_min) // step_min
    summed = {
        name: np.bincount(place, shopper_minutes[name].to_numpy()[within], len(names) * steps).reshape(-1, steps)
        for name in (*_COUNTS, "page_s")
    }
    time_s = 60.0 * (start_min + step_min * np.arange(steps))
    return {
        key: _with_rates(pd.DataFrame({"time_s": time_s, **{name: rows[k] for name, rows in summed.items()}}), scale)
        for k, key in enumerate(names)
    }


def _with_rates(summed: pd.DataFrame, scale: float) -> pd.DataFrame:
    answered, failed = (summed[name].to_numpy(dtype=float) for name in ("answered", "failed"))
    wanted = (summed["orders"] + summed["orders_lost"]).to_numpy(dtype=float)
    rates = summed.assign(
        page_time_s=_ratio(summed["page_s"].to_numpy(dtype=float), answered),
        error_rate=_ratio(failed, answered + failed),
        lost_share=_ratio(summed["orders_lost"].to_numpy(dtype=float), wanted),
    ).drop(columns="page_s")
    return rates.assign(**{name: rates[name] / scale for name in _COUNTS})


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio = np.full(whole.size, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
