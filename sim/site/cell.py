"""One cell's state, its growth on demand and its advance to an instant."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from sim.kernels import cell_state as kernels
from sim.kernels import recorders
from sim.kernels.arrivals import Curve, index_arrivals
from sim.kernels.calendar import empty_calendar, empty_opened, grown_calendar
from sim.kernels.cell import advance_cell
from sim.kernels.guards import fresh_guards
from sim.kernels.link import Links, with_transfers
from sim.kernels.station import Stations, empty_stations, set_lanes, set_slots, with_room
from sim.kernels.visits import Behaviour, Client, Keys
from sim.records import OrderBatch

_JOBS = 256
_CHUNKS = 4096
_OPENED = 1024
_ORDERS = 1024


class Model(NamedTuple):
    """What all cells share: the draws' keys, the shoppers' behaviour, the client and the services."""

    bucket_s: float
    horizon_s: float
    keys: Keys
    behaviour: Behaviour
    client: Client
    routes: kernels.Routes
    times: kernels.ServiceTimes
    links: Links  # idle, of one cell


class Share(NamedTuple):
    """A cell's share of the stations' capacity: S services and waiting rooms."""

    servers: np.ndarray  # int64[S], lanes; 1 under central dispatch
    slots: np.ndarray  # int64[S], slots of each lane
    limit: np.ndarray  # int64[S], waiting places of each lane
    timeout_s: np.ndarray  # float64[S], longest waits
    dispatch: np.ndarray  # int64[S], see sim.kernels.station
    rules: dict[str, np.ndarray]  # of the guards, by name, each [S]


class Cell:
    """A slice of the site with its own servers and its own shoppers.

    Parameters
    ----------
    model : what all cells share
    curve : the arrival curve
    shoppers : shoppers of the whole run, ids 0 to shoppers - 1
    index, cells : this cell serves the shoppers with id % cells == index
    share : its share of the services' capacity
    lanes : int64[S], most lanes that each service will ever have
    trace : keep the times of every request at every station, for tests
    """

    def __init__(
        self,
        model: Model,
        curve: Curve,
        shoppers: int,
        index: int,
        cells: int,
        share: Share,
        lanes: np.ndarray,
        *,
        trace: bool = False,
    ) -> None:
        self.model = model._replace(
            routes=model.routes._replace(cumulative=model.routes.cumulative.copy()),
            times=kernels.ServiceTimes(*(column.copy() for column in model.times)),
        )
        self._usual_times = model.times
        self.paces: dict[str, np.ndarray] = {}  # by cause, what service times are multiplied with, float64[S]
        buckets = int(model.horizon_s / model.bucket_s)
        pages, segments = model.behaviour.think_mean_s.shape[1], 2 * model.behaviour.region_cumulative.size
        links = with_transfers(Links(*(column.copy() for column in model.links)), _JOBS)
        first = np.zeros(buckets + 1, np.int64)
        ids = np.zeros(len(range(index, shoppers, cells)), np.uint32)
        index_arrivals(model.keys.arrival, index, cells, shoppers, model.bucket_s, curve, first, ids)
        self.state = kernels.Cell(
            arrivals=kernels.Arrivals(curve, first, ids),
            calendar=empty_calendar(buckets, _CHUNKS),
            opened=empty_opened(_OPENED),
            stations=_stations(share, lanes, priorities=1 + int(model.routes.priority.max(initial=0))),
            jobs=kernels.empty_requests(_JOBS),
            free=np.arange(_JOBS, dtype=np.int32),
            timers=kernels.empty_timers(_OPENED, _OPENED),
            guards=fresh_guards(share.rules),
            links=links,
            boxes=kernels.empty_boxes(share.slots.size + links.bandwidth.size, _JOBS),
            outcomes=kernels.empty_outcomes(_JOBS),
            record=recorders.empty_record(
                horizon_s=model.horizon_s,
                pages=pages,
                stations=share.slots.size,
                segments=segments,
                links=links.bandwidth.size,
                orders=_ORDERS,
                trace=_ORDERS if trace else 0,
            ),
            progress=kernels.begun_progress(_JOBS, model.client.budget),
        )
        self._clock_s = 0.0
        self._most_in_flight = 0  # since the free rows were last put in order

    @property
    def requests(self) -> int:
        """Page requests sent so far."""
        return int(self.state.progress.tally[kernels.SENT])

    @property
    def visits_in_progress(self) -> int:
        """Visits begun and neither ended nor cut off by the horizon."""
        tally = self.state.progress.tally
        return int(tally[kernels.VISITS_BEGUN] - tally[kernels.VISITS_ENDED] - tally[kernels.CUT_OFF])

    def advance(self, until_s: float) -> None:
        """Work out every event before until_s, and none at or after it."""
        model = self.model
        until_s = min(float(until_s), model.horizon_s)
        if until_s <= self._clock_s:
            return
        self._clock_s = until_s
        self._tidy()
        while True:
            shortage = advance_cell(
                until_s,
                model.bucket_s,
                model.keys,
                model.behaviour,
                model.client,
                model.routes,
                model.times,
                self.state,
            )
            if shortage == kernels.DONE:
                return
            self.state = _GROW[shortage](self.state)

    def _tidy(self) -> None:
        """Put the free rows in order after a long queue, so that requests in flight are neighbours in memory again."""
        n = int(self.state.progress.tally[kernels.FREE_JOBS])
        free = self.state.free
        in_flight = free.size - n
        if 2 * in_flight < self._most_in_flight:
            free[:n] = np.sort(free[:n])[::-1]
            self._most_in_flight = 0
        self._most_in_flight = max(self._most_in_flight, in_flight)

    def set_slots(self, station: int, slots: int, now_s: float) -> None:
        """Change the slots of a station with central dispatch at now_s, to which the cell has been advanced."""
        self.state = self.state._replace(stations=with_room(self.state.stations, slots, station))
        set_slots(station, slots, now_s, self.state.stations, self.state.jobs)

    def set_servers(self, station: int, servers: int) -> None:
        """Change the servers of a station with any other dispatch; those that close finish what they have."""
        set_lanes(station, servers, self.state.stations)

    def excess(self, station: int) -> int:
        """Jobs of a station beyond the slots and servers that it still has."""
        stations = self.state.stations
        first, lanes = stations.first[station], stations.lanes[station]
        end = stations.first[station + 1] if station + 1 < stations.first.size else stations.lane_busy.size
        closed = stations.lane_busy[first + lanes : end].sum() + stations.lane_waiting[first + lanes : end].sum()
        busy, slots = (column[first : first + lanes] for column in (stations.lane_busy, stations.lane_slots))
        return int(closed + np.maximum(busy - slots, 0).sum())

    def set_pace(self, cause: str, station: int, factor: float) -> None:
        """What a cause multiplies the service times of a station with, for requests that reach it from now on."""
        self.paces.setdefault(cause, np.ones(self._usual_times.mean_s.size))[station] = factor
        whole = float(np.prod([pace[station] for pace in self.paces.values()]))
        times, usual = self.model.times, self._usual_times
        times.mean_s[station] = usual.mean_s[station] * whole
        times.mu[station] = usual.mu[station] + math.log(whole)
        times.values_s[station] = usual.values_s[station] * whole

    def marks(self) -> dict[str, float]:
        """What the cell remembers besides its arrays."""
        return {"clock_s": self._clock_s, "most_in_flight": self._most_in_flight}

    def go_on(self, marks: Mapping[str, float]) -> None:
        """Remember what `marks` said in the cell whose arrays this one has now."""
        self._clock_s, self._most_in_flight = float(marks["clock_s"]), int(marks["most_in_flight"])

    def take_orders(self) -> OrderBatch:
        """Orders paid since the last call, by time."""
        record, tally = self.state.record, self.state.progress.tally
        n = int(tally[kernels.ORDERS_OUT])
        tally[kernels.ORDERS_OUT] = 0
        columns = (record.order_s, record.order_shopper, record.order_number, record.order_rmb)
        return OrderBatch(*(column[:n].copy() for column in columns))


def _stations(share: Share, lanes: np.ndarray, *, priorities: int) -> Stations:
    """Idle stations with rows for all lanes that will ever be, of which the cell's present servers are open."""
    stations = empty_stations(
        share.slots,
        share.limit,
        share.timeout_s,
        servers=lanes,
        dispatch=share.dispatch,
        priorities=priorities,
        jobs=_JOBS,
    )
    for station, servers in enumerate(share.servers.tolist()):
        set_lanes(station, servers, stations)
    return stations


