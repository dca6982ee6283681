"""The carriers' rounds of pickups, and what becomes of the parcels that a full carrier leaves at the bay."""

from sim.kernels import inlined, kernel
from sim.kernels.orders import next_carrier
from sim.kernels.prefetch import prefetch
from sim.kernels.rows import AHEAD, fetch_later, pop, push, tick

STRETCH = 64
"""Bays that a round passes at one look when all are empty, as most are on most days."""


@inlined
def packer_of(bay, bays):
    """Whose bay it is, of those of a carrier."""
    return bay - (0 if bay < bays.labelled else bays.labelled if bay < bays.packed else bays.packed)


@kernel
def pick_up(now_s, carrier, most_rows, packer_city, rows, bays, vans):
    """One carrier's round: what was packed before now goes on its city's van, at most so many rows.

    Block by block: first what was refused before. In each, packer by packer, so the largest merchant first.
    packer_city: int16[packers]. vans: queues, one a city, updated. Returns the number of rows picked up.
    """
    count = 0
    queues = bays.queues
    first = carrier * bays.each
    end = first + bays.each
    for begin in range(first, end, STRETCH):
        if not _any_rows(queues, begin, min(begin + STRETCH, end)):
            continue
        for bay in range(begin, min(begin + STRETCH, end)):
            ahead = bay + AHEAD
            if ahead < end and queues.length[ahead] > 0:
                prefetch(rows, queues.head[ahead])
            if queues.length[bay] == 0:
                continue
            city = packer_city[packer_of(bay - first, bays)]
            while queues.length[bay] > 0 and rows["entered_s"][queues.head[bay]] < now_s:
                if count == most_rows:
                    return count
                row = pop(queues, bay, rows)
                fetch_later(row, rows)
                rows["picked_up_tick"][row] = tick(now_s)
                push(vans, city, row, rows)
                count += 1
    return count


@inlined
def _any_rows(queues, begin, end):
    """Whether any of the queues has a row: without a jump, so that many are looked at at once."""
    rows = 0
    for queue in range(begin, end):
        rows |= queues.length[queue]
    return rows != 0


@kernel
def turn_away(now_s, carrier, keys, market, rows, bays):
    """Refuse what was packed before now and is left after a round: it changes carrier, or waits, first in line tomorrow.

    A row is refused once: it then stands in the first block of bays, where it waits for the carrier that it has.
    Returns (rows refused, rows of these that changed the carrier).
    """
    refused, switched = 0, 0
    queues = bays.queues
    first = carrier * bays.each
    for bay in range(first + bays.labelled, first + bays.each):
        packer = packer_of(bay - first, bays)
        while queues.length[bay] > 0 and rows["entered_s"][queues.head[bay]] < now_s:
            row = pop(queues, bay, rows)
            other = next_carrier(keys, market, carrier, rows["shopper"][row], rows["number"][row])
            rows["carrier"][row] = other
            push(queues, other * bays.each + packer, row, rows)
            refused += 1
            switched += other != carrier
    return refused, switched
