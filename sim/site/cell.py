"""One cell's state, its growth on demand and its advance to an instant."""

from typing import NamedTuple

import numpy as np

from sim.kernels import cell as kernels
from sim.kernels.arrivals import Curve, index_arrivals
from sim.kernels.calendar import empty_calendar, empty_opened, grown_calendar
from sim.kernels.station import empty_jobs, empty_stations, set_slots, with_room
from sim.kernels.visits import Behaviour, Client, Keys
from sim.records import OrderBatch
from sim.units import MINUTE_S

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


class Cell:
    """A slice of the site with its own servers and its own shoppers.

    Parameters
    ----------
    model : what all cells share
    curve : the arrival curve
    shoppers : shoppers of the whole run, ids 0 to shoppers - 1
    index, cells : this cell serves the shoppers with id % cells == index
    slots, queue : int64[S], slots and waiting places of this cell's stations
    timeout_s : float64[S], longest waits
    trace : number of requests whose times at each station are kept, for tests; 0: none
    """

    def __init__(
        self,
        model: Model,
        curve: Curve,
        shoppers: int,
        index: int,
        cells: int,
        slots: np.ndarray,
        queue: np.ndarray,
        timeout_s: np.ndarray,
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
            stations=empty_stations(slots, queue, timeout_s),
            jobs=empty_jobs(_JOBS),
            requests=kernels.empty_requests(_JOBS),
            boxes=kernels.empty_boxes(len(slots), _JOBS),
            record=kernels.empty_record(
                seconds=int(np.ceil(model.horizon_s)),
                minutes=int(np.ceil(model.horizon_s / MINUTE_S)),
                pages=pages,
                stations=len(slots),
                orders=_ORDERS,
                trace=_ORDERS if trace else 0,
            ),
            progress=kernels.begun_progress(_JOBS),
        )
        self._clock_s = 0.0

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
        while True:
            shortage = kernels.advance_cell(
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

    def set_slots(self, station: int, slots: int, now_s: float) -> None:
        """Change a station's slots at now_s, to which the cell has been advanced."""
        self.state = self.state._replace(stations=with_room(self.state.stations, slots))
        set_slots(station, slots, now_s, self.state.stations, self.state.jobs)

    def take_orders(self) -> OrderBatch:
        """Orders paid since the last call, by time."""
        record, tally = self.state.record, self.state.progress.tally
        n = int(tally[kernels.ORDERS_OUT])
        tally[kernels.ORDERS_OUT] = 0
        columns = (record.order_s, record.order_shopper, record.order_number, record.order_rmb)
        return OrderBatch(*(column[:n].copy() for column in columns))


def _double(array: np.ndarray, axis: int = 0) -> np.ndarray:
    """The array with as many zeros after its entries along an axis."""
    return np.concatenate([array, np.zeros_like(array)], axis=axis)


def _more_opened(state: kernels.Cell) -> kernels.Cell:
    return state._replace(opened=empty_opened(2 * state.opened.raw_s.size))


def _more_jobs(state: kernels.Cell) -> kernels.Cell:
    n = state.jobs.key.size
    state.progress.tally[kernels.FREE_JOBS] += n
    free = np.concatenate([np.arange(n, 2 * n, dtype=np.int32), state.requests.free])
    requests = state.requests._replace(
        **{name: _double(getattr(state.requests, name)) for name in ("state", "sent_s", "route", "leg")}, free=free
    )
    return state._replace(
        jobs=type(state.jobs)(*(_double(array) for array in state.jobs)),
        requests=requests,
        boxes=kernels.empty_boxes(state.boxes.waiting.size, 2 * n),
    )


def _more_chunks(state: kernels.Cell) -> kernels.Cell:
    return state._replace(calendar=grown_calendar(state.calendar))


def _more_orders(state: kernels.Cell) -> kernels.Cell:
    record = state.record
    return state._replace(
        record=record._replace(
            order_s=_double(record.order_s),
            order_shopper=_double(record.order_shopper),
            order_number=_double(record.order_number),
            order_rmb=_double(record.order_rmb),
        )
    )


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
}
