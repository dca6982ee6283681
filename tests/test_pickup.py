"""Pickups: a carrier with a daily limit refuses what is above it, and merchants switch or wait."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.kernels.orders import next_carrier
from sim.params import ParameterError
from sim.parcels.merchants import make_merchants
from tests.parcel_case import SMALL_PARCELS, Case, run, small_case

DAY_S = 86400.0


def limited(per_day: float | None, *, switch_share: float = 0.4, weight: float = 2.0) -> Case:
    """A case in which the larger carrier picks up so many parcels a day."""
    carriers: dict[str, Any] = SMALL_PARCELS["carriers"]
    swift = {**carriers["swift"], "pickup_per_day": per_day}
    changes = {"carriers": {**carriers, "swift": swift}}
    return small_case(2_500, weight=weight, parcels=changes, merchants={"switch_share": switch_share})


def picked_up_by_day(parcels: pd.DataFrame, carrier: str) -> pd.Series:
    own = parcels[(parcels["carrier"] == carrier) & parcels["picked_up_s"].notna()]
    return own.groupby(own["picked_up_s"] // DAY_S).size()


@settings(deadline=None, max_examples=10)
@given(per_day=st.integers(2, 900), switch_share=st.floats(0.0, 1.0))
def test_no_carrier_picks_up_more_in_a_day_than_its_limit(per_day: int, switch_share: float) -> None:
    tables = run(limited(per_day, switch_share=switch_share)).tables()
    by_day = 2.0 * picked_up_by_day(tables["parcels"], "swift")
    assert (by_day <= per_day).all()
    carriers = tables["carriers"].set_index("carrier")
    assert carriers.loc["swift", "switched_parcels"] <= carriers.loc["swift", "refused_parcels"]
    assert carriers.loc["steady", ["refused_parcels", "switched_parcels"]].sum() == 0.0


def test_a_limit_that_is_never_reached_changes_nothing() -> None:
    free, wide = (run(limited(per_day)).tables()["parcels"] for per_day in (None, 1e6))
    pd.testing.assert_frame_equal(free, wide, check_exact=True)


def test_a_full_carrier_loses_parcels_to_the_other_and_keeps_the_rest_waiting() -> None:
    free, full = (run(limited(per_day)).tables() for per_day in (None, 300))
    before, after = (tables["parcels"]["carrier"].value_counts() for tables in (free, full))
    switched = full["carriers"].set_index("carrier")["switched_parcels"]["swift"] / 2.0
    assert switched > 50
    assert after["steady"] - before["steady"] == switched == before["swift"] - after["swift"]
    overnight_s = 15 * 3600.0  # more than from the end of the shift to the first round
    waited = (full["parcels"]["picked_up_s"] - full["parcels"]["packed_s"]) > overnight_s
    assert waited.sum() > 50
    assert set(full["parcels"]["carrier"][waited]) == {"swift"}
    assert not ((free["parcels"]["picked_up_s"] - free["parcels"]["packed_s"]) > overnight_s).any()


def test_what_was_refused_goes_first_on_the_next_day() -> None:
    parcels = run(limited(300, switch_share=0.0, weight=1.0)).tables()["parcels"]
    own = parcels[parcels["carrier"] == "swift"]
    first_day = own["packed_s"] < DAY_S
    left = first_day & (own["picked_up_s"] >= DAY_S)
    assert left.sum() > 20
    day_two = own[(own["picked_up_s"] >= DAY_S) & (own["picked_up_s"] < 2 * DAY_S)]
    assert set(own.index[left]) <= set(day_two.index) or len(day_two) == 300


def test_a_limit_below_one_row_is_refused_because_nothing_would_ever_be_picked_up() -> None:
    with pytest.raises(
        ParameterError, match=r"parcels\.carriers\.swift\.pickup_per_day must hold one row, >= 1/scale = 3 "
    ):
        run(limited(2.5, weight=3.0))


@pytest.mark.parametrize("share", [0.0, 0.35, 1.0])
def test_merchants_switch_with_their_share_and_by_the_shares_of_the_others(share: float) -> None:
    case = small_case(100, merchants={"switch_share": share})
    sellers = make_merchants(case.orders, case.params, case.origins, case.destinations, case.seed)
    market = sellers.market._replace(carrier_cumulative=np.array([0.2, 0.5, 0.6, 1.0]))
    shares = np.diff(market.carrier_cumulative, prepend=0.0)
    for carrier in range(4):
        n = 4_000
        drawn = np.array([next_carrier(sellers.keys, market, carrier, shopper, 0) for shopper in range(n)])
        counts = np.bincount(drawn, minlength=4) / n
        others = np.where(np.arange(4) == carrier, 0.0, shares)
        expected = share * others / others.sum()
        expected[carrier] = 1.0 - share
        assert counts == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(n))
