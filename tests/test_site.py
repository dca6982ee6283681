"""The site: windows, threads, cells, growth, conservation, errors."""

import numpy as np
import pandas as pd
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.festival import site_of
from sim.kernels import cell_state as kernels
from sim.params import ParameterError
from sim.site import cell as cell_module
from sim.site.graph import service_graph, topological_order
from sim.site.shares import cells_at_scale, slots_of_cells
from sim.site.site import Site
from tests.site_case import BUSY, THREE_CELLS, calls_of, festival, run_site

TINY = ["scale=0.00001", "seed=4", *BUSY]


def assert_same_tables(one: Site, other: Site) -> None:
    """Equal to the bit, table by table."""
    for name, frame in one.tables().items():
        pd.testing.assert_frame_equal(frame, other.tables()[name], check_exact=True)


@pytest.fixture(scope="module")
def one_window() -> Site:
    """The busy case, advanced once."""
    return run_site(festival(*TINY), trace=True)


def test_thousands_of_windows_give_the_bits_of_one(one_window: Site) -> None:
    params = festival(*TINY)
    rng = np.random.default_rng(1)
    stops_s = np.unique(np.concatenate([rng.uniform(0, 900, 3000), rng.uniform(0, 93600, 3000), np.arange(1, 500) / 4]))
    windowed = run_site(params, stops_s=stops_s, trace=True)
    np.testing.assert_array_equal(calls_of(windowed), calls_of(one_window))
    assert_same_tables(windowed, one_window)


def test_narrower_buckets_give_the_same_bits(one_window: Site) -> None:
    narrow = run_site(festival(*TINY, "demand.visit.bucket_s=0.0625"), trace=True)
    np.testing.assert_array_equal(calls_of(narrow), calls_of(one_window))
    assert_same_tables(narrow, one_window)


@settings(max_examples=5, deadline=None)
@given(stops_s=st.lists(st.floats(0.001, 1200), min_size=1, max_size=40, unique=True).map(sorted))
def test_any_windows_give_the_bits_of_one(one_window: Site, stops_s: list[float]) -> None:
    np.testing.assert_array_equal(
        calls_of(run_site(festival(*TINY), stops_s=stops_s, trace=True)), calls_of(one_window)
    )


def test_two_threads_give_the_bits_of_one() -> None:
    cells = ["scale=0.00001", "seed=4", *THREE_CELLS]
    one = run_site(festival(*cells, "threads=1"))
    assert one.cells == 3
    assert_same_tables(one, run_site(festival(*cells, "threads=2"), stops_s=[10, 60, 3600]))


def test_a_small_site_has_no_more_cells_than_slots() -> None:
    site = festival("site.cells=4").site
    assert site is not None
    assert [cells_at_scale(site, scale) for scale in (0.00001, 0.001, 0.002, 1.0)] == [1, 1, 2, 4]


def test_arrays_that_start_too_small_grow_and_change_nothing(one_window: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_JOBS", "_CHUNKS", "_OPENED", "_ORDERS"):
        monkeypatch.setattr(cell_module, name, 2)  # not 1: columns of one record would be compiled for anew
    small = run_site(festival(*TINY), trace=True)
    np.testing.assert_array_equal(calls_of(small), calls_of(one_window))
    assert_same_tables(small, one_window)


def test_no_request_and_no_visit_is_lost_at_any_instant() -> None:
    params = festival(*TINY)
    for stop_s in (0.3, 5.0, 30.25, 4000.0):
        site = run_site_until(params, stop_s)
        demand = site.tables()["demand_seconds"]
        in_flight = sum(cell.state.free.size - cell.state.progress.tally[kernels.FREE_JOBS] for cell in site._cells)
        answered = demand.served.sum() + demand.rejected.sum() + demand.timed_out.sum()
        assert demand.requests.sum() == answered + in_flight
        assert demand.visitors.sum() >= site.visits_in_progress > 0
        calls = site.tables()["site_seconds"]
        on_links = sum(int(cell.state.links.transfers.sum()) for cell in site._cells)
        assert calls.arrivals.sum() == calls[["served", "rejected", "timed_out"]].sum().sum() + in_flight - on_links


def run_site_until(params, stop_s: float) -> Site:
    """The site advanced to one instant."""
    env = simpy.Environment()
    site = site_of(env, params)
    env.run(until=stop_s)
    site.bring_orders()
    return site


def test_another_seed_gives_another_day(one_window: Site) -> None:
    other = run_site(festival("scale=0.00001", "seed=5", *BUSY), trace=True)
    assert calls_of(other).shape != calls_of(one_window).shape or (calls_of(other) != calls_of(one_window)).any()


@pytest.mark.parametrize(
    ("slots", "cells", "expected"),
    [(8.0, 1, [8]), (8.4, 2, [4, 4]), (0.2, 1, [1]), (0.2, 3, [1, 1, 1]), (7, 2, [4, 3])],
)
def test_slots_are_whole_shared_evenly_and_at_least_one(slots: float, cells: int, expected: list[int]) -> None:
    assert slots_of_cells(slots, cells).tolist() == expected


def test_services_come_after_all_that_call_them() -> None:
    site = festival().site
    assert site is not None
    graph = service_graph(site)
    order = topological_order(graph)
    assert all(order.index(caller) < order.index(called) for caller, called in graph.edges)


def test_a_cycle_of_services_is_refused_and_shown() -> None:
    routes = "site.pages.cart=[{share: 1.0, services: [trade, cart]}]"
    other = "site.pages.order=[{share: 1.0, services: [cart, trade]}]"
    site = festival(routes, other).site
    assert site is not None
    with pytest.raises(ParameterError, match=r"without a cycle, got (cart -> trade -> cart|trade -> cart -> trade)"):
        service_graph(site)
