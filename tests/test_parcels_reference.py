"""The kernels against the plain SimPy model: the same parcels, trucks and trains at the same instants, bit for bit."""

import numpy as np
import pandas as pd
import pytest

from experiments._reference.parcels import Reference
from experiments._reference.places import Process, at
from sim.kernels.rows import EXCEPTIONS
from sim.parcels.clock import Turn
from sim.records import Tables
from sim.units import DAY_S, HOUR_S
from tests.parcel_case import SMALL_ORDERS, SMALL_PARCELS, Case, run, shipped_case, small_case, with_everyday

COLUMNS = (
    "shopper", "orders", "items", "weight_kg", "merchant", "created_s", "packed_s", "picked_up_s", "origin_hub_s", "departed_s",
    "destination_hub_s", "outlet_s", "out_s", "signed_s", "returned_s", "lost_s", "exception_s", "attempts",
)  # fmt: skip
HUB_COLUMNS = ("backlog_parcels", "everyday_backlog_parcels", "gate_parcels", "everyday_gate_parcels")
TRIP_COLUMNS = ["depart_s", "arrive_s", "unloaded_s", "load_parcels", "load_kg", "vehicles"]


def assert_same(case: Case) -> tuple[Tables, Reference]:
    part = run(case)
    tables = part.tables()
    reference = Reference(case)
    watched = watch(reference)
    reference.run()
    assert len(tables["parcels"]) == len(reference.parcels) > 0
    for name in COLUMNS:
        np.testing.assert_array_equal(tables["parcels"][name].to_numpy(), reference.column(name), err_msg=name)
    np.testing.assert_array_equal(tables["parcels"]["exception"].cat.codes, reference.column("exception"))
    entered_s = part.column("entered_s").astype(np.float64)
    happened = entered_s < case.params.horizon_days * DAY_S
    assert happened.mean() > 0.5
    np.testing.assert_array_equal(entered_s[happened], reference.column("entered_s")[happened])
    trips = pd.DataFrame(reference.trips)
    trips["load_parcels"] = trips.pop("rows") * case.weight
    np.testing.assert_array_equal(
        tables["trips"].sort_values(TRIP_COLUMNS)[TRIP_COLUMNS].to_numpy(),
        trips.sort_values(TRIP_COLUMNS)[TRIP_COLUMNS].to_numpy(),
    )
    hours = tables["hub_hours"][: -len(reference.hubs)]  # SimPy stops before the events of the last instant
    np.testing.assert_array_equal(hours[list(HUB_COLUMNS)].to_numpy(), np.array(watched))
    if everyday := part.everyday_whereabouts():
        assert (everyday["brought"], everyday["delivered"]) == (
            reference.everyday.brought,
            reference.everyday.delivered,
        )
    return tables, reference


def watch(reference: Reference) -> list[tuple[float, ...]]:
    """What is in each hub and at its gate, everyday parcels and all, is written down at the end of every hour."""
    found: list[tuple[float, ...]] = []

    def watcher() -> Process:
        for hour in range(1, int(reference.case.params.horizon_days * 24)):
            yield at(reference.env, hour * HOUR_S, Turn.RECORD)
            for hub in reference.hubs:
                waiting = sum(len(vehicle.load) for vehicle in hub.gate) * reference.case.weight
                everyday = sum(sum(vehicle.everyday) for vehicle in hub.gate)
                stored = hub.stored * reference.case.weight + hub.everyday_stored
                found.append((stored, hub.everyday_stored, waiting + everyday, everyday))

    reference.env.process(watcher())
    return found


@pytest.mark.parametrize(("orders", "weight", "seed"), [(300, 1.0, 1), (900, 3.0, 2), (1500, 2.5, 3), (600, 11.0, 4)])
def test_every_parcel_of_a_small_country_has_the_timestamps_of_the_reference(
    orders: int, weight: float, seed: int
) -> None:
    assert_same(small_case(orders, weight=weight, seed=seed))


