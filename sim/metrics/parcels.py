"""Where the parcels are, how long they take, and who carries them: from the timestamps of the parcels."""

import numpy as np
import pandas as pd

from sim.units import DAY_S, HOUR_S

STATES = {
    "at merchant": "created_s",
    "waiting for pickup": "packed_s",
    "picked up": "picked_up_s",
    "in origin hub": "origin_hub_s",
    "on line-haul": "departed_s",
    "in destination hub": "destination_hub_s",
    "at outlet": "outlet_s",
    "out for delivery": "out_s",
    "signed": "signed_s",
    "lost": "lost_s",
}
"""State -> column of the instant at which a parcel enters it. "picked up" lasts until it is unloaded into the origin hub,
"on line-haul" until it is unloaded into the destination hub, so both include waiting at a hub's gate."""


def states(parcels: pd.DataFrame, at_s: np.ndarray) -> pd.DataFrame:
    """How many rows are in each state at each time; at every time they sum to the rows created by then.

    A state that a parcel skips (no line-haul within one hub's area) ends when the next one that it enters begins.

    Parameters
    ----------
    parcels : the table `parcels`
    at_s : times [s], increasing

    Returns
    -------
    `time_s` and one column of counts per state of `STATES`, unscaled.
    """
    final_s = np.fmin(_reached(parcels["signed_s"]), _reached(parcels["lost_s"]))
    columns = {
        "lost": _count(_reached(parcels["lost_s"]), at_s),
        "signed": _count(_reached(parcels["signed_s"]), at_s),
    }
    next_s = final_s
    left = _count(final_s, at_s)
    for state in reversed(list(STATES)[:-2]):
        entered_s = np.fmin(_reached(parcels[STATES[state]]), next_s)
        entered = _count(entered_s, at_s)
        columns[state] = entered - left
        next_s, left = entered_s, entered
    return pd.DataFrame({"time_s": at_s.astype(float), **{state: columns[state] for state in STATES}})


def _reached(time_s: pd.Series) -> np.ndarray:
    """Times with "not yet" as infinity, so that they can be compared."""
    values = time_s.to_numpy(dtype=float)
    return np.where(np.isnan(values), np.inf, values)


def _count(time_s: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    """How many of `time_s` are at or before each of the increasing `at_s`."""
    return np.cumsum(np.bincount(np.searchsorted(at_s, time_s, side="left"), minlength=at_s.size + 1)[: at_s.size])


def state_shares(parcels: pd.DataFrame, at_s: np.ndarray) -> pd.DataFrame:
    """The same as `states`, as shares of all parcels of the run; "not yet ordered" is what is missing to 1."""
    table = states(parcels, at_s)
    table[list(STATES)] = table[list(STATES)] / max(len(parcels), 1)
    return table


def last_event_s(parcels: pd.DataFrame) -> float:
    """Latest instant in the table [s]; NaN when there are no parcels."""
    if not len(parcels):
        return float("nan")
    return float(np.nanmax([parcels[column].max() for column in STATES.values()]))


def settled_s(parcels: pd.DataFrame, share: float = 0.995) -> float:
    """End of the day on which `share` of all parcels are signed or lost, or of the last event if that is not reached [s]."""
    if not len(parcels):
        return 0.0
    final_s = np.sort(np.fmin(_reached(parcels["signed_s"]), _reached(parcels["lost_s"])))
    settled = final_s[int(np.ceil(share * final_s.size)) - 1]
    return float(np.ceil((settled if np.isfinite(settled) else last_event_s(parcels)) / DAY_S) * DAY_S)


def lead_times_s(parcels: pd.DataFrame) -> np.ndarray:
    """Order to signed [s], one value a row; infinity for parcels not signed, so that they count in every rate."""
    lead_s = parcels["signed_s"].to_numpy(dtype=float) - parcels["created_s"].to_numpy(dtype=float)
    return np.where(np.isnan(lead_s), np.inf, lead_s)


def lead_time_percentile_h(parcels: pd.DataFrame, share: float) -> float | None:
    """Hours from order to signed within which `share` of all parcels were signed; None when fewer have been."""
    if not len(parcels):
        return None
    lead_s = np.sort(lead_times_s(parcels))
    value = lead_s[max(int(np.ceil(share * lead_s.size * (1 - 1e-12))) - 1, 0)]
    return float(value) / HOUR_S if np.isfinite(value) else None


def lead_time_histogram(parcels: pd.DataFrame, *, scale: float, bin_h: float = 6.0) -> pd.DataFrame:
    """Signed parcels by lead time, scaled up to the real day: `from_h`, `to_h` [h], `parcels`."""
    lead_h = lead_times_s(parcels) / HOUR_S
    lead_h = lead_h[np.isfinite(lead_h)]
    count = np.bincount((lead_h // bin_h).astype(np.int64), minlength=1) / scale
    from_h = bin_h * np.arange(count.size)
    return pd.DataFrame({"from_h": from_h, "to_h": from_h + bin_h, "parcels": count})


def carriers(parcels: pd.DataFrame, *, scale: float, early_s: float = 3 * DAY_S) -> pd.DataFrame:
    """One row a carrier, largest first: how its parcels stood early and at the run's end.

    Returns
    -------
    `carrier`; `parcels` scaled up; shares of all its parcels: `picked_up_early`, `signed_early` at `early_s`, and
    `picked_up`, `in_transit` (picked up, neither signed nor lost), `signed`, `exception` (lost, or not signed at the
    first attempt) at the run's end; `median_h`, `p95_h` lead times [h], NaN when that share is not signed yet.
    """
    rows = []
    for carrier, own in parcels.groupby("carrier", observed=True):
        picked_up, signed, lost = (own[name].notna() for name in ("picked_up_s", "signed_s", "lost_s"))
        rows.append(
            {
                "carrier": str(carrier),
                "parcels": len(own) / scale,
                "picked_up_early": (own["picked_up_s"] <= early_s).mean(),
                "signed_early": (own["signed_s"] <= early_s).mean(),
                "picked_up": picked_up.mean(),
                "in_transit": (picked_up & ~signed & ~lost).mean(),
                "signed": signed.mean(),
                "exception": (lost | (own["attempts"] > 1)).mean(),
                "median_h": _or_nan(lead_time_percentile_h(own, 0.5)),
                "p95_h": _or_nan(lead_time_percentile_h(own, 0.95)),
            }
        )
    table = pd.DataFrame(rows)
    return table.sort_values(["parcels", "carrier"], ascending=[False, True], ignore_index=True) if rows else table


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value
