"""What weather does beside festival trucks: to everyday traffic, and to what is told about ways with transfers."""

from dataclasses import replace

import numpy as np

from sim.parcels.everyday_plan import make_everyday
from sim.parcels.lane_weather import lane_weather_table
from sim.parcels.plan import make_plan
from sim.units import HOUR_S
from tests.parcel_case import run, small_case, with_everyday
from tests.test_parcels_reference import assert_same
from tests.test_weather import SNOW, stormy


def test_in_bad_weather_what_shares_the_hubs_with_everyday_parcels_has_the_timestamps_of_the_reference() -> None:
    assert_same(stormy(small_case(900, weight=3.0, seed=2, parcels=with_everyday(local_share=0.0))))


def test_weather_is_calm_where_no_way_that_begins_then_meets_any() -> None:
    case = stormy(small_case(10, parcels=with_everyday()))
    assert case.params.everyday is not None
    plan = make_plan(case.params, case.network, case.destinations, case.seed, case.weather)
    everyday = make_everyday(case.params.everyday, case.params, plan, case.origins, case.destinations, case.seed)
    slowed = np.flatnonzero((plan.roads.speed_share < 1.0).any(axis=0))
    longest_h = everyday.lag_h.max()
    assert slowed[0] >= SNOW["start_h"]
    calm = np.flatnonzero(everyday.calm)
    before, after = calm[calm <= slowed[0]], calm[calm > slowed[0]]
    np.testing.assert_array_equal(before, np.arange(slowed[0] - longest_h + 1))
    np.testing.assert_array_equal(after, np.arange(slowed[-1] + 1, everyday.calm.size))


def test_everyday_parcels_come_later_in_snow_and_all_come() -> None:
    case = small_case(10, parcels=with_everyday(local_share=0.0))
    dry, snow = (run(one) for one in (case, stormy(case)))
    arrived = [
        part.tables()["hub_hours"].groupby("hour")["everyday_arrived_parcels"].sum().to_numpy() for part in (dry, snow)
    ]
    first_h = SNOW["start_h"]
    np.testing.assert_array_equal(arrived[0][:first_h], arrived[1][:first_h])
    late = np.cumsum(arrived[0]) - np.cumsum(arrived[1])
    assert late.max() > 200.0
    for part in (dry, snow):
        where = part.everyday_whereabouts()
        assert where.pop("began") + where.pop("brought") == sum(where.values())


def test_weather_on_one_lane_is_told_of_each_way_that_leads_over_it_and_the_slowest_lane_counts() -> None:
    case = small_case(10)
    plan = make_plan(case.params, case.network, case.destinations, case.seed)
    name = case.network.geography.name[plan.hub_city]
    steady = plan.lanes[1]
    lane_of = {(name[plan.lane_from[lane]], name[plan.lane_to[lane]]): lane for lane in steady}
    share = np.ones((plan.roads.link_km.size, 6))
    share[lane_of["Hazel", "Oak"], 3] = 0.5
    share[lane_of["Birch", "Hazel"], 3:5] = 0.25
    told = lane_weather_table(replace(plan, roads=plan.roads._replace(speed_share=share)), case.network.geography)
    found = {(one.origin, one.destination, one.hour): one.speed_share for one in told.itertuples()}
    assert ("Birch", "Oak") not in lane_of
    transfers = {("Birch", "Oak"), ("Birch", "Ash"), ("Ash", "Oak"), ("Ash", "Hazel")}
    slow = {(*way, hour): 0.25 for way in {("Birch", "Hazel"), *transfers} for hour in (3, 4)}
    assert found == {("Hazel", "Oak", 3): 0.5, **slow}


def test_a_truck_that_would_be_back_within_a_sort_wave_is_free_when_it_is_back() -> None:
    case = small_case(900, weight=3.0, ring_km=[5.3] * 8)
    truck = case.params.truck.model_copy(update={"handling_s": 60.0})
    tables, _ = assert_same(case._replace(params=case.params.model_copy(update={"truck": truck})))
    trips = tables["trips"]
    assert (trips["back_s"] - trips["unloaded_s"]).min() < 0.5 * HOUR_S
