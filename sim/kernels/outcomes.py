"""What becomes of page requests: answered, refused or given up by the browser, and what the shopper does then.

request through with the site -> finish -> settle -> tell -> answered: pay, think, next page -> calendar
deadline of the browser ------> give_up ----^          '--> failed: back off and retry, or give up and leave

All that is added up is whole numbers, so that no sum depends on the order in which a micro-window's requests are told. Visitors
from outside browse on, retry and leave as shoppers do, but none of it is counted here.
"""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.calendar import push, time_order
from sim.kernels.cell_state import (
    CUT_OFF,
    FIRST_TIMER,
    FREE_JOBS,
    NO_JOB,
    ORDERS_OUT,
    OUTCOMES,
    TAKEN,
    TIMERS,
    VISITS_ENDED,
)
from sim.kernels.protection import earn_retry, spend_retry
from sim.kernels.random import pick, uniform
from sim.kernels.recorders import (
    ANSWERED,
    BOUGHT,
    FAILED,
    GAVE_UP,
    LEFT,
    LOST,
    ORDERS,
    ORDERS_LOST,
    PAGES_REJECTED,
    PAGES_SERVED,
    PAGES_TIMED_OUT,
    minute_of,
    record_page,
)
from sim.kernels.station import REJECTED, SERVED, TIMED_OUT
from sim.kernels.visits import (
    attempt_of,
    is_shopper,
    order_fen,
    orders_of,
    pack,
    page_of,
    retry_delay,
    step_of,
    think_time,
    wants_order,
)


@inlined
def _schedule(time_s, shopper, state, bucket_s, calendar, tally):
    """Put a visit's next request into the calendar; a request after the last bucket is cut off and counted."""
    bucket = np.int64(time_s * (1.0 / bucket_s))  # as exact as a division, for a bucket is a power of two
    if bucket >= calendar.end.size:
        tally[CUT_OFF] += 1
        return
    push(bucket, time_s, shopper, state, calendar)


@inlined
def _answer(time_s, shopper, state, segment, keys, behaviour, bucket_s, calendar, record, tally):
    """A page was answered: pay for an order, think, choose the next page or leave."""
    second = np.int64(time_s)
    seen = record.seen[minute_of(time_s), segment]
    page = page_of(state)
    orders = orders_of(state)
    step = step_of(state)
    shopping = is_shopper(state)
    if shopping:
        record.demand[second, PAGES_SERVED] += 1
        seen[ANSWERED] += 1
    if shopping and page == behaviour.paid:
        value_fen = order_fen(keys.value, shopper, orders, behaviour.value_mu, behaviour.value_sigma)
        at = tally[ORDERS_OUT]
        record.order_s[at] = time_s
        record.order_shopper[at] = shopper
        record.order_number[at] = orders
        record.order_rmb[at] = value_fen / 100.0
        tally[ORDERS_OUT] += 1
        record.demand[second, ORDERS] += 1
        seen[BOUGHT] += 1
        record.money_fen[second, 0] += value_fen
        orders += 1
    mood = 1 if wants_order(keys.wanted, shopper, orders, behaviour.wants_more) else 0
    following = pick(behaviour.next_page[mood, page], uniform(keys.next_page, shopper, step))
    if following == behaviour.think_mean_s.shape[1]:
        tally[VISITS_ENDED] += 1
        return
    click_s = time_s + think_time(keys.think, shopper, step, mood, page, behaviour)
    _schedule(click_s, shopper, pack(following, 0, orders, step + 1), bucket_s, calendar, tally)


@inlined
def _fail(time_s, shopper, state, segment, keys, behaviour, client, bucket_s, calendar, record, progress):
    """A page request failed: back off and try again, or give up, leave and lose the orders still wanted."""
    seen = record.seen[minute_of(time_s), segment]
    shopping = is_shopper(state)
    if shopping:
        seen[FAILED] += 1
    attempt = attempt_of(state)
    orders = orders_of(state)
    step = step_of(state)
    if attempt < client.retries and spend_retry(progress.tokens):
        retry_s = time_s + retry_delay(keys.backoff, shopper, step, attempt, client)
        _schedule(retry_s, shopper, pack(page_of(state), attempt + 1, orders, step), bucket_s, calendar, progress.tally)
        return
    second = np.int64(time_s)
    if shopping:
        record.demand[second, GAVE_UP] += 1
        seen[LEFT] += 1
    while wants_order(keys.wanted, shopper, orders, behaviour.wants_more):
        record.demand[second, ORDERS_LOST] += 1
        seen[LOST] += 1
        record.money_fen[second, 1] += order_fen(keys.value, shopper, orders, behaviour.value_mu, behaviour.value_sigma)
        orders += 1
    progress.tally[VISITS_ENDED] += 1


