"""Differences of runs in pairs are right, and figures and words say what they are: without running anything."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sim.intervals import false_discoveries_kept_to, t_interval, t_p_value
from sim.metrics import kpis
from sim.metrics.curves import HUB, curves
from sim.metrics.differences import (
    NONE_SHOWN,
    SAME,
    UNKNOWN,
    bands,
    difference_band,
    flow_differences,
    group_differences,
    hubs_that_differ,
    key_figure_differences,
)
from sim.metrics.fates import fates
from sim.plots.compared import COMPARED, compared
from sim.plots.differences import draw_overview, draw_tornado, plot_differences
from sim.plots.whatif import tornado_rows
from sim.report.compared import SENTENCES, answer, headline, labelled
from sim.units import DAY_S
from tests.synthetic import empty_tables, synthetic_tables

SCALE = 0.001


# Intervals and differences


def test_intervals_and_p_values_are_those_of_scipy() -> None:
    values = np.array([[1.2, 0.0], [0.7, 3.0], [2.9, -1.0], [1.1, 0.4]])
    interval = t_interval(values)
    for column in range(2):
        low, high = stats.t.interval(0.95, 3, values[:, column].mean(), stats.sem(values[:, column]))
        assert (interval.low[column], interval.high[column]) == pytest.approx((low, high))
    assert t_p_value(values) == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    assert t_p_value(np.zeros((3, 1)))[0] == 1.0
    assert t_p_value(np.full((3, 1), 0.1))[0] == 0.0
    assert np.isnan(t_interval(values[:1]).half_width).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_what_is_believed_is_what_scipy_adjusts_below_the_share(p_values: list[float]) -> None:
    p = np.round(np.array(p_values), 3)
    expected = stats.false_discovery_control(p) <= 0.05 + 1e-12
    assert (false_discoveries_kept_to(0.05, p) == expected).all()
    assert not false_discoveries_kept_to(0.05, np.append(p, np.nan))[-1]


def test_key_figures_differ_by_pairs_and_what_cannot_be_shown_is_said() -> None:
    luck = [0.0, 40.0, -25.0, 10.0]
    base = [
        {"scale": 1, "seed": k, "orders": 100 + x, "gmv_rmb": 5.0, "parcels": x, "visits": None}
        for k, x in enumerate(luck)
    ]
    change = [
        {"scale": 1, "seed": k, "orders": 103 + x + 0.1 * k, "gmv_rmb": 5.0, "parcels": -x, "visits": 1 if k else None}
        for k, x in enumerate(luck)
    ]
    found = key_figure_differences(base, change).set_index("figure")
    assert list(found.index) == ["orders", "gmv_rmb", "parcels", "visits"]
    assert found.loc["orders", "difference"] == pytest.approx(3.15)
    assert found.loc["orders", "verdict"] == "more"
    half = stats.t.ppf(0.975, 3) * np.std([3.0, 3.1, 3.2, 3.3], ddof=1) / 2
    assert found.loc["orders", "high"] - found.loc["orders", "difference"] == pytest.approx(half)
    assert found.loc["orders", "pairing"] < 0.001
    assert found.loc["gmv_rmb", "verdict"] == SAME
    assert found.loc["parcels", "verdict"] == NONE_SHOWN
    assert found.loc["parcels", "pairing"] == pytest.approx(2.0)  # pairs with opposite luck
    assert found.loc["visits", "verdict"] == UNKNOWN


def test_fates_count_every_parcel_once_and_those_on_their_way_with_their_age() -> None:
    tables = synthetic_tables(days=4)
    areas = [(carrier, city, "Shanghai") for carrier in ("STO", "YTO", "ZTO") for city in tables["cities"]["city"]]
    tables["areas"] = pd.DataFrame(areas, columns=["carrier", "city", "hub"]).astype("category")
    found, parcels = fates(tables), tables["parcels"]
    assert (found.groupby("by")["parcels"].sum() == len(parcels)).all()
    sto = found[(found["by"] == "carrier") & (found["group"] == "STO")].iloc[0]
    own = parcels[parcels["carrier"] == "STO"]
    assert sto["signed_share"] == pytest.approx((own["signed_s"] <= 7 * DAY_S).mean())
    waits = own[own["lost_s"].isna() & own["returned_s"].isna()]
    end_s = tables["hub_hours"]["hour"].max() * 3600.0
    assert waits["signed_s"].isna().any()
    age_s = waits["signed_s"].fillna(end_s) - waits["created_s"]
    assert sto["days"] == pytest.approx(age_s.mean() / DAY_S)
    assert set(found.loc[found["by"] == "lane", "group"]) == {f"{c} Shanghai - Shanghai" for c in ("STO", "YTO", "ZTO")}
    assert fates({}).empty


def runs_of(side: str, shift: float) -> pd.DataFrame:
    """Curves and groups of three runs, with the luck of their seeds and a shift."""
    rows = [(side, seed, x, seed + x + shift) for seed in (1, 2, 3) for x in (0.0, 1.0)]
    return pd.DataFrame(rows, columns=["side", "seed", "x", "y"]).assign(curve="c")


def test_bands_span_the_runs_and_differences_are_of_pairs() -> None:
    table = pd.concat([runs_of("base", 0.0), runs_of("more", 0.5)], ignore_index=True)
    band = bands(table, "c", "base")
    assert band[["mean", "low", "high"]].to_numpy().tolist() == [[2.0, 1.0, 3.0], [3.0, 2.0, 4.0]]
    difference = difference_band(table, "c", "more")
    assert difference[["mean", "low", "high"]].to_numpy() == pytest.approx(np.full((2, 3), 0.5))


def test_groups_that_differ_are_told_from_noise() -> None:
    luck = {1: 0.0, 2: 1.0, 3: -1.0, 4: 0.3}
    rows = [
        (
            "city",
            group,
            side,
            seed,
            10,
            0.5,
            4.0 + x + (side == "snow") * (2.0 + 0.01 * x if group == "Harbin" else x * (-1) ** k),
        )
        for k, group in enumerate(("Harbin", "Wuhan", "Sanya"))
        for side in ("base", "snow")
        for seed, x in luck.items()
    ]
    groups = pd.DataFrame(rows, columns=["by", "group", "side", "seed", "parcels", "signed_share", "days"])
    found = group_differences(groups, "snow").set_index("group")
    assert found.loc["Harbin", "days"] == pytest.approx(2.0, abs=0.01)
    assert found["differs_days"].to_dict() == {"Harbin": True, "Wuhan": False, "Sanya": False}
    assert not found["differs_signed_share"].any()


def test_a_road_that_only_one_side_uses_counts_from_zero() -> None:
    columns = ["from_longitude", "from_latitude", "to_longitude", "to_latitude", "rail", "parcels", "side", "seed"]
    rows = [(1.0, 2.0, 3.0, 4.0, False, 100.0 + k, side, k) for side in ("base", "rail") for k in (1, 2)]
    rows += [(1.0, 2.0, 3.0, 4.0, True, 40.0 + 0.1 * k, "rail", k) for k in (1, 2)]
    found = flow_differences(pd.DataFrame(rows, columns=columns), "rail")
    assert found["parcels"].tolist() == pytest.approx([0.0, 40.15])
    assert found["differs"].tolist() == [False, True]
    assert flow_differences(pd.DataFrame(), "rail").empty


def test_curves_of_a_run_agree_with_its_tables() -> None:
    tables = synthetic_tables()
    found = curves(tables, scale=SCALE)
    curve = {name: own.set_index("x")["y"] for name, own in found.groupby("curve")}
    seconds = tables["demand_seconds"]
    near = seconds[(seconds["second_s"] >= -60) & (seconds["second_s"] < 600)]
    assert curve["requests"].sum() * 10 * SCALE == pytest.approx(near["requests"].sum())
    assert curve["signed"].iloc[-1] == pytest.approx(tables["parcels"]["signed_s"].notna().mean())
    assert curve["lead time"].sum() == pytest.approx(curve["signed"].iloc[-1])
    hubs = [name for name in curve if name.startswith(HUB)]
    assert len(hubs) == len(tables["hubs"])
    hours = tables["hub_hours"]
    assert curve["in hubs"].max() == pytest.approx(
        (hours["backlog_parcels"] + hours["gate_parcels"]).groupby(hours["hour"]).sum().max()
    )
    assert curves(empty_tables(), scale=SCALE).empty


# Figures and words


def both_sides() -> dict[str, pd.DataFrame]:
    """Curves of two runs of a base, and of a change with other luck."""
    frames = [
        curves(synthetic_tables(seed=seed + 10 * (side != "base")), scale=SCALE).assign(side=side, seed=seed)
        for side in ("base", "other")
        for seed in (1, 2)
    ]
    return {"curves": pd.concat(frames, ignore_index=True)}


def test_every_figure_shows_base_and_change_says_its_units_and_has_a_title() -> None:
    tables = both_sides()
    specs = compared(tables, "other")
    assert [spec.name for spec in specs] == [spec.name for spec in COMPARED]
    for spec in specs:
        figure = spec.draw(tables, "other", "festival_2012")
        assert figure.texts[0].get_text(), spec.name
        lines = [line for ax in figure.axes for line in ax.get_lines()]
        assert {"#17222d", "#0072b2"} <= {line.get_color() for line in lines}, spec.name
    assert len(hubs_that_differ(tables["curves"], HUB, "other", 4)) == 4


def test_what_is_the_same_on_both_sides_is_not_drawn() -> None:
    table = both_sides()["curves"]
    base = table[table["side"] == "base"]
    same = pd.concat([base, base.assign(side="other")], ignore_index=True)
    assert compared({"curves": same}, "other") == []


def rows_of(*differences: tuple[str, str, list[float], list[float]]) -> pd.DataFrame:
    """Labelled differences from (change, figure, base, change) each."""
    frames = [
        key_figure_differences([{figure: x} for x in base], [{figure: x} for x in other]).assign(change_name=name)
        for name, figure, base, other in differences
    ]
    return labelled(pd.concat(frames, ignore_index=True), SCALE)


TRUCKS = rows_of(
    ("trucks", "lead_time_p95_h", [200.0, 210.0, 190.0], [188.0, 197.0, 178.0]),
    ("trucks", "signed_share_day7", [0.70, 0.71, 0.69], [0.7, 0.72, 0.68]),
    ("trucks", "orders_lost", [10.0, 12.0, 14.0], [30.0, 32.0, 33.0]),
    ("trucks", "train_trips", [0.0, 0.0, 0.0], [20.0, 21.0, 22.0]),
    ("trucks", "gmv_rmb", [5.0, 6.0, 7.0], [5.0, 6.0, 7.0]),
)


def test_the_answer_begins_with_what_differs_and_names_what_does_not() -> None:
    verdict, text = answer(TRUCKS, headline(TRUCKS))
    assert verdict.replace("\N{NO-BREAK SPACE}", " ") == "Order to signature, 95 %: 12 h shorter"
    plain = text.replace("\N{NO-BREAK SPACE}", " ")
    assert plain.startswith(
        "95 % of all parcels are signed within 7.8 days of the order instead of 8.3 days: 12 h shorter (95 % interval "
    )
    assert "19,670 more (95 % interval" in plain.replace("19,700", "19,670")  # scaled up: 19.67 orders at 0.001
    assert "These runs can show no difference in: Signed by 18 November 00:00" in plain
    assert "The same in every run: Sales, RMB." in plain
    assert headline(TRUCKS, "orders_lost") == "orders_lost"


def test_values_that_differ_are_written_so_that_one_sees_it() -> None:
    rows = rows_of(("a", "lead_time_median_h", [110.0, 111.0], [110.1, 111.1]))
    assert rows["base_text"].iloc[0] != rows["change_text"].iloc[0]
    assert (rows["base_text"].iloc[0], rows["change_text"].iloc[0]) == ("110.5 h", "110.6 h")
    rows = rows_of(("a", "page_time_mean_s", [0.4553, 0.4563], [0.4548, 0.4558]))
    assert (rows["base_text"].iloc[0], rows["change_text"].iloc[0]) == ("455.8 ms", "455.3 ms")
    rows = rows_of(("a", "lead_time_median_h", [240.0, 241.0], [216.0, 217.0]))
    assert (rows["base_text"].iloc[0], rows["change_text"].iloc[0]) == ("10.0 days", "9.0 days")


def test_every_sentence_of_an_answer_is_about_a_key_figure() -> None:
    assert set(SENTENCES) <= set(kpis({}, scale=1.0, seed=0, wall_s=0.0, peak_rss_bytes=0, shoppers=0))


def test_a_difference_far_beyond_the_others_is_an_arrow_at_the_edge() -> None:
    shown = TRUCKS[TRUCKS["share"].notna()]
    ax = plot_differences(shown)
    markers = [line.get_marker() for line in ax.get_lines()]
    assert ">" in markers  # orders_lost: from 12 to 32
    assert ax.get_xlim()[1] <= 1.1


def test_tornados_put_the_largest_on_top() -> None:
    rows = rows_of(
        ("small", "lead_time_p95_h", [200.0, 210.0], [199.0, 209.1]),
        ("large", "lead_time_p95_h", [200.0, 210.0], [180.0, 191.0]),
    )
    unit, own = tornado_rows(rows, "lead_time_p95_h")
    assert (unit, own["change_name"].tolist()) == ("hours", ["large", "small"])
    figure = draw_tornado(own, "Order to signature, 95 %", unit, "festival_2012")
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["large", "small"]
    assert figure.axes[0].get_ylim()[0] > figure.axes[0].get_ylim()[1]
    assert len(draw_overview([("one", unit, own), ("two", unit, own)], "festival_2012").axes) == 2
