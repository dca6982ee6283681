"""The parcels part as the bench sees it: built on an environment, fed by a port, read out as tables."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import simpy
from numpy.typing import NDArray

from sim.kernels.rows import Queues
from sim.network import Network
from sim.params.orders import OrdersParams
from sim.params.parcels import ParcelsParams
from sim.parcels.carrier import Carrier
from sim.parcels.check import check
from sim.parcels.clock import Turn, every
from sim.parcels.ledger import Ledger
from sim.parcels.merchants import make_merchants
from sim.parcels.plan import make_plan
from sim.parcels.record import HubHours
from sim.parcels.yard import make_yard
from sim.records import OrderBatch
from sim.units import HOUR_S

if TYPE_CHECKING:
    import pandas as pd


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
    shoppers : number of shoppers of the run; their ids are below it
    bring_orders : port to what is upstream: advances it to exactly env.now and returns the orders paid before now that it has not
        returned yet; the numbers of a shopper's orders come in order and without gaps

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
        shoppers: int,
        bring_orders: Callable[[], OrderBatch],
    ) -> None:
        check(params, network.geography, weight=weight)
        self._geography = network.geography
        merchants = make_merchants(orders, params, origins, destinations, seed)
        ledger = Ledger(
            merchants, carriers=len(params.carriers), weight=weight, shoppers=shoppers, bring_orders=bring_orders
        )
        plan = make_plan(params, network, destinations, seed)
        self._yard = make_yard(env, params, plan, ledger, weight=weight, seed=seed)
        self._all_hubs = range(plan.hub_city.size)
        self._hours = HubHours(self._yard.hubs, self._yard.gates)
        for number in range(len(plan.carriers)):
            Carrier(self._yard, params, number)
        env.process(every(env, HOUR_S, Turn.RECORD, self._write_hour))

    @property
    def rows_done(self) -> int:
        """Parcel rows that are signed, or will be on a tour that is out, or are known to be lost."""
        return self._yard.signed + self._yard.lost

    def advance(self) -> None:
        """Bring every row to exactly env.now. No result depends on whether or how often this is called."""
        self._yard.ledger.take_in()
        self._yard.advance(self._all_hubs)

    def finish(self) -> None:
        """Bring everything to the end of the run and write down the hour that ends with it."""
        self.advance()
        if (
            self._yard.env.now == (self._hours.written + 1) * HOUR_S
        ):  # SimPy stops before the events of its last instant
            self._hours.write()

    def whereabouts(self) -> dict[str, int]:
        """Rows by where they are, counted place by place; after `advance` they add up to `created`.

        `created` counts all rows. A row is `delivering` from the hub's van until it is signed.
        """
        yard = self._yard
        hubs, outlets = yard.hubs, yard.outlets
        signed = int((yard.ledger.column("signed_s") < yard.env.now).sum())
        return {
            "created": yard.ledger.created,
            "merchant": _rows(yard.ledger.packed),
            "pickup_vans": yard.in_vans,
            "line_haul": sum(yard.on_the_road.values()),
            "gate": _rows(hubs.gate),
            "unsorted": _rows(hubs.unsorted),
            "sorted": _rows(hubs.lanes) + _rows(hubs.delivery),
            "delivering": _rows(outlets.waiting) + _rows(outlets.again) + yard.signed - signed,
            "signed": signed,
            "lost": yard.lost,
        }

    def tables(self) -> "dict[str, pd.DataFrame]":
        """Tables parcels, hub_hours, trips, hubs and cities as of now."""
        from sim.parcels.tables import cities_table, hub_hours_table, hubs_table, parcels_table, trips_table

        return {
            "parcels": parcels_table(self._yard, self._geography),
            "hub_hours": hub_hours_table(self._yard, self._hours, self._geography),
            "trips": trips_table(self._yard, self._geography),
            "hubs": hubs_table(self._yard.plan, self._geography),
            "cities": cities_table(self._geography),
        }

    def _write_hour(self) -> None:
        self._yard.advance(self._all_hubs)
        self._hours.write()


def _rows(queues: Queues) -> int:
    return int(queues.length.sum())
