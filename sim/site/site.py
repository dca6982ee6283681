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
from sim.kernels import cell as kernels
from sim.kernels.arrivals import Curve
from sim.kernels.random import uniforms
from sim.kernels.visits import Behaviour, Client, Keys
from sim.params.site import CapacityChange, SiteParams
from sim.records import OrderBatch, no_orders, table
from sim.site.cell import Cell, Model
from sim.site.graph import answered_at_once, no_service_times, routes, service_graph, service_times, topological_order

_NO_RETRIES = Client(retries=0, backoff_least_s=1.0, backoff_s=1.0, backoff_factor=1.0)


def visit_keys(seed: int) -> Keys:
    """Keys of all draws of visits and requests."""
    return Keys(*(stream(seed, f"visit.{name}") for name in Keys._fields))


def cells_at_scale(params: SiteParams, scale: float) -> int:
    """Cells that a scaled-down site is divided into: no more than its smallest service has whole slots."""
    fewest = min(round(service.slots * scale) for service in params.services.values())
    return max(1, min(params.cells, fewest))


def slots_of_cells(slots: float, cells: int) -> np.ndarray:
    """Whole slots of each cell, as equal as can be, at least one each: int64[cells]."""
    total = max(cells, round(slots))
    return np.array([total // cells + (index < total % cells) for index in range(cells)], np.int64)


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
    wireless_share : share of the shoppers who come through the wireless client
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
        wireless_share: float,
        seed: int,
        threads: int = 1,
        trace: bool = False,
    ) -> None:
        self._env = env
        self._params = params
        self._pages = pages
        self._scale = scale
        self._channel_key = stream(seed, "shopper.channel")
        self._wireless_share = wireless_share
        self.services = topological_order(service_graph(params)) if params else []
        self.cells = cells_at_scale(params, scale) if params else 1
        model = Model(
            bucket_s=bucket_s,
            horizon_s=horizon_s,
            keys=visit_keys(seed),
            behaviour=behaviour,
            client=Client(**params.client.model_dump()) if params else _NO_RETRIES,
            routes=routes(params, pages, self.services) if params else answered_at_once(pages),
            times=service_times(params, self.services) if params else no_service_times(),
        )
        self.horizon_s = horizon_s
        self._slots = self._places("slots")
        queue = self._places("queue")
        timeout_s = np.array([params.services[name].timeout_s for name in self.services] if params else [])
        self._cells = [
            Cell(model, curve, shoppers, i, self.cells, self._slots[:, i], queue[:, i], timeout_s, trace=trace)
            for i in range(self.cells)
        ]
        self._pool = ThreadPoolExecutor(min(threads, self.cells)) if min(threads, self.cells) > 1 else None
        self._orders: list[OrderBatch] = []
        self._brought = 0  # batches that were handed over
        self._capacity: list[tuple[float, str, float, int]] = []
        if params:
            for row, name in enumerate(self.services):
                self._note_capacity(row, params.services[name].machines)
            for change in params.changes:
                env.process(self._change(change))

    def _places(self, attribute: str) -> np.ndarray:
        """Slots or waiting places of all stations and cells at this scale: int64[S, cells]."""
        if self._params is None:
            return np.zeros((0, 1), np.int64)
        full = [getattr(self._params.services[name], attribute) for name in self.services]
        return np.array([slots_of_cells(places * self._scale, self.cells) for places in full])

    def _note_capacity(self, row: int, machines: int) -> None:
        name = self.services[row]
        self._capacity.append((self._env.now, name, machines * self._scale, int(self._slots[row].sum())))

    def _change(self, change: CapacityChange) -> Generator[simpy.Event, Any, None]:
        """A planned change of a service's machines."""
        assert self._params is not None
        yield self._env.timeout(change.at_s)
        self.advance()
        row = self.services.index(change.service)
        slots = change.machines * self._params.services[change.service].slots_per_machine
        self._slots[row] = slots_of_cells(slots * self._scale, self.cells)
        for index, cell in enumerate(self._cells):
            cell.set_slots(row, int(self._slots[row, index]), self._env.now)
        self._note_capacity(row, change.machines)

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
        order = np.lexsort((number, shopper, paid_s))
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

    def records(self) -> list[kernels.Record]:
        """The recorders of all cells."""
        return [cell.state.record for cell in self._cells]

    def traces(self) -> tuple[np.ndarray, np.ndarray]:
        """Visits and times of every request that left a station, see kernels.cell.Record."""
        counts = [cell.state.progress.tally[kernels.TRACED] for cell in self._cells]
        records = self.records()
        return (
            np.concatenate([record.trace_visit[:n] for record, n in zip(records, counts, strict=True)]),
            np.concatenate([record.trace_s[:n] for record, n in zip(records, counts, strict=True)]),
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """What was recorded until env.now."""
        tables = {"demand_seconds": self._demand_seconds(), "orders": self._orders_table()}
        if self._params is not None:
            tables |= {
                "site_seconds": self._site_seconds(),
                "site_capacity": self._capacity_table(),
                "latency": self._latency(),
            }
        return tables

    def _total(self, recorder: str) -> np.ndarray:
        """A recorder summed over the cells, in their order."""
        first, *others = (getattr(record, recorder) for record in self.records())
        total: np.ndarray = first.copy() if others else first
        for other in others:
            total += other
        return total

    def _demand_seconds(self) -> pd.DataFrame:
        counts = self._total("demand")
        money_rmb = self._total("money_rmb")
        seconds = np.flatnonzero(counts.any(axis=1))
        names = [
            "visitors",
            "requests",
            "retries",
            "rejected",
            "timed_out",
            "served",
            "gave_up",
            "orders",
            "orders_lost",
        ]
        columns: dict[str, object] = {name: counts[seconds, i] for i, name in enumerate(names)}
        columns |= {"second_s": seconds, "gmv_rmb": money_rmb[seconds, 0], "lost_rmb": money_rmb[seconds, 1]}
        return table("demand_seconds", columns)

    def _site_seconds(self) -> pd.DataFrame:
        counts = self._total("site")
        second, service = np.nonzero(counts.any(axis=2))
        rows = counts[second, service]
        names = ["arrivals", "served", "rejected", "timed_out", "queue", "busy"]
        columns: dict[str, object] = {name: rows[:, i] for i, name in enumerate(names)}
        columns |= {"second_s": second, "service": pd.Categorical.from_codes(service, self.services)}
        return table("site_seconds", columns)

    def _capacity_table(self) -> pd.DataFrame:
        time_s, service, machines, slots = zip(*self._capacity, strict=True)
        return table("site_capacity", {"time_s": time_s, "service": service, "machines": machines, "slots": slots})

    def _latency(self) -> pd.DataFrame:
        counts = self._total("latency")
        minute, page, bucket = np.nonzero(counts)
        return table(
            "latency",
            {
                "minute": minute,
                "page": pd.Categorical.from_codes(page, self._pages),
                "latency_s": kernels.latency_edges_s()[bucket],
                "count": counts[minute, page, bucket],
            },
        )

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
                "channel": pd.Categorical.from_codes(
                    (drawn < self._wireless_share).astype(np.int8), ["pc", "wireless"]
                ),
            },
        )