def _double(array: np.ndarray) -> np.ndarray:
    """The array with as many zeros after its entries."""
    return np.concatenate([array, np.zeros_like(array)])


def _more_opened(state: kernels.Cell) -> kernels.Cell:
    records = 2 * state.opened.raw.size
    timers = state.timers._replace(new_job=np.zeros(records, np.int32), new_serial=np.zeros(records, np.uint32))
    return state._replace(opened=empty_opened(records), timers=timers)


def _more_timers(state: kernels.Cell) -> kernels.Cell:
    """Twice the places, with the ring's first timer at place 0."""
    first, timers, tally = int(state.progress.tally[kernels.FIRST_TIMER]), state.timers, state.progress.tally
    tally[kernels.FIRST_TIMER] = 0
    return state._replace(
        timers=timers._replace(
            **{name: _double(np.roll(getattr(timers, name), -first)) for name in ("deadline_s", "job", "serial")}
        )
    )


def _more_jobs(state: kernels.Cell) -> kernels.Cell:
    n = state.jobs.size
    jobs = kernels.empty_requests(2 * n)
    jobs[:n] = state.jobs
    state.progress.tally[kernels.FREE_JOBS] += n
    stations = state.stations
    if stations.deadline_s.shape[1] > 1:
        wider = ((0, 0), (0, n))
        stations = stations._replace(
            deadline_s=np.pad(stations.deadline_s, wider), deadline_job=np.pad(stations.deadline_job, wider)
        )
    return state._replace(
        jobs=jobs,
        free=np.concatenate([np.arange(n, 2 * n, dtype=np.int32), state.free]),
        stations=stations,
        links=with_transfers(state.links, 2 * n),
        boxes=kernels.empty_boxes(state.boxes.waiting.size, 2 * n),
        outcomes=kernels.empty_outcomes(2 * n),
    )


def _more_chunks(state: kernels.Cell) -> kernels.Cell:
    return state._replace(calendar=grown_calendar(state.calendar))


def _more_orders(state: kernels.Cell) -> kernels.Cell:
    names = ("order_s", "order_shopper", "order_number", "order_rmb")
    larger = {name: _double(getattr(state.record, name)) for name in names}
    return state._replace(record=state.record._replace(**larger))


def _more_trace(state: kernels.Cell) -> kernels.Cell:
    record = state.record
    return state._replace(
        record=record._replace(trace_visit=_double(record.trace_visit), trace_s=_double(record.trace_s))
    )


_GROW = {
    kernels.MORE_OPENED: _more_opened,
    kernels.MORE_JOBS: _more_jobs,
    kernels.MORE_CHUNKS: _more_chunks,
    kernels.MORE_ORDERS: _more_orders,
    kernels.MORE_TRACE: _more_trace,
    kernels.MORE_TIMERS: _more_timers,
}
