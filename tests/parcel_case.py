"""Cases for the tests of the parcels: a made-up country, orders without a site, and one call that runs them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import simpy
import yaml

from sim.geography import Geography, destination_weights, load_geography, origin_weights
from sim.network import Network, build_network
from sim.params import build
from sim.params.geography import GeographyParams
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.params.stock import StockParams
from sim.params.weather import WeatherParams
from sim.parcels import ParcelNetwork
from sim.records import OrderBatch
from sim.units import DAY_S, seconds

CONFIGS = Path(__file__).parent.parent / "configs"
ORDERS_2012 = 105.8e6
BUYERS_2012 = 30e6
SALES_CURVE_2012 = (  # clock and cumulative RMB, published by Tmall during and after 11 November 2012
    ("00:00", 0.0),
    ("01:10", 2.0e9),
    ("02:19", 3.37e9),
    ("12:00", 8.0e9),
    ("13:38", 10.0e9),
    ("24:00", 19.1e9),
)


class Case(NamedTuple):
    """Everything that `ParcelNetwork` needs besides an environment."""

    params: ParcelsParams
    orders: OrdersParams
    network: Network
    origins: np.ndarray
    destinations: np.ndarray
    batch: OrderBatch
    weight: float
    seed: int = 1
    weather: WeatherParams | None = None
    stock: StockParams | None = None


def made_up_orders(orders: int, seed: int = 0) -> OrderBatch:
    """Orders along the published sales curve of 2012; orders per buyer are geometric with the published mean."""
    rng = np.random.default_rng(seed)
    counts = rng.geometric(BUYERS_2012 / ORDERS_2012, orders)
    counts = counts[: np.searchsorted(np.cumsum(counts), orders) + 1]
    shopper = np.repeat(np.arange(counts.size), counts)
    clocks_s, sales_rmb = zip(*((seconds(clock), rmb) for clock, rmb in SALES_CURVE_2012), strict=True)
    paid_s = np.interp(rng.random(shopper.size) * sales_rmb[-1], sales_rmb, clocks_s)
    order = np.lexsort((paid_s, shopper))
    number = np.arange(shopper.size) - np.repeat(np.cumsum(counts) - counts, counts)
    paid_s = paid_s[order]
    by_time = np.lexsort((number, shopper, paid_s))
    return OrderBatch(paid_s[by_time], shopper[by_time], number[by_time], np.full(shopper.size, 180.5))


def in_one_visit(batch: OrderBatch) -> OrderBatch:
    """The same orders, each shopper's a minute apart, as on the site."""
    first_s = np.full(int(batch.shopper.max()) + 1, np.inf)
    np.minimum.at(first_s, batch.shopper, batch.paid_s)
    paid_s = first_s[batch.shopper] + 60.0 * batch.number
    order = np.lexsort((batch.number, batch.shopper, paid_s))
    return OrderBatch(paid_s[order], batch.shopper[order], batch.number[order], batch.value_rmb[order])


class OrderDouble:
    """Stands in for the site: orders that are known beforehand, handed over when they have been paid."""

    def __init__(self, env: simpy.Environment, batch: OrderBatch) -> None:
        self._env = env
        self._batch = batch
        self._next = 0

    def __call__(self) -> OrderBatch:
        first, self._next = self._next, int(np.searchsorted(self._batch.paid_s, self._env.now, side="left"))
        return OrderBatch(*(column[first : self._next] for column in self._batch))


def shipped_params() -> tuple[ParcelsParams, OrdersParams, GeographyParams]:
    """The parameters of the shipped configs."""
    return (
        build(ParcelsParams, _yaml("parcels/carriers_2012")),
        build(OrdersParams, _yaml("orders/tmall_2012")),
        build(GeographyParams, _yaml("geography/china")),
    )


def shipped_case(rows: int, seed: int = 1) -> Case:
    """The shipped configs with so few orders that each parcel row stands for many."""
    params, orders, places = shipped_params()
    geography = load_geography()
    batch = in_one_visit(made_up_orders(rows, seed))
    weight = ORDERS_2012 / batch.paid_s.size
    return Case(
        params,
        orders,
        build_network(geography),
        origin_weights(places, geography),
        destination_weights(places, geography),
        batch,
        weight,
        seed,
    )


ODD_KM = (211.3, 97.9, 305.1, 150.7, 88.3, 260.9, 199.7, 333.3)


