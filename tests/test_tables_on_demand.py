"""Tables that are made when they are asked for, and what is worked out once for all runs of a process."""

import numpy as np
import pandas as pd

from sim.kernels.outlet import tour_s
from sim.own_data.places import places
from sim.params.base import build
from sim.params.festival import FestivalParams
from sim.parcels.last_mile import most_stops
from sim.records import Tables, chunks
from sim.runner import composed
from sim.site.tables import _places


def test_a_table_is_made_when_it_is_first_asked_for_and_only_then() -> None:
    made: list[str] = []

    def hubs() -> pd.DataFrame:
        made.append("hubs")
        return pd.DataFrame({"hub": [1, 2, 3]})

    tables = Tables({"hubs": hubs, "ready": pd.DataFrame({"x": [1]})})
    assert ("hubs" in tables, len(tables), list(tables), made) == (True, 2, ["hubs", "ready"], [])
    assert sum(len(tables[name]) for name in tables) == 4  # made while the names are gone through
    assert len(next(chunks(tables, "hubs"))) == 3
    assert made == ["hubs"]


def test_places_of_counts_are_those_that_numpy_finds() -> None:
    counts = np.random.default_rng(1).integers(0, 3, (7, 5, 4)) // 2
    for array in (counts, counts.any(axis=2), np.zeros((3, 0))):
        assert all((ours == theirs).all() for ours, theirs in zip(_places(array), np.nonzero(array), strict=True))


def test_what_hangs_on_no_seed_is_worked_out_once_and_stays_as_it_is() -> None:
    params = build(
        FestivalParams, {name: value for name, value in composed("festival_2012").items() if name != "output"}
    )
    one, other = (places(params.data, params.geography) for _ in range(2))
    assert one.network is other.network
    lengths = one.network.road_km(["Beijing", "Shanghai"])
    lengths[:] = 0.0  # a caller's own copy
    assert one.network.road_km(["Shanghai"]).max() > 1_000
    assert params.parcels is not None
    last_mile = params.parcels.last_mile
    again = [most_stops(last_mile, np.array([2.0, 40.0]), 7200.0) for _ in range(2)]
    assert again[0].tolist() == again[1].tolist()
    slow = again[0][1]
    assert 1.0 < slow < last_mile.tour_parcels
    assert tour_s(slow, 40.0, last_mile.speed_kmh, last_mile.stop_s) <= 7200.0
    assert tour_s(1.001 * slow, 40.0, last_mile.speed_kmh, last_mile.stop_s) > 7200.0
