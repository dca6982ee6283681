"""The site on the festival's bench: advances its cells to the clock, carries out planned changes, hands over paid orders.

demand (curve, behaviour) -> cells (kernels) -> orders -> bring_orders
                               ^ a change of capacity is a SimPy process
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import simpy

from sim.draws import stream
from sim.kernels import cell_state as kernels
from sim.kernels import recorders, station
from sim.kernels.arrivals import Curve
from sim.kernels.calendar import time_order
from sim.kernels.random import uniforms
from sim.kernels.visits import Behaviour
from sim.params.links import CHANNELS
from sim.params.site import CapacityChange, SiteParams
from sim.records import OrderBatch, no_orders, table
from sim.site import tables
from sim.site.cell import Cell, Model, Share
from sim.site.graph import (
    answered_at_once,
    no_service_times,
    room_of,
    routes,
    service_graph,
    service_times,
    topological_order,
)
from sim.site.shares import (
    cells_at_scale,
    client_of_cell,
    links_of_cell,
    nothing_shared,
    shares_of_cells,
    slots_of_cells,
    visit_keys,
)
from sim.site.tables import Names, totals


def _by_time(paid_s: np.ndarray, shopper: np.ndarray) -> np.ndarray:
    """The order of orders by (instant, shopper): int32[n]."""
    order = np.empty(paid_s.size, np.int32)
    first_s = float(paid_s.min())
    width_s = max(float(paid_s.max()) - first_s, 1.0)
    time_order(first_s, width_s, paid_s.size, paid_s, shopper, np.empty(paid_s.size + 1, np.int32), order)
    return order


class Site:
    """All cells of the site, or, without parameters, pages that answer at once.

    Parameters
    ----------
    env : the clock
    params : the site's parameters; None switches the site off
    pages : names of the pages in the order of `behaviour`
    curve, behaviour : the demand, see sim.demand
    shoppers : shoppers of this run
    scale : share of the day's shoppers that is simulated; capacity shrinks with it
    bucket_s, horizon_s : width of the calendar's buckets and end of the recording
    regions : where shoppers come from, in the order of `behaviour`
    seed, threads : of the run
    trace : keep every request's times at every station, for tests
    """

    def __init__(
        self,
        env: simpy.Environment,
        params: SiteParams | None,
        *,
        pages: list[str],
        curve: Curve,
        behaviour: Behaviour,
        shoppers: int,
        scale: float,
        bucket_s: float,
        horizon_s: float,
        regions: list[str],
        seed: int,
        threads: int = 1,
        trace: bool = False,
    ) -> None:
        self._env = env
        self._params = params
        self._pages = pages
        self._scale = scale
        self._channel_key = stream(seed, "shopper.channel")
        self._wireless_share = behaviour.wireless_share
        self._regions = regions
        self.services = topological_order(service_graph(params)) if params else []
        self.cells = cells_at_scale(params, scale) if params else 1
        share_of_cell = scale / self.cells
        model = Model(
            bucket_s=bucket_s,
            horizon_s=horizon_s,
            keys=visit_keys(seed),
            behaviour=behaviour,
            client=client_of_cell(params, scale, self.cells),
            routes=routes(params, pages, self.services) if params else answered_at_once(pages),
            times=service_times(params, self.services, share=share_of_cell) if params else no_service_times(),
            links=links_of_cell(params, pages, regions, share_of_cell),
        )
        self.horizon_s = horizon_s
        shares = shares_of_cells(params, self.services, scale) if params else [nothing_shared()]
        self._cells = [
            Cell(model, curve, shoppers, i, self.cells, share, self._lanes(share), trace=trace)
            for i, share in enumerate(shares)
        ]
        self._pool = ThreadPoolExecutor(min(threads, self.cells)) if min(threads, self.cells) > 1 else None
        self._orders: list[OrderBatch] = []
        self._brought = 0  # batches that were handed over
        self._capacity: list[tuple[float, str, float, int]] = []
        if params:
            for row, name in enumerate(self.services):
                slots = sum(int(share.servers[row] * share.slots[row]) for share in shares)
                machines = 0 if room_of(params, name) else params.services[name].machines
                self._note_capacity(name, machines, slots)
            for change in params.changes:
                env.process(self._change(change))

    def _lanes(self, share: Share) -> np.ndarray:
        """Most lanes that each service of a cell will ever have: int64[S]."""
        lanes = share.servers.copy()
        for change in self._params.changes if self._params else ():
            row = self.services.index(change.service)
            if share.dispatch[row] != station.CENTRAL:
                lanes[row] = max(lanes[row], slots_of_cells(change.machines * self._scale, self.cells).max())
        return lanes

    def _note_capacity(self, name: str, machines: int, slots: int) -> None:
        self._capacity.append((self._env.now, name, machines * self._scale, slots))

    def _change(self, change: CapacityChange) -> Generator[simpy.Event, Any, None]:
        """A planned change of a service's machines."""
        assert self._params is not None
        yield self._env.timeout(change.at_s)
        self.advance()
        service = self._params.services[change.service]
        row = self.services.index(change.service)
        if service.dispatch == "central":
            slots = slots_of_cells(change.machines * service.slots_per_machine * self._scale, self.cells)
            for cell, n in zip(self._cells, slots.tolist(), strict=True):
                cell.set_slots(row, n, self._env.now)
        else:
            servers = slots_of_cells(change.machines * self._scale, self.cells)
            slots = servers * service.slots_per_machine
            for cell, n in zip(self._cells, servers.tolist(), strict=True):
                cell.set_servers(row, n)
        self._note_capacity(change.service, change.machines, int(slots.sum()))

    def advance(self) -> None:
        """Bring all cells to exactly env.now."""
        if self._pool is None:
            for cell in self._cells:
                cell.advance(self._env.now)
        else:
            list(self._pool.map(lambda cell: cell.advance(self._env.now), self._cells))
        batches = [cell.take_orders() for cell in self._cells]
        if not any(batch.paid_s.size for batch in batches):
            return
        paid_s, shopper, number, value_rmb = (np.concatenate(column) for column in zip(*batches, strict=True))
        order = _by_time(paid_s, shopper)
        # kept as small as can be: a whole day has 106 million orders
        self._orders.append(
            OrderBatch(
                paid_s[order], shopper[order].astype(np.uint32), number[order].astype(np.uint8), value_rmb[order]
            )
        )

    def bring_orders(self) -> OrderBatch:
        """Advance to env.now and return the orders paid before it that were not returned before."""
        self.advance()
        new = self._orders[self._brought :]
        self._brought = len(self._orders)
        if not new:
            return no_orders()
        paid_s, shopper, number, value_rmb = (np.concatenate(column) for column in zip(*new, strict=True))
        return OrderBatch(paid_s, shopper.astype(np.int64), number.astype(np.int64), value_rmb)

    @property
    def requests(self) -> int:
        """Page requests sent so far."""
        return sum(cell.requests for cell in self._cells)

    @property
    def visits_in_progress(self) -> int:
        """Visits begun and not yet ended."""
        return sum(cell.visits_in_progress for cell in self._cells)

    def records(self) -> list[recorders.Record]:
        """The recorders of all cells."""
        return [cell.state.record for cell in self._cells]

    def traces(self) -> tuple[np.ndarray, np.ndarray]:
        """Visits and times of every request that left a station, see kernels.recorders.Record."""
        counts = [cell.state.progress.tally[kernels.TRACED] for cell in self._cells]
        records = self.records()
        return (
            np.concatenate([record.trace_visit[:n] for record, n in zip(records, counts, strict=True)]),
            np.concatenate([record.trace_s[:n] for record, n in zip(records, counts, strict=True)]),
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """What was recorded until env.now."""
        names = Names(self._pages, self.services, self._regions)
        recorded = totals(self.records())
        frames = {
            "demand_seconds": tables.demand_seconds(recorded),
            "shopper_minutes": tables.shopper_minutes(recorded, names),
            "orders": self._orders_table(),
        }
        if self._params is not None:
            frames |= {
                "site_seconds": tables.site_seconds(recorded, names),
                "site_capacity": self._capacity_table(),
                "latency": tables.latency(recorded, names),
                "page_latency": tables.page_latency(recorded, names),
                "service_latency": tables.service_latency(recorded, names),
            }
            if self._params.links is not None:
                frames["link_seconds"] = tables.link_seconds(recorded, names, self._link_gbit_per_s())
        return frames

    def _link_gbit_per_s(self) -> np.ndarray:
        """Bandwidth of all cells' links together at the run's scale: float64[segments] [Gbit/s]."""
        bandwidth = np.array([cell.state.links.bandwidth for cell in self._cells])
        return np.asarray(bandwidth.sum(axis=0) / 1e9)

    def _capacity_table(self) -> pd.DataFrame:
        time_s, service, machines, slots = zip(*self._capacity, strict=True)
        return table("site_capacity", {"time_s": time_s, "service": service, "machines": machines, "slots": slots})

    def _orders_table(self) -> pd.DataFrame:
        columns = zip(*(self._orders or [no_orders()]), strict=True)
        paid_s, shopper, number, value_rmb = (np.concatenate(column) for column in columns)
        drawn = np.empty(shopper.size)
        uniforms(self._channel_key, shopper, drawn)
        return table(
            "orders",
            {
                "shopper": shopper,
                "number": number,
                "paid_s": paid_s,
                "value_rmb": value_rmb,
                "channel": pd.Categorical.from_codes((drawn < self._wireless_share).astype(np.int8), list(CHANNELS)),
            },
        )
