"""Tracking: rates and care lists are those of a count parcel by parcel, and the same however the table is read."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import cli
from experiments.track import instant_s
from sim import store
from sim.metrics import kpis
from sim.metrics.care import LISTS, care_lists
from sim.metrics.parcels import lead_times_by_distance
from sim.metrics.stages import STATES, state_at
from sim.metrics.summary import BANDS, MORNING_S, summaries
from sim.metrics.tracking import BY, COUNTS, Limits, rates, tracked
from sim.records import TABLES, chunks, table
from sim.store import Result
from sim.units import DAY_S, HOUR_S
from tests.synthetic import synthetic_areas, synthetic_cities, synthetic_parcels, synthetic_tables

Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables()


class InPieces(dict[str, pd.DataFrame]):
    """Tables that come in pieces, each with categories of its own."""

    def chunks(self, name: str, columns: Sequence[str] | None, rows: int) -> Iterator[pd.DataFrame]:
        del rows
        for first in range(0, len(self[name]), 37):
            piece = self[name].iloc[first : first + 37]
            named = piece.select_dtypes("category").columns
            piece = piece.assign(**{column: piece[column].cat.remove_unused_categories() for column in named})
            yield piece if columns is None else piece[list(columns)]


def small_run(parcels: int, days: int, seed: int) -> Tables:
    return {
        "parcels": synthetic_parcels(parcels, days, seed),
        "cities": synthetic_cities(),
        "areas": synthetic_areas(),
    }


def group_by_hand(tables: Tables, parcel: pd.Series, by: str) -> str:
    if by == "province":
        return str(parcel["destination"])[:2]
    if by == "lane":
        hub = {(row.carrier, row.city): row.hub for row in tables["areas"].itertuples()}
        ends = (hub[parcel["carrier"], parcel[end]] for end in ("origin", "destination"))
        return f"{parcel['carrier']} {' - '.join(ends)}"
    return str(parcel["destination" if by == "city" else by])


SHORT = Limits(ship_s=10 * HOUR_S, transit_s=20 * HOUR_S, signed_s=5 * HOUR_S)


def counts_by_hand(tables: Tables, by: str, at_s: float, limits: Limits) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for _, parcel in tables["parcels"].iterrows():
        if parcel["created_s"] > at_s:
            continue
        picked_up, signed = parcel["picked_up_s"] <= at_s, parcel["signed_s"] <= at_s
        lost, returned = parcel["lost_s"] <= at_s, parcel["returned_s"] <= at_s
        moving = picked_up and not signed and not lost and not returned
        row = found.setdefault(group_by_hand(tables, parcel, by), [0] * len(COUNTS))
        row[0] += 1
        row[1] += picked_up
        row[2] += moving
        row[3] += signed
        row[4] += parcel["exception_s"] <= at_s
        row[5] += not picked_up and parcel["created_s"] < at_s - limits.ship_s
        row[6] += moving and parcel["picked_up_s"] < at_s - limits.transit_s
        row[7] += signed and parcel["signed_s"] >= at_s - limits.signed_s
    return found


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(BY), st.integers(0, 9), st.floats(0.0, 12 * DAY_S), st.sampled_from([Limits(), SHORT]))
def test_rates_are_those_of_a_count_parcel_by_parcel(by: str, seed: int, at_s: float, limits: Limits) -> None:
    tables = small_run(80, 10, seed)
    found = tracked(tables, by, at_s, limits=limits)
    counts = {row.group: [getattr(row, name) for name in COUNTS] for row in found.itertuples()}
    assert counts == counts_by_hand(tables, by, at_s, limits)
    assert set(found["by"]) <= {by}


def test_every_count_happens_in_these_tests(tables: Tables) -> None:
    counts = tracked(tables, "carrier", 2 * DAY_S, limits=SHORT)[list(COUNTS)].sum()
    assert (counts.drop("exceptions") > 0).all()
    assert tables["tracking"]["exceptions"].sum() > 0


def test_the_table_may_be_read_in_pieces(tables: Tables) -> None:
    whole, pieces = summaries(tables), summaries(InPieces(tables))
    for name, frame in whole.items():
        order = [column for column in frame.columns if column != "parcels"]
        one, other = (
            found[name].astype(dict.fromkeys(found[name].select_dtypes("category"), object)).sort_values(order)
            for found in (whole, pieces)
        )
        pd.testing.assert_frame_equal(one.reset_index(drop=True), other.reset_index(drop=True))
    for one, other in zip(care_lists(tables, MORNING_S), care_lists(InPieces(tables), MORNING_S), strict=True):
        assert one.total == other.total
        pd.testing.assert_frame_equal(one.rows, other.rows)


def test_a_stored_table_is_read_in_pieces(tmp_path: Path, tables: Tables) -> None:
    tables["parcels"].to_parquet(tmp_path / "parcels.parquet")
    stored = store.StoredTables(tmp_path)
    pieces = list(chunks(stored, "parcels", ("created_s", "carrier"), rows=150))
    assert [len(piece) for piece in pieces] == [150, 150, 100]
    assert list(pieces[0].columns) == ["created_s", "carrier"]
    assert pd.concat(pieces)["created_s"].tolist() == tables["parcels"]["created_s"].tolist()


def test_the_report_tracks_the_morning_and_the_end(tables: Tables) -> None:
    tracking = tables["tracking"]
    assert sorted(tracking["time_s"].unique()) == [MORNING_S, tables["parcel_hours"]["hour"].max() * HOUR_S]
    morning = tracking[tracking["time_s"] == MORNING_S]
    ordered = (tables["parcels"]["created_s"] <= MORNING_S).sum()
    assert morning.groupby("by", observed=True)["parcels"].sum().to_dict() == dict.fromkeys(BY, ordered)


def test_shares_are_of_all_parcels_of_the_group(tables: Tables) -> None:
    shares = rates(tracked(tables, "carrier", MORNING_S))
    assert shares["parcels"].is_monotonic_decreasing
    counts = tracked(tables, "carrier", MORNING_S).set_index("group")
    for row in shares.itertuples():
        assert row.signed == counts.loc[row.group, "signed"] / counts.loc[row.group, "parcels"]


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 9), st.floats(0.0, 12 * DAY_S), st.sampled_from([None, 3]), st.sampled_from([None, "STO"]))
def test_care_lists_hold_what_the_rates_count(
    seed: int, at_s: float, merchant: int | None, carrier: str | None
) -> None:
    tables = small_run(120, 10, seed)
    counted = tracked(tables, "carrier", at_s, merchant=merchant, carrier=carrier)[list(COUNTS)].sum()
    lists = {one.name: one for one in care_lists(tables, at_s, merchant=merchant, carrier=carrier)}
    assert list(lists) == list(LISTS)
    for name in ("not shipped", "long in transit", "just signed"):
        assert lists[name].total == len(lists[name].rows) == counted[name.replace(" ", "_")]
    for one in lists.values():
        assert one.rows["since_h"].is_monotonic_decreasing
        assert set(one.rows["carrier"]) <= ({carrier} if carrier else {"STO", "YTO", "ZTO"})
        assert set(one.rows["merchant"]) <= ({merchant} if merchant is not None else set(range(40)))


def test_parcels_on_lanes_that_weather_slows_are_struck(tables: Tables) -> None:
    at_s = 1.5 * DAY_S
    hub = {(row.carrier, row.city): row.hub for row in tables["areas"].itertuples()}
    parcels = tables["parcels"]
    ends = [
        [hub[pair] for pair in zip(parcels["carrier"], parcels[end], strict=True)] for end in ("origin", "destination")
    ]
    here = pd.Series(list(zip(parcels["carrier"], *ends, strict=True)))
    states = np.array(list(STATES), dtype=object)[state_at(parcels, at_s)]
    waiting = pd.Series(np.isin(states, ("in origin hub", "on line-haul")))
    struck, mild = here[waiting].value_counts().index[:2]
    rows = [(36, *struck, 0.5), (36, *mild, 0.95), (35, *mild, 0.0)]
    columns = zip(*rows, strict=True)
    weather = table("lane_weather", dict(zip(TABLES["lane_weather"], map(list, columns), strict=True)))
    found = next(one for one in care_lists(tables | {"lane_weather": weather}, at_s) if one.name == "struck by weather")
    assert sorted(found.rows["parcel"]) == parcels.loc[(here == struck) & waiting, "parcel"].tolist()
    assert found.total > 1
    assert next(one for one in care_lists(tables, at_s) if one.name == "struck by weather").total == 0


def test_parcels_on_a_train_are_not_struck(tables: Tables) -> None:
    at_s = 1.5 * DAY_S
    weather, parcels = struck_everywhere(tables, 36), tables["parcels"]
    states = np.array(list(STATES), dtype=object)[state_at(parcels, at_s)]
    one = parcels[states == "on line-haul"].iloc[0]
    hub = {(row.carrier, row.city): row.hub for row in tables["areas"].itertuples()}
    trips = tables["trips"].astype({"vehicle": str}).iloc[:1].assign(
        vehicle="train",
        carrier=one["carrier"],
        origin=hub[one["carrier"], one["origin"]],
        destination=hub[one["carrier"], one["destination"]],
        depart_s=one["departed_s"],
    )  # fmt: skip

    def listed(trips: pd.DataFrame) -> set[int]:
        found = care_lists(tables | {"lane_weather": weather, "trips": trips}, at_s)
        return set(next(one for one in found if one.name == "struck by weather").rows["parcel"])

    by_road, by_rail = listed(trips.assign(vehicle="own truck")), listed(trips)
    assert by_road - by_rail == {one["parcel"]}
    assert listed(pd.concat([trips, trips.assign(vehicle="own truck")])) == by_road  # which of the two is not known


def struck_everywhere(tables: Tables, hour: int) -> pd.DataFrame:
    """Weather at an hour on the ways between all hubs."""
    ways = {
        (one.carrier, one.hub, other.hub)
        for one in tables["areas"].itertuples()
        for other in tables["areas"].itertuples()
        if one.carrier == other.carrier
    }
    columns = zip(*((hour, *way, 0.5) for way in sorted(ways)), strict=True)
    return table("lane_weather", dict(zip(TABLES["lane_weather"], map(list, columns), strict=True)))


def test_exceptions_are_cared_for_until_the_parcel_is_signed(tables: Tables) -> None:
    parcels = tables["parcels"]
    at_s = 6 * DAY_S
    wrong = parcels["exception_s"] <= at_s
    listed = next(one for one in care_lists(tables, at_s) if one.name == "exceptions").rows
    assert sorted(listed["parcel"]) == parcels.loc[wrong & ~(parcels["signed_s"] <= at_s), "parcel"].tolist()
    assert len(listed) > 5
    assert set(listed["state"]) <= set(STATES) - {"signed"}
    assert set(listed["exception"]) >= {"lost", "refused"}


def test_a_list_is_cut_after_those_that_wait_longest(tables: Tables) -> None:
    for limits in (Limits(), Limits(ship_s=0.0, transit_s=0.0, signed_s=9 * DAY_S)):
        whole, cut = (care_lists(tables, MORNING_S, most=most, limits=limits) for most in (None, 4))
        for one, other in zip(whole, cut, strict=True):
            assert one.total == other.total
            pd.testing.assert_frame_equal(one.rows.head(4), other.rows)


def test_lead_times_are_told_by_distance(tables: Tables) -> None:
    by_distance = lead_times_by_distance(tables["lead_times"], scale=0.5)
    assert by_distance["parcels"].sum() == 2 * len(tables["parcels"])
    assert list(by_distance["distance"]) == [band for band in BANDS if band in set(by_distance["distance"])]
    near = tables["parcels"][tables["parcels"]["origin"] == tables["parcels"]["destination"]]
    pairs = [set(pair) for pair in zip(tables["parcels"]["origin"], tables["parcels"]["destination"], strict=True)]
    assert by_distance["parcels"].iloc[0] == 2 * (len(near) + pairs.count({"Shanghai", "Hangzhou"}))
    assert (by_distance[["h10", "h25", "h50"]].diff(axis=1).iloc[:, 1:] >= 0).all().all()


@pytest.mark.parametrize(
    ("text", "days"),
    [("11 Nov", 0), ("14 Nov 08:00", 3 + 1 / 3), ("1 Dec 12:00", 20.5), ("9Dec", 28), ("day 30 06:00", 30.25)],
)
def test_an_instant_is_a_day_and_a_clock(text: str, days: float) -> None:
    assert instant_s(text) == pytest.approx(days * DAY_S)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tables: Tables) -> Path:
    """A stored run of made-up tables."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    figures = kpis(tables, scale=0.001, seed=1, wall_s=1.0, peak_rss_bytes=1, shoppers=1)
    store.write_result(folder, Result(figures, tables, {"seed": 1, "scale": 0.001}, {}, None))
    return folder


