"""One cell of the site: every visit's page requests on their way through the stations.

    arrivals, calendar -> open bucket -> [ station 0 -> station 1 -> ... ] -> access link -> page answered -> think -> calendar
                                              rejected, timed out  -> back off, retry or give up -> calendar

`advance_cell` steps through micro-windows, parts of a bucket, the last of which ends at the asked instant. Services form a
directed acyclic graph and their stations are advanced in topological order, links last, so each sees all its arrivals before the
window's end; whatever an answer causes comes at least one bucket later. Hence no result depends on how finely a run is windowed.
"""

import math

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.admission import admit_until, open_bucket
from sim.kernels.calendar import CHUNK, open_window
from sim.kernels.calls import arrive
from sim.kernels.cell_state import (
    BUCKET,
    DONE,
    FREE_JOBS,
    MORE_CHUNKS,
    MORE_JOBS,
    MORE_OPENED,
    MORE_ORDERS,
    MORE_TIMERS,
    MORE_TRACE,
    OPENED,
    ORDERS_OUT,
    OUTCOMES,
    TAKEN,
    TIMERS,
    TRACED,
    WINDOW,
    WINDOWS,
)
from sim.kernels.guards import advance_guarded
from sim.kernels.inbox import in_order, put, touch
from sim.kernels.link import advance_link, carry, has_lines, next_end_s
from sim.kernels.outcomes import finish, give_up, start_timer, start_timers, tell
from sim.kernels.recorders import BUSY, DELIVERED, QUEUE, SIMPLE, STARTED, UNDER_WAY, record_service
from sim.kernels.station import REJECTED, SERVED, advance_station, has_slack, next_event_s, pass_through
from sim.kernels.visits import attempt_of, step_of


@inlined
def _trace(job, station, kind, start_s, time_s, jobs, record, tally):
    row, at = jobs[job], tally[TRACED]
    visit = record.trace_visit[at]
    visit[0] = row.key
    visit[1] = step_of(row.state)
    visit[2] = attempt_of(row.state)
    visit[3] = station
    visit[4] = kind
    record.trace_s[at, 0] = row.arrival_s
    record.trace_s[at, 1] = start_s
    record.trace_s[at, 2] = time_s
    tally[TRACED] += 1


@inlined
def _leave_station(job, station, kind, time_s, client, routes, cell):
    """Send a request that left a station to its next service, onto its link, or finish it."""
    row, record, tally = cell.jobs[job], cell.record, cell.progress.tally
    if kind == SERVED and row.error:
        kind = REJECTED
    counts = record.site[np.int64(time_s), station]
    counts[kind + 1] += 1
    if row.simple:
        counts[SIMPLE] += 1
        row.simple = False
    if record.trace_s.shape[0] > 0:
        _trace(job, station, kind, row.start_s, time_s, cell.jobs, record, tally)
    if kind == SERVED:
        record_service(time_s, time_s - row.arrival_s, time_s - row.start_s, station, row.segment, record)
        if row.sent_s == np.inf:  # let in: the browser begins to wait
            row.sent_s = time_s
            row.serial += np.uint32(1)
            if client.timeout_s < np.inf:
                start_timer(job, client, cell.timers, cell.jobs, tally)
        row.leg += 1
        if row.leg < routes.legs[row.page, row.route]:
            put(routes.station[row.page, row.route, row.leg], job, time_s, cell.boxes)
            return
        if cell.links.bandwidth.size > 0:
            put(cell.stations.busy.size + row.segment, job, time_s, cell.boxes)
            return
    finish(job, kind, time_s, client, cell.jobs, cell.free, record, cell.outcomes, tally)


@kernel
def _advance_stations(begin_s, end_s, width_s, keys, client, routes, times, cell):
    """One micro-window of all stations, in topological order."""
    boxes, stations, jobs = cell.boxes, cell.stations, cell.jobs
    out_s, out_job, out_kind = boxes.out_s, boxes.out_job, boxes.out_kind
    for station in range(stations.busy.size):
        if boxes.waiting[station] == 0 and not next_event_s(station, stations, jobs) < end_s:
            continue
        n, in_s, in_job = boxes.waiting[station], boxes.in_s[station], boxes.in_job[station]
        boxes.waiting[station] = 0
        dispatch = stations.dispatch[station]
        for i in range(n):
            arrive(in_job[i], station, in_s[i], dispatch, keys, client, routes, times, jobs, cell.record)
        guarded = cell.guards.any[station]
        if not guarded and has_slack(
            station, begin_s, end_s, in_s, in_job, n, stations, jobs, boxes.bins, boxes.order
        ):  # fmt: skip
            left = pass_through(station, end_s, in_s, in_job, n, stations, jobs, out_s, out_job, out_kind)
        else:
            in_s, in_job = in_order(n, in_s, in_job, begin_s, width_s, jobs, boxes)
            if guarded:
                left = advance_guarded(
                    station, end_s, in_s, in_job, n, stations, jobs, cell.guards, out_s, out_job, out_kind
                )
            else:
                left = advance_station(station, end_s, in_s, in_job, n, stations, jobs, out_s, out_job, out_kind)
        touch(left, out_job, jobs, cell.progress.tally)
        for i in range(left):
            _leave_station(out_job[i], station, out_kind[i], out_s[i], client, routes, cell)


