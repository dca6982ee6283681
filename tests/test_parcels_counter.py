"""What is counted from the rows is what is counted from the table of the parcels."""

import numpy as np
import pandas as pd
import pytest

from sim.metrics.order_statistics import order_statistics
from sim.metrics.summary import SUMMARIES, summaries
from sim.parcels import ParcelNetwork
from sim.records import LargeTable, Tables, chunks
from sim.units import DAY_S, HOUR_S
from tests.parcel_case import SMALL_PARCELS, run, small_case


@pytest.fixture(scope="module")
def part() -> ParcelNetwork:
    """In the middle of things, and with an hour that is not over: some parcels are planned ahead and some nowhere near."""
    return run(small_case(900, weight=2.0, seed=6), until_s=6.3 * DAY_S)


def test_the_rows_give_the_same_summaries_as_their_table(part: ParcelNetwork) -> None:
    tables = part.tables()
    counted, looked_at = summaries(tables), summaries({name: tables[name] for name in tables})
    assert tables.counter("parcels") is not None
    assert counted.keys() == looked_at.keys() == set(SUMMARIES)
    for name in SUMMARIES:
        assert len(counted[name]) > 10, name
        pd.testing.assert_frame_equal(counted[name], looked_at[name], check_categorical=False, obj=name)


@pytest.mark.parametrize("until_s", [0.5 * HOUR_S, 3.5 * DAY_S, 12 * DAY_S])
def test_also_before_anything_is_packed_and_when_nearly_all_is_signed(until_s: float) -> None:
    tables = run(small_case(300, weight=1.0), until_s=until_s, threads=2).tables()
    counted, looked_at = summaries(tables), summaries({name: tables[name] for name in tables})
    for name in SUMMARIES:
        pd.testing.assert_frame_equal(counted[name], looked_at[name], check_categorical=False, obj=name)


def test_some_columns_of_a_piece_are_those_of_the_whole(part: ParcelNetwork) -> None:
    tables = part.tables()
    whole = tables["parcels"]
    for names in (["exception", "sent_back_s", "parcel"], ["category", "origin", "signed_s", "items"]):
        pieces = list(chunks(tables, "parcels", names, rows=100))
        assert len(pieces) > 2
        pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole[names])


def test_to_ask_whether_a_large_table_is_there_does_not_make_it() -> None:
    def refuse(first: int, end: int) -> pd.DataFrame:
        raise AssertionError(f"asked for the rows {first} to {end}")

    tables = Tables({}, {"parcels": LargeTable(10**9, refuse)}) | {"hubs": pd.DataFrame()}
    assert "parcels" in tables
    assert "hubs" in tables
    assert "trips" not in tables


def test_reading_the_rows_changes_nothing() -> None:
    """What is unloaded and not sorted yet is stamped for who reads it; the sorters then go on as if nobody had."""
    slow = {"sorting": {**SMALL_PARCELS["sorting"], "shifts": {"00:00": 0.3}, "gate_share": 9.0}}
    case = small_case(600, weight=1.0, seed=3, parcels=slow)
    seen = []

    def look(part: ParcelNetwork) -> None:
        seen.append(int(np.count_nonzero(~np.isnan(part.column("origin_hub_s").astype(float)))))
        seen.append(part.whereabouts()["unsorted"])

    read = run(case, at_s=np.arange(0.25, 12.0, 0.11) * DAY_S, look=look)
    assert max(seen[1::2]) > 30
    assert seen[::2] == sorted(seen[::2])
    assert_same_tables(read, run(case))


def test_rows_that_find_no_room_get_more(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case(9_000, weight=1.0, parcels={"horizon_days": 3})
    case = case._replace(orders=case.orders.model_copy(update={"expected_parcels": 2.0}))
    grown = run(case)
    assert len(grown.tables()["parcels"]) > 4096
    monkeypatch.setattr("sim.parcels.ledger._SPARE", 1e4)
    assert_same_tables(grown, run(case))


def assert_same_tables(one: ParcelNetwork, other: ParcelNetwork) -> None:
    these, those = one.tables(), other.tables()
    for name in these:
        pd.testing.assert_frame_equal(these[name], those[name], obj=name)


@pytest.mark.parametrize("total", [1, 7, 1000, 1500])
@pytest.mark.parametrize("share", [1e-9, 0.05, 0.5, 0.95, 1.0])
def test_an_order_statistic_is_that_of_the_sorted_values(total: int, share: float) -> None:
    values = 5000.0 * np.random.default_rng(total).exponential(size=min(total, 1000)) - 500.0
    rank = max(int(np.ceil(share * total * (1 - 1e-12))), 1)
    expected = float(np.sort(values)[rank - 1]) if rank <= values.size else None
    assert order_statistics(lambda: iter(np.array_split(values, 4)), total, [share]) == [expected]
    assert order_statistics(lambda: iter(()), total, [share]) == [None]
