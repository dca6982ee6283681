"""What protects a service from its clients: small rules on small arrays, asked before a request is let in.

    rate limit, concurrency limit, circuit breaker, shedding -> let in, or refused at once;   retry budget -> tried again, or not

Every rule is a function of its state and of the instant that it is asked at; states change only when they are asked or told
something, so that no rule depends on how finely time is cut into windows.
"""

import numpy as np

from sim.kernels import inlined

# entries of the state of a token bucket, float64[2]
TOKENS = 0
FILLED_S = 1

# entries of the state of a circuit breaker, int64[BREAKER_SIZE + window]; the window is a ring of the last answers, 1: failed
STATE = 0
GENERATION = 1  # number of changes of state so far
ANSWERS = 2  # in the ring
FAILURES = 3  # among them
NEXT = 4  # place in the ring of the next answer
PERMITS = 5  # given while half open
BREAKER_SIZE = 6

CLOSED = 0
OPEN = 1
HALF_OPEN = 2

REFUSED = -1

WHOLE = 1.0 - 1e-9  # a token, but for rounding


@inlined
def refilled(since_start_s, rate_per_s, warm_up_s, cold_share):
    """Tokens that a bucket has been given since its start: its rate grows from cold_share of the full one over the warm-up."""
    if since_start_s >= warm_up_s:
        return rate_per_s * (since_start_s - (1.0 - cold_share) * warm_up_s / 2.0)
    return rate_per_s * since_start_s * (cold_share + (1.0 - cold_share) * since_start_s / (2.0 * warm_up_s))


@inlined
def take_token(bucket, now_s, rate_per_s, burst, start_s, warm_up_s, cold_share):
    """Whether a request passes a token bucket: it takes a token, and there has to be a whole one.

    bucket: float64[2], tokens and the instant that they were counted at, changed in place. burst: tokens that the bucket
    holds. start_s: when the warm-up begins; nothing is asked before.
    """
    given = refilled(now_s - start_s, rate_per_s, warm_up_s, cold_share)
    given -= refilled(bucket[FILLED_S] - start_s, rate_per_s, warm_up_s, cold_share)
    bucket[TOKENS] = min(burst, bucket[TOKENS] + given)
    bucket[FILLED_S] = now_s
    if bucket[TOKENS] < WHOLE:
        return False
    bucket[TOKENS] = max(0.0, bucket[TOKENS] - 1.0)
    return True


@inlined
def has_room(in_flight, most):
    """Whether a concurrency limit lets one more request in."""
    return in_flight < most


@inlined
def comes_in_time(waiting, busy, slots, service_s, left_s):
    """Whether an answer may be expected in time: false is the reason to shed a request at its arrival.

    waiting, busy: jobs in the queue and in service. service_s: mean service time [s]. left_s: until the client's deadline [s].
    With all slots busy so many jobs and one more have to depart first, `slots` of them in each service time.
    """
    wait_s = 0.0
    if busy >= slots:
        if slots <= 0:
            return False
        wait_s = (waiting + 1.0) * service_s / slots
    return wait_s + service_s <= left_s


@inlined
def permit(breaker, opened_s, now_s, open_s, trials):
    """Ask a circuit breaker to let a request through: the generation to report its answer under, or REFUSED.

    breaker: int64[BREAKER_SIZE + window], changed in place. opened_s: float64[1], when it last opened. It refuses all for
    open_s, then lets `trials` requests through (half open) and waits for their answers.
    """
    if breaker[STATE] == OPEN and now_s >= opened_s[0] + open_s:
        _turn(breaker, HALF_OPEN)
    if breaker[STATE] == OPEN or (breaker[STATE] == HALF_OPEN and breaker[PERMITS] >= trials):
        return REFUSED
    breaker[PERMITS] += 1
    return breaker[GENERATION]


@inlined
def tell(breaker, opened_s, now_s, generation, failed, window, least_answers, failure_share, trials):
    """Tell a circuit breaker the answer to a request that it let through.

    generation: what `permit` returned; answers to requests of an earlier state are not heard. Closed, it opens when at least
    `least_answers` of the last `window` answers are in and `failure_share` of them failed. Half open, it decides by the same
    share when the answers to all trials are in, of which there may be at most `window`.
    """
    if generation != breaker[GENERATION] or breaker[STATE] == OPEN:
        return
    place = BREAKER_SIZE + breaker[NEXT]
    if breaker[ANSWERS] == window:
        breaker[FAILURES] -= breaker[place]
    else:
        breaker[ANSWERS] += 1
    breaker[place] = 1 if failed else 0
    breaker[FAILURES] += breaker[place]
    breaker[NEXT] = (breaker[NEXT] + 1) % window
    enough = least_answers if breaker[STATE] == CLOSED else trials
    if breaker[ANSWERS] < enough:
        return
    if breaker[FAILURES] >= failure_share * breaker[ANSWERS]:
        opened_s[0] = now_s
        _turn(breaker, OPEN)
    elif breaker[STATE] == HALF_OPEN:
        _turn(breaker, CLOSED)


@inlined
def _turn(breaker, state):
    """Change the state of a breaker and forget its answers."""
    breaker[STATE] = state
    breaker[GENERATION] += 1
    breaker[ANSWERS] = 0
    breaker[FAILURES] = 0
    breaker[NEXT] = 0
    breaker[PERMITS] = 0


@inlined
def spend_retry(tokens):
    """Whether the retry budget pays for a retry: it costs a token. tokens: float64[1], changed in place; inf: no budget."""
    if tokens[0] < WHOLE:
        return False
    tokens[0] = max(0.0, tokens[0] - 1.0)
    return True


@inlined
def earn_retry(tokens, most, gain):
    """A success puts `gain` tokens back into the retry budget, which holds `most`."""
    tokens[0] = min(most, tokens[0] + gain)


def new_breaker(window: int) -> np.ndarray:
    """A closed circuit breaker that remembers so many answers, int64[BREAKER_SIZE + window]."""
    return np.zeros(BREAKER_SIZE + window, np.int64)
