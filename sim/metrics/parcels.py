"""Where the parcels are, how long they take, and who carries them: from the summaries of the parcels.

`hours` is the table `parcel_hours`, `leads` the table `lead_times`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sim.metrics.stages import FINAL, STATES
from sim.metrics.summary import BANDS
from sim.units import DAY_S, HOUR_S


def states(hours: pd.DataFrame, at_s: np.ndarray, carrier: str | None = None) -> pd.DataFrame:
    """How many rows are in each state at each time; at every time they sum to the rows created by then.

    Parameters
    ----------
    hours : the table `parcel_hours`
    at_s : times [s]; each is taken as the last whole hour before it
    carrier : whose parcels; None: everybody's

    Returns
    -------
    `time_s` and one column of counts per state of `STATES`, unscaled.
    """
    if carrier is not None:
        hours = hours[hours["carrier"] == carrier]
    hour = np.floor(np.asarray(at_s, dtype=float) / HOUR_S).astype(np.int64)
    end = int(hours["hour"].max()) if len(hours) else 0
    state = pd.Categorical(hours["state"].astype(object), categories=list(STATES)).codes.astype(np.int64)
    key = state * (end + 1) + hours["hour"].to_numpy()
    counts = np.bincount(key, weights=hours["parcels"].to_numpy(), minlength=len(STATES) * (end + 1))
    counts = counts.astype(np.int64).reshape(len(STATES), end + 1)
    there = np.where(hour < 0, 0, counts[:, np.clip(hour, 0, end)])
    return pd.DataFrame({"time_s": np.asarray(at_s, dtype=float), **dict(zip(STATES, there, strict=True))})


def state_shares(hours: pd.DataFrame, at_s: np.ndarray) -> pd.DataFrame:
    """The same as `states`, as shares of all parcels of the run; "not yet ordered" is what is missing to 1."""
    table = states(hours, at_s)
    table[list(STATES)] = table[list(STATES)] / max(parcels_in(hours), 1)
    return table


def parcels_in(hours: pd.DataFrame) -> int:
    """All rows of the run."""
    return int(hours.loc[hours["hour"] == hours["hour"].max(), "parcels"].sum())


def end_s(hours: pd.DataFrame) -> float:
    """The last hour in which anything happened to a parcel [s]; 0 when there are none."""
    return float(hours["hour"].max()) * HOUR_S if len(hours) else 0.0


def settled_s(hours: pd.DataFrame, share: float = 0.995) -> float:
    """End of the day on which `share` of all parcels have come to their end, or of the last event if that is not reached [s]."""
    if not len(hours):
        return 0.0
    at_s = np.arange(0.0, end_s(hours) + HOUR_S, HOUR_S)
    ended = states(hours, at_s)[list(FINAL)].sum(axis=1).to_numpy()
    reached = np.flatnonzero(ended >= np.ceil(share * parcels_in(hours)))
    return float(np.ceil(at_s[reached[0] if reached.size else -1] / DAY_S) * DAY_S)


def longest_state(hours: pd.DataFrame) -> tuple[str, float]:
    """The state before the end in which parcels spend the most time, and its mean over all parcels [h]."""
    by_state = hours.groupby("state", observed=True)["parcels"].sum()
    mean_h = by_state.drop(labels=[name for name in FINAL if name in by_state]) / max(parcels_in(hours), 1)
    return str(mean_h.idxmax()), float(mean_h.max())


def lead_time_percentile_h(leads: pd.DataFrame, share: float) -> float | None:
    """Hours from order to signed within which `share` of all parcels were signed; None when fewer have been.

    The upper edge of a quarter of an hour, as `lead_times` counts in these.
    """
    total = leads["parcels"].sum()
    if total == 0:
        return None
    signed = leads.dropna(subset="within_h").groupby("within_h")["parcels"].sum().cumsum()
    enough = signed.index[signed.to_numpy() >= np.ceil(share * total * (1 - 1e-12))]
    return float(enough[0]) if len(enough) else None


def lead_time_histogram(leads: pd.DataFrame, *, scale: float, bin_h: float = 6.0) -> pd.DataFrame:
    """Signed parcels by lead time, scaled up to the real day: `from_h`, `to_h` [h], `parcels`.

    A lead time on the edge of two bins counts in the earlier one.
    """
    signed = leads.dropna(subset="within_h")
    place = (np.ceil(signed["within_h"].to_numpy() / bin_h) - 1).astype(np.int64)
    count = np.bincount(place, weights=signed["parcels"].to_numpy(), minlength=1) / scale
    from_h = bin_h * np.arange(count.size)
    return pd.DataFrame({"from_h": from_h, "to_h": from_h + bin_h, "parcels": count})


def lead_times_by_distance(
    leads: pd.DataFrame, *, scale: float, shares: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9)
) -> pd.DataFrame:
    """One row a band of distance, nearest first: `distance`, `parcels` scaled up, and hours for each share, `h10` to `h90`.

    NaN where fewer than that share of the band's parcels are signed.
    """
    rows = []
    for band in BANDS:
        own = leads[leads["distance"] == band]
        if len(own):
            hours = {f"h{round(100 * share)}": _or_nan(lead_time_percentile_h(own, share)) for share in shares}
            rows.append({"distance": band, "parcels": own["parcels"].sum() / scale, **hours})
    names = ["distance", "parcels", *(f"h{round(100 * share)}" for share in shares)]
    return pd.DataFrame(rows, columns=names)


def carriers(
    hours: pd.DataFrame, leads: pd.DataFrame, tracking: pd.DataFrame, *, scale: float, early_s: float = 3 * DAY_S
) -> pd.DataFrame:
    """One row a carrier, largest first: how its parcels stood early and at the run's end.

    Returns
    -------
    `carrier`; `parcels` scaled up; shares of all its parcels: `picked_up_early`, `signed_early` at `early_s`, and
    `picked_up`, `in_transit` (picked up and not at their end), `signed`, `exception` (something went wrong) at the run's
    end; `median_h`, `p95_h` lead times [h], NaN when that share is not signed yet.
    """
    last = tracking[(tracking["by"] == "carrier") & (tracking["time_s"] == tracking["time_s"].max())]
    rows = []
    for row in last.itertuples():
        own = leads[leads["carrier"] == row.group]
        early = states(hours, np.array([early_s]), row.group).iloc[0]
        rows.append(
            {
                "carrier": str(row.group),
                "parcels": row.parcels / scale,
                "picked_up_early": (early[_FROM_PICKUP].sum()) / row.parcels,
                "signed_early": early["signed"] / row.parcels,
                "picked_up": row.picked_up / row.parcels,
                "in_transit": row.in_transit / row.parcels,
                "signed": row.signed / row.parcels,
                "exception": row.exceptions / row.parcels,
                "median_h": _or_nan(lead_time_percentile_h(own, 0.5)),
                "p95_h": _or_nan(lead_time_percentile_h(own, 0.95)),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["parcels", "carrier"], ascending=[False, True], ignore_index=True) if rows else table


_FROM_PICKUP = list(STATES)[list(STATES).index("picked up") :]


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
