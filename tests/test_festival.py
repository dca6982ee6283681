"""The whole festival: the published figures come out, parts switch off cleanly, the same seed gives the same tables."""

from pathlib import Path

import pandas as pd
import pytest

from sim import simulate
from sim.festival import check, run_festival
from sim.params import ParameterError
from sim.progress import Progress
from sim.store import Result
from tests.site_case import festival

TINY = 0.00005


@pytest.fixture(scope="module")
def default_run() -> Result:
    """The default experiment."""
    result: Result = simulate("festival_2012", scale=0.001, seed=1)
    return result


def real_day(result: Result, figure: str) -> float:
    """A figure of the run scaled up to the whole day."""
    return float(result.kpis[figure]) / float(result.kpis["scale"])


@pytest.mark.parametrize(
    ("figure", "published", "tolerance"),
    [
        ("gmv_rmb", 19.1e9, 0.03),
        ("orders", 105.8e6, 0.03),
        ("parcels", 72e6, 0.04),
        ("visitors_first_minute", 10e6, 0.15),
        ("shoppers", 213e6, 0.001),
        ("peak_minute_orders_per_s", 13_000, 0.25),
        ("hubs_first_day_parcels", 24.5e6, 0.15),
    ],
)
def test_the_day_comes_out_as_published(default_run: Result, figure: str, published: float, tolerance: float) -> None:
    assert real_day(default_run, figure) == pytest.approx(published, rel=tolerance)


@pytest.mark.parametrize(
    ("figure", "published_rmb"), [("gmv_share_0219", 3.37e9), ("gmv_share_1200", 8.0e9), ("gmv_share_1338", 10.0e9)]
)
def test_sales_pass_the_published_points_within_four_points(
    default_run: Result, figure: str, published_rmb: float
) -> None:
    assert abs(default_run.kpis[figure] - published_rmb / 19.1e9) < 0.04


def test_with_everyday_traffic_the_whole_country_sends_what_was_published(default_run: Result) -> None:
    assert real_day(default_run, "national_peak_day_parcels") == pytest.approx(35.2e6, rel=0.08)
    assert real_day(default_run, "national_six_days_parcels") == pytest.approx(200e6, rel=0.06)


def test_parcels_are_signed_in_the_weeks_that_were_published(default_run: Result) -> None:
    assert 0.7 < default_run.kpis["signed_share_day7"] < 0.9
    ended = sum(default_run.kpis[f"parcels_{end}"] for end in ("signed", "returned", "lost"))
    assert ended > 0.99 * default_run.kpis["parcels"]
    assert default_run.kpis["hub_overflow_h"] > 0


def test_the_same_seed_gives_the_same_tables_and_another_does_not() -> None:
    one, same, other = (simulate(scale=TINY, seed=seed).tables for seed in (3, 3, 4))
    assert one.keys() == same.keys() == other.keys()
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, same[name], check_exact=True)
    assert not one["orders"].equals(other["orders"])


def test_a_site_that_is_off_still_sends_its_orders_to_the_parcels() -> None:
    result = simulate(scale=TINY, site="off")
    assert "site_seconds" not in result.tables
    assert result.kpis["latency_p99_s"] is None
    assert result.kpis["parcels"] > 2000


def test_parcels_that_are_off_leave_the_site_as_it_is() -> None:
    alone, together = simulate(scale=TINY, parcels="off"), simulate(scale=TINY)
    assert "parcels" not in alone.tables
    assert alone.kpis["parcels_signed"] is None
    for name, frame in alone.tables.items():
        pd.testing.assert_frame_equal(frame, together.tables[name], check_exact=True)


def test_progress_runs_from_the_start_to_the_end() -> None:
    seen: list[Progress] = []
    params = festival(f"scale={TINY}", "parcels=off")
    run_festival(params, progress=seen.append)
    assert seen[0].clock_s == 0
    assert seen[-1].clock_s > seen[-1].end_s - 61
    for column in ([one.rows for one in seen], [one.share for one in seen]):
        assert column == sorted(column)
    assert seen[-1].rows > 100_000


def test_a_run_that_does_not_fit_into_memory_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.machine.memory_available_bytes", lambda: 2e9)
    check(festival("scale=0.001"))
    for off, needed in (("rehearsal=off", r"11\.5"), ("site=off", r"8\.2")):  # with the site, and the road alone
        with pytest.raises(
            ParameterError, match=rf"scale must leave a run that fits into memory: 1 needs about {needed} GB, 2\.0 GB"
        ):
            check(festival("scale=1", off))


def test_problems_of_all_parts_are_told_at_once() -> None:
    params = festival(
        "site.pages.cart=[{share: 1.0, services: [trade, cart]}]",
        "site.pages.order=[{share: 1.0, services: [cart, trade]}]",
        "demand.arrivals.crowd.shoppers=100000000",
    )
    with pytest.raises(ParameterError) as error:
        check(params)
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("off", ["parcels=off", "site=off", "rehearsal=off"])
def test_the_share_of_the_work_that_is_done_never_falls_and_leaves_the_writing(off: str) -> None:
    seen: list[Progress] = []
    run_festival(festival(f"scale={TINY}", off), progress=seen.append)
    shares = [one.share for one in seen]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] < 1.0


def test_all_phases_are_told_to_the_end_of_the_report(tmp_path: Path) -> None:
    seen: list[Progress] = []
    simulate("festival_2012", scale=TINY, overrides=["site=off"], output=tmp_path, progress=seen.append)
    phases = list(dict.fromkeys(one.phase for one in seen))
    assert phases[0] == "site and parcels"
    assert phases[1] == "visits"
    assert phases[-1] == "figures and report"
    assert {"writing orders", "writing parcels"} < set(phases)
    assert [one.share for one in seen] == sorted(one.share for one in seen)
    assert seen[-1].share <= 1.0
