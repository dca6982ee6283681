"""`peakday validate`: green for the simulator, red for one with a planted error, whatever the number of threads."""

import errno
import json
import math

import numpy as np
import pandas as pd
import pytest

from experiments import validate
from experiments.validate import ValidateParams
from sim.lab import exponential
from sim.lab.checks import CHECKS, Check, Run, queues, time_average
from sim.params import ParameterError
from sim.store import DiskFullError, StoreError

# share of the full length at which the planted error still stands out
SHARP_AT = {
    "A1": 0.1,
    "A2": 0.2,
    "A3": 0.2,
    "A4": 0.25,
    "A5": 0.1,
    "A6": 0.15,
    "A7": 0.15,
    "A8": 0.2,
    "A9": 0.3,
    "A10": 0.1,
    "B1": 1.0,
    "B2": 0.1,
    "B3": 0.7,
    "B4": 0.1,
    "B5": 0.4,
    "B6": 0.4,
    "B7": 1.0,
    "B8": 0.7,
    "C1": 0.3,
    "C2": 0.15,
    "C3": 1.0,
    "C4": 1.0,
    "C5": 1.0,
    "E1": 0.2,
    "E3": 1.0,
    "E5": 0.5,
    "E6": 1.0,
    "G1": 0.25,
    "G2": 0.2,
}


def rows_of(name: str, **parameters) -> list[validate.Row]:
    return validate.validate(validate.select(CHECKS, [name]), ValidateParams(scale=SHARP_AT[name], **parameters))


@pytest.mark.parametrize("name", SHARP_AT)
def test_every_row_is_green_and_turns_red_with_the_planted_error(name: str) -> None:
    assert {row.verdict for row in rows_of(name)} == {"green"}
    assert {row.verdict for row in rows_of(name, planted_share=0.03)} == {"red"}


def test_every_row_turns_red_when_there_is_one_server_more() -> None:
    more = Run(48 / 60, exponential, 60.0, jobs=80_000, warm_up_s=60_000.0, servers=51)
    wrong = CHECKS[0]._replace(simulate=queues._delays(more).simulate)
    assert {row.verdict for row in validate.validate([wrong], ValidateParams())} == {"red"}


def test_the_numbers_of_the_published_checks_are_what_theory_is_asked_for() -> None:
    published: dict[str, list[float]] = {
        "A1": [0.6945, 20.83, 58.14, 0.96],
        "A3": [0.029510, 2.30525, 0.179666, 6.26049],
        "A4": [2.0, 4.5, 10.0],
        "A2": [0.03091, 3.709, 2.968, 0.9303],
        "A5": [1.142857, 5.714286],
        "A6": [17.9667, 3.2667, 1.79667],
        "A7": [0.279240, 4.35379],
        "A8": [2.6141, 1.6145, 10.0],
        "A9": [158.044, 6.978],
        "A10": [0.214582, 0.026957, 0.024812],
        "B1": [120_000, 120, 300],
        "B2": [96.890, 99.998, 67.653, 10.278, 0.0],
        "B3": [1.111, 0.9999, 1.875, 0.9375, 4.0, 0.0],
        "B4": [1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
        "B5": [1.0526, 0.5263],
        "B6": [2426, 1846, 812, 796],
        "B7": [1050, 100],
        "B8": [0.6340],
        "C1": [4.46214, 1.6058, 3.43841, 1.7860],
        "C2": [2.20459],
        "C3": [60, 10, 12],
        "C4": [10, 9],
        "C5": [10, 0],
        "E1": [3.10124, 0.84458, 2.25293, 0.58344, 1.11001, 0.51233],
        "E3": [0.7124 * 80**0.5 * (1 + 0.33 / 8), 0.7124 * 120**0.5 * (1 + 0.33 / 12)],
        "E5": [1 / 3],
        "E6": [12.50, 13.23, 14.37, 6 + 520 / (80 * 0.87)],
        "G1": [0.95],
        "G2": [1],
    }
    assert set(published) == {check.name for check in CHECKS}
    for name, values in published.items():
        expected = [value for check in validate.select(CHECKS, [name]) for value in check.expected(1.0).values()]
        np.testing.assert_allclose(expected, values, rtol=3e-4, atol=1e-5)


def noise(value: float, spread: float, shift: float) -> Check:
    """A check whose simulation is normal around `value`, and whose theory shifts by `shift` under the planted error."""
    return Check(
        "noise",
        "normal",
        lambda load: {"value": value + (shift if load > 1.0 else 0.0)},
        lambda seed, share, load: {"value": 1.0 + spread * np.random.default_rng(seed).standard_normal()},
    )


def test_a_row_that_could_not_notice_the_error_is_blunt() -> None:
    (row,) = validate.validate([noise(1.0, 0.1, 0.02)], ValidateParams())
    assert row.verdict == "blunt"
    (row,) = validate.validate([noise(1.0, 0.1, 0.5)], ValidateParams())
    assert row.verdict == "green"
    (row,) = validate.validate([noise(1.2, 0.1, 0.5)], ValidateParams())
    assert row.verdict == "red"


def test_what_a_law_in_the_limit_may_differ_by_is_allowed() -> None:
    near = noise(1.05, 0.0, 0.5)
    (row,) = validate.validate([near], ValidateParams())
    assert row.verdict == "red"
    (row,) = validate.validate([near._replace(tolerance=0.06)], ValidateParams())
    assert row.verdict == "green"
    (row,) = validate.validate([near._replace(tolerance=0.3)], ValidateParams())
    assert row.verdict == "blunt"


def test_a_measure_that_is_not_a_number_is_red() -> None:
    (row,) = validate.validate([noise(1.0, math.nan, 0.5)], ValidateParams())
    assert row.verdict == "red"


def test_the_interval_covers_the_truth_in_95_percent_of_the_runs() -> None:
    runs = [
        validate.validate([noise(1.0, 0.1, 0.5)], ValidateParams(seed=seed, replications=5, threads=1))[0]
        for seed in range(300)
    ]
    covered = np.mean([abs(row.simulated - row.theory) <= row.half_width for row in runs])
    assert covered == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 300))
    assert np.mean([row.verdict == "red" for row in runs]) < 0.04


