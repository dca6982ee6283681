"""The site on the festival's bench: advances its cells to the clock, carries out planned changes, hands over paid orders.

demand (curve, behaviour) -> cells (kernels) -> orders -> bring_orders
                               ^ a change of capacity is a SimPy process
"""

import math
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import simpy

from sim.draws import stream
from sim.kernels import cell_state as kernels
from sim.kernels import retrial, station
from sim.kernels.arrivals import Curve
from sim.kernels.random import uniforms
from sim.kernels.visits import Behaviour, Client, Keys
from sim.params.site import CapacityChange, SiteParams
from sim.records import OrderBatch, no_orders, table
from sim.site.cell import Cell, Model, Share
from sim.site.graph import answered_at_once, no_service_times, routes, service_graph, service_times, topological_order
from sim.units import DAY_S

_DISPATCH = {
    "central": station.CENTRAL,
    "random": station.RANDOM,
    "round_robin": station.ROUND_ROBIN,
    "two_choices": station.TWO_CHOICES,
    "least_connections": station.LEAST_CONNECTIONS,
}
_BACKOFF = {"none": retrial.NO_BACKOFF, "fixed": retrial.FIXED, "growing": retrial.GROWING}
_JITTER = {
    "none": retrial.NO_JITTER,
    "equal": retrial.EQUAL,
    "full": retrial.FULL,
    "decorrelated": retrial.DECORRELATED,
    "memoryless": retrial.MEMORYLESS,
}
_NOTHING = np.zeros(0, np.int64)
_ARRIVALS_OF_BUCKET = 80.0  # about a thousand requests


def visit_keys(seed: int) -> Keys:
    """Keys of all draws of visits and requests."""
    return Keys(*(stream(seed, f"visit.{name}") for name in Keys._fields))


def narrowed_bucket_s(bucket_s: float, shoppers_of_cell: int) -> float:
    """Width of the calendar's buckets: halved until the requests of one fit a core's cache. No result depends on it."""
    while shoppers_of_cell / DAY_S * bucket_s > _ARRIVALS_OF_BUCKET:
        bucket_s /= 2
    return bucket_s


def cells_at_scale(params: SiteParams, scale: float) -> int:
    """Cells that a scaled-down site is divided into: no more than its smallest service can be shared out to."""
    fewest = min(
        round((service.slots if service.dispatch == "central" else service.machines) * scale)
        for service in params.services.values()
    )
    return max(1, min(params.cells, fewest))


def slots_of_cells(slots: float, cells: int) -> np.ndarray:
    """Whole slots of each cell, as equal as can be, at least one each: int64[cells]."""
    total = max(cells, round(slots))
    return np.array([total // cells + (index < total % cells) for index in range(cells)], np.int64)


def client_of_cell(params: SiteParams | None, scale: float, cells: int) -> Client:
    """What a browser does, as the kernels read it; a cell has its share of the site's retry budget."""
    if params is None:  # every page answers at once
        return Client(math.inf, 0, 0, 0, 0.0, 0.0, 1.0, 0.0, math.inf, 0.0)
    client, budget = params.client, params.client.budget
    return Client(
        timeout_s=math.inf if client.timeout_s is None else client.timeout_s,
        retries=client.retries,
        backoff=_BACKOFF[client.backoff],
        jitter=_JITTER[client.jitter],
        least_s=client.least_s,
        base_s=client.base_s,
        factor=client.factor,
        cap_s=client.cap_s,
        budget=math.inf if budget is None else max(1.0, budget.tokens * scale / cells),
        budget_gain=0.0 if budget is None else budget.gain,
    )


def shares_of_cells(params: SiteParams, services: list[str], scale: float) -> list[Share]:
    """Each cell's share of all services, whole servers, slots and places, the larger shares first."""
    cells = cells_at_scale(params, scale)
    columns: dict[str, list[np.ndarray]] = {name: [] for name in Share._fields}
    for name in services:
        service = params.services[name]
        central = service.dispatch == "central"
        machines = slots_of_cells(service.machines * scale, cells)
        places = slots_of_cells(service.queue * scale, cells)
        limit = service.rate_limit
        columns["servers"].append(np.ones_like(machines) if central else machines)
        columns["slots"].append(
            slots_of_cells(service.slots * scale, cells) if central else np.full(cells, service.slots_per_machine)
        )
        columns["limit"].append(places if central else np.maximum(places // machines, service.queue > 0))
        columns["timeout_s"].append(np.full(cells, service.timeout_s))
        columns["dispatch"].append(np.full(cells, _DISPATCH[service.dispatch]))
        columns["rate_per_s"].append(np.full(cells, limit.rate_per_s * scale / cells if limit else math.inf))
        columns["burst"].append(np.full(cells, max(1.0, limit.burst * scale / cells) if limit else 1.0))
        columns["warm_up_s"].append(np.full(cells, limit.warm_up_s if limit else 0.0))
        columns["cold_share"].append(np.full(cells, limit.cold_share if limit else 1.0))
    stacked = {name: np.array(rows) for name, rows in columns.items()}
    return [Share(**{name: rows[:, cell].copy() for name, rows in stacked.items()}) for cell in range(cells)]


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
    bucket_s, horizon_s : widest bucket of the calendar and end of the recording
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
            bucket_s=narrowed_bucket_s(bucket_s, shoppers // self.cells),
            horizon_s=horizon_s,
            keys=visit_keys(seed),
            behaviour=behaviour,
            client=client_of_cell(params, scale, self.cells),
            routes=routes(params, pages, self.services) if params else answered_at_once(pages),
            times=service_times(params, self.services) if params else no_service_times(),
        )
        self.horizon_s = horizon_s
        shares = (
            shares_of_cells(params, self.services, scale) if params else [Share(*([_NOTHING] * len(Share._fields)))]
        )
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
                self._note_capacity(name, params.services[name].machines, slots)
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
