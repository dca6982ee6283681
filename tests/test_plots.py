"""Every figure is drawn from normal, small and empty tables, says its units, and comes out the same twice."""

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim import plots
from sim.metrics import hubs as hub_metrics
from sim.metrics import parcels as parcel_metrics
from sim.metrics import rehearsal as rehearsal_metrics
from sim.metrics import sales as sales_metrics
from sim.metrics import site as site_metrics
from sim.metrics.fleets import fleet_hours
from sim.metrics.latency import percentiles_by_interval
from sim.metrics.links import link_load
from sim.metrics.moves import moves
from sim.metrics.published import gmv_milestones
from sim.metrics.shoppers import seen_over_time
from sim.plots import style
from sim.plots.figures import FOLDER, drawable
from sim.plots.flows import project
from sim.plots.latency import duration
from sim.units import DAY_S
from tests.synthetic import empty_tables, synthetic_tables

SCALE = 0.001
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def tables() -> Tables:
    return synthetic_tables()


def rates(tables: Tables) -> pd.DataFrame:
    return site_metrics.requests_by_second(tables["demand_seconds"], scale=SCALE, start_s=-60, end_s=120)


def sales(tables: Tables, ax: Axes | None) -> Axes:
    by_second = sales_metrics.sales_by_second(tables)
    assert by_second is not None
    curve = sales_metrics.cumulative_sales(by_second, scale=SCALE)
    return plots.plot_sales(curve, sales_metrics.against_published(curve, gmv_milestones()), ax)


def load(tables: Tables) -> pd.DataFrame:
    loads = site_metrics.service_load(tables["site_seconds"], tables["site_capacity"], scale=SCALE, start_s=0, end_s=60)
    return loads["item"]


def backlog(tables: Tables) -> pd.DataFrame:
    hubs = hub_metrics.hub_table(tables["hub_hours"], tables["hubs"])
    return hub_metrics.hub_backlog(tables["hub_hours"], hubs.iloc[0])


def shares(tables: Tables) -> pd.DataFrame:
    return parcel_metrics.state_shares(tables["parcel_hours"], np.arange(0.0, 5 * DAY_S, 3600.0))


def flow_map(tables: Tables, ax: Axes | None) -> Axes:
    hubs = hub_metrics.hub_table(tables["hub_hours"], tables["hubs"])
    return plots.plot_flows(hub_metrics.flows(tables["trips"], tables["cities"]), tables["cities"], hubs, ax)


def bands(tables: Tables) -> pd.DataFrame:
    return parcel_metrics.lead_times_by_distance(tables["lead_times"], scale=SCALE)


def lead_times(tables: Tables) -> pd.DataFrame:
    return parcel_metrics.lead_time_histogram(tables["lead_times"], scale=SCALE)


def rehearsed(tables: Tables) -> pd.DataFrame:
    return rehearsal_metrics.rates_by_case(tables["rehearsal_cases"], tables["rehearsal_seconds"])["fault"]


def taiwan(tables: Tables) -> dict[str, pd.DataFrame]:
    steps = seen_over_time(tables["shopper_minutes"], scale=SCALE, start_min=0, end_min=20, step_min=2)
    return {channel: own for (region, channel), own in steps.items() if region == "taiwan"}


def link(tables: Tables) -> pd.DataFrame:
    return link_load(tables["link_seconds"], start_s=0, end_s=1200, step_s=60)["taiwan", "wireless"]


def line(tables: Tables) -> pd.DataFrame:
    return load(tables).assign(slots=np.nan)


