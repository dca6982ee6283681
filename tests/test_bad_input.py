"""What a stranger may type for the site and gets told: the dotted path, the rule, the value, and nothing is simulated."""

import pytest

from sim.compose import compose
from sim.params import ParameterError, build
from sim.params.festival import FestivalParams

PAYMENT = "site.services.payment"
ROOM = "+site.services.payment.waiting_room={rate_per_s: 15000, places: 1000000, patience_s: 300}"


def params_of(*overrides: str) -> FestivalParams:
    config = compose("festival_2012", ["parcels=off", "rehearsal=off", *overrides])
    return build(FestivalParams, {name: value for name, value in config.items() if name != "output"})


def problems_of(*overrides: str) -> list[str]:
    with pytest.raises(ParameterError) as raised:
        params_of(*overrides)
    return raised.value.problems


BAD = [
    # services
    (f"{PAYMENT}.queue=-1", f"{PAYMENT}.queue must be >= 0, got -1"),
    (f"{PAYMENT}.timeout_s=0", f"{PAYMENT}.timeout_s must be > 0 [s], got 0"),
    (f"{PAYMENT}.machines=0", f"{PAYMENT}.machines must be >= 1, got 0"),
    # the browser
    ("site.client.retries=99", "site.client.retries must be <= 15, got 99"),
    ("site.client.retries=-1", "site.client.retries must be >= 0, got -1"),
    ("site.client.timeout_s=0.0001", "site.client.timeout_s must be >= the fastest service 0.002 [s], got 0.0001"),
    ("site.client.timeout_s=0.1", "site.client.timeout_s must be >= demand.visit.bucket_s 0.5 [s], got 0.1"),
    ("site.client.least_s=0.1", "site.client.least_s must be >= demand.visit.bucket_s 0.5 [s], got 0.1"),
    ("site.client.cap_s=1", "site.client.cap_s must be >= base_s 6 [s], got 1"),
    ("+site.client.budget={tokens: 0, gain: 0.1}", "site.client.budget.tokens must be >= 1, got 0"),
    # what protects a service
    (f"+{PAYMENT}.concurrency_limit=0", f"{PAYMENT}.concurrency_limit must be >= 1, got 0"),
    (f"+{PAYMENT}.shed.deadline_s=-1", f"{PAYMENT}.shed.deadline_s must be > 0 [s], got -1"),
    (f"+{PAYMENT}.shed.deadline_s=0.01", f"{PAYMENT}.shed.deadline_s must be >= the mean service 0.15 [s], got 0.01"),
    (
        f"+{PAYMENT}.rate_limit={{rate_per_s: -1, burst: 10}}",
        f"{PAYMENT}.rate_limit.rate_per_s must be > 0 [1/s], got -1",
    ),
    (
        f"+{PAYMENT}.rate_limit={{rate_per_s: 1, burst: 10, cold_share: 2}}",
        f"{PAYMENT}.rate_limit.cold_share must be <= 1 [share], got 2",
    ),
    (
        f"+{PAYMENT}.breaker={{window: 100, least_answers: 200, failure_share: 0.5, open_s: 1, trials: 5}}",
        f"{PAYMENT}.breaker.least_answers must be <= window 100 [answers], got 200",
    ),
    (
        f"+{PAYMENT}.breaker={{window: 100, least_answers: 20, failure_share: 1.5, open_s: 1, trials: 5}}",
        f"{PAYMENT}.breaker.failure_share must be <= 1 [share], got 1.5",
    ),
    (
        f"+{PAYMENT}.degrade={{from_queue: 10, until_queue: 10, time_share: 0.5}}",
        f"{PAYMENT}.degrade.until_queue must be < from_queue 10 [requests], got 10",
    ),
    (
        f"+{PAYMENT}.degrade={{from_queue: 10, until_queue: 1, time_share: 1}}",
        f"{PAYMENT}.degrade.time_share must be < 1 [share], got 1",
    ),
    (ROOM.replace("15000", "0"), f"{PAYMENT}.waiting_room.rate_per_s must be > 0 [1/s], got 0"),
    (ROOM.replace("300", "-300"), f"{PAYMENT}.waiting_room.patience_s must be > 0 [s], got -300"),
    (ROOM.replace(", patience_s: 300", ""), f"{PAYMENT}.waiting_room.patience_s is missing [s]"),
    # pages
    ("+site.priorities.pay=9", "site.priorities.pay must be < 8, got 9"),
    ("+site.priorities.pai=0", "site.priorities.pai is not a page; did you mean pay?"),
    # access links
    ("site.links.gbit_per_s.macau.pc=0", "site.links.gbit_per_s.macau.pc must be > 0, got 0"),
    ("+site.links.gbit_per_s.macau.fax=1", "site.links.gbit_per_s.macau.fax must be 'pc' or 'wireless', got 'fax'"),
    ("~site.links.gbit_per_s.macau.pc", "site.links.gbit_per_s.macau.pc is missing"),
    ("~site.links.page_kbyte.pay", "site.links.page_kbyte.pay is missing"),
    (
        "+site.links.times.wirless=25",
        "site.links.times.wirless is neither a region nor a channel; did you mean wireless?",
    ),
    ("+demand.regions.japan=0.0", "site.links.gbit_per_s.japan is missing: demand.regions has this region"),
    (
        "+site.links.gbit_per_s.tiawan={pc: 1, wireless: 1}",
        "site.links.gbit_per_s.tiawan is not a region of demand.regions; did you mean taiwan?",
    ),
]


