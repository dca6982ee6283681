"""Stores that are filled up every period: closed forms, and what every store does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim import lab
from sim.params import ParameterError


@settings(deadline=None, max_examples=25)
@given(
    level=st.integers(0, 40),
    outlets=st.integers(1, 5),
    pooled=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_every_period_begins_with_a_full_shelf_and_sells_no_more(
    level: int, outlets: int, pooled: bool, seed: int
) -> None:
    table = lab.stores(orders_per_period=8.0, level=level, outlets=outlets, pooled=pooled, periods=50, seed=seed)
    assert len(table) == 50 * (1 if pooled else outlets)
    assert (table["shipped_items"] + table["left_items"] == level).all()
    assert (table["left_items"] >= 0).all()
    assert (table.loc[table["missed_items"] > 0, "left_items"] == 0).all()


def test_a_shelf_is_in_stock_as_often_as_poisson_demand_stays_below_its_level() -> None:
    for level in (8, 10, 13):
        table = lab.stores(orders_per_period=9.0, level=level, outlets=4, periods=5_000, seed=3)
        share, n = stats.poisson.cdf(level, 9.0), len(table)
        assert (table["missed_items"] == 0).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))


def test_pooled_outlets_get_the_orders_that_they_get_alone() -> None:
    apart, pooled = (
        lab.stores(orders_per_period=7.0, level=10_000, outlets=6, pooled=pooled, periods=200)
        for pooled in (False, True)
    )
    np.testing.assert_array_equal(apart.groupby("period")["shipped_items"].sum(), pooled["shipped_items"])
    assert apart["shipped_items"].var() == pytest.approx(7.0, rel=0.15)


def test_what_cannot_be_simulated_is_told_at_once() -> None:
    with pytest.raises(ParameterError) as error:
        lab.stores(orders_per_period=0.0, level=-1)
    assert len(error.value.problems) == 2
