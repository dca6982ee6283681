"""Queues, lanes and tours of the parcels, one kernel at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.hub import is_lost
from sim.kernels.lane import load, rows_on, vehicles_for, vehicles_of_head
from sim.kernels.outlet import succeeds
from sim.kernels.rows import (
    AHEAD,
    DAMAGED,
    EXCEPTIONS,
    LINE_BYTES,
    LOST,
    NOBODY,
    NOT_YET,
    REFUSED,
    ROW,
    Queues,
    append_chain,
    blank_row,
    column,
    empty_orders,
    empty_queues,
    empty_rows,
    grams_of,
    pop,
    push,
    tick,
)

WEIGHTS = st.floats(1.0, 50_000.0)
CAPACITIES = st.floats(1.0, 20_000.0)


def blank_rows(count: int) -> np.ndarray:
    rows = empty_rows(count)
    rows[:] = blank_row()
    return rows


def rows_in(queues: Queues, queue: int, rows: np.ndarray) -> list[int]:
    """Rows of a queue from head to tail."""
    found, row = [], int(queues.head[queue])
    for _ in range(int(queues.length[queue])):
        found.append(row)
        row = int(rows["next_row"][row])
    return found


@settings(deadline=None)
@given(moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=60))
def test_queues_are_first_in_first_out_and_share_one_column_of_links(moves: list[tuple[int, int]]) -> None:
    queues, rows = empty_queues(4), blank_rows(10)
    expected: list[list[int]] = [list(range(10)), [], [], []]
    for row in range(10):
        push(queues, 0, row, rows)
    for source, target in moves:
        if expected[source]:
            row = pop(queues, source, rows)
            assert row == expected[source].pop(0)
            push(queues, target, row, rows)
            expected[target].append(row)
    assert [rows_in(queues, queue, rows) for queue in range(4)] == expected


@pytest.mark.parametrize("before", [0, 3])
def test_a_list_of_rows_goes_to_the_end_of_a_queue(before: int) -> None:
    queues, rows = empty_queues(2), blank_rows(9)
    for row in range(before):
        push(queues, 0, row, rows)
    for row in (8, 5, 6):
        push(queues, 1, row, rows)
    append_chain(queues, 0, queues.head[1], queues.tail[1], 3, rows)
    push(queues, 0, 7, rows)
    assert rows_in(queues, 0, rows) == [*range(before), 8, 5, 6, 7]
    assert rows["next_row"][7] == NOBODY


@settings(deadline=None)
@given(count=st.integers(1, 400), weight=WEIGHTS, capacity=CAPACITIES, vehicles=st.integers(0, 50))
def test_vehicles_and_rows_are_counted_without_overload_and_without_waste(
    count: int, weight: float, capacity: float, vehicles: int
) -> None:
    needed = vehicles_for(count, weight, capacity)
    assert (needed - 1) * capacity < count * weight <= needed * capacity
    rows = rows_on(vehicles, weight, capacity)
    assert rows * weight <= vehicles * capacity < (rows + 1) * weight


def lane_of(weights_kg: list[float]) -> tuple[Queues, np.ndarray, np.ndarray]:
    """One lane with rows of so many kg a parcel that came there at 10 s, 20 s, ...; (lanes, rows, grams there)."""
    rows, lanes = blank_rows(len(weights_kg)), empty_queues(1)
    rows["weight_kg"] = weights_kg
    rows["entered_s"] = 10.0 * np.arange(1, len(weights_kg) + 1)
    for row in range(len(weights_kg)):
        push(lanes, 0, row, rows)
    return lanes, rows, np.array([sum(grams_of(kg, 1.0) for kg in weights_kg)])


@settings(deadline=None)
@given(
    weights_kg=st.lists(st.floats(0.01, 50.0), min_size=1, max_size=30),
    room_parcels=st.integers(1, 30),
    room_g=st.integers(1, 400_000),
    limit=st.integers(0, 40),
)
def test_a_vehicle_takes_the_first_rows_until_the_next_does_not_fit_by_volume_or_weight(
    weights_kg: list[float], room_parcels: int, room_g: int, limit: int
) -> None:
    lanes, rows, lane_g = lane_of(weights_kg)
    before_g = int(lane_g[0])
    first, last, count, loaded_g = load(lanes, 0, limit, np.inf, float(room_parcels), room_g, 1.0, 60.0, rows, lane_g)
    grams = [grams_of(np.float32(kg), 1.0) for kg in weights_kg]
    assert loaded_g == sum(grams[:count]) <= room_g
    assert count <= min(room_parcels, limit)
    assert lane_g[0] == before_g - loaded_g
    assert rows_in(lanes, 0, rows) == list(range(count, len(weights_kg)))
    if count:
        assert (first, last, rows["next_row"][last]) == (0, count - 1, NOBODY)
    if count < min(limit, len(weights_kg)):
        assert count == room_parcels or loaded_g + grams[count] > room_g


def test_a_row_that_is_heavier_than_a_truck_takes_a_convoy() -> None:
    lanes, rows, _ = lane_of([2.0])
    assert vehicles_of_head(lanes, 0, 42_000.0, 10_000.0, 30_000_000, rows) == 5  # by volume
    assert vehicles_of_head(lanes, 0, 9_000.0, 10_000.0, 6_000_000, rows) == 3  # by weight
    assert vehicles_of_head(lanes, 0, 9_000.0, 10_000.0, 18_000_000, rows) == 1


def test_a_train_takes_only_what_was_sorted_before_the_cut_off() -> None:
    for before_s, expected in ((30.0, 2), (99.0, 4)):  # the third was sorted at the cut-off, not before it
        lanes, rows, lane_g = lane_of([1.0] * 4)
        assert load(lanes, 0, 9, before_s, 9.0, 9_000, 1.0, 60.0, rows, lane_g)[2] == expected


def test_loading_stamps_the_first_departure_only() -> None:
    lanes, rows, lane_g = lane_of([1.0] * 3)
    rows["departed_tick"][1] = 5
    assert load(lanes, 0, 2, np.inf, 9.0, 9_000, 1.0, 60.0, rows, lane_g)[:3] == (0, 1, 2)
    np.testing.assert_array_equal(rows["departed_tick"], [60 * 1024, 5, NOT_YET])


def test_losses_and_attempts_have_their_shares() -> None:
    key, n = np.uint64(7), 40_000
    lost = np.mean([is_lost(key, 0.02, shopper, 0) for shopper in range(n)])
    assert lost == pytest.approx(0.02, abs=4 * np.sqrt(0.02 * 0.98 / n))
    first, second = (np.array([succeeds(key, 0.9, shopper, 0, attempt) for shopper in range(n)]) for attempt in (0, 1))
    assert first.mean() == pytest.approx(0.9, abs=4 * np.sqrt(0.09 / n))
    assert second[~first].mean() == pytest.approx(
        0.9, abs=4 * np.sqrt(0.09 / (0.1 * n))
    )  # a miss does not breed another


def test_a_row_takes_a_line_of_the_cache_and_its_order_14_bytes_so_that_the_parcels_of_2012_fit_into_6_gb() -> None:
    assert ROW.itemsize == LINE_BYTES == 64
    assert empty_rows(7).ctypes.data % LINE_BYTES == 0
    assert sum(values.itemsize for values in empty_orders(1)) == 14


@pytest.mark.parametrize(
    ("time_s", "stamp"),
    [(0.0, 0), (1.0, 1024), (0.9999 / 1024, 0), (48 * 86400.0, 48 * 86400 * 1024), (1e9, 2**32 - 2)],
)
def test_a_stamp_counts_the_ticks_that_had_passed_and_stops_before_not_yet(time_s: float, stamp: int) -> None:
    assert tick(time_s) == stamp < NOT_YET


def test_a_column_of_stamps_is_in_seconds_and_empty_where_nothing_has_happened() -> None:
    rows, orders = blank_rows(2), empty_orders(2)
    rows["out_tick"][1] = orders.packed_tick[:] = tick(2.00001)
    orders.items[:] = 3, 4
    np.testing.assert_array_equal(column(rows, orders, "out_s"), [np.nan, 2.0])
    np.testing.assert_array_equal(column(rows, orders, "packed_s"), [2.0, 2.0])
    np.testing.assert_array_equal(column(rows, orders, "attempts"), [0, 0])
    np.testing.assert_array_equal(column(rows, orders, "items"), [3, 4])


@pytest.mark.parametrize("exception", range(len(EXCEPTIONS)))
def test_what_went_wrong_tells_what_the_end_of_a_parcel_was(exception: int) -> None:
    rows, orders = blank_rows(1), empty_orders(1)
    rows["exception"] = exception
    rows["exception_tick"] = tick(1.0)
    if exception != LOST:
        rows["end_tick"] = tick(3.0)
    ends = {name: column(rows, orders, name)[0] for name in ("signed_s", "returned_s", "lost_s")}
    name, time_s = {REFUSED: ("returned_s", 3.0), DAMAGED: ("returned_s", 3.0), LOST: ("lost_s", 1.0)}.get(
        exception, ("signed_s", 3.0)
    )
    np.testing.assert_equal(ends, dict.fromkeys(ends, np.nan) | {name: time_s})


def test_a_row_knows_one_that_stands_some_places_behind_it() -> None:
    queues, rows = empty_queues(1), blank_rows(3 * AHEAD)
    for row in range(3 * AHEAD):
        push(queues, 0, row, rows)
    np.testing.assert_array_equal(rows["later_row"][: 2 * AHEAD], np.arange(AHEAD, 3 * AHEAD))
