"""`lab.hub`: bulk departures against the published mean queue and wait, check E1."""

import numpy as np
import pytest

from sim.lab.hubs import hub
from sim.params import ParameterError

PERIODS = 100_000
BATCHES = 50


def half_width(values: np.ndarray) -> float:
    """Half a 99.7 % interval of the mean of a stationary series, by batch means."""
    means = values[: values.size // BATCHES * BATCHES].reshape(BATCHES, -1).mean(axis=1)
    return float(3.0 * means.std(ddof=1) / np.sqrt(BATCHES))


def left_behind(jobs: np.ndarray, departures: np.ndarray, periods: int) -> np.ndarray:
    """Parcels that each vehicle leaves behind, with a headway of 1."""
    came = np.searchsorted(jobs, np.arange(1, periods + 1), side="left")
    went = np.searchsorted(departures[~np.isnan(departures)], np.arange(1, periods + 1), side="right")
    return came - went


@pytest.mark.parametrize(
    ("capacity", "mean", "queue", "wait"),
    [(10, 9.0, 3.10124, 0.84458), (30, 27.0, 2.25293, 0.58344), (100, 90.0, 1.11001, 0.51233)],
)
def test_what_a_vehicle_leaves_behind_and_the_wait_are_the_published_ones(
    capacity: int, mean: float, queue: float, wait: float
) -> None:
    jobs = hub(arrival_per_period=mean, capacity=capacity, headway_s=1.0, periods=PERIODS, seed=5)
    behind = left_behind(jobs["arrival_s"].to_numpy(), jobs["depart_s"].to_numpy(), PERIODS)[1000:]
    waits = jobs["wait_s"].to_numpy()[~np.isnan(jobs["wait_s"])]
    assert half_width(behind) < 0.12 * queue  # sharp enough to see one place more or less on the vehicle
    assert behind.mean() == pytest.approx(queue, abs=half_width(behind))
    assert waits.mean() == pytest.approx(wait, abs=half_width(waits))


def test_the_headway_is_only_a_unit_of_time() -> None:
    one = hub(arrival_per_period=9.0, capacity=10, headway_s=1.0, periods=200, seed=3)
    hour = hub(arrival_per_period=9.0, capacity=10, headway_s=3600.0, periods=200, seed=3)
    np.testing.assert_allclose(hour["wait_s"], 3600.0 * one["wait_s"], rtol=1e-9, atol=1e-6)


def test_no_vehicle_takes_more_than_it_holds_and_the_first_come_leave_first() -> None:
    jobs = hub(arrival_per_period=12.0, capacity=10, headway_s=1.0, periods=300, seed=2)
    gone = jobs["depart_s"].dropna()
    assert gone.value_counts().max() == 10
    assert gone.is_monotonic_increasing
    assert jobs["depart_s"].isna().sum() > 0  # an overloaded lane leaves parcels behind


def test_every_impossible_parameter_is_named() -> None:
    with pytest.raises(ParameterError) as error:
        hub(arrival_per_period=0.0, capacity=0, headway_s=-1.0, periods=0)
    assert [problem.split(" must")[0] for problem in error.value.problems] == [
        "arrival_per_period",
        "capacity",
        "headway_s",
        "periods",
    ]
