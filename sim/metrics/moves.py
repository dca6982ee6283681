"""From where to where the parcels move in a day, in a few stations that a picture can show."""

import pandas as pd

STATIONS = {
    "not ordered": ("not ordered",),
    "at the merchant": ("at merchant", "waiting for pickup"),
    "at the origin": ("picked up", "in origin hub"),
    "on line-haul": ("on line-haul",),
    "in the destination hub": ("in destination hub",),
    "last mile": ("at outlet", "out for delivery"),
    "signed": ("signed",),
    "on the way back": ("on the way back",),
    "returned or lost": ("returned", "lost"),
}
"""Station -> states of `metrics.stages.STATES`."""


def moves(parcel_moves: pd.DataFrame, *, scale: float, days: int) -> pd.DataFrame:
    """Parcels that went from one station to another, or stayed, in each of the first days, scaled up to the real day.

    Returns
    -------
    `day` (from 0), `before`, `after` (of `STATIONS`) and `parcels`. What has come to its end before a day begins is left out.
    """
    of = {state: station for station, states in STATIONS.items() for state in states}
    table = parcel_moves[parcel_moves["day"] < days].astype({"before": str, "after": str})
    table = table.assign(before=table["before"].map(of), after=table["after"].map(of))
    table = table[~table["before"].isin(("signed", "returned or lost")) & (table["after"] != "not ordered")]
    grouped = table.groupby(["day", "before", "after"], as_index=False)["parcels"].sum()
    grouped["parcels"] = grouped["parcels"] / scale
    return grouped
