"""What shoppers see, what links carry, and rooms among the services: against counts by hand."""

import numpy as np
import pandas as pd
import pytest

from sim.metrics import kpis
from sim.metrics.links import fullest, link_load
from sim.metrics.shoppers import seen, seen_over_time, segments
from sim.metrics.site import service_load, service_table, waiting_rooms
from sim.records import TABLES, table
from sim.report.site import latencies, links, services, shoppers
from tests.synthetic import empty_tables, synthetic_tables
from tests.synthetic_site import SEGMENTS

Rows = list[dict[str, object]]


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return synthetic_tables()


def of_rows(name: str, rows: Rows) -> pd.DataFrame:
    """A table of these rows, zero where nothing is given."""
    return table(name, {column: [row.get(column, 0) for row in rows] for column in TABLES[name]})


MINUTES: Rows = [
    {"minute": 0, "region": "taiwan", "channel": "pc", "answered": 2, "failed": 2, "page_s": 3.0, "orders_lost": 1},
    {"minute": 7, "region": "taiwan", "channel": "pc", "answered": 6, "failed": 0, "page_s": 3.0, "orders": 3},
    {"minute": 7, "region": "macau", "channel": "wireless", "requests": 5, "failed": 4, "gave_up": 1},
    {"minute": 1440, "region": "macau", "channel": "wireless", "answered": 1, "page_s": 9.0},
]


def test_what_shoppers_see_is_summed_and_divided_once() -> None:
    day = seen(of_rows("shopper_minutes", MINUTES), scale=0.5).set_index(["region", "channel"])
    taiwan, macau = day.loc["taiwan", "pc"], day.loc["macau", "wireless"]
    assert taiwan[["answered", "failed", "orders", "orders_lost"]].tolist() == [16.0, 4.0, 6.0, 2.0]
    assert taiwan[["page_time_s", "error_rate", "lost_share"]].tolist() == [6.0 / 8, 2 / 10, 1 / 4]
    assert macau[["requests", "gave_up", "error_rate"]].tolist() == [10.0, 2.0, 1.0]
    assert np.isnan(macau["page_time_s"])
    assert np.isnan(macau["lost_share"])


def test_segments_of_a_channel_or_of_a_window_add_up() -> None:
    minutes = of_rows("shopper_minutes", MINUTES)
    by_channel = seen(minutes, ("channel",), scale=1.0, end_min=5)
    assert by_channel["channel"].tolist() == ["pc"]
    assert by_channel["answered"].tolist() == [2.0]


def test_a_step_without_requests_has_no_rates_but_is_listed() -> None:
    steps = seen_over_time(of_rows("shopper_minutes", MINUTES), scale=1.0, start_min=0, end_min=15, step_min=5)
    taiwan = steps["taiwan", "pc"]
    assert list(steps) == [("macau", "wireless"), ("taiwan", "pc")]
    assert taiwan["time_s"].tolist() == [0.0, 300.0, 600.0]
    assert taiwan["answered"].tolist() == [2.0, 6.0, 0.0]
    assert taiwan["page_time_s"].tolist()[:2] == [1.5, 0.5]
    assert np.isnan(taiwan["page_time_s"].iloc[2])
    assert steps["macau", "wireless"]["error_rate"].tolist()[1] == 1.0


def test_steps_hold_what_the_whole_holds(tables: dict[str, pd.DataFrame]) -> None:
    minutes = tables["shopper_minutes"]
    steps = seen_over_time(minutes, scale=0.1, start_min=0, end_min=1440, step_min=7)
    day = seen(minutes, scale=0.1)
    for column in ("requests", "failed", "orders_lost"):
        assert sum(own[column].sum() for own in steps.values()) == pytest.approx(day[column].sum())


def test_segments_are_those_of_the_rows(tables: dict[str, pd.DataFrame]) -> None:
    minutes = tables["shopper_minutes"]
    names, of_row = segments(minutes)
    assert sorted(names) == sorted(SEGMENTS)
    assert [names[k] for k in of_row] == list(zip(minutes["region"], minutes["channel"], strict=True))


LINKS: Rows = [
    {"second_s": 3, "region": "macau", "channel": "pc", "delivered_gbit": 2.0, "under_way": 4},
    {"second_s": 7, "region": "macau", "channel": "pc", "delivered_gbit": 6.0, "under_way": 9},
    {"second_s": 70, "region": "macau", "channel": "pc", "delivered_gbit": 5.0, "under_way": 1},
    {"second_s": 1, "region": "taiwan", "channel": "pc", "delivered_gbit": 1.0, "under_way": 1},
]


def link_seconds() -> pd.DataFrame:
    return of_rows("link_seconds", [{**row, "bandwidth_gbit_per_s": 2.0} for row in LINKS])


def test_the_load_of_a_link_is_what_arrived_against_its_bandwidth() -> None:
    macau = link_load(link_seconds(), start_s=0, end_s=10, step_s=5)["macau", "pc"]
    assert macau["time_s"].tolist() == [0.0, 5.0]
    assert macau["gbit_per_s"].tolist() == [0.4, 1.2]
    assert macau["load"].tolist() == [0.2, 0.6]
    assert macau["under_way"].tolist() == [4.0, 9.0]


def test_the_busiest_minute_of_a_link_is_found_wherever_it_is() -> None:
    by_link = fullest(link_seconds(), step_s=10).set_index("region")
    assert by_link.loc["macau", ["peak_load", "peak_s", "under_way"]].tolist() == [8.0 / 10 / 2, 0.0, 9.0]
    later = link_seconds().query("second_s > 10")
    assert fullest(later, step_s=10)[["peak_load", "peak_s"]].to_numpy().tolist() == [[0.25, 70.0]]


