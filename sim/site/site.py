"""The site on the festival's bench: advances its cells to the clock, carries out planned changes, hands over paid orders.

demand (curve, behaviour) -> cells (kernels) -> orders -> bring_orders
                               ^ a change of capacity is a SimPy process
"""

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import simpy

from sim.clock import at
from sim.draws import stream
from sim.kernels import cell_state as kernels
from sim.kernels import recorders, station
from sim.kernels.arrivals import Curve
from sim.kernels.calendar import time_order
from sim.kernels.visits import Behaviour
from sim.params.site import CapacityChange, SiteParams
from sim.records import OrderBatch, ServiceLoad, Tables, no_orders, table
from sim.site import tables
from sim.site.cell import Cell, Model, Share
from sim.site.gauges import Gauges
from sim.site.graph import (
    room_of,
    routes,
    service_graph,
    service_times,
    topological_order,
)
from sim.site.levers import Bench, Levers
from sim.site.shares import (
    cells_at_scale,
    client_of_cell,
    links_of_cell,
    shares_of_cells,
    slots_of_cells,
    visit_keys,
)
from sim.site.tables import Names, totals


class Accounts(NamedTuple):
    """What a site writes down besides its cells' recorders."""

    fetched: OrderBatch  # paid, and handed over
    kept: OrderBatch  # paid, and still to be handed over
    capacity: list[tuple[float, str, float, int]]  # of the table site_capacity
    machines: dict[str, float]  # of each service at present, of the real day
    working: dict[str, np.ndarray]  # share of them that works, by cell


def _by_time(paid_s: np.ndarray, shopper: np.ndarray) -> np.ndarray:
    """The order of orders by (instant, shopper): int32[n]."""
    order = np.empty(paid_s.size, np.int32)
    first_s = float(paid_s.min())
    width_s = max(float(paid_s.max()) - first_s, 1.0)
    time_order(first_s, width_s, paid_s.size, paid_s, shopper, np.empty(paid_s.size + 1, np.int32), order)
    return order


