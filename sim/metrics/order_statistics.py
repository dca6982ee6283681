"""Exact order statistics of more values than fit into memory: counted in bins first, then looked at where they fall."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

BIN = 900.0
"""Width of the bins; values below 0 are in the first."""


def order_statistics(
    pieces: Callable[[], Iterator[np.ndarray]], total: int, shares: Sequence[float]
) -> list[float | None]:
    """For each share the smallest value that so many of `total` are not above; None where there are not so many values.

    Parameters
    ----------
    pieces : gives the values piece by piece, the same each time; it is asked twice
    total : of what the shares are; those beyond the values are taken as larger than all of these
    """
    counts = np.zeros(1, np.int64)
    for piece in pieces():
        found = np.bincount(_bins(piece), minlength=counts.size)
        found[: counts.size] += counts
        counts = found
    reached = np.cumsum(counts)
    ranks = [max(int(np.ceil(share * total * (1 - 1e-12))), 1) for share in shares]
    wanted = {rank: int(np.searchsorted(reached, rank)) for rank in ranks if rank <= reached[-1]}
    kept: dict[int, list[np.ndarray]] = {bin_: [] for bin_ in wanted.values()}
    for piece in pieces():
        bins = _bins(piece)
        for bin_, parts in kept.items():
            parts.append(piece[bins == bin_])
    sorted_ = {bin_: np.sort(np.concatenate(parts)) for bin_, parts in kept.items()}
    return [
        float(sorted_[wanted[rank]][rank - 1 - (reached[wanted[rank]] - counts[wanted[rank]])])
        if rank in wanted
        else None
        for rank in ranks
    ]


def _bins(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.maximum(values / BIN, 0.0).astype(np.int64))
