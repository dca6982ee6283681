"""Key figures of the merchants: counted again from the parcels, and absent when there are none."""

import pytest

from sim.metrics.merchants import NAMES, merchant_kpis
from tests.parcel_case import SMALL_PARCELS, run, small_case


def test_the_figures_are_those_of_a_count_parcel_by_parcel() -> None:
    carriers = {name: {**carrier, "pickup_per_day": 400} for name, carrier in SMALL_PARCELS["carriers"].items()}
    tables = run(small_case(2_500, weight=2.0, parcels={"carriers": carriers}, stock={})).tables()
    figures, parcels = merchant_kpis(tables), tables["parcels"]
    kept = parcels["picked_up_s"] - parcels["created_s"] <= 48 * 3600.0
    home = tables["merchants"]["city"].astype(str).to_numpy()[parcels["merchant"]]
    assert figures["promise_kept_share"] == pytest.approx(kept.mean())
    assert figures["forward_parcels"] == 2.0 * (parcels["origin"].astype(str) != home).sum() > 0
    assert figures["postage_rmb"] == pytest.approx(tables["carriers"]["postage_rmb"].sum())
    assert min(figures[name] or 0.0 for name in ("refused_parcels", "stock_missed_items", "saved_km")) > 0


def test_without_parcels_there_are_none() -> None:
    assert merchant_kpis({}) == dict.fromkeys(NAMES)
