"""One cell's state, its growth on demand and its advance to an instant."""

from typing import Any, NamedTuple

import numpy as np

from sim.kernels import cell_state as kernels
from sim.kernels.arrivals import Curve, index_arrivals
from sim.kernels.calendar import empty_calendar, empty_opened, grown_calendar
from sim.kernels.cell import advance_cell
from sim.kernels.station import Jobs, Stations, empty_jobs, empty_stations, set_lanes, set_slots, with_room
from sim.kernels.visits import Behaviour, Client, Keys
from sim.records import OrderBatch
from sim.units import MINUTE_S

_JOBS = 256
_CHUNKS = 4096
_OPENED = 1024
_ORDERS = 1024
_TIDY_S = 300.0


class Model(NamedTuple):
    """What all cells share: the draws' keys, the shoppers' behaviour, the client and the services."""

    bucket_s: float
    horizon_s: float
    keys: Keys
    behaviour: Behaviour
    client: Client
    routes: kernels.Routes
    times: kernels.ServiceTimes


class Share(NamedTuple):
    """A cell's share of the services' capacity. S services."""

    servers: np.ndarray  # int64[S], lanes; 1 under central dispatch
    slots: np.ndarray  # int64[S], slots of each lane
    limit: np.ndarray  # int64[S], waiting places of each lane
    timeout_s: np.ndarray  # float64[S], longest waits
    dispatch: np.ndarray  # int64[S], see sim.kernels.station
    rate_per_s: np.ndarray  # float64[S], inf: no limit
    burst: np.ndarray  # float64[S]
    warm_up_s: np.ndarray  # float64[S]
    cold_share: np.ndarray  # float64[S]


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
        self.model = model
        buckets = int(model.horizon_s / model.bucket_s)
        pages = model.behaviour.think_mean_s.shape[1]
        first = np.zeros(buckets + 1, np.int64)
        ids = np.zeros(len(range(index, shoppers, cells)), np.uint32)
        index_arrivals(model.keys.arrival, index, cells, shoppers, model.bucket_s, curve, first, ids)
        self.state = kernels.Cell(
            arrivals=kernels.Arrivals(curve, first, ids),
            calendar=empty_calendar(buckets, _CHUNKS),
            opened=empty_opened(_OPENED),
            stations=_stations(share, lanes),
            jobs=empty_jobs(_JOBS),
            requests=kernels.empty_requests(_JOBS),
            timers=kernels.empty_timers(_OPENED, _OPENED),
            limits=kernels.full_limits(share.rate_per_s, share.burst, share.warm_up_s, share.cold_share),
            boxes=kernels.empty_boxes(share.slots.size, _JOBS),
            record=kernels.empty_record(
                seconds=int(np.ceil(model.horizon_s)),
                minutes=int(np.ceil(model.horizon_s / MINUTE_S)),
                pages=pages,
                stations=share.slots.size,
                orders=_ORDERS,
                trace=_ORDERS if trace else 0,
            ),
            progress=kernels.begun_progress(_JOBS, model.client.budget),
        )
        self._clock_s = 0.0
        self._tidy_s = _TIDY_S

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
        until_s = min(until_s, model.horizon_s)
        if until_s <= self._clock_s:
            return
        self._clock_s = until_s
        if until_s >= self._tidy_s:
            self._tidy_s = until_s + _TIDY_S
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
        """Put the free rows in order, so that requests in flight are neighbours in memory again after a long queue."""
        n = self.state.progress.tally[kernels.FREE_JOBS]
        free = self.state.requests.free
        free[:n] = np.sort(free[:n])[::-1]

    def set_slots(self, station: int, slots: int, now_s: float) -> None:
        """Change the slots of a station with central dispatch at now_s, to which the cell has been advanced."""
        self.state = self.state._replace(stations=with_room(self.state.stations, slots))
        set_slots(station, slots, now_s, self.state.stations, self.state.jobs)

    def set_servers(self, station: int, servers: int) -> None:
        """Change the servers of a station with any other dispatch; those that close finish what they have."""
        set_lanes(station, servers, self.state.stations)

    def take_orders(self) -> OrderBatch:
        """Orders paid since the last call, by time."""
        record, tally = self.state.record, self.state.progress.tally
        n = int(tally[kernels.ORDERS_OUT])
        tally[kernels.ORDERS_OUT] = 0
        columns = (record.order_s, record.order_shopper, record.order_number, record.order_rmb)
        return OrderBatch(*(column[:n].copy() for column in columns))


def _stations(share: Share, lanes: np.ndarray) -> Stations:
    """Idle stations with rows for all lanes that will ever be, of which the cell's present servers are open."""
    stations = empty_stations(
        share.slots, share.limit, share.timeout_s, servers=lanes, dispatch=share.dispatch, jobs=_JOBS
    )
    for station, servers in enumerate(share.servers.tolist()):
        set_lanes(station, servers, stations)
    return stations


def _double(array: np.ndarray) -> np.ndarray:
    """The array with as many zeros after its entries."""
    return np.concatenate([array, np.zeros_like(array)])


def _copied(columns: kernels.Requests | Jobs, larger: Any) -> Any:
    """The larger columns, the first rows of which are those of the smaller."""
    for name in columns._fields:
        if name != "free":
            getattr(larger, name)[: getattr(columns, name).size] = getattr(columns, name)
    return larger


def _more_opened(state: kernels.Cell) -> kernels.Cell:
    records = 2 * state.opened.raw_s.size
    timers = state.timers._replace(new_job=np.zeros(records, np.int32), new_serial=np.zeros(records, np.uint32))
    return state._replace(opened=empty_opened(records), timers=timers)


def _more_timers(state: kernels.Cell) -> kernels.Cell:
    """Twice the places, with the ring's first timer at place 0."""
    first, timers, tally = int(state.progress.tally[kernels.FIRST_TIMER]), state.timers, state.progress.tally
    tally[kernels.FIRST_TIMER] = 0
    return state._replace(
        timers=timers._replace(job=_double(np.roll(timers.job, -first)), serial=_double(np.roll(timers.serial, -first)))
    )


def _more_jobs(state: kernels.Cell) -> kernels.Cell:
    n = state.jobs.key.size
    requests = _copied(state.requests, kernels.empty_requests(2 * n))
    requests = requests._replace(free=np.concatenate([np.arange(n, 2 * n, dtype=np.int32), state.requests.free]))
    state.progress.tally[kernels.FREE_JOBS] += n
    stations = state.stations
    if stations.deadline_s.shape[1] > 1:
        wider = ((0, 0), (0, n))
        stations = stations._replace(
            deadline_s=np.pad(stations.deadline_s, wider), deadline_job=np.pad(stations.deadline_job, wider)
        )
    return state._replace(
        jobs=_copied(state.jobs, empty_jobs(2 * n)),
        requests=requests,
        stations=stations,
        boxes=kernels.empty_boxes(state.boxes.waiting.size, 2 * n),
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
