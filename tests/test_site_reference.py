"""The site's kernels against the plain SimPy model, request by request and bit for bit."""

import numpy as np
import pytest

from experiments._reference.site import ReferenceSite
from tests.site_case import BUSY, THREE_CELLS, calls_of, festival, run_site

PROTECTED = [
    "+site.client.budget={tokens: 400000, gain: 0.2}",
    "+site.services.item.rate_limit={rate_per_s: 60000, burst: 500000, warm_up_s: 300, cold_share: 0.3}",
    "site.client.jitter=equal",
    "site.services.payment.service={kind: gamma, mean_s: 3, cv: 1.5}",
]
GUARDED = [
    "+site.services.payment.breaker={window: 20, least_answers: 5, failure_share: 0.5, slow_s: 4, open_s: 15, trials: 3}",
    "site.services.payment.service.mean_s=3",
    "+site.services.trade.shed={deadline_s: 8}",
    "+site.services.item.concurrency_limit=600000",
    "+site.services.venue.degrade={from_queue: 300000, until_queue: 100000, time_share: 0.1}",
    "+site.services.bank.waiting_room={rate_per_s: 20000, places: 400000, patience_s: 60}",
    "+site.priorities={pay: 0, order: 0, cart: 1, venue: 2, search: 2, item: 2}",
    "site.services.search.service={kind: empirical, mean_s: null, cv: null}",
    "+site.services.search.service.values_s=[0.1, 0.2, 0.7, 2.5]",
    "+site.services.payment.error_share=0.2",
    "+site.services.item.error_share=0.05",
]
NARROW = [f"site.links.gbit_per_s.mainland={{pc: {1e5 * size}, wireless: {2e3 * size}}}" for size in (4e-4,)]
KINDS = [("item", "random"), ("trade", "round_robin"), ("bank", "least_connections"), ("venue", "two_choices")]


@pytest.mark.parametrize(
    "overrides",
    [
        ["scale=0.000005", "seed=1"],
        ["scale=0.00001", "seed=2", *BUSY],
        ["scale=0.00001", "seed=3", *THREE_CELLS],
        ["scale=0.00001", "seed=4", *BUSY, "site.client.timeout_s=2.5", "site.client.jitter=decorrelated"],
        ["scale=0.00001", "seed=5", *THREE_CELLS, "site.client.timeout_s=5", *PROTECTED],
        ["scale=0.00001", "seed=6", *THREE_CELLS, *(f"+site.services.{name}.dispatch={kind}" for name, kind in KINDS)],
        [
            "scale=0.00001",
            "seed=7",
            *THREE_CELLS,
            "+site.services.trade.dispatch=two_choices",
            "site.client.jitter=full",
        ],
        ["scale=0.00001", "seed=8", *BUSY, *GUARDED, "site.client.timeout_s=6"],
        ["scale=0.00001", "seed=9", *THREE_CELLS, *GUARDED, "site.client.timeout_s=9", *NARROW],
    ],
    ids=[
        "as published",
        "busy",
        "busy in three cells",
        "browsers that give up",
        "retry budget and rate limits",
        "machines with queues of their own",
        "two choices",
        "guards",
        "guards in three cells behind narrow links",
    ],
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
    outcomes = np.bincount(reference.failed, minlength=3)
    assert (outcomes[1:] > 20).all()
    assert demand.rejected.sum() == outcomes[1]
    assert demand.timed_out.sum() == outcomes[2]
    assert demand.orders_lost.sum() == len(reference.lost) > 10
    np.testing.assert_allclose(demand.lost_rmb.sum(), sum(order.value_rmb for order in reference.lost), rtol=1e-12)