def test_the_command_shows_rates_and_lists(run: Path, tables: Tables, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["track", str(run), "at=16 Nov", "by=city", "rows=2", "carrier=STO"]) == 0
    printed = capsys.readouterr().out
    own = tables["parcels"][tables["parcels"]["carrier"] == "STO"]
    most = own["destination"].value_counts().index[0]
    assert f"{1000 * (own['destination'] == most).sum():,}" in printed
    for name in LISTS:
        assert f"\n{name}: " in printed


def test_the_command_writes_all_lists(run: Path, tmp_path: Path, tables: Tables) -> None:
    assert cli.main(["track", str(run), "rows=1", "signed_h=48", f"output={tmp_path}"]) == 0
    written = pd.read_parquet(tmp_path / "track.parquet")
    lists = care_lists(tables, MORNING_S, limits=Limits(signed_s=2 * DAY_S))
    assert written["list"].value_counts().to_dict() == {one.name: one.total for one in lists if one.total}
    assert (tmp_path / "track.json").stat().st_size > 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["at=30 Feb"], "at must be a day and a clock such as '14 Nov 08:00', got '30 Feb'"),
        (["at=31 Nov 08:00"], "at must be a day and a clock"),
        (["rows=0"], "rows must be >= 1, got 0"),
        (["carrier=STQ"], "carrier 'STQ' is not in the run; did you mean STO?"),
        (["by=hub"], "by must be"),
        (["elsewhere"], "peakday track takes one folder, got"),
    ],
)
def test_bad_questions_are_told(words: list[str], message: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["track", str(run), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_run_without_parcels_cannot_be_tracked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.write_result(tmp_path, Result({"scale": 1.0}, {}, {}, {}, None))
    assert cli.main(["track", str(tmp_path)]) == 2
    assert "has no parcels" in capsys.readouterr().err