class Site:
    """All cells of the site.

    Parameters
    ----------
    env : the clock
    params : the site's parameters
    pages : names of the pages in the order of `behaviour`
    curve, behaviour : the demand, see sim.demand
    shoppers : shoppers of this run
    scale : share of the day's shoppers that is simulated; capacity shrinks with it
    bucket_s, horizon_s : width of the calendar's buckets and end of the recording
    regions : where shoppers come from, in the order of `behaviour`
    seed, threads : of the run
    most_machines : of services whose machines may become more than planned, at full scale
    trace : keep every request's times at every station, for tests
    """

    def __init__(
        self,
        env: simpy.Environment,
        params: SiteParams,
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
        most_machines: Mapping[str, int] | None = None,
        trace: bool = False,
    ) -> None:
        self._env = env
        self._params = params
        self._pages = pages
        self._scale = scale
        self._shoppers = shoppers
        self._channel_key = stream(seed, "shopper.channel")
        self._wireless_share = behaviour.wireless_share
        self._regions = regions
        self.services = topological_order(service_graph(params))
        self.cells = cells_at_scale(params, scale)
        share_of_cell = scale / self.cells
        model = Model(
            bucket_s=bucket_s,
            horizon_s=horizon_s,
            keys=visit_keys(seed),
            behaviour=behaviour,
            client=client_of_cell(params, scale, self.cells),
            routes=routes(params, pages, self.services),
            times=service_times(params, self.services, share=share_of_cell),
            links=links_of_cell(params, pages, regions, share_of_cell),
        )
        self.horizon_s = horizon_s
        self._most_machines = dict(most_machines or {})
        shares = shares_of_cells(params, self.services, scale)
        self._cells = [
            Cell(model, curve, shoppers, i, self.cells, share, self._lanes(share), trace=trace)
            for i, share in enumerate(shares)
        ]
        self._pool = ThreadPoolExecutor(min(threads, self.cells)) if min(threads, self.cells) > 1 else None
        self._advanced_s = -math.inf
        self._orders: list[OrderBatch] = []
        self._brought = 0  # batches that were handed over
        self._capacity: list[tuple[float, str, float, int]] = []
        self._machines: dict[str, float] = {}  # of each service at present, of the real day
        self._working: dict[str, np.ndarray] = {}  # share of them that works, by cell
        self._staffed: dict[str, tuple[list[int], int]] = {}  # what `_staff` has given each: by cell, and slots of all
        for row, name in enumerate(self.services):
            slots = sum(int(share.servers[row] * share.slots[row]) for share in shares)
            machines = 0 if room_of(params, name) else params.services[name].machines
            self._note_capacity(name, machines, slots)
        self._machines = {name: service.machines for name, service in params.services.items()}
        self._working = {name: np.ones(self.cells) for name in params.services}
        for change in params.changes:
            if change.at_s >= env.now:  # what came before is in the state that is put back
                env.process(self._change(change))
        self.levers, self.gauges = Levers(self._bench()), Gauges(self._bench())

    def _lanes(self, share: Share) -> np.ndarray:
        """Most lanes that each service of a cell will ever have: int64[S]."""
        lanes = share.servers.copy()
        planned = [(change.service, change.machines) for change in self._params.changes]
        for service, machines in [*planned, *self._most_machines.items()]:
            row = self.services.index(service)
            if share.dispatch[row] != station.CENTRAL:
                lanes[row] = max(lanes[row], slots_of_cells(machines * self._scale, self.cells).max())
        return lanes

    def _note_capacity(self, name: str, machines: float, slots: int) -> None:
        """Write a change down, instead of an earlier one at the same instant."""
        note = (self._env.now, name, machines * self._scale, slots)
        for place in range(len(self._capacity) - 1, -1, -1):
            if self._capacity[place][0] != self._env.now:
                break
            if self._capacity[place][1] == name:
                self._capacity[place] = note
                return
        self._capacity.append(note)

    def _change(self, change: CapacityChange) -> Generator[simpy.Event, Any, None]:
        """A planned change of a service's machines."""
        yield at(self._env, change.at_s)
        self.set_machines(change.service, change.machines)

    def set_machines(self, name: str, machines: float) -> None:
        """A service has so many of the real day's machines from env.now on; part of a machine counts for its slots.

        The cells share them as equally as whole slots, or under any dispatch but central whole machines, allow. Where that makes
        no difference, as for most single machines of a small run, there is nothing to advance for.
        """
        self._machines[name] = machines
        units, slots = self._staffed.get(name, (None, 0))
        if units == self._units(name):
            self._note_capacity(name, machines, slots)
            return
        self.advance()
        self._staff(name)

    def set_working(self, name: str, share: np.ndarray) -> None:
        """Share of a service's machines that work from env.now on, by cell: float64[cells]; 0: none, above 1: borrowed ones."""
        self.advance()
        self._working[name] = share
        self._staff(name)

    def _units(self, name: str) -> list[int]:
        """Whole slots, or under any dispatch but central whole machines, of a service by cell."""
        service = self._params.services[name]
        each = service.slots_per_machine if service.dispatch == "central" else 1
        units: list[int] = slots_of_cells(self._machines[name] * self._scale * each, self.cells).tolist()
        return units

    def _staff(self, name: str) -> None:
        """Give every cell what works of a service's machines. What is part of a slot is a whole one that takes longer."""
        service, row, now_s = self._params.services[name], self.services.index(name), self._env.now
        central, units = service.dispatch == "central", self._units(name)
        slots = 0
        for cell, whole, share in zip(self._cells, units, self._working[name].tolist(), strict=True):
            working = whole * share
            count = max(1, round(working)) if working > 0 else 0
            if central:
                cell.set_slots(row, count, now_s)
            else:
                cell.set_servers(row, max(1, count))
                cell.set_slots(row, service.slots_per_machine if count else 0, now_s)
            cell.set_pace("machines", row, count / working if working > 0 else 1.0)
            slots += count if central else count * service.slots_per_machine
        self._staffed[name] = units, slots
        self._note_capacity(name, self._machines[name], slots)

    def observe(self, name: str, from_s: float, until_s: float) -> ServiceLoad:
        """A service over the whole seconds in [from_s, until_s), which is not empty and ends at env.now at the latest."""
        self.advance()
        row, seconds = self.services.index(name), slice(int(from_s), int(until_s))
        sampled = sum(record.site[seconds, row].sum(axis=0) for record in self.records()) / (
            seconds.stop - seconds.start
        )
        return ServiceLoad(float(sampled[recorders.BUSY]), float(sampled[recorders.QUEUE]))

    def excess(self, name: str) -> int:
        """Requests that a service still works on, at env.now, on machines that take no new ones."""
        self.advance()
        row = self.services.index(name)
        return sum(cell.excess(row) for cell in self._cells)

    def advance(self) -> None:
        """Bring all cells to exactly env.now; what is changed there at this instant pays no order."""
        if self._env.now == self._advanced_s:
            return
        if self._pool is None:
            for cell in self._cells:
                cell.advance(self._env.now)
        else:
            list(self._pool.map(lambda cell: cell.advance(self._env.now), self._cells))
        self._take_orders()
        self._advanced_s = self._env.now

    def _take_orders(self) -> None:
        """Take over the orders that were paid in the cells, in one order."""
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
        return OrderBatch(*(np.concatenate(column) for column in zip(*new, strict=True)))

    def _bench(self) -> Bench:
        """What the levers need of the site."""
        return Bench(
            self._params, self._cells, self.services, self._pages, self._regions, self._scale, self._shoppers,
            now_s=lambda: float(self._env.now), advance=self.advance, set_working=self.set_working,
            working=lambda name: float(self._working[name].mean()),
        )  # fmt: skip

    @property
    def now_s(self) -> float:
        """The clock."""
        return float(self._env.now)

    @property
    def cells_in_order(self) -> list[Cell]:
        """The cells by number."""
        return self._cells

    def accounts(self) -> Accounts:
        """What the site has written down besides its cells' recorders."""
        self.advance()
        fetched, kept = (_joined(part) for part in (self._orders[: self._brought], self._orders[self._brought :]))
        return Accounts(fetched, kept, self._capacity, self._machines, self._working)

    def open_accounts(self, accounts: Accounts) -> None:
        """Go on with what another site has written down."""
        self._orders, self._brought = [accounts.fetched, accounts.kept], 1
        self._capacity, self._machines, self._working = accounts.capacity, accounts.machines, accounts.working

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

    def tables(self) -> Tables:
        """What was recorded until env.now; each table is made when it is asked for, which has to be before the site goes on."""
        names = Names(self._pages, self.services, self._regions)
        recorded = totals(self.records())
        frames: dict[str, Callable[[], pd.DataFrame]] = {
            "demand_seconds": lambda: tables.demand_seconds(recorded),
            "shopper_minutes": lambda: tables.shopper_minutes(recorded, names),
            "site_seconds": lambda: tables.site_seconds(recorded, names),
            "site_capacity": self._capacity_table,
            "latency": lambda: tables.latency(recorded, names),
            "page_latency": lambda: tables.page_latency(recorded, names),
            "service_latency": lambda: tables.service_latency(recorded, names),
        }
        if self._params.links is not None:
            gbit_per_s = self._link_gbit_per_s()
            frames["link_seconds"] = lambda: tables.link_seconds(recorded, names, gbit_per_s)
        return Tables(
            frames, {"orders": tables.orders_in_pieces(self._orders, self._channel_key, self._wireless_share)}
        )

    def _link_gbit_per_s(self) -> np.ndarray:
        """Bandwidth of all cells' links together at the run's scale: float64[segments] [Gbit/s]."""
        bandwidth = np.array([cell.state.links.bandwidth for cell in self._cells])
        return np.asarray(bandwidth.sum(axis=0) / 1e9)

    def _capacity_table(self) -> pd.DataFrame:
        notes = sorted(self._capacity, key=lambda note: (note[0], self.services.index(note[1])))
        time_s, service, machines, slots = zip(*notes, strict=True)
        return table("site_capacity", {"time_s": time_s, "service": service, "machines": machines, "slots": slots})


def _joined(batches: Sequence[OrderBatch]) -> OrderBatch:
    """Batches one after the other."""
    if not batches:
        none = no_orders()
        return none._replace(shopper=none.shopper.astype(np.uint32), number=none.number.astype(np.uint8))
    return OrderBatch(*(np.concatenate(column) for column in zip(*batches, strict=True)))
