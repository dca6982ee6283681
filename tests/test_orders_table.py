"""The orders of a whole day are a table that is made in pieces."""

import numpy as np
import pandas as pd

from sim.records import OrderBatch, Tables, chunks, no_orders
from sim.site.tables import orders, orders_in_pieces

KEY, WIRELESS_SHARE = np.uint64(5), 0.3


def batch(rng: np.random.Generator, count: int) -> OrderBatch:
    shopper = rng.integers(0, 99, count).astype(np.uint32)
    return OrderBatch(rng.random(count), shopper, rng.integers(0, 9, count).astype(np.uint8), rng.random(count))


def test_any_piece_is_that_of_the_whole() -> None:
    rng = np.random.default_rng(1)
    batches = [batch(rng, count) for count in (3, 0, 5, 1, 0, 0, 7, 2)]
    joined = OrderBatch(*(np.concatenate(column) for column in zip(*batches, strict=True)))
    whole, large = orders(joined, KEY, WIRELESS_SHARE), orders_in_pieces(batches, KEY, WIRELESS_SHARE)
    assert large.rows == len(whole) == 18
    for first in range(18):
        for end in range(first, 19):
            expected = whole.iloc[first:end].reset_index(drop=True)
            pd.testing.assert_frame_equal(large.piece(first, end), expected, check_dtype=end > first)


def test_without_orders_there_is_the_table_and_nothing_in_it() -> None:
    for batches in ([], [no_orders()]):
        tables = Tables({}, {"orders": orders_in_pieces(batches, KEY, WIRELESS_SHARE)})
        assert list(chunks(tables, "orders")) == []
        assert len(tables["orders"]) == 0
