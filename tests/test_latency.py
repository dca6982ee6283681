"""Percentiles of the histograms against those of the raw data; what a histogram cannot tell, it does not tell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments import cli
from sim import store
from sim.kernels.recorders import latency_edges_s
from sim.metrics.latency import (
    BEYOND_S,
    FINE_SHARES,
    LAST_EDGE_S,
    PercentileError,
    least_answers,
    name,
    percentiles,
    percentiles_by,
    percentiles_by_interval,
)
from sim.store import Result
from tests.synthetic import empty_tables, synthetic_tables
from tests.synthetic_site import PAGES, SEGMENTS, SERVICES

SHARE = st.sampled_from((0.001, 0.01, 0.5, 0.9, 0.99, 0.999))


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return synthetic_tables()


def raw_s(histogram: pd.DataFrame) -> np.ndarray:
    return np.repeat(histogram["latency_s"].to_numpy(), histogram["count"].to_numpy())


def exact(raw: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    return [float(np.quantile(raw, share, method="inverted_cdf")) for share in shares]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(1e-3, LAST_EDGE_S / 1.1), min_size=1, max_size=300), st.lists(SHARE, min_size=1, max_size=4))
def test_percentiles_are_the_bucket_edges_above_those_of_the_raw_data(values: list[float], shares: list[float]) -> None:
    raw = np.array(values)
    width = 1.1
    edges_s = width ** np.ceil(np.log(raw) / np.log(width))
    exact_s = np.quantile(raw, shares, method="inverted_cdf")
    told = np.array([raw.size * min(share, 1 - share) >= 1 - 1e-9 for share in shares])
    found_s = percentiles(edges_s, np.ones(raw.size), shares)
    assert np.array_equal(told, np.isfinite(found_s))
    assert np.all(found_s[told] >= exact_s[told] * (1 - 1e-9))
    assert np.all(found_s[told] <= exact_s[told] * width * (1 + 1e-9))


def test_a_thousandth_of_a_thousand_is_one_answer() -> None:
    assert percentiles(np.array([1.0, 2.0]), np.array([999, 1]), (0.999,)).tolist() == [1.0]
    assert np.isnan(percentiles(np.zeros(0), np.zeros(0), (0.5,))).all()


@pytest.mark.parametrize(("share", "least"), [(0.5, 2), (0.9, 10), (0.1, 10), (0.999, 1000), (0.9999, 10_000)])
def test_a_percentile_is_told_from_so_many_answers_on_that_one_lies_beyond_it(share: float, least: int) -> None:
    assert least_answers(share) == least
    edge_s = np.array([1.0])
    assert percentiles(edge_s, np.array([least]), (share,)).tolist() == [1.0]
    assert np.isnan(percentiles(edge_s, np.array([least - 1]), (share,))).all()


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 99.0, float("nan")])
def test_what_is_no_percentile_is_refused_with_its_value(share: float) -> None:
    with pytest.raises(PercentileError, match=rf"a percentile must be > 0 and < 100, got {100 * share:g}"):
        percentiles(np.array([1.0]), np.array([10]), (0.5, share))


def test_what_took_longer_than_the_histograms_record_is_told_as_infinite() -> None:
    edges_s = latency_edges_s()
    assert edges_s[-2:].tolist() == [BEYOND_S, LAST_EDGE_S]
    assert percentiles(edges_s[-2:], np.array([98, 2]), (0.5, 0.98, 0.99)).tolist() == [
        edges_s[-2],
        edges_s[-2],
        np.inf,
    ]


def test_names_of_percentiles_are_short() -> None:
    assert [name(share) for share in FINE_SHARES] == ["p50", "p90", "p99", "p99.9", "p99.99"]


@pytest.mark.parametrize(
    ("table", "by"),
    [
        ("page_latency", ("page",)),
        ("page_latency", ("region", "channel")),
        ("service_latency", ("service",)),
        ("service_latency", ("service", "region", "channel")),
    ],
)
@pytest.mark.parametrize("hour", [None, 3])
def test_percentiles_of_groups_are_those_of_their_answers(
    table: str, by: tuple[str, ...], hour: int | None, tables: dict[str, pd.DataFrame]
) -> None:
    shares = (0.5, 0.9, 0.99)
    found = percentiles_by(tables[table], by, shares, hour=hour)
    rows = tables[table] if hour is None else tables[table][tables[table]["hour"] == hour]
    groups = {key: raw_s(own) for key, own in rows.groupby(list(by), observed=True)}
    assert list(map(tuple, found[list(by)].to_numpy())) == list(groups)
    assert found["answered"].tolist() == [raw.size for raw in groups.values()]
    assert found[["p50", "p90", "p99"]].to_numpy().tolist() == [exact(raw, shares) for raw in groups.values()]


def test_groups_stand_in_the_order_of_their_categories(tables: dict[str, pd.DataFrame]) -> None:
    service = tables["service_latency"]["service"].cat.set_categories(list(reversed(SERVICES)))
    found = percentiles_by(tables["service_latency"].assign(service=service), ("service",))
    assert found["service"].tolist() == list(reversed(SERVICES))


def test_all_answers_may_be_one_group(tables: dict[str, pd.DataFrame]) -> None:
    found = percentiles_by(tables["page_latency"], (), (0.99,))
    assert found["p99"].tolist() == exact(raw_s(tables["page_latency"]), (0.99,))
    assert found["answered"].tolist() == [tables["page_latency"]["count"].sum()]


def test_groups_that_nobody_asked_for_are_not_listed(tables: dict[str, pd.DataFrame]) -> None:
    assert len(percentiles_by(tables["page_latency"], ("page", "region", "channel"))) == len(PAGES) * len(SEGMENTS)
    assert percentiles_by(tables["page_latency"], ("page",), hour=500).empty
    assert percentiles_by(empty_tables()["page_latency"], ("page",)).empty
    assert percentiles_by(empty_tables()["page_latency"], ()).empty


def test_percentiles_by_interval_are_those_of_the_answers_in_it(tables: dict[str, pd.DataFrame]) -> None:
    latency = tables["latency"]
    found = percentiles_by_interval(latency, minutes=10)
    assert found["time_s"].tolist() == [600.0 * k for k in range(144)]
    within = latency[(latency["minute"] >= 70) & (latency["minute"] < 80)]
    assert found.iloc[7][["p50", "p99", "p99.9"]].tolist() == exact(raw_s(within), (0.5, 0.99, 0.999))
    assert percentiles_by_interval(latency.head(0), minutes=1).empty


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, pd.DataFrame]) -> Path:
    """A stored run of made-up tables."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    folder.mkdir()
    store.write_result(folder, Result({"scale": 0.001}, tables, {"seed": 1, "scale": 0.001}, {}, None))
    return folder


