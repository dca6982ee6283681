"""The kernels against the plain SimPy model: the same parcels, trucks and trains at the same instants, bit for bit."""

import numpy as np
import pandas as pd
import pytest

from experiments._reference.parcels import Reference
from tests.parcel_case import SMALL_ORDERS, SMALL_PARCELS, Case, run, shipped_case, small_case

COLUMNS = (
    "shopper", "orders", "merchant", "created_s", "packed_s", "picked_up_s", "origin_hub_s", "departed_s", "destination_hub_s",
    "outlet_s", "out_s", "signed_s", "lost_s", "attempts",
)  # fmt: skip
TRIP_COLUMNS = ["depart_s", "arrive_s", "unloaded_s", "load_parcels", "vehicles"]


def assert_same(case: Case) -> tuple[dict[str, pd.DataFrame], Reference]:
    tables = run(case).tables()
    reference = Reference(case).run()
    assert len(tables["parcels"]) == len(reference.parcels) > 0
    for name in COLUMNS:
        np.testing.assert_array_equal(tables["parcels"][name].to_numpy(), reference.column(name), err_msg=name)
    trips = pd.DataFrame(reference.trips)
    trips["load_parcels"] = trips.pop("rows") * case.weight
    np.testing.assert_array_equal(
        tables["trips"].sort_values(TRIP_COLUMNS)[TRIP_COLUMNS].to_numpy(),
        trips.sort_values(TRIP_COLUMNS)[TRIP_COLUMNS].to_numpy(),
    )
    return tables, reference


@pytest.mark.parametrize(("orders", "weight", "seed"), [(300, 1.0, 1), (900, 3.0, 2), (1500, 2.5, 3), (600, 11.0, 4)])
def test_every_parcel_of_a_small_country_has_the_timestamps_of_the_reference(
    orders: int, weight: float, seed: int
) -> None:
    assert_same(small_case(orders, weight=weight, seed=seed))


def test_ties_are_decided_as_in_the_reference() -> None:
    """All ways take whole hours and all rows whole minutes, so that vehicles, decisions and rows meet at the same instants."""
    whole = {
        "feeder": {"speed_kmh": 60, "handling_s": 3600},
        "wave_s": 1800,
        "hold_s": 7200,
        "last_mile": {**SMALL_PARCELS["last_mile"], "staffing_sigma": 0.0, "tour_s": 21600},
    }
    merchants = {
        "size_exponent": 0.0,
        "expected_parcels": 40 * 2 * 12 * 5.0,  # 40 merchants, 2 days of 12 hours, a parcel every 12 minutes
        "warehouse": {**SMALL_ORDERS["warehouse"], "spread_sigma": 0.0},
    }
    case = small_case(1_200, weight=3.0, parcels=whole, merchants=merchants, ring_km=[60.0] * 8)
    paid_s = np.sort(np.round(case.batch.paid_s / 600.0) * 600.0)
    tables, _ = assert_same(case._replace(batch=case.batch._replace(paid_s=paid_s)))
    arrivals = tables["trips"]["arrive_s"].dropna()
    assert (arrivals % 1800 == 0).mean() > 0.5
    assert arrivals.duplicated().any()
    assert (tables["parcels"]["outlet_s"].dropna() % 3600 == 0).all()


def test_the_shipped_carriers_give_the_timestamps_of_the_reference() -> None:
    tables, _ = assert_same(shipped_case(2500))
    assert set(tables["trips"]["vehicle"]) >= {"own truck"}