@inlined
def settle(time_s, shopper, state, segment, kind, outcomes, tally):
    """Note what became of a page request; the shopper learns it at the end of the micro-window, see `tell`."""
    at = tally[OUTCOMES]
    outcomes.time_s[at] = time_s
    outcomes.shopper[at] = shopper
    outcomes.state[at] = state
    outcomes.segment[at] = segment
    outcomes.kind[at] = kind
    tally[OUTCOMES] += 1


@inlined
def finish(job, kind, time_s, client, jobs, free, record, outcomes, tally):
    """A page request is through with the site: free its row, and settle it if its browser still waits."""
    row = jobs[job]
    free[tally[FREE_JOBS]] = job
    tally[FREE_JOBS] += 1
    row.serial += np.uint32(1)
    if row.gone:
        return
    deadline_s = row.sent_s + client.timeout_s
    if time_s > deadline_s:  # the browser gave it up within this micro-window
        time_s, kind = deadline_s, TIMED_OUT
    elif kind == SERVED and is_shopper(row.state):
        record_page(time_s, time_s - row.sent_s, row.page, row.segment, record)
    settle(time_s, row.key, row.state, row.segment, kind, outcomes, tally)


@inlined
def start_timer(job, client, timers, jobs, tally):
    """A browser begins to wait for a request; others may have begun later in this micro-window, so it may go before them."""
    places, first = timers.job.size, tally[FIRST_TIMER]
    deadline_s = jobs[job].sent_s + client.timeout_s
    at = (first + tally[TIMERS]) % places
    while at != first:
        before = (at + places - 1) % places
        if timers.deadline_s[before] <= deadline_s:
            break
        timers.deadline_s[at] = timers.deadline_s[before]
        timers.job[at] = timers.job[before]
        timers.serial[at] = timers.serial[before]
        at = before
    timers.deadline_s[at] = deadline_s
    timers.job[at] = job
    timers.serial[at] = jobs[job].serial
    tally[TIMERS] += 1


@inlined
def start_timers(first, client, timers, jobs, tally):
    """A timer for each request from the window's number `first` on that is still in flight, but those in a waiting room."""
    for i in range(first, tally[TAKEN]):
        job = timers.new_job[i]
        if job != NO_JOB and jobs[job].serial == timers.new_serial[i]:
            start_timer(job, client, timers, jobs, tally)


@kernel
def give_up(end_s, timers, jobs, outcomes, tally):
    """Browsers whose deadline is before end_s give their requests up; the work goes on."""
    places = timers.job.size
    while tally[TIMERS] > 0:
        at = tally[FIRST_TIMER]
        row = jobs[timers.job[at]]
        if row.serial == timers.serial[at]:
            deadline_s = timers.deadline_s[at]
            if not deadline_s < end_s:
                return
            row.gone = True
            settle(deadline_s, row.key, row.state, row.segment, TIMED_OUT, outcomes, tally)
        tally[FIRST_TIMER] = (at + 1) % places
        tally[TIMERS] -= 1


@kernel
def tell(begin_s, width_s, keys, behaviour, client, bucket_s, outcomes, calendar, record, progress):
    """Tell the shoppers of a micro-window what became of their requests; in order of (time, shopper) if they share a budget."""
    tokens, tally = progress.tokens, progress.tally
    n = tally[OUTCOMES]
    tally[OUTCOMES] = 0
    if client.budget < np.inf:
        time_order(begin_s, width_s, n, outcomes.time_s, outcomes.shopper, outcomes.bins, outcomes.order)
    for i in range(n):
        at = outcomes.order[i] if client.budget < np.inf else i
        time_s, shopper, state = outcomes.time_s[at], outcomes.shopper[at], outcomes.state[at]
        segment, kind = outcomes.segment[at], outcomes.kind[at]
        if kind == SERVED:
            earn_retry(tokens, client.budget, client.budget_gain)
            _answer(time_s, shopper, state, segment, keys, behaviour, bucket_s, calendar, record, tally)
        else:
            if is_shopper(state):
                record.demand[np.int64(time_s), PAGES_REJECTED if kind == REJECTED else PAGES_TIMED_OUT] += 1
            _fail(time_s, shopper, state, segment, keys, behaviour, client, bucket_s, calendar, record, progress)