ROOM = "payment waiting room"


def with_room(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The same run with a waiting room before payment: twenty are let in each second, the others wait."""
    capacity = tables["site_capacity"]
    room = {"time_s": 0.0, "service": ROOM, "machines": 0.0, "slots": 1}
    line: Rows = [
        {"second_s": k, "service": ROOM, "arrivals": 50, "served": 20, "queue": 30 * k, "busy": 1, "timed_out": 10}
        for k in range(60)
    ]
    return tables | {
        "site_capacity": of_rows("site_capacity", [*capacity.to_dict("records"), room]),
        "site_seconds": of_rows("site_seconds", [*tables["site_seconds"].to_dict("records"), *line]),
    }


def test_a_waiting_room_has_a_line_and_neither_machines_nor_slots(tables: dict[str, pd.DataFrame]) -> None:
    housed = with_room(tables)
    assert waiting_rooms(housed["site_capacity"]) == {ROOM}
    assert waiting_rooms(tables["site_capacity"]) == set()
    rows = service_table(housed["site_seconds"], housed["site_capacity"], scale=0.1).set_index("service")
    assert rows.loc[ROOM, ["machines", "slots", "busy_share"]].isna().all()
    assert rows.loc[ROOM, ["arrivals", "peak_queue", "timed_out_share"]].tolist() == [30_000.0, 17_700.0, 0.2]
    assert rows.drop(index=ROOM)[["machines", "slots", "busy_share"]].notna().all(axis=None)
    load = service_load(housed["site_seconds"], housed["site_capacity"], scale=0.1, start_s=0, end_s=60)[ROOM]
    assert load["slots"].isna().all()
    assert load["queue"].iloc[-1] == 17_700.0


def test_the_table_of_services_says_what_a_waiting_room_is(tables: dict[str, pd.DataFrame]) -> None:
    found, plain = services(with_room(tables), {}, 1.0), services(tables, {}, 1.0)
    assert found is not None
    assert plain is not None
    room = next(row for row in found.rows if row[0] == ROOM)
    assert [room[k] for k in (1, 2, 3, 4, 6)] == ["–"] * 5
    assert "people in line" in found.note
    assert "people in line" not in plain.note
    seen_from_line, seen_at_once = shoppers(with_room(tables), 1.0), shoppers(tables, 1.0)
    assert seen_from_line is not None
    assert seen_at_once is not None
    assert "waiting room" in seen_from_line.note
    assert "waiting room" not in seen_at_once.note


def test_degraded_answers_have_a_column_where_there_are_any(tables: dict[str, pd.DataFrame]) -> None:
    seconds = tables["site_seconds"]
    simpler = tables | {"site_seconds": seconds.assign(degraded=seconds["arrivals"] // 2)}
    found, plain = services(simpler, {}, 1.0), services(tables, {}, 1.0)
    assert found is not None
    assert plain is not None
    assert found.header[-1] == "degraded"
    assert {len(row) for row in found.rows} == {len(found.header)}
    assert "degraded" not in plain.header


def measured(tables: dict[str, pd.DataFrame]) -> dict[str, float | int | None]:
    return kpis(tables, scale=0.5, seed=1, wall_s=1.0, peak_rss_bytes=1, shoppers=10)


def test_key_figures_of_the_shoppers_view(tables: dict[str, pd.DataFrame]) -> None:
    figures = measured(tables | {"shopper_minutes": of_rows("shopper_minutes", MINUTES)})
    assert figures["page_time_mean_s"] == 6.0 / 8
    assert figures["error_rate"] == 6 / 14
    later = [dict(row, minute=60 if row["minute"] == 7 else row["minute"]) for row in MINUTES]
    assert measured(tables | {"shopper_minutes": of_rows("shopper_minutes", later)})["error_rate_first_hour"] == 0.5


def test_without_requests_there_is_no_error_rate(tables: dict[str, pd.DataFrame]) -> None:
    figures = measured(tables | {"shopper_minutes": of_rows("shopper_minutes", [{"region": "a", "channel": "pc"}])})
    assert figures["error_rate"] is None
    assert figures["page_time_mean_s"] is None


def test_tables_of_the_shoppers_view_have_as_many_cells_as_headings(tables: dict[str, pd.DataFrame]) -> None:
    found = (shoppers(tables, 0.1), links(tables, 0.1), *latencies(tables, 0.1))
    assert len(found) == 5
    for one in found:
        assert one is not None
        assert one.rows
        assert {len(row) for row in one.rows} == {len(one.header)}


def test_the_report_tells_a_percentile_only_where_there_are_answers_enough(tables: dict[str, pd.DataFrame]) -> None:
    few = tables["page_latency"].query("hour == 0 and page == 'item' and channel == 'pc'")
    (by_page, *_), last = latencies({"page_latency": few}, 1.0), latencies({"page_latency": few}, 1.0)[-1]
    assert by_page.rows[0][-1] == "–"
    assert by_page.rows[0][2].endswith("ms")
    assert "10,000" in last.note


def test_parts_that_are_off_have_no_tables() -> None:
    empty = empty_tables()
    assert shoppers(empty, 1.0) is links(empty, 1.0) is services(empty, {}, 1.0) is None
    assert latencies(empty, 1.0) == []
