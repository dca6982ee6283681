"""What is said of a cloud that cannot be: values out of range, a quota too small, services that are none."""

import pytest

from sim.params import ParameterError
from tests.site_case import festival


def problems_of(*overrides: str) -> list[str]:
    with pytest.raises(ParameterError) as caught:
        festival(*overrides)
    return caught.value.problems


def test_values_out_of_range_are_told_all_at_once() -> None:
    told = problems_of(
        "cloud=target",
        "cloud.boot_s=-5",
        "cloud.quota=0",
        "cloud.policy.target_share=1.5",
        "cloud.services.trade.least_machines=9000",
        "cloud.policy.metric=cpu",
    )
    assert told == [
        "cloud.quota must be >= 1, got 0",
        "cloud.boot_s must be > 0 [s], got -5",
        "cloud.policy.target_share must be <= 1 [share], got 1.5",
        "cloud.policy.metric must be 'utilisation' or 'concurrency', got 'cpu'",
        "cloud.services.trade.least_machines must be <= most_machines 6000, got 9000",
    ]


def test_what_does_not_fit_the_site_is_told_all_at_once() -> None:
    told = problems_of(
        "cloud=target",
        "cloud.quota=700",
        "+cloud.services.pament={least_machines: 1, most_machines: 2, priority: 0}",
        "site.changes=[{at_s: 60, service: trade, machines: 3000}]",
    )
    assert told == [
        "cloud.services.pament is not a service of the site; did you mean payment? "
        "(known: gateway, venue, search, item, cart, inventory, trade, payment, bank)",
        "site.changes.0 must not change trade: its machines are the cloud's (cloud.services.trade)",
        "cloud.quota must be >= 701 (least_machines of all its services), got 700",
    ]
    assert problems_of("cloud=target", "cloud.quota=1399") == [
        "cloud.quota must be >= 1400 (machines that run at the start), got 1399"
    ]
    assert problems_of("cloud=target", "site=off") == ["cloud must be off: there is no site (site=off)"]


def test_a_schedule_for_a_service_that_does_not_follow_it_is_refused() -> None:
    told = problems_of("cloud=scheduled", "cloud.policy.steps=[{at_s: 0, service: bank, machines: 5}]")
    assert told[0].startswith("cloud.policy.steps.0.service must be a service with this policy (known: gateway")