def test_the_command_shows_and_writes_percentiles(
    run: Path, tmp_path: Path, tables: dict[str, pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["by=service,region", "percentiles=50,99.99", "hour=3", f"output={tmp_path}"]
    assert cli.main(["latency", str(run), *words]) == 0
    printed = capsys.readouterr().out
    assert "trade · mainland" in printed
    assert "p99.99" in printed
    assert " -\n" in printed, "an hour of made-up answers cannot tell p99.99"
    written = pd.read_parquet(tmp_path / "latency.parquet")
    expected = percentiles_by(tables["service_latency"], ("service", "region"), (0.5, 0.9999), hour=3)
    assert written["p50"].tolist() == expected["p50"].tolist()
    assert written["p99.99"].isna().all()
    assert (tmp_path / "latency.json").stat().st_size > 100


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["percentiles=100"], "percentiles must be > 0 and < 100, got 100"),
        (["percentiles=0,50,101"], "percentiles must be > 0 and < 100, got 0, 101"),
        (["percentiles=median"], "percentiles must be numbers with commas between, got 'median'"),
        (["by=city"], "by must be of page, service, region, channel, got 'city'"),
        (["by=page,page"], "by must name each group once, got 'page,page'"),
        (["by=page,service"], "by must be of pages or of services, got 'page,service'"),
        (["hour=-1"], "hour must be >= 0"),
        (["hour=500"], "hour must be one in which something was answered, 0 to 23 at most, got 500"),
        (["elsewhere"], "peakday latency takes one folder, got"),
    ],
)
def test_bad_questions_are_told(words: list[str], message: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["latency", str(run), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_run_without_the_site_has_no_percentiles(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store.write_result(tmp_path, Result({"scale": 1.0}, {}, {}, {}, None))
    assert cli.main(["latency", str(tmp_path)]) == 2
    assert "has no table page_latency: the site was off" in capsys.readouterr().err
