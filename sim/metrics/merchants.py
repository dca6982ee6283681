"""What merchants want to know of a run: promises kept, postage, refusals, and what stock near the customers was good for."""

from collections.abc import Mapping

import pandas as pd

NAMES = (
    "promise_kept_share",
    "postage_rmb",
    "refused_parcels",
    "forward_parcels",
    "stock_missed_items",
    "saved_km",
)


def merchant_kpis(tables: Mapping[str, pd.DataFrame]) -> dict[str, float | int | None]:
    """Key figures from the tables `merchants`, `carriers` and `stock`, in real parcels; None when the parcels were off.

    promise_kept_share : parcels picked up within the time that the merchants promise, over all parcels
    postage_rmb : what carriers charge for the parcels that they picked up
    refused_parcels : parcels that a carrier had no room for, each counted once
    forward_parcels : parcels sent from regional warehouses
    stock_missed_items : items asked for there when too little was left
    saved_km : way by road that parcels were spared, over all parcels sent from there
    """
    merchants = tables.get("merchants")
    if merchants is None or merchants.empty:
        return dict.fromkeys(NAMES)
    parcels = float(merchants["parcels"].sum())
    stock = tables["stock"]
    values = (
        float(merchants["kept_parcels"].sum()) / parcels if parcels else None,
        float(merchants["postage_rmb"].sum()),
        float(tables["carriers"]["refused_parcels"].sum()),
        float(merchants["forward_parcels"].sum()),
        float(stock["missed_items"].sum()),
        float(stock["saved_km"].sum()),
    )
    return dict(zip(NAMES, values, strict=True))