def small_country(ring_km: Sequence[float] = ODD_KM) -> Network:
    """Eight cities on a ring road, with a railway between two of them."""
    names = ["Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Oak"]
    geography = Geography(
        name=np.array(names),
        province=np.array(["North"] * 4 + ["South"] * 4),
        longitude=np.linspace(100.0, 120.0, 8),
        latitude=np.linspace(25.0, 40.0, 8),
        population=np.array([900, 400, 300, 500, 800, 200, 100, 600]) * 1000,
    )
    ring = zip(names, [*names[1:], names[0]], ring_km, strict=True)
    return build_network(geography, [*((a, b, "road", km) for a, b, km in ring), ("Ash", "Fir", "rail", 700.0)])


SMALL_PARCELS: dict[str, Any] = {
    "horizon_days": 12,
    "lost_share": 0.01,
    "everyday": None,
    "wave_s": 3600,
    "hold_s": 14400,
    "pickup_clocks": ["10:00", "15:00", "20:00"],
    "timetable_clocks": ["03:00", "15:00"],
    "outlet_clocks": ["05:00", "11:00"],
    "feeder": {"speed_kmh": 45, "handling_s": 1800},
    "capacity": {"sort_factor": 1.0, "storage_factor": 1.0, "couriers_factor": 1.0},
    "sorting": {
        "shifts": {"06:00": 1.2, "22:00": 0.7},
        "hired": [{"from_h": 60, "share": 0.3}],
        "again_share": 0.05,
        "gate_share": 3.0,
    },
    "truck": {
        "capacity_parcels": 120,
        "capacity_kg": 150,
        "speed_kmh": 60,
        "handling_s": 3600,
        "drivers": 1,
        "wheel_s": 7200,
        "stop_s": 900,
        "shift_s": 14400,
        "sleep_s": 18000,
        "breakdown_km": 2000,
        "repair_s": 7000,
        "own_rmb_per_km": 6.0,
        "hired_rmb_per_km": 9.0,
    },
    "last_mile": {
        "tour_clocks": ["08:00", "14:00"],
        "tour_s": 18000,
        "tour_parcels": 10,
        "success_share": 0.8,
        "staffing_sigma": 0.3,
        "closes": "18:30",
        "speed_kmh": 15.0,
        "stop_s": 600.0,
        "people_per_km2": 20000.0,
        "locker_share": 0.1,
        "collect_s": 20000.0,
        "damaged_share": 0.02,
        "wrong_address_share": 0.04,
        "refused_share": 0.03,
        "forward_s": 100000.0,
        "return_wait_s": 50000.0,
    },
    "carriers": {
        "swift": {
            "share": 0.6,
            "parcel_rmb": 6.0,
            "kg_rmb": 1.0,
            "pickup_per_day": None,
            "hubs": {
                "Ash": {"sort_per_h": 60, "storage_parcels": 400},
                "Elm": {"sort_per_h": 90, "storage_parcels": 500},
                "Fir": {"sort_per_h": 50, "storage_parcels": 300},
            },
            "lanes": "complete",
            "own_trucks": 4,
            "hired_trucks": 6,
            "couriers": 24,
            "trains": [
                {
                    "origin": "Ash",
                    "destination": "Fir",
                    "depart_clock": "21:00",
                    "cutoff_s": 3600,
                    "gather_s": 14400,
                    "travel_s": 30000,
                    "handling_s": 3600,
                    "wagons": 4,
                    "wagon_parcels": 50,
                    "wagon_kg": 20,
                    "trip_rmb": 900.0,
                }
            ],
        },
        "steady": {
            "share": 0.4,
            "parcel_rmb": 5.0,
            "kg_rmb": 2.0,
            "pickup_per_day": None,
            "hubs": {
                "Birch": {"sort_per_h": 40, "storage_parcels": 350},
                "Hazel": {"sort_per_h": 70, "storage_parcels": 300},
                "Oak": {"sort_per_h": 30, "storage_parcels": 350},
                "Ash": {"sort_per_h": 30, "storage_parcels": 300},
            },
            "lanes": [
                ["Birch", "Hazel"],
                ["Hazel", "Birch"],
                ["Hazel", "Oak"],
                ["Oak", "Hazel"],
                ["Hazel", "Ash"],
                ["Ash", "Birch"],
            ],
            "own_trucks": 2,
            "hired_trucks": 3,
            "couriers": 16,
        },
    },
}

SMALL_EVERYDAY: dict[str, Any] = {
    "parcels_per_day": 2500,
    "week": [0.7, 1.0, 1.1, 1.1, 1.1, 1.0, 1.0],
    "displaced_share": 0.4,
    "local_share": 0.2,
    "opens": "09:00",
    "closes": "21:00",
}
"""Everyday parcels for the small country, with the carriers of `with_everyday`."""