DRAWN: dict[str, Callable[[Tables, Axes | None], Axes]] = {
    "visitors": lambda tables, ax: plots.plot_visitors(rates(tables), ax),
    "requests": lambda tables, ax: plots.plot_requests(rates(tables), ax),
    "orders": lambda tables, ax: plots.plot_orders(rates(tables), ax),
    "latency": lambda tables, ax: plots.plot_latency(percentiles_by_interval(tables["latency"], 1), ax),
    "page times": lambda tables, ax: plots.plot_page_times(taiwan(tables), ax),
    "errors": lambda tables, ax: plots.plot_errors(taiwan(tables), ax),
    "lost": lambda tables, ax: plots.plot_lost(taiwan(tables), ax),
    "link": lambda tables, ax: plots.plot_link_load(link(tables), ax),
    "waiting room": lambda tables, ax: plots.plot_service_load(line(tables), ax),
    "rehearsal": lambda tables, ax: plots.plot_rehearsal(rehearsed(tables), ax),
    "sales": sales,
    "service": lambda tables, ax: plots.plot_service_load(load(tables), ax),
    "states": lambda tables, ax: plots.plot_states(shares(tables), ax),
    "lead times": lambda tables, ax: plots.plot_lead_times(lead_times(tables), {"half": 80.0}, ax),
    "backlog": lambda tables, ax: plots.plot_hub_backlog(backlog(tables), ax),
    "flows": flow_map,
    "national": lambda tables, ax: plots.plot_national(tables["national_days"], ax),
    "moves": lambda tables, ax: plots.plot_moves(moves(tables["parcel_moves"], scale=SCALE, days=5), ax),
    "distance": lambda tables, ax: plots.plot_lead_times_by_distance(bands(tables), ax),
    "fleet": lambda tables, ax: plots.plot_fleet(fleet_hours(tables["trips"], 3 * DAY_S)["own truck"], 60, ax),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_draws_on_the_axes_it_is_given(name: str, tables: Tables) -> None:
    ax = Figure().subplots()
    assert DRAWN[name](tables, ax) is ax
    assert ax.has_data()


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_makes_its_own_axes_when_it_is_given_none(name: str, tables: Tables) -> None:
    mpl.use("Agg")
    from matplotlib import pyplot

    ax = DRAWN[name](tables, None)
    assert ax.has_data()
    pyplot.close("all")


@pytest.mark.parametrize("name", [name for name in DRAWN if name not in ("flows", "distance")])
def test_a_plot_says_what_is_on_its_y_axis(name: str, tables: Tables) -> None:
    assert DRAWN[name](tables, Figure().subplots()).get_ylabel()


@pytest.mark.parametrize(
    ("draw", "table"),
    [
        (plots.plot_visitors, rates),
        (plots.plot_requests, rates),
        (plots.plot_orders, rates),
        (plots.plot_latency, lambda tables: percentiles_by_interval(tables["latency"], 1)),
        (plots.plot_service_load, load),
        (plots.plot_service_load, line),
        (plots.plot_link_load, link),
        (plots.plot_rehearsal, rehearsed),
        (plots.plot_states, shares),
        (plots.plot_hub_backlog, backlog),
        (plots.plot_national, lambda tables: tables["national_days"]),
    ],
)
def test_a_plot_of_no_or_of_one_row_is_drawn_without_a_warning(
    draw: Callable[[pd.DataFrame, Axes], Axes],
    table: Callable[[Tables], pd.DataFrame],
    tables: Tables,
    recwarn: pytest.WarningsRecorder,
) -> None:
    for rows in (0, 1):
        figure = Figure()
        draw(table(tables).head(rows), figure.subplots())
        figure.canvas.draw()
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize("draw", [plots.plot_page_times, plots.plot_errors, plots.plot_lost])
def test_what_shoppers_saw_in_no_or_one_step_is_drawn_without_a_warning(
    draw: Callable[[dict[str, pd.DataFrame], Axes], Axes], tables: Tables, recwarn: pytest.WarningsRecorder
) -> None:
    for rows in (0, 1):
        figure = Figure()
        draw({channel: own.head(rows) for channel, own in taiwan(tables).items()}, figure.subplots())
        draw({}, figure.subplots())
        figure.canvas.draw()
    assert [str(warning.message) for warning in recwarn] == []


def test_percentiles_that_are_not_told_are_gaps_and_not_marks(tables: Tables, recwarn: pytest.WarningsRecorder) -> None:
    found = percentiles_by_interval(tables["latency"], 1)
    found.loc[3:5, "p99.9"] = np.nan
    found.loc[9, "p99.9"] = np.inf
    ax = plots.plot_latency(found, Figure().subplots())
    assert np.isfinite(ax.get_ylim()).all()
    assert np.isnan(np.asarray(ax.lines[-1].get_ydata(), dtype=float)).sum() == 4
    untold = found.assign(**dict.fromkeys(found.columns[1:], np.nan))
    assert plots.plot_latency(untold, Figure().subplots()).texts[0].get_text() == "too few pages to tell"
    assert [str(warning.message) for warning in recwarn] == []


def test_zeros_everywhere_are_drawn_without_a_warning(tables: Tables, recwarn: pytest.WarningsRecorder) -> None:
    for draw, table in ((plots.plot_requests, rates), (plots.plot_service_load, load)):
        quiet = table(tables)
        quiet.loc[:, quiet.columns[1:]] = 0.0
        quiet["slots"] = 1.0
        figure = Figure()
        draw(quiet, figure.subplots())
        figure.canvas.draw()
    assert [str(warning.message) for warning in recwarn] == []


def test_requests_of_all_endings_are_stacked(tables: Tables) -> None:
    ax = plots.plot_requests(rates(tables), Figure().subplots())
    top = max(np.asarray(path.vertices)[:, 1].max() for area in ax.collections for path in area.get_paths())
    ended = rates(tables)[["served", "rejected", "timed_out"]].sum(axis=1)
    assert top == pytest.approx(ended.max())


def corners(ax: Axes) -> list[list[list[float]]]:
    return [np.asarray(path.vertices)[:-1].tolist() for path in ax.collections[-1].get_paths()]


def test_an_area_has_corners_only_where_its_value_changes() -> None:
    ax = Figure().subplots()
    style.area(ax, np.arange(6.0), np.array([2.0, 2.0, 2.0, 5.0, 5.0]), style.BLUE)
    assert corners(ax) == [[[0, 2], [3, 2], [3, 5], [5, 5], [5, 0], [0, 0]]]


def test_an_area_on_another_is_drawn_only_where_it_rises_above_it() -> None:
    ax = Figure().subplots()
    style.area(ax, np.arange(5.0), np.array([1.0, 3.0, 1.0, 2.0]), style.BLUE, below=np.ones(4))
    assert corners(ax) == [[[1, 3], [2, 3], [2, 1], [1, 1]], [[3, 2], [4, 2], [4, 1], [3, 1]]]


def test_clock_and_calendar_label_the_time_axis() -> None:
    ax = Figure().subplots()

    def labels(start_s: float, end_s: float) -> list[str]:
        style.time_axis(ax, start_s, end_s)
        return [label.get_text() for label in ax.get_xticklabels()]

    assert labels(-60, 600)[:2] == ["23:59", "00:00"]
    assert labels(0, 120)[:2] == ["00:00:00", "00:00:10"]
    assert labels(0, DAY_S)[0] == "00:00"
    assert labels(0, DAY_S)[-1] == "24:00"
    assert labels(0, 6 * DAY_S)[:2] == ["11 Nov", "12 Nov"]
    assert labels(18 * DAY_S, 22 * DAY_S) == ["29 Nov", "30 Nov", "1 Dec", "2 Dec", "3 Dec"]


@given(st.floats(-1e6, 1e7), st.floats(1, 1e7), st.integers(3, 15))
@settings(deadline=None, max_examples=60)
def test_a_time_axis_has_no_more_labels_than_asked_for(start_s: float, span_s: float, most: int) -> None:
    ax = Figure().subplots()
    style.time_axis(ax, start_s, start_s + span_s, most)
    assert len(ax.get_xticks()) <= most + 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.25, "0.25"),
        (7, "7"),
        (517, "517"),
        (13_204, "13,200"),
        (999_999, "1 M"),
        (1.62e6, "1.62 M"),
        (105.8e6, "106 M"),
        (1.91e10, "19.1 bn"),
    ],
)
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert style.quantity(value) == text


