"""Vehicles before a hub: who comes first, whose doors are opened when, and that no record is lost."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sim.kernels.convoys import (
    COMING,
    DOCKING,
    FREE,
    NO_LANE,
    NONE,
    Docks,
    bring,
    empty_convoys,
    empty_docks,
    meet,
    set_out,
    with_more,
)
from sim.kernels.latest import Latest, no_latest, place_of, remember, with_room_for
from sim.kernels.rows import NOBODY


def in_list(docks: Docks, hub: int, state: int, convoys: NDArray[np.void]) -> list[int]:
    """Trips of the convoys in one list of a hub, from first to last."""
    found, convoy = [], int(docks.first[hub, state])
    while convoy != NONE:
        assert convoys["state"][convoy] == state
        found.append(int(convoys["trip"][convoy]))
        convoy = int(convoys["next"][convoy])
    return found


@settings(deadline=None)
@given(arrivals=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), max_size=30))
def test_vehicles_come_by_the_time_of_arrival_and_of_equals_the_first_that_set_out(
    arrivals: list[tuple[int, int]],
) -> None:
    docks, convoys = empty_docks(np.zeros(1, np.bool_), np.ones(2)), empty_convoys(1)
    for trip, (hub, arrive_s) in enumerate(arrivals):
        if convoys["rows"][0] == 0:
            convoys = with_more(convoys, 3)
        set_out(hub, float(arrive_s), 0, 0, 1, 1, trip, NO_LANE, docks, convoys)
    for hub in range(2):
        own = [(arrive_s, trip) for trip, (there, arrive_s) in enumerate(arrivals) if there == hub]
        assert in_list(docks, hub, COMING, convoys) == [trip for _, trip in sorted(own)]
    free = int((convoys["state"][1:] == FREE).sum())
    assert free == convoys["rows"][0] == convoys.size - 1 - len(arrivals)


def test_trucks_stand_before_a_closed_lane_until_a_full_hour_at_which_it_is_open() -> None:
    closed = np.array([True, False])
    docks, convoys = empty_docks(closed, np.ones(1)), empty_convoys(9)
    for trip, (arrive_s, lane) in enumerate(((100.0, 0), (200.0, 1), (300.0, NO_LANE), (400.0, 0))):
        set_out(0, arrive_s, 0, 0, 1, 1, trip, lane, docks, convoys)
    meet(0, 7199.0, 1.0, docks, convoys)
    assert (in_list(docks, 0, DOCKING, convoys), in_list(docks, 0, COMING, convoys)) == ([1, 2], [0, 3])
    closed[0] = False
    meet(0, 7200.0, 1.0, docks, convoys)
    assert in_list(docks, 0, DOCKING, convoys) == [1, 2, 0, 3]
    arrived_s = {int(one["trip"]): float(one["arrive_s"]) for one in convoys[convoys["state"] == DOCKING]}
    assert arrived_s == {0: 7200.0, 1: 200.0, 2: 300.0, 3: 7200.0}


def test_docks_open_what_comes_at_once_one_after_the_other() -> None:
    docks, convoys = empty_docks(np.zeros(0, np.bool_), np.array([2.0])), empty_convoys(4)
    for now_s, parcels in ((10.0, 3), (11.0, 2), (30.0, 1)):
        bring(0, now_s, np.array([parcels - 1]), np.array([1]), 2.0, docks, convoys)
    waiting = convoys[convoys["state"] == DOCKING]
    assert sorted(waiting["time_s"].tolist()) == [16.0, 20.0, 32.0]
    assert sorted(waiting["vehicles"].tolist()) == [1, 1, 2]


@settings(deadline=None)
@given(written=st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10**6)), max_size=120), spread=st.booleans())
def test_the_latest_parcel_of_a_shopper_is_the_one_that_was_remembered_last(
    written: list[tuple[int, int]], spread: bool
) -> None:
    latest, expected = no_latest(0), {}
    for number, row in written:
        shopper = np.uint32(number * 104_729_003 % 2**32 if spread else number)
        latest = with_room_for(latest, 1)
        remember(shopper, row, latest)
        expected[shopper] = row
    assert {shopper: int(latest.row[place_of(shopper, latest)]) for shopper in expected} == expected
    assert latest.taken[0] == (latest.row != NOBODY).sum() == len(expected)


@pytest.mark.parametrize("places", [1, 7, 1000])
def test_a_table_grows_only_when_more_than_three_quarters_would_be_taken(places: int) -> None:
    latest: Latest = no_latest(places)
    assert with_room_for(latest, int(0.75 * places)) is latest
    assert with_room_for(latest, int(0.75 * places) + 1).row.size > places