def with_everyday(**changes: Any) -> dict[str, Any]:
    """Changes of `small_case` that bring everyday parcels, about as many as the hubs can sort; `changes` are of theirs."""
    shares = {"swift": 0.5, "steady": 0.3}
    carriers = {name: {**own, "everyday_share": shares[name]} for name, own in SMALL_PARCELS["carriers"].items()}
    return {"everyday": {**SMALL_EVERYDAY, **changes}, "carriers": carriers}


SMALL_ORDERS: dict[str, Any] = {
    "merchants": 40,
    "size_exponent": 1.0,
    "size_shift": 3.0,
    "virtual_share": 0.1,
    "same_merchant_share": 0.4,
    "preferred_carrier_share": 0.8,
    "switch_share": 0.4,
    "expected_parcels": 2000,
    "categories": {
        "cloth": {"share": 0.7, "order_items": 1.5, "item_median_kg": 0.6, "item_sigma": 0.6, "dm3_per_kg": 6.0},
        "metal": {"share": 0.3, "order_items": 1.0, "item_median_kg": 2.5, "item_sigma": 0.8, "dm3_per_kg": 2.0},
    },
    "warehouse": {
        "shift_start": "08:00",
        "shift_end": "20:00",
        "cutoff": "22:00",
        "pick_s": 20,
        "pack_s": 60,
        "staffed_days": 2.0,
        "spread_sigma": 0.5,
        "hired_from_days": 1,
        "hired_factor": 1.25,
        "promise_h": 48,
        "prepacked": {"merchants": 5, "share": 0.3, "label_s": 10, "staffed_days": 0.5},
    },
}


SMALL_STOCK: dict[str, Any] = {
    "policy": "past_sales",
    "merchants": 25,
    "placed_items": 1200,
    "expected_orders": 2500,
    "drift_sigma": 0.3,
    "replenish_clock": "12:00",
    "replenish_h": 20,
    "places": {
        "Birch": {"capacity_m3": 4.0, "pack_per_h": 60},
        "Elm": {"capacity_m3": 2.0, "pack_per_h": 30},
        "Larch": {"capacity_m3": 3.0, "pack_per_h": 40},
    },
    "forecast": None,
}


def small_case(
    orders: int = 900,
    *,
    weight: float = 3.0,
    seed: int = 1,
    parcels: Mapping[str, Any] | None = None,
    merchants: Mapping[str, Any] | None = None,
    stock: Mapping[str, Any] | None = None,
    ring_km: Sequence[float] = ODD_KM,
) -> Case:
    """A case in the small country; `parcels`, `merchants` and `stock` replace top-level values; no stock: none forward."""
    network = small_country(ring_km)
    batch = made_up_orders(orders, seed)
    return Case(
        build(ParcelsParams, {**SMALL_PARCELS, **(parcels or {})}, "parcels"),
        build(OrdersParams, {**SMALL_ORDERS, **(merchants or {})}, "orders"),
        network,
        network.geography.population.astype(float)[::-1],
        network.geography.population.astype(float),
        batch,
        weight,
        seed,
        stock=None if stock is None else build(StockParams, {**SMALL_STOCK, **stock}, "stock"),
    )


def built(case: Case, env: simpy.Environment, threads: int = 1) -> ParcelNetwork:
    """The parcels part of a case on an environment, fed by the double."""
    return ParcelNetwork(
        env,
        case.params,
        case.orders,
        case.network,
        origins=case.origins,
        destinations=case.destinations,
        seed=case.seed,
        weight=case.weight,
        bring_orders=OrderDouble(env, case.batch),
        weather=case.weather,
        threads=threads,
        stock=case.stock,
    )


def run(
    case: Case,
    *,
    until_s: float | None = None,
    at_s: Iterable[float] = (),
    look: Callable[[ParcelNetwork], None] | None = None,
    threads: int = 1,
) -> ParcelNetwork:
    """Run a case to its horizon or `until_s`; at the times `at_s` advance the part and look at it."""
    env = simpy.Environment()
    part = built(case, env, threads)

    def advance(_: simpy.Event) -> None:
        part.advance()
        if look is not None:
            look(part)

    for time_s in at_s:
        env.timeout(time_s).callbacks.append(advance)
    env.run(until=case.params.horizon_days * DAY_S if until_s is None else until_s)
    part.finish()
    return part


def _yaml(name: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))
    return values