def test_durations_are_written_in_the_unit_that_fits() -> None:
    assert [duration(value) for value in (0.0177, 1.408, 13.1)] == ["17.7 ms", "1.41 s", "13.1 s"]


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.01, 0.3))
def test_labels_are_spread_so_that_none_touches_another(wanted: list[float], gap: float) -> None:
    places = style.spread(np.sort(np.array(wanted)), gap)
    assert places.size == len(wanted)
    assert np.all(np.diff(places) >= gap * (1 - 1e-9))


def test_labels_that_are_far_apart_stay_where_they_are() -> None:
    assert style.spread(np.array([0.1, 0.5, 0.9]), 0.2).tolist() == [0.1, 0.5, 0.9]


def test_the_map_is_centred_and_keeps_areas() -> None:
    x, y = project(np.array([105.0]), np.array([36.0]))
    assert (x[0], y[0]) == pytest.approx((0.0, 0.0), abs=1e-9)
    step = 0.01
    for longitude, latitude in ((80.0, 45.0), (121.5, 31.2), (110.0, 20.0)):
        corner_x, corner_y = project(
            np.array([longitude, longitude + step, longitude]), np.array([latitude, latitude, latitude + step])
        )
        east, north = (np.array([corner_x[k] - corner_x[0], corner_y[k] - corner_y[0]]) for k in (1, 2))
        area = abs(east[0] * north[1] - east[1] * north[0])
        on_the_sphere = (6371.0 * np.radians(step)) ** 2 * np.cos(np.radians(latitude))
        assert area == pytest.approx(on_the_sphere, rel=1e-3)


