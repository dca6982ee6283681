"""Queues, lanes and tours of the parcels, one kernel at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.hub import is_lost
from sim.kernels.lane import all_vehicles, at_most, entered_before, full_vehicles, load
from sim.kernels.outlet import succeeds
from sim.kernels.rows import NOBODY, Queues, append_chain, empty_queues, pop, push

WEIGHTS = st.floats(1.0, 50_000.0)
CAPACITIES = st.floats(1.0, 20_000.0)


def rows_in(queues: Queues, queue: int, next_row: np.ndarray) -> list[int]:
    """Rows of a queue from head to tail."""
    found, row = [], int(queues.head[queue])
    for _ in range(int(queues.length[queue])):
        found.append(row)
        row = int(next_row[row])
    return found


@settings(deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_queues_are_first_in_first_out_and_share_one_column_of_links(moves: list[tuple[int, int]]) -> None:
    queues, next_row = empty_queues(4), np.full(10, 99, np.int32)
    expected: list[list[int]] = [list(range(10)), [], [], []]
    for row in range(10):
        push(queues, 0, row, next_row)
    for source, target in moves:
        if expected[source]:
            row = pop(queues, source, next_row)
            assert row == expected[source].pop(0)
            push(queues, target, row, next_row)
            expected[target].append(row)
    assert [rows_in(queues, queue, next_row) for queue in range(4)] == expected


@pytest.mark.parametrize("before", [0, 3])
def test_a_list_of_rows_goes_to_the_end_of_a_queue(before: int) -> None:
    queues, next_row = empty_queues(2), np.zeros(9, np.int32)
    for row in range(before):
        push(queues, 0, row, next_row)
    for row in (8, 5, 6):
        push(queues, 1, row, next_row)
    append_chain(queues, 0, queues.head[1], queues.tail[1], 3, next_row)
    push(queues, 0, 7, next_row)
    assert rows_in(queues, 0, next_row) == [*range(before), 8, 5, 6, 7]
    assert next_row[7] == NOBODY


@settings(deadline=None)
@given(count=st.integers(0, 400), weight=WEIGHTS, capacity=CAPACITIES)
def test_full_vehicles_are_never_overloaded_and_no_whole_load_stays_behind(
    count: int, weight: float, capacity: float
) -> None:
    rows, vehicles = full_vehicles(count, weight, capacity)
    assert 0 <= rows <= count
    assert rows * weight <= vehicles * capacity
    assert (rows == 0) == (count * weight < capacity)
    if rows:
        assert rows * weight > (vehicles - 1) * capacity  # none of them is empty
        assert (count - rows) * weight < capacity + weight  # less than a load and one row is left


@settings(deadline=None)
@given(count=st.integers(1, 400), weight=WEIGHTS, capacity=CAPACITIES, available=st.integers(0, 50))
def test_a_short_fleet_takes_what_fits(count: int, weight: float, capacity: float, available: int) -> None:
    rows, vehicles = all_vehicles(count, weight, capacity)
    assert rows == count
    assert (vehicles - 1) * capacity < rows * weight <= vehicles * capacity
    some, fewer = at_most(available, weight, capacity)
    assert fewer <= available
    assert some * weight <= fewer * capacity
    if available < vehicles:
        assert some < rows


def test_a_row_that_is_heavier_than_a_truck_takes_a_convoy() -> None:
    assert full_vehicles(1, 42_000.0, 10_000.0) == (1, 5)
    assert full_vehicles(1, 9_999.0, 10_000.0) == (0, 0)
    assert full_vehicles(7, 3_000.0, 10_000.0) == (6, 2)


def test_a_train_takes_only_what_was_sorted_before_the_cut_off() -> None:
    lanes, next_row = empty_queues(1), np.zeros(4, np.int32)
    entered_s = np.array([10.0, 20.0, 30.0, 40.0])
    for row in range(4):
        push(lanes, 0, row, next_row)
    assert (
        entered_before(lanes, 0, 30.0, 9, entered_s, next_row) == 2
    )  # the third was sorted at the cut-off, not before it
    assert entered_before(lanes, 0, 99.0, 3, entered_s, next_row) == 3
    assert entered_before(lanes, 0, 99.0, 9, entered_s, next_row) == 4


def test_loading_stamps_the_first_departure_only() -> None:
    lanes, next_row = empty_queues(1), np.zeros(3, np.int32)
    departed_s = np.array([np.nan, 5.0, np.nan])
    for row in range(3):
        push(lanes, 0, row, next_row)
    assert load(lanes, 0, 2, 60.0, next_row, departed_s) == (0, 1)
    np.testing.assert_array_equal(departed_s, [60.0, 5.0, np.nan])
    assert rows_in(lanes, 0, next_row) == [2]


def test_losses_and_attempts_have_their_shares() -> None:
    key, n = np.uint64(7), 40_000
    lost = np.mean([is_lost(key, 0.02, shopper, 0) for shopper in range(n)])
    assert lost == pytest.approx(0.02, abs=4 * np.sqrt(0.02 * 0.98 / n))
    first, second = (np.array([succeeds(key, 0.9, shopper, 0, attempt) for shopper in range(n)]) for attempt in (0, 1))
    assert first.mean() == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / n))
    assert second[~first].mean() == pytest.approx(
        0.9, abs=4 * np.sqrt(0.09 / (0.1 * n))
    )  # a miss does not breed another
