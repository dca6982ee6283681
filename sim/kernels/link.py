"""An access link: transfers that share its bandwidth fairly, none faster than the line of the shopper it goes to.

All transfers of a link are equally fast: rate = min(line, bandwidth / transfers). So one clock of bits is enough for them all
(fair queueing by virtual time: Demers, Keshav, Shenker 1989, doi:10.1145/75246.75248): it counts what each transfer has
got since the link was last idle, and a transfer ends when the clock reaches what it showed at its start plus its size. Sizes
go by page, so that transfers of one page end in the order of their starts, and the next end of all is at the head of one of a
few queues.

Ties. Ends come before starts; of two ends at one reading of the clock that of the smaller key.
"""

from typing import NamedTuple

import numpy as np

from sim.kernels import inlined

NOBODY = -1


class Links(NamedTuple):
    """State of the L links of one cell, with P pages."""

    bandwidth: np.ndarray  # float64[L] [bit/s]
    line: np.ndarray  # float64[L] [bit/s], most that one transfer gets
    size: np.ndarray  # float64[L, P] [bit]
    transfers: np.ndarray  # int64[L], under way
    at_s: np.ndarray  # float64[L], instant of the last start or end
    clock: np.ndarray  # float64[L] [bit], what a transfer under way since the link was idle has got by then
    head: np.ndarray  # int32[L, P], transfers of each page, linked through their jobs' `behind`
    tail: np.ndarray  # int32[L, P]
    first_bit: np.ndarray  # float64[L, P], reading at the end of each page's first transfer; inf: none


def idle_links(bandwidth: np.ndarray, line: np.ndarray, size: np.ndarray) -> Links:
    """Links without transfers. bandwidth, line: float64[L] [bit/s]; size: float64[L, P] [bit]."""
    n = bandwidth.size
    return Links(
        bandwidth,
        line,
        size,
        transfers=np.zeros(n, np.int64),
        at_s=np.zeros(n),
        clock=np.zeros(n),
        head=np.full(size.shape, NOBODY, np.int32),
        tail=np.full(size.shape, NOBODY, np.int32),
        first_bit=np.full(size.shape, np.inf),
    )


@inlined
def rate_of(bandwidth, line, transfers):
    """What each of so many transfers gets [bit/s]."""
    return min(line, bandwidth / transfers)


@inlined
def _page_to_end(link, links, jobs):
    """Page of the transfer that ends next; the link is not idle."""
    first_bit = links.first_bit[link]
    page = 0
    for other in range(1, first_bit.size):
        if first_bit[other] < first_bit[page] or (
            first_bit[other] == first_bit[page]
            and first_bit[other] < np.inf
            and jobs[links.head[link, other]].key < jobs[links.head[link, page]].key
        ):
            page = other
    return page


@inlined
def _end_s(link, page, links):
    """When the first transfer of a page ends if none starts before."""
    rate = rate_of(links.bandwidth[link], links.line[link], links.transfers[link])
    return links.at_s[link] + max(0.0, (links.first_bit[link, page] - links.clock[link]) / rate)


@inlined
def next_end_s(link, links, jobs):
    """Earliest end of a transfer of a link, inf when it is idle."""
    if links.transfers[link] == 0:
        return np.inf
    return _end_s(link, _page_to_end(link, links, jobs), links)


@inlined
def advance_link(link, end_s, in_s, in_job, n, links, jobs, out_s, out_job):
    """Work out every start and end of a transfer of a link before end_s, and none at or after it.

    What a job transfers is its `page`; its `service_s` holds the reading of the clock at its end.

    Parameters
    ----------
    in_s, in_job : float64[>= n], int32[>= n]: starts before end_s, in order of (time, key)
    out_s, out_job : float64[], int32[]: transfers that ended, in order of time; room for all under way or starting

    Returns the number of transfers that ended.
    """
    i = 0
    ended = 0
    page = 0
    finish_s = np.inf
    if links.transfers[link] > 0:
        page = _page_to_end(link, links, jobs)
        finish_s = _end_s(link, page, links)
    while True:
        start_s = in_s[i] if i < n else np.inf
        if finish_s <= start_s:
            if not finish_s < end_s:
                break
            job = links.head[link, page]
            follower = jobs[job].behind
            links.clock[link] = links.first_bit[link, page]
            links.at_s[link] = finish_s
            links.transfers[link] -= 1
            links.head[link, page] = follower
            links.first_bit[link, page] = np.inf if follower == NOBODY else jobs[follower].service_s
            out_s[ended] = finish_s
            out_job[ended] = job
            ended += 1
        else:
            job = in_job[i]
            its_page = jobs[job].page
            i += 1
            if links.transfers[link] == 0:
                links.clock[link] = 0.0
            else:
                rate = rate_of(links.bandwidth[link], links.line[link], links.transfers[link])
                links.clock[link] += rate * (start_s - links.at_s[link])
            links.at_s[link] = start_s
            links.transfers[link] += 1
            bit = links.clock[link] + links.size[link, its_page]
            jobs[job].service_s = bit
            jobs[job].behind = NOBODY
            if links.head[link, its_page] == NOBODY:
                links.head[link, its_page] = job
                links.first_bit[link, its_page] = bit
            else:
                jobs[links.tail[link, its_page]].behind = job
            links.tail[link, its_page] = job
        finish_s = np.inf
        if links.transfers[link] > 0:
            page = _page_to_end(link, links, jobs)
            finish_s = _end_s(link, page, links)
    return ended
