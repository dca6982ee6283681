"""Means, main effects and grids of a sweep: intervals over seeds, as all points have the same ones."""

import numpy as np
import pandas as pd
import pytest

from sim.metrics.sweeps import chosen, difference, extremes, grid, main_effect, point_means
from sim.plots.sweeps import is_full_grid, plot_grid, plot_main_effect, short_names


def table(**change) -> pd.DataFrame:
    """Two axes, three seeds: orders = 10 x machines + bank + luck of the seed."""
    rows = [
        {"point": point, "replication": seed, "seed": seed, "status": "done", "machines": machines, "bank": bank}
        | {"orders": 10.0 * machines + (5 if bank == "large" else 0) + seed}
        for point, (machines, bank) in enumerate([(1, "small"), (1, "large"), (2, "small"), (2, "large")])
        for seed in range(3)
    ]
    return pd.DataFrame(rows).assign(**change)


def test_a_points_mean_has_students_interval():
    first = point_means(table(), "orders").iloc[0]
    assert first["mean"] == 11.0
    assert first["half_width"] == pytest.approx(4.3027 / np.sqrt(3), rel=1e-4)  # t(2; 0.975), standard deviation 1


def test_an_effect_is_the_mean_over_the_other_axes_and_its_interval_counts_each_seed_once():
    effect = main_effect(table(), "machines", "orders")
    assert effect["mean"].tolist() == [13.5, 23.5]
    assert effect["half_width"].tolist() == pytest.approx([4.3027 / np.sqrt(3)] * 2, rel=1e-4)
    assert main_effect(table(), "bank", "orders")["level"].tolist() == ["small", "large"]


def test_common_luck_cancels_in_a_difference():
    assert difference(table(), 0, 3, "orders") == (15.0, 0.0)


def test_extremes_and_the_axis_that_moves_a_figure_most():
    found = extremes(table(), ["machines", "bank"], "orders")
    assert found is not None
    assert (found.least["point"], found.greatest["point"], found.axis, found.change) == (0, 3, "machines", 10.0)


def test_failed_runs_are_left_out_and_a_seed_that_a_point_lacks_is_left_out_of_an_effect():
    rows = table()
    rows.loc[(rows["point"] == 1) & (rows["seed"] == 2), ["status", "orders"]] = ["failed", np.nan]
    assert point_means(rows, "orders")["runs"].tolist() == [3, 2, 3, 3]
    assert main_effect(rows, "machines", "orders")["mean"].tolist() == [13.0, 23.5]
    rows["status"] = "failed"
    assert point_means(rows, "orders")["runs"].tolist() == [0, 0, 0, 0]
    assert extremes(rows, ["machines"], "orders") is None


def test_figures_that_differ_between_points_are_shown_when_nobody_chooses():
    rows = table(orders_lost=0.0, latency_p99_s=np.nan, cost_rmb=lambda frame: frame["machines"])
    assert chosen(rows, ["machines", "bank"]) == ["cost_rmb", "orders"]
    assert chosen(rows, ["machines", "bank"], ["orders_lost"]) == ["orders_lost"]


def test_a_map_needs_every_pair_of_values():
    rows = table()
    assert is_full_grid(rows, ["machines", "bank"])
    assert not is_full_grid(rows[rows["point"] != 2], ["machines", "bank"])
    assert not is_full_grid(rows.assign(bank="small"), ["machines", "bank"])


def test_a_map_writes_the_mean_of_each_pair_where_it_belongs():
    ax = plot_grid(grid(table(), "machines", "bank", "orders"))
    written = {tuple(text.get_position()): text.get_text().split("\n")[0] for text in ax.texts}
    assert written == {(0, 0): "11", (0, 1): "16", (1, 0): "21", (1, 1): "26"}


def test_an_effect_is_drawn_at_its_values_or_in_the_order_of_its_names():
    by_number = plot_main_effect(main_effect(table(), "machines", "orders"))
    assert list(np.asarray(by_number.lines[0].get_xdata())) == [1.0, 2.0]
    by_name = plot_main_effect(main_effect(table(), "bank", "orders"))
    assert [label.get_text() for label in by_name.get_xticklabels()] == ["small", "large"]
    nothing = plot_main_effect(main_effect(table(orders=np.nan), "bank", "orders"))
    assert nothing.texts[0].get_text() == "not measured"


def test_names_are_cut_as_far_as_they_can_be_told_apart():
    assert short_names(["site.services.payment.machines", "scale"]) == {
        "site.services.payment.machines": "payment.machines",
        "scale": "scale",
    }
    assert short_names(["a.b.c.d", "x.b.c.d"]) == {"a.b.c.d": "a.b.c.d", "x.b.c.d": "x.b.c.d"}
