"""What becomes of page requests: answered, refused or given up by the browser, and what the shopper does then.

request through with the site -> finish -> settle -> tell -> answer: pay, think, next page -> calendar
deadline of the browser ------> give_up ----^          '--> fail: back off and retry, or give up and leave
"""

import numpy as np

from sim.kernels import inlined, kernel
from sim.kernels.calendar import push, time_order
from sim.kernels.cell_state import (
    _FLOOR_BITS,
    _S47,
    CUT_OFF,
    FIRST_TIMER,
    FREE_JOBS,
    GAVE_UP,
    LATENCY_BUCKETS,
    NO_JOB,
    OPENED,
    ORDERS,
    ORDERS_LOST,
    ORDERS_OUT,
    OUTCOMES,
    PAGES_REJECTED,
    PAGES_SERVED,
    PAGES_TIMED_OUT,
    TIMERS,
    VISITS_ENDED,
)
from sim.kernels.random import pick, uniform
from sim.kernels.station import REJECTED, SERVED, TIMED_OUT
from sim.kernels.visits import (
    attempt_of,
    order_value,
    orders_of,
    pack,
    page_of,
    retry_delay,
    step_of,
    think_time,
    wanted_orders,
)


@inlined
def latency_bucket(latency_s, as_float, as_bits):
    """Row of the histogram of latencies: exponent and first five bits of the mantissa, at most 3.1 % wide.

    as_float, as_bits: float64[1] and uint64[1], two views of the same 8 bytes.
    """
    as_float[0] = latency_s
    bucket = np.int64(as_bits[0] >> _S47) - _FLOOR_BITS
    return min(max(bucket, 0), LATENCY_BUCKETS - 1)


@inlined
def _schedule(time_s, shopper, state, bucket_s, cell):
    """Put a visit's next request into the calendar; a request after the last bucket is cut off and counted."""
    bucket = np.int64(time_s / bucket_s)
    if bucket >= cell.calendar.end.size:
        cell.progress.tally[CUT_OFF] += 1
        return
    push(bucket, time_s, shopper, state, cell.calendar)


@inlined
def answer(time_s, shopper, state, keys, behaviour, bucket_s, cell):
    """A page was answered: pay for an order, think, choose the next page or leave."""
    record = cell.record
    second = np.int64(time_s)
    record.demand[second, PAGES_SERVED] += 1
    page = page_of(state)
    orders = orders_of(state)
    step = step_of(state)
    if page == behaviour.paid:
        value_rmb = order_value(keys.value, shopper, orders, behaviour.value_mu, behaviour.value_sigma)
        at = cell.progress.tally[ORDERS_OUT]
        record.order_s[at] = time_s
        record.order_shopper[at] = shopper
        record.order_number[at] = orders
        record.order_rmb[at] = value_rmb
        cell.progress.tally[ORDERS_OUT] += 1
        record.demand[second, ORDERS] += 1
        record.money_rmb[second, 0] += value_rmb
        orders += 1
    wanted = wanted_orders(keys.wanted, shopper, behaviour.buyer_share, behaviour.another_order)
    mood = 1 if orders < wanted else 0
    following = pick(behaviour.next_page[mood, page], uniform(keys.next_page, shopper, step))
    if following == behaviour.think_mean_s.shape[1]:
        cell.progress.tally[VISITS_ENDED] += 1
        return
    click_s = time_s + think_time(keys.think, shopper, step, mood, page, behaviour)
    _schedule(click_s, shopper, pack(following, 0, orders, step + 1), bucket_s, cell)


@inlined
def _fail(time_s, shopper, state, keys, behaviour, client, bucket_s, cell):
    """A page request failed: back off and try again, or give up, leave and lose the orders still wanted."""
    record = cell.record
    attempt = attempt_of(state)
    orders = orders_of(state)
    step = step_of(state)
    if attempt < client.retries and cell.progress.tokens[0] >= 1.0:
        cell.progress.tokens[0] -= 1.0
        retry_s = time_s + retry_delay(keys.backoff, shopper, step, attempt, client)
        _schedule(retry_s, shopper, pack(page_of(state), attempt + 1, orders, step), bucket_s, cell)
        return
    second = np.int64(time_s)
    record.demand[second, GAVE_UP] += 1
    wanted = wanted_orders(keys.wanted, shopper, behaviour.buyer_share, behaviour.another_order)
    for number in range(orders, wanted):
        record.demand[second, ORDERS_LOST] += 1
        record.money_rmb[second, 1] += order_value(
            keys.value, shopper, number, behaviour.value_mu, behaviour.value_sigma
        )
    cell.progress.tally[VISITS_ENDED] += 1


