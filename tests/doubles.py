"""A festival that takes no time: made-up tables in place of the simulation, for the tests of what surrounds it."""

from typing import Any

import pytest

from sim import festival
from sim.progress import Progress
from tests.synthetic import synthetic_tables


class FestivalDouble:
    """Stands in for `sim.festival.run_festival`: remembers what it was asked to simulate, raises `failure` if any."""

    def __init__(self) -> None:
        self.runs: list[Any] = []
        self.failure: BaseException | None = None

    def __call__(self, params: Any, *, progress: Any = None, begun: Any = None) -> dict[str, Any]:
        self.runs.append(params)
        if progress is not None:
            progress(Progress(clock_s=3600.0, end_s=86400.0, rows=12, phase="site", share=0.5))
        if self.failure is not None:
            raise self.failure
        return synthetic_tables(seed=params.seed, scale=params.scale)


def stand_in(monkeypatch: pytest.MonkeyPatch) -> FestivalDouble:
    """Put a double in the festival's place."""
    double = FestivalDouble()
    monkeypatch.setattr(festival, "run_festival", double)
    return double
