"""The parcels part as the bench sees it: built on an environment, fed by a port, read out as tables."""

from collections.abc import Callable

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.convoys import COMING, DOCKING, WAITING
from sim.kernels.rows import Queues
from sim.network import Network
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.params.stock import StockParams
from sim.params.weather import WeatherParams
from sim.parcels.accounts import Accounts
from sim.parcels.allocate import Advice
from sim.parcels.carrier import Carrier
from sim.parcels.check import check
from sim.parcels.clock import Turn, every
from sim.parcels.dispatch import outlook
from sim.parcels.everyday_plan import make_everyday
from sim.parcels.everyday_traffic import EverydayTraffic
from sim.parcels.fleet import crew_of
from sim.parcels.gauges import Gauges
from sim.parcels.ledger import Ledger
from sim.parcels.levers import Bench, Levers
from sim.parcels.merchants import make_merchants
from sim.parcels.plan import make_plan
from sim.parcels.record import HubHours
from sim.parcels.rounds import Rounds
from sim.parcels.stock import Replenishment, check_stock, no_stock, place_stock
from sim.parcels.yard import make_yard
from sim.records import OrderBatch, Tables
from sim.units import HOUR_S, seconds


class ParcelNetwork:
    """Merchants and carriers from the paid order to the signed parcel. Its processes start when it is built.

    Parameters
    ----------
    env : the run's environment
    params, orders : checked parameters
    network : roads and railways between the cities
    origins, destinations : weights of the cities as senders and receivers, float64[cities] (`sim.geography.origin_weights`, ..)
    seed : of the run
    weight : parcels that one row stands for, 1 / scale
    bring_orders : port to what is upstream: advances it to exactly env.now and returns the orders paid before now that it has not
        returned yet; the numbers of a shopper's orders come in order and without gaps
    stock : what lies in regional warehouses; None: nothing
    advise : port for a forecast, read by the stock's policy of that name: what is known before the day -> shares
        float64[categories, places] of the stock
    weather : on the roads; None: dry
    threads : to move rows on; no result depends on it

    Raises
    ------
    ParameterError
        When the parameters do not fit together or to the geography.
    """

    def __init__(
        self,
        env: simpy.Environment,
        params: ParcelsParams,
        orders: OrdersParams,
        network: Network,
        *,
        origins: NDArray[np.float64],
        destinations: NDArray[np.float64],
        seed: int,
        weight: float,
        bring_orders: Callable[[], OrderBatch],
        stock: StockParams | None = None,
        advise: Advice | None = None,
        weather: WeatherParams | None = None,
        threads: int = 1,
    ) -> None:
        check(params, network.geography, weight=weight)
        if stock is not None:
            check_stock(stock, orders, network.geography, advised=advise is not None)
        self._geography, self._params, self._threads = network.geography, params, threads
        places = {} if stock is None else stock.places
        merchants = make_merchants(orders, params, origins, destinations, seed, places.values())
        placement = None if stock is None else place_stock(stock, merchants, network, destinations, seed, advise)
        ledger = Ledger(
            merchants,
            no_stock(len(merchants.categories)) if placement is None else placement.stock,
            weight=weight,
            planned_rows=orders.expected_parcels / weight,
            pickups_per_day=[carrier.pickup_per_day for carrier in params.carriers.values()],
            bring_orders=bring_orders,
            threads=threads,
        )
        self._accounts = Accounts(ledger, params, orders, network.geography)
        self._warehouses: Replenishment | None = None
        if stock is not None and placement is not None:
            self._warehouses = Replenishment(env, stock, placement, ledger)
        plan = make_plan(params, network, destinations, seed, weather)
        self._yard = make_yard(env, params, plan, ledger, weight=weight, seed=seed)
        self._hours = HubHours(self._yard.hubs, self._yard.docks)
        carriers = [Carrier(self._yard, params, number, seed) for number in range(len(plan.carriers))]
        self._rounds = Rounds(self._yard, params, carriers, threads)
        self._everyday: EverydayTraffic | None = None
        if params.everyday is not None:
            self._everyday = EverydayTraffic(
                self._yard,
                make_everyday(params.everyday, params, plan, origins, destinations, seed),
                [seconds(clock) for clock in params.outlet_clocks],
                self._rounds.advance,
                params.truck,
            )
        bench = Bench(
            env, params, network.geography, self._yard, carriers, self._hours, merchants, placement, self.advance
        )
        self.levers = Levers(bench)
        self.gauges = Gauges(bench, self.levers)
        env.process(every(env, HOUR_S, Turn.RECORD, self._write_hour))
        self._held: list[tuple[int, int]] = []  # hour of each forecast, lanes held after it
        if weather is not None and weather.forecast is not None:
            self._forecast = weather.forecast
            self._truck, self._seed = params.truck, seed
            env.process(every(env, weather.forecast.issue_h * HOUR_S, Turn.FORECAST, self._look_ahead, first=0))

    @property
    def rows_done(self) -> int:
        """Parcel rows that are signed, or will be on a tour that is out, or are sent back or known to be lost."""
        return self._yard.signed + self._yard.sent_back + self._yard.lost

    @property
    def hub_steps(self) -> int:
        """Times that a row was unloaded, sorted or sent on by a hub."""
        hubs = self._yard.hubs
        return int(hubs.arrived.sum() + hubs.sorted.sum() + hubs.departed.sum())

    def advance(self) -> None:
        """Bring every row to exactly env.now. No result depends on whether or how often this is called."""
        self._yard.ledger.take_in()
        self._rounds.advance(before_vehicles=True)

    def finish(self) -> None:
        """Bring everything to the end of the run and write down the hour that ends with it; no order comes after it."""
        self.advance()
        self._yard.ledger.close()
        if (
            self._yard.env.now == (self._hours.written + 1) * HOUR_S
        ):  # SimPy stops before the events of its last instant
            self._hours.write()

    def column(self, name: str) -> NDArray[np.generic]:
        """One column of the rows that exist: names as in `sim.kernels.rows.COLUMNS`."""
        self._yard.stamp()
        return self._yard.ledger.column(name)

    def whereabouts(self) -> dict[str, int]:
        """Rows by where they are, counted place by place; after `advance` they add up to `created`.

        `created` counts all rows. A row is `delivering` from the hub's van until it is signed or sent back, and then `returning`
        in its outlet, and again on the van to the merchant; damage that its outlet will find counts at once.
        """
        yard = self._yard
        hubs, outlets = yard.hubs, yard.outlets
        signed = int((yard.ledger.column("signed_s") < yard.env.now).sum())
        returned = int((yard.ledger.column("returned_s") < yard.env.now).sum())
        return {
            "created": yard.ledger.created,
            "merchant": _rows(yard.ledger.packed),
            "pickup_vans": yard.on_vehicles(COMING, trips=False)["rows"],
            "line_haul": yard.on_vehicles(COMING, vans=False)["rows"],
            "gate": sum(yard.on_vehicles(state)["rows"] for state in (DOCKING, WAITING)),
            "unsorted": _rows(hubs.unsorted),
            "sorted": _rows(hubs.lanes) + _rows(hubs.delivery),
            "delivering": sum(map(_rows, (outlets.waiting, outlets.again, outlets.forwarded))) + yard.signed - signed,
            "returning": _rows(outlets.returning) + yard.returned - returned,
            "returned": returned,
            "signed": signed,
            "lost": yard.lost,
        }

    def everyday_whereabouts(self) -> dict[str, int]:
        """Everyday parcels by where they are, see `EverydayTraffic.whereabouts`; empty without them."""
        return {} if self._everyday is None else self._everyday.whereabouts()

    def tables(self) -> Tables:
        """Tables parcels, hub_hours, trips, hubs, cities, areas, fleets, national_days, road_hours and lane_weather as of now.

        `parcels` is made when it is asked for.
        """
        from sim.parcels.lane_weather import lane_weather_table
        from sim.parcels.national import national_days_table
        from sim.parcels.road_hours import road_hours_table
        from sim.parcels.tables import (
            areas_table,
            cities_table,
            fleets_table,
            hub_hours_table,
            hubs_table,
            large_parcels_table,
            trips_table,
        )

        ready = self._accounts.tables(self._yard.env.now, self._yard.weight, self._warehouses) | {
            "hub_hours": hub_hours_table(self._yard, self._hours, self._geography),
            "trips": trips_table(self._yard, self._geography),
            "hubs": hubs_table(self._yard.plan, self._geography),
            "cities": cities_table(self._geography),
            "areas": areas_table(self._yard.plan, self._geography),
            "fleets": fleets_table(self._params),
            "lane_weather": lambda: lane_weather_table(self._yard.plan, self._geography),
            "road_hours": road_hours_table(self._yard.plan, self._held, int(self._yard.env.now // HOUR_S)),
            "national_days": national_days_table(
                self._yard.ledger, self._everyday, self._yard.env.now, self._yard.weight
            ),
        }
        return Tables(ready, {"parcels": large_parcels_table(self._yard, self._geography, self._threads)})

    def _look_ahead(self) -> None:
        """Dispatch gets a new forecast."""
        yard, issue_h = self._yard, int(self._yard.env.now // HOUR_S)
        self._rounds.advance()
        s_per_km = HOUR_S / self._truck.speed_kmh
        yard.follow(outlook(yard.plan, self._forecast, crew_of(self._truck), s_per_km, issue_h, self._seed))
        self._held.append((issue_h, int(yard.held.sum())))

    def _write_hour(self) -> None:
        self._rounds.advance()
        self._hours.write()


def _rows(queues: Queues) -> int:
    return int(queues.length.sum())