@kernel
def _advance_links(begin_s, end_s, width_s, client, cell):
    """One micro-window of all access links: answers on their way to the shoppers."""
    boxes, jobs, links, record, tally = cell.boxes, cell.jobs, cell.links, cell.record, cell.progress.tally
    stations = cell.stations.busy.size
    for link in range(links.bandwidth.size):
        if boxes.waiting[stations + link] == 0 and not next_end_s(link, links) < end_s:
            continue
        n, in_s, in_job = boxes.waiting[stations + link], boxes.in_s[stations + link], boxes.in_job[stations + link]
        boxes.waiting[stations + link] = 0
        in_s, in_job = in_order(n, in_s, in_job, begin_s, width_s, jobs, boxes)
        for i in range(n):
            record.link[np.int64(in_s[i]), link, STARTED] += 1
            jobs[in_job[i]].arrival_s = in_s[i]
        if has_lines(link, n, links):
            ended = carry(link, end_s, in_s, in_job, n, links, jobs, boxes.out_s, boxes.out_job)
        else:
            ended = advance_link(link, end_s, in_s, in_job, n, links, jobs, boxes.out_s, boxes.out_job)
        touch(ended, boxes.out_job, jobs, tally)
        for i in range(ended):
            time_s, job = boxes.out_s[i], boxes.out_job[i]
            second = np.int64(time_s)
            record.link[second, link, DELIVERED] += 1
            record.link_bit[second, link] += links.size[link, jobs[job].page]
            if record.trace_s.shape[0] > 0:
                _trace(job, stations + link, SERVED, jobs[job].arrival_s, time_s, jobs, record, tally)
            finish(job, SERVED, time_s, client, jobs, cell.free, record, cell.outcomes, tally)


@inlined
def _shortage(end_s, routes, cell):
    """Whether the micro-window up to end_s could run out of room, and of which: a MORE_ code, or DONE."""
    tally = cell.progress.tally
    entering = 0
    while tally[TAKEN] + entering < tally[OPENED] and cell.opened.time_s[tally[TAKEN] + entering] < end_s:
        entering += 1
    in_flight = cell.free.size - tally[FREE_JOBS]
    if entering > tally[FREE_JOBS]:
        return MORE_JOBS
    answers = in_flight + entering
    if answers // CHUNK + min(answers, cell.calendar.end.size) > cell.calendar.free[1]:
        return MORE_CHUNKS
    if answers > cell.record.order_s.size - tally[ORDERS_OUT]:
        return MORE_ORDERS
    if tally[TIMERS] + answers > cell.timers.job.size:
        return MORE_TIMERS
    room = cell.record.trace_s.shape[0]
    if room > 0 and answers * (routes.station.shape[2] + 1) > room - tally[TRACED]:
        return MORE_TRACE
    return DONE


@inlined
def _sample(second, cell):
    """Record every station's queue and slots in use and every link's transfers at the end of a second."""
    for station in range(cell.stations.busy.size):
        cell.record.site[second, station, QUEUE] = cell.stations.waiting[station]
        cell.record.site[second, station, BUSY] = cell.stations.busy[station]
    for link in range(cell.links.transfers.size):
        cell.record.link[second, link, UNDER_WAY] = cell.links.transfers[link]


@kernel
def advance_cell(until_s, bucket_s, keys, behaviour, client, routes, times, cell):
    """Work out every event of a cell before until_s, and none at or after it.

    until_s: not beyond the last bucket. bucket_s: a power of two of at most 1 s, no longer than any think or backoff time.

    Returns DONE, or a MORE_ code when an array is too small; the caller enlarges it and calls again.
    """
    tally = cell.progress.tally
    clock_s = cell.progress.clock_s
    while clock_s[0] < until_s:
        bucket, window = tally[BUCKET], tally[WINDOW]
        opening = tally[OPENED] < 0
        if opening and window == 0 and not open_bucket(bucket, bucket_s, keys, cell):
            return MORE_OPENED
        width_s = bucket_s / tally[WINDOWS]
        begin_s = bucket * bucket_s + window * width_s
        if opening:
            tally[OPENED] = open_window(window, begin_s, width_s, cell.opened)
            tally[TAKEN] = 0
        window_end_s = begin_s + width_s
        end_s = min(window_end_s, until_s)
        shortage = _shortage(end_s, routes, cell)
        if shortage != DONE:
            return shortage
        first = tally[TAKEN]
        admit_until(end_s, keys, behaviour, routes, cell)
        _advance_stations(begin_s, end_s, width_s, keys, client, routes, times, cell)
        if cell.links.bandwidth.size > 0:
            _advance_links(begin_s, end_s, width_s, client, cell)
        if client.timeout_s < np.inf:
            start_timers(first, client, cell.timers, cell.jobs, tally)
            give_up(end_s, cell.timers, cell.jobs, cell.outcomes, tally)
        if tally[OUTCOMES] > 0:
            tell(
                begin_s, width_s, keys, behaviour, client, bucket_s,
                cell.outcomes, cell.calendar, cell.record, cell.progress,
            )  # fmt: skip
        clock_s[0] = end_s
        if end_s == window_end_s:
            tally[OPENED] = -1
            tally[WINDOW] = (window + 1) % tally[WINDOWS]
            tally[BUCKET] += tally[WINDOW] == 0
            if end_s == math.floor(end_s):
                _sample(np.int64(end_s) - 1, cell)
    return DONE