def test_all_figures_are_written_as_svg_and_png(tmp_path: Path, tables: Tables) -> None:
    written = plots.write_figures(tmp_path, tables, scale=SCALE)
    assert {path.name for path in written} == {
        f"{spec.name}.{kind}" for spec in plots.FIGURES for kind in ("svg", "png")
    }
    assert all(path.parent == tmp_path / FOLDER and path.stat().st_size > 3000 for path in written)


def test_the_same_tables_give_the_same_bytes(tmp_path: Path, tables: Tables) -> None:
    one, two = (plots.write_figures(tmp_path / name, tables, scale=SCALE) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert not any(b"<dc:date>" in path.read_bytes() for path in one)


def test_a_scaled_figure_says_that_it_is_scaled(tmp_path: Path, tables: Tables) -> None:
    plots.write_figures(tmp_path, tables, scale=SCALE, png=False)
    scaled = {path.stem for path in tmp_path.rglob("*.svg") if "× 1,000 (scale 0.001)" in path.read_text()}
    assert scaled == {
        "requests_midnight",
        "orders_midnight",
        "service_load",
        "shoppers",
        "requests_day",
        "sales",
        "lead_times",
    } | {
        "lead_times_distance",
        "parcel_moves",
    }


def test_a_run_of_the_whole_day_has_no_note_on_scale(tmp_path: Path, tables: Tables) -> None:
    plots.write_figures(tmp_path, tables, scale=1.0, png=False)
    assert not any("Real-day equivalents" in path.read_text() for path in tmp_path.rglob("*.svg"))


def test_without_the_site_only_its_figures_are_missing(tmp_path: Path, tables: Tables) -> None:
    of_the_site = ("site_seconds", "site_capacity", "latency", "page_latency", "service_latency", "link_seconds")
    off = ("demand_seconds", *of_the_site, "rehearsal_cases", "rehearsal_seconds")
    written = plots.write_figures(
        tmp_path, {name: tables[name] for name in tables if name not in off}, scale=SCALE, png=False
    )
    assert {path.stem for path in written} == {
        "sales",
        "national",
        "parcel_states",
        "parcel_moves",
        "lead_times",
        "lead_times_distance",
        "fleets",
        "hub_backlog",
        "road_weather",
        "flows",
    }


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    assert plots.write_figures(tmp_path, empty_tables(), scale=SCALE) == []
    assert not any(drawable(spec, {}) for spec in plots.FIGURES)


def test_a_tiny_run_is_drawn_without_a_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    tiny = {name: rows.head(2) for name, rows in synthetic_tables(parcels=2, days=1).items()}
    assert plots.write_figures(tmp_path, tiny, scale=1e-6)
    assert [str(warning.message) for warning in recwarn] == []
