"""Several services want machines, and the quota has not enough for all: who gets how many."""

from collections.abc import Sequence


def grants(wanted: Sequence[int], priority: Sequence[int], free: int) -> list[int]:
    """Machines that each service gets of those that are free.

    Smaller priorities go first. Services of one priority share what is left in proportion to what they want, by the method of
    largest remainders; of equal remainders the service that stands first in the list gets the machine.
    """
    granted = [0] * len(wanted)
    for level in sorted(set(priority)):
        members = [i for i in range(len(wanted)) if priority[i] == level]
        total = sum(wanted[i] for i in members)
        if total <= free:
            for i in members:
                granted[i] = wanted[i]
            free -= total
            continue
        for i in members:
            granted[i] = wanted[i] * free // total
        left = free - sum(granted[i] for i in members)
        by_remainder = sorted(members, key=lambda i: (-(wanted[i] * free % total), i))
        for i in by_remainder[:left]:
            granted[i] += 1
        free = 0
    return granted