@inlined
def _tell(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell):
    """The shopper learns what became of a page request."""
    if outcome == SERVED:
        cell.progress.tokens[0] = min(client.budget, cell.progress.tokens[0] + client.budget_gain)
        answer(time_s, shopper, state, keys, behaviour, bucket_s, cell)
    else:
        cell.record.demand[np.int64(time_s), PAGES_REJECTED if outcome == REJECTED else PAGES_TIMED_OUT] += 1
        _fail(time_s, shopper, state, keys, behaviour, client, bucket_s, cell)


@inlined
def _settle(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell):
    """Tell the shopper at once, or, where all share a retry budget, when the micro-window's outcomes are in order."""
    if client.budget == np.inf:
        _tell(time_s, shopper, state, outcome, keys, behaviour, client, bucket_s, cell)
        return
    boxes = cell.boxes
    at = cell.progress.tally[OUTCOMES]
    boxes.outcome_s[at] = time_s
    boxes.outcome_shopper[at] = shopper
    boxes.outcome_state[at] = state
    boxes.outcome[at] = outcome
    cell.progress.tally[OUTCOMES] += 1


@inlined
def finish(job, outcome, time_s, keys, behaviour, client, bucket_s, cell):
    """A page request is through with the site: free its row, and settle it if its browser still waits."""
    requests = cell.requests
    requests.free[cell.progress.tally[FREE_JOBS]] = job
    cell.progress.tally[FREE_JOBS] += 1
    requests.serial[job] += np.uint32(1)
    if requests.gone[job]:
        return
    state = requests.state[job]
    deadline_s = requests.sent_s[job] + client.timeout_s
    if time_s > deadline_s:  # the browser gave it up within this micro-window
        time_s, outcome = deadline_s, TIMED_OUT
    elif outcome == SERVED:
        record = cell.record
        bucket = latency_bucket(time_s - requests.sent_s[job], record.as_float, record.as_bits)
        record.latency[np.int64(time_s / 60.0), page_of(state), bucket] += 1
    _settle(time_s, cell.jobs.key[job], state, outcome, keys, behaviour, client, bucket_s, cell)


@kernel
def give_up(end_s, keys, behaviour, client, bucket_s, cell):
    """Browsers whose deadline is before end_s give their requests up; the work goes on."""
    timers, requests, tally = cell.timers, cell.requests, cell.progress.tally
    places = timers.job.size
    while tally[TIMERS] > 0:
        at = tally[FIRST_TIMER]
        job = timers.job[at]
        if requests.serial[job] == timers.serial[at]:
            deadline_s = requests.sent_s[job] + client.timeout_s
            if not deadline_s < end_s:
                return
            requests.gone[job] = True
            shopper = cell.jobs.key[job]
            _settle(deadline_s, shopper, requests.state[job], TIMED_OUT, keys, behaviour, client, bucket_s, cell)
        tally[FIRST_TIMER] = (at + 1) % places
        tally[TIMERS] -= 1


@inlined
def start_timers(cell):
    """At the end of a bucket: a timer for each of its requests that is still in flight."""
    timers, tally = cell.timers, cell.progress.tally
    places = timers.job.size
    for i in range(tally[OPENED]):
        job = timers.new_job[i]
        if job != NO_JOB and cell.requests.serial[job] == timers.new_serial[i]:
            at = (tally[FIRST_TIMER] + tally[TIMERS]) % places
            timers.job[at] = job
            timers.serial[at] = timers.new_serial[i]
            tally[TIMERS] += 1


@kernel
def tell_in_order(begin_s, keys, behaviour, client, bucket_s, cell):
    """Tell the shoppers of a micro-window what became of their requests, in order of (time, shopper)."""
    boxes, tally = cell.boxes, cell.progress.tally
    n = tally[OUTCOMES]
    tally[OUTCOMES] = 0
    time_order(begin_s, bucket_s, n, boxes.outcome_s, boxes.outcome_shopper, boxes.bins, boxes.order)
    for i in range(n):
        at = boxes.order[i]
        _tell(
            boxes.outcome_s[at], boxes.outcome_shopper[at], boxes.outcome_state[at], boxes.outcome[at],
            keys, behaviour, client, bucket_s, cell,
        )  # fmt: skip