def test_threads_change_no_number_and_seeds_do() -> None:
    one, two, other = (
        validate.validate(
            validate.select(CHECKS, ["A4"]), ValidateParams(scale=0.01, replications=3, threads=threads, seed=seed)
        )
        for threads, seed in ((1, 1), (2, 1), (2, 2))
    )
    assert one == two
    assert [row.simulated for row in one] != [row.simulated for row in other]


def test_a_time_average_counts_what_is_open_in_its_window() -> None:
    from_s, until_s = np.array([0.0, 4.0, 9.0, 11.0, np.nan]), np.array([5.0, 6.0, 12.0, 13.0, 3.0])
    assert time_average(from_s, until_s, (4.0, 10.0)) == pytest.approx((1 + 2 + 1) / 6)


def test_the_command_prints_a_row_for_each_measure_and_writes_it(tmp_path, capsys) -> None:
    output = tmp_path / "there" / "results"
    status = validate.main(["--only", "A10", "scale=0.02", "replications=4", f"output={output}"])
    printed = capsys.readouterr().out
    stored = json.loads((output / "validate.json").read_text())
    rows = pd.read_parquet(output / "validate.parquet")
    assert sorted(file.name for file in output.iterdir()) == ["validate.json", "validate.parquet"]
    assert len(rows) == len(stored["rows"]) == 3
    assert stored["params"]["replications"] == 4
    assert list(rows["check"]) == ["A10"] * 3
    assert printed.count("share rejected") == 3
    assert status == (0 if (rows["verdict"] == "green").all() else 1)


def test_the_exit_status_is_1_when_a_row_is_red(capsys) -> None:
    assert validate.main(["--only", "A4", "scale=0.2", "planted_share=0.5", "replications=3"]) == 1
    assert "red" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["replications=1"], "replications must be >= 2, got 1"),
        (["treads=2"], "treads is not a parameter; did you mean threads?"),
        (["seed=1", "seed=2"], "seed is given twice"),
        (["fast"], "'fast' is not NAME=VALUE"),
        (["--only", "A99"], "--only A99 is not a check (known: A1, A10"),
    ],
)
def test_bad_words_are_refused_before_anything_is_simulated(words, told: str) -> None:
    with pytest.raises(ParameterError) as caught:
        validate.main(words)
    assert any(problem.startswith(told) for problem in caught.value.problems)


def test_a_folder_that_cannot_be_made_is_said_before_anything_is_simulated(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(validate, "validate", lambda checks, params: pytest.fail("simulated"))
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(StoreError, match="file"):
        validate.main([f"output={in_the_way / 'below'}"])
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_a_full_disk_leaves_nothing_that_looks_finished(tmp_path, monkeypatch) -> None:
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(DiskFullError):
        validate.main(["--only", "A4", "scale=0.01", "replications=2", f"output={tmp_path}"])
    assert list(tmp_path.iterdir()) == []