@pytest.mark.parametrize(
    ("orders", "weight", "seed", "changes"),
    [
        (300, 1.0, 1, {}),
        (900, 3.0, 2, {}),
        (1500, 2.5, 3, {"local_share": 1.0}),
        (600, 11.0, 4, {"parcels_per_day": 6000, "local_share": 0.0}),
    ],
)
def test_beside_everyday_parcels_each_has_the_timestamps_of_the_reference(
    orders: int, weight: float, seed: int, changes: dict[str, float]
) -> None:
    tables, _ = assert_same(small_case(orders, weight=weight, seed=seed, parcels=with_everyday(**changes)))
    hours = tables["hub_hours"]
    assert hours["everyday_gate_parcels"].max() > 0
    assert (hours["gate_parcels"] > hours["everyday_gate_parcels"]).any()


def test_every_exception_is_among_those_that_are_compared() -> None:
    tables, _ = assert_same(small_case(900, weight=1.0, seed=6))
    assert set(tables["parcels"]["exception"]) == set(EXCEPTIONS)


def test_what_a_full_carrier_refuses_goes_the_way_of_the_reference() -> None:
    carriers = {
        name: {**carrier, "pickup_per_day": limit}
        for (name, carrier), limit in zip(SMALL_PARCELS["carriers"].items(), (150, 80), strict=True)
    }
    tables, _ = assert_same(small_case(900, weight=1.0, seed=5, parcels={"carriers": carriers}))
    assert (tables["carriers"]["switched_parcels"] > 20).all()


@pytest.mark.parametrize("policy", ["even", "past_sales", "path"])
def test_what_lies_in_regional_warehouses_goes_the_way_of_the_reference(policy: str) -> None:
    tables, reference = assert_same(small_case(1_500, weight=1.5, seed=6, stock={"policy": policy}))
    stock = tables["stock"]
    assert stock["shipped_items"].sum() == pytest.approx(reference.store.shipped)
    assert stock["missed_items"].sum() == pytest.approx(reference.store.missed)
    np.testing.assert_array_equal(stock["left_items"], reference.store.left.T.reshape(-1))
    assert min(reference.store.shipped, reference.store.missed, stock["replenished_items"].sum()) > 100


@pytest.mark.parametrize("everyday", [False, True])
def test_ties_are_decided_as_in_the_reference(everyday: bool) -> None:
    """All ways take whole hours and all rows whole minutes, so that vehicles, decisions and rows meet at the same instants."""
    whole = {
        "feeder": {"speed_kmh": 60, "handling_s": 3600},
        "wave_s": 1800,
        "hold_s": 7200,
        "truck": {**SMALL_PARCELS["truck"], "stop_s": 1800, "breakdown_km": None},
        "sorting": {**SMALL_PARCELS["sorting"], "shifts": {"00:00": 1.0}, "hired": []},
        "last_mile": {**SMALL_PARCELS["last_mile"], "staffing_sigma": 0.0, "tour_s": 21600},
    }
    merchants = {
        "size_exponent": 0.0,
        "expected_parcels": 40 * 2 * 12 * 5.0,  # 40 merchants, 2 days of 12 hours, a parcel every 12 minutes
        "warehouse": {
            **SMALL_ORDERS["warehouse"],
            "spread_sigma": 0.0,
            "pick_s": 0,
            "hired_factor": 1.0,
            "prepacked": {**SMALL_ORDERS["warehouse"]["prepacked"], "merchants": 0},
        },
    }
    if everyday:
        whole |= with_everyday()
    case = small_case(1_200, weight=3.0, parcels=whole, merchants=merchants, ring_km=[60.0] * 8)
    paid_s = np.sort(np.round(case.batch.paid_s / 600.0) * 600.0)
    tables, _ = assert_same(case._replace(batch=case.batch._replace(paid_s=paid_s)))
    arrivals = tables["trips"]["arrive_s"].dropna()
    assert (arrivals % 1800 == 0).mean() > 0.5
    assert arrivals.duplicated().any()
    assert (tables["parcels"]["outlet_s"].dropna() % 3600 == 0).all()


def test_the_shipped_carriers_give_the_timestamps_of_the_reference() -> None:
    case = shipped_case(2500)
    tables, _ = assert_same(case._replace(params=case.params.model_copy(update={"horizon_days": 7.0})))
    assert set(tables["trips"]["vehicle"]) >= {"own truck"}
