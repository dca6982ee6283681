"""An access link: transfers that share its bandwidth fairly, none faster than the line of the shopper it goes to.

    starts (sorted) -> [ a queue for each page: reading of the clock at the end ] -> ends

All transfers of a link are equally fast: rate = min(line, bandwidth / transfers). So one clock of bits is enough for them all
(fair queueing by virtual time: Demers, Keshav, Shenker 1989, doi:10.1145/75246.75248): it counts what a transfer under way
since t = 0 would have got, and a transfer ends when the clock reaches what it showed at its start plus its size. Sizes go by
page, so that transfers of one page end in the order of their starts, and the next end of all is at the head of one of a few
queues. The clock is read off from the last instant at which the rate changed; while no more are under way than the
bandwidth has lines for, starts and ends do not touch it, and transfers do not see one another.

Ties. Ends come before starts; of two ends at one reading of the clock that of the smaller key.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined, kernel

CHUNK = 32  # transfers
NONE = -1


class Links(NamedTuple):
    """State of the L links of one cell, with P pages; C chunks of the queues."""

    bandwidth: np.ndarray  # float64[L] [bit/s]
    line: np.ndarray  # float64[L] [bit/s], most that one transfer gets
    size: np.ndarray  # float64[L, P] [bit]
    transfers: np.ndarray  # int64[L], under way
    at_s: np.ndarray  # float64[L], when the rate last changed
    clock: np.ndarray  # float64[L] [bit], its reading then
    first_bit: np.ndarray  # float64[L, P], reading at the end of each page's first transfer; inf: none
    first: np.ndarray  # int64[L, P], place of that transfer in its queue
    end: np.ndarray  # int64[L, P], the place behind its page's last transfer
    bit: np.ndarray  # float64[C * CHUNK], readings at the ends of the queued transfers
    job: np.ndarray  # int32[C * CHUNK], and whose they are
    next: np.ndarray  # int32[C], the next chunk of the same queue, or of the free list
    free: np.ndarray  # int64[1], head of the free list


def idle_links(bandwidth: np.ndarray, line: np.ndarray, size: np.ndarray, transfers: int = 0) -> Links:
    """Links without transfers, with room for so many. bandwidth, line: float64[L] [bit/s]; size: float64[L, P] [bit]."""
    n, queues = bandwidth.size, size.size
    chunks = _chunks(queues, transfers)
    following = np.arange(1, chunks + 1, dtype=np.int32)
    following[-1:] = NONE
    places = CHUNK * np.arange(queues, dtype=np.int64).reshape(size.shape)  # a chunk for each queue from the beginning
    return Links(
        bandwidth,
        line,
        size,
        transfers=np.zeros(n, np.int64),
        at_s=np.zeros(n),
        clock=np.zeros(n),
        first_bit=np.full(size.shape, np.inf),
        first=places,
        end=places.copy(),
        bit=np.zeros(chunks * CHUNK),
        job=np.zeros(chunks * CHUNK, np.int32),
        next=following,
        free=np.full(1, queues if queues < chunks else NONE, np.int64),
    )


def with_transfers(links: Links, transfers: int) -> Links:
    """The same links with room for so many transfers under way."""
    n, more = links.next.size, _chunks(links.size.size, transfers) - links.next.size
    if more <= 0:
        return links
    added = np.arange(n + 1, n + more + 1, dtype=np.int32)
    added[-1] = links.free[0]
    links.free[0] = n
    return links._replace(
        bit=np.concatenate([links.bit, np.zeros(more * CHUNK)]),
        job=np.concatenate([links.job, np.zeros(more * CHUNK, np.int32)]),
        next=np.concatenate([links.next, added]),
    )


def _chunks(queues: int, transfers: int) -> int:
    """Chunks that are always enough: a queue's first and last may be all but empty."""
    return 2 * queues + -(-transfers // CHUNK)


@inlined
def rate_of(bandwidth, line, transfers):
    """What each of so many transfers gets [bit/s]."""
    return min(line, bandwidth / max(1, transfers))


@kernel
def set_bandwidth(link, bandwidth, now_s, links):
    """Change the bandwidth [bit/s] of a link at now_s; every event before has to be done."""
    rate = rate_of(links.bandwidth[link], links.line[link], links.transfers[link])
    links.clock[link] += rate * (now_s - links.at_s[link])
    links.at_s[link] = now_s
    links.bandwidth[link] = bandwidth


@inlined
def _push(link, page, bit, job, links):
    """Put a transfer at the end of its page's queue."""
    at = links.end[link, page]
    links.bit[at] = bit
    links.job[at] = job
    if links.first_bit[link, page] == np.inf:
        links.first_bit[link, page] = bit
    at += 1
    if at % CHUNK == 0:
        chunk = links.free[0]
        links.free[0] = links.next[chunk]
        links.next[at // CHUNK - 1] = chunk
        at = chunk * CHUNK
    links.end[link, page] = at


@inlined
def _pop(link, page, links):
    """Take the first transfer out of a page's queue, which is not empty; its job."""
    at = links.first[link, page]
    job = links.job[at]
    at += 1
    if at % CHUNK == 0:
        chunk = at // CHUNK - 1
        at = np.int64(links.next[chunk]) * CHUNK
        links.next[chunk] = links.free[0]
        links.free[0] = chunk
    links.first[link, page] = at
    links.first_bit[link, page] = np.inf if at == links.end[link, page] else links.bit[at]
    return job


@inlined
def _page_to_end(link, links, jobs):
    """Page of the transfer that ends next; the link is not idle."""
    first_bit = links.first_bit[link]
    page = 0
    for other in range(1, first_bit.size):
        if first_bit[other] < first_bit[page] or (
            first_bit[other] == first_bit[page]
            and first_bit[other] < np.inf
            and jobs[links.job[links.first[link, other]]].key < jobs[links.job[links.first[link, page]]].key
        ):
            page = other
    return page


@inlined
def _end_s(bit, link, rate, links):
    """When the clock shows so many bits if the rate does not change."""
    return links.at_s[link] + max(0.0, (bit - links.clock[link]) / rate)


@inlined
def next_end_s(link, links):
    """Earliest end of a transfer of a link, inf when it is idle."""
    if links.transfers[link] == 0:
        return np.inf
    bit = np.inf
    for first_bit in links.first_bit[link]:
        bit = min(bit, first_bit)
    return _end_s(bit, link, rate_of(links.bandwidth[link], links.line[link], links.transfers[link]), links)


@inlined
def has_lines(link, n, links):
    """Whether n transfers more would all be as fast as the shoppers' lines."""
    line = links.line[link]
    return rate_of(links.bandwidth[link], line, links.transfers[link] + n) == line


@kernel
def carry(link, end_s, in_s, in_job, n, links, jobs, out_s, out_job):
    """What `advance_link` does, for a link that has lines enough: transfers do not see one another.

    Transfers end in any order. Parameters and result are otherwise those of `advance_link`.
    """
    rate, at_s, clock = links.line[link], links.at_s[link], links.clock[link]
    ended = 0
    for page in range(links.first_bit.shape[1]):
        finish_s = _end_s(links.first_bit[link, page], link, rate, links)
        while finish_s < end_s:
            out_s[ended] = finish_s
            out_job[ended] = _pop(link, page, links)
            ended += 1
            finish_s = _end_s(links.first_bit[link, page], link, rate, links)
    for i in range(n):
        job = in_job[i]
        page = jobs[job].page
        bit = clock + rate * (in_s[i] - at_s) + links.size[link, page]
        finish_s = _end_s(bit, link, rate, links)
        if finish_s < end_s:
            out_s[ended] = finish_s
            out_job[ended] = job
            ended += 1
        else:
            _push(link, page, bit, job, links)
    links.transfers[link] += n - ended
    return ended


@kernel
def advance_link(link, end_s, in_s, in_job, n, links, jobs, out_s, out_job):
    """Work out every start and end of a transfer of a link before end_s, and none at or after it.

    What a job transfers is its `page`.

    Parameters
    ----------
    in_s, in_job : float64[>= n], int32[>= n]: starts before end_s, in order of (time, key)
    out_s, out_job : float64[], int32[]: transfers that ended, in order of time; room for all under way or starting

    Returns the number of transfers that ended.
    """
    bandwidth, line, transfers = links.bandwidth[link], links.line[link], links.transfers[link]
    rate = rate_of(bandwidth, line, transfers)
    i = 0
    ended = 0
    while True:
        page = 0
        finish_s = np.inf
        if transfers > 0:
            page = _page_to_end(link, links, jobs)
            finish_s = _end_s(links.first_bit[link, page], link, rate, links)
        start_s = in_s[i] if i < n else np.inf
        if not min(finish_s, start_s) < end_s:
            break
        if finish_s <= start_s:
            event_s = finish_s
            bit = links.first_bit[link, page]
            out_s[ended] = finish_s
            out_job[ended] = _pop(link, page, links)
            ended += 1
            transfers -= 1
        else:
            event_s = start_s
            bit = links.clock[link] + rate * (start_s - links.at_s[link])
            page = jobs[in_job[i]].page
            _push(link, page, bit + links.size[link, page], in_job[i], links)
            i += 1
            transfers += 1
        changed = rate_of(bandwidth, line, transfers)
        if changed != rate:
            links.clock[link] = bit
            links.at_s[link] = event_s
            rate = changed
    links.transfers[link] = transfers
    return ended
