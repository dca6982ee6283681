"""The site's kernels against the plain SimPy model, request by request and bit for bit."""

import numpy as np
import pytest

from tests.reference.site import ReferenceSite
from tests.site_case import BUSY, THREE_CELLS, calls_of, festival, run_site


@pytest.mark.parametrize(
    "overrides",
    [
        ["scale=0.000005", "seed=1"],
        ["scale=0.00001", "seed=2", *BUSY],
        ["scale=0.00001", "seed=3", *THREE_CELLS],
    ],
    ids=["as published", "busy", "busy in three cells"],
)
def test_every_request_starts_and_ends_at_the_same_instants_as_in_plain_simpy(overrides: list[str]) -> None:
    params = festival(*overrides)
    reference = ReferenceSite(params)
    reference.run()
    site = run_site(params, trace=True)
    expected = np.array(sorted(reference.calls, key=lambda call: call[:4]), dtype=np.float64)
    np.testing.assert_array_equal(calls_of(site), expected)
    orders = site.tables()["orders"]
    paid = np.array(sorted(reference.orders, key=lambda order: order[:3]), dtype=np.float64)
    columns = orders[["paid_s", "shopper", "number", "value_rmb"]].to_numpy(dtype=np.float64)
    np.testing.assert_array_equal(columns, paid)


def test_the_busy_case_has_every_outcome_and_loses_the_same_orders_as_plain_simpy() -> None:
    params = festival("scale=0.00001", "seed=2", *BUSY)
    reference = ReferenceSite(params)
    reference.run()
    demand = run_site(params).tables()["demand_seconds"]
    outcomes = np.bincount([call.outcome for call in reference.calls], minlength=3)
    assert (outcomes > 20).all()
    assert demand.rejected.sum() == outcomes[1]
    assert demand.timed_out.sum() == outcomes[2]
    assert demand.orders_lost.sum() == len(reference.lost) > 10
    np.testing.assert_allclose(demand.lost_rmb.sum(), sum(order.value_rmb for order in reference.lost), rtol=1e-12)