@pytest.mark.parametrize(("override", "told"), BAD, ids=[override for override, _ in BAD])
def test_a_bad_value_of_the_site_is_told_with_path_rule_and_value(override: str, told: str) -> None:
    (problem,) = problems_of(override)
    assert problem.startswith(told)


def test_a_region_that_lost_its_link_is_named_once_even_if_the_site_is_rehearsed() -> None:
    removed = ("~site.links.gbit_per_s.macau", "~site.links.times.macau", "rehearsal=payment_collapse")
    told = "site.links.gbit_per_s.macau is missing: demand.regions has this region"
    assert problems_of(*removed) == [told]


def test_links_of_a_rehearsed_site_lead_to_the_same_regions() -> None:
    (problem,) = problems_of(
        "rehearsal=payment_collapse",
        "+rehearsal.site.links={gbit_per_s: {japan: {pc: 1, wireless: 1}}}",
    )
    assert problem.startswith("rehearsal.site.links.gbit_per_s.japan is not a parameter of the site")


def test_without_links_no_region_needs_one() -> None:
    site = params_of("site.links=null", "+demand.regions.japan=0.0").site
    assert site is not None
    assert site.links is None


def test_times_of_service_may_be_those_that_were_observed() -> None:
    site = params_of(
        f"{PAYMENT}.service={{kind: empirical, mean_s: null, cv: null}}",
        f"+{PAYMENT}.service.values_s=[0.1, 0.2, 0.6]",
    ).site
    assert site is not None
    assert site.services["payment"].service.expected_s == pytest.approx(0.3)


def test_every_guard_can_be_switched_on_by_one_word() -> None:
    site = params_of(
        ROOM,
        f"+{PAYMENT}.breaker={{window: 100, least_answers: 20, failure_share: 0.5, open_s: 5, trials: 5}}",
        f"+{PAYMENT}.rate_limit={{rate_per_s: 20000, burst: 2000}}",
        f"+{PAYMENT}.concurrency_limit=20000",
        f"+{PAYMENT}.shed={{deadline_s: 3}}",
        f"+{PAYMENT}.degrade={{from_queue: 8000, until_queue: 1000, time_share: 0.1}}",
        "+site.priorities={pay: 0, order: 1, cart: 1, item: 2, search: 2, venue: 2}",
    ).site
    assert site is not None
    payment = site.services["payment"]
    guards = ("waiting_room", "breaker", "rate_limit", "concurrency_limit", "shed", "degrade")
    assert all(getattr(payment, guard) is not None for guard in guards)
