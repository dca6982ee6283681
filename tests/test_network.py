import math
import time
from collections.abc import Callable
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.geography import Geography, UnknownCityError, load_geography
from sim.network import Link, Network, NoWayError, build_network, load_links
from sim.params import ParameterError


@pytest.fixture(scope="module")
def geography() -> Geography:
    return load_geography()


@pytest.fixture(scope="module")
def network(geography: Geography) -> Network:
    return build_network(geography)


def cities(*names: str) -> Geography:
    n = len(names)
    return Geography(np.array(names), np.array(["North"] * n), np.zeros(n), np.zeros(n), np.ones(n, dtype=np.int64))


SQUARE = cities("A", "B", "C", "D")
ROUND_THE_SQUARE = [("A", "B", "road", 1.0), ("B", "C", "road", 2.0), ("C", "D", "road", 3.0), ("D", "A", "road", 7.0)]


def road_km(network: Network, origin: str, destination: str) -> float:
    return float(network.road_km([origin])[0, network.geography.index(destination)])


@pytest.mark.parametrize(
    ("origin", "destination", "published_km"),
    [
        ("Beijing", "Shanghai", 1262),  # G2
        ("Beijing", "Guangzhou", 2150),  # G4 as far as Guangzhou
        ("Shanghai", "Chengdu", 1960),  # G42
        ("Shanghai", "Kunming", 2370),  # G60
        ("Beijing", "Harbin", 1280),  # G1
        ("Shenyang", "Dalian", 375),  # the Shenda expressway
        ("Qingdao", "Yinchuan", 1600),  # G20
    ],
)
def test_roads_are_as_long_as_the_published_motorways(network, origin, destination, published_km):
    assert road_km(network, origin, destination) == pytest.approx(published_km, rel=0.08)


def test_the_way_to_the_far_west_does_not_take_the_desert_motorway_of_2017(network):
    # G7 made Beijing - Urumqi 2,540 km in 2017; until then the way led through Gansu
    assert 2_900 < road_km(network, "Beijing", "Urumqi") < 3_300
    assert "Jiuquan" in network.road_path("Beijing", "Urumqi")


@pytest.mark.parametrize(
    ("origin", "destination", "low_km", "high_km"),
    [
        ("Beijing", "Shanghai", 1318, 1463),  # the high-speed line and the line of 1968 over Nanjing
        ("Beijing", "Guangzhou", 2180, 2298),  # the line over Wuhan, 2294-2298 km, less 5 %
        ("Shanghai", "Kunming", 2252, 2690),  # the high-speed line and the lines that it relieved
        ("Lhasa", "Xining", 1858, 1956),  # the Qinghai-Tibet line, less 5 %
    ],
)
def test_railways_are_as_long_as_the_published_lines(network, origin, destination, low_km, high_km):
    assert low_km <= network.rail_km(origin, destination) <= high_km


def test_no_link_is_shorter_than_the_straight_line_or_longer_than_a_detour(geography):
    longitude, latitude = np.radians(geography.longitude), np.radians(geography.latitude)
    for link in load_links():
        a, b = geography.index(link.origin), geography.index(link.destination)
        angle = math.acos(
            math.sin(latitude[a]) * math.sin(latitude[b])
            + math.cos(latitude[a]) * math.cos(latitude[b]) * math.cos(longitude[a] - longitude[b])
        )
        assert 1.0 < link.km / (6371.0 * angle) < 2.6, link


def test_hainan_hangs_on_the_ferry_to_zhanjiang(network):
    island = {
        name
        for name, province in zip(network.geography.name.tolist(), network.geography.province.tolist(), strict=True)
        if province == "Hainan"
    }
    crossings = {frozenset(edge) for edge in network.graph.edges if len(island & set(edge)) == 1}
    assert crossings == {frozenset(("Haikou", "Zhanjiang"))}


def test_road_lengths_are_symmetric_zero_at_home_and_shortest(network):
    lengths = network.road_km(network.geography.name.tolist())
    assert lengths.dtype == np.float64
    assert np.isfinite(lengths).all()
    assert (np.diag(lengths) == 0).all()
    assert lengths == pytest.approx(lengths.T, rel=1e-12)
    over_one_city = np.min(lengths[:60, :, None] + lengths[None, :, :60], axis=1)
    assert (over_one_city >= lengths[:60, :60] - 1e-6).all()


def test_lengths_add_up_along_the_paths(network):
    for origin, destination in [("Beijing", "Haikou"), ("Urumqi", "Shanghai"), ("Lhasa", "Harbin")]:
        path = network.road_path(origin, destination)
        assert (path[0], path[-1]) == (origin, destination)
        assert sum(network.graph.edges[edge]["road_km"] for edge in pairwise(path)) == pytest.approx(
            road_km(network, origin, destination)
        )
    path = network.rail_path("Shanghai", "Urumqi")
    assert sum(network.graph.edges[edge]["rail_km"] for edge in pairwise(path)) == pytest.approx(
        network.rail_km("Shanghai", "Urumqi")
    )


@given(st.lists(st.floats(1, 1000), min_size=10, max_size=10))
def test_road_lengths_are_those_of_floyd_and_warshall(lengths):
    names = ["A", "B", "C", "D", "E"]
    pairs = [(a, b) for a, b in product(names, names) if a < b]
    network = build_network(cities(*names), [(a, b, "road", km) for (a, b), km in zip(pairs, lengths, strict=True)])
    expected = nx.floyd_warshall_numpy(network.graph, nodelist=names, weight="road_km")
    assert network.road_km(names) == pytest.approx(expected, rel=1e-12)


def test_nodes_and_columns_are_in_the_geographys_order(network):
    assert list(network.graph) == network.geography.name.tolist()
    square = build_network(SQUARE, ROUND_THE_SQUARE)
    assert square.road_km(["C", "A"]).tolist() == [[3.0, 2.0, 0.0, 3.0], [0.0, 1.0, 3.0, 6.0]]
    assert square.road_km([]).shape == (0, 4)


def test_trucks_keep_off_the_railway_and_trains_off_the_road():
    network = build_network(SQUARE, [*ROUND_THE_SQUARE, ("A", "D", "rail", 0.5), ("D", "C", "rail", 0.5)])
    assert network.graph.edges["A", "D"] == {"road_km": 7.0, "rail_km": 0.5}
    assert network.road_path("A", "D") == ["A", "B", "C", "D"]
    assert network.rail_path("A", "C") == ["A", "D", "C"]
    assert network.rail_km("A", "C") == 1.0
    assert network.rail_km("A", "A") == 0.0


def test_a_city_without_a_railway_is_an_error_of_its_own(network):
    with pytest.raises(NoWayError, match="no rail joins Shanghai and Zhoushan"):
        network.rail_km("Shanghai", "Zhoushan")


@pytest.mark.parametrize(
    "ask",
    [
        lambda network: network.road_km(["A", "X"]),
        lambda network: network.road_path("X", "A"),
        lambda network: network.rail_path("A", "X"),
        lambda network: network.rail_km("X", "X"),
    ],
)
def test_asking_for_an_unknown_city_is_an_error(ask: Callable[[Network], object]):
    with pytest.raises(UnknownCityError, match="'X' is not a city"):
        ask(build_network(SQUARE, ROUND_THE_SQUARE))


@pytest.mark.parametrize(
    ("link", "problems"),
    [
        (("A", "X", "road", 1.0), ["links[4] (A - X): to 'X' is not a city"]),
        (("X", "A", "rail", 1.0), ["links[4] (X - A): from 'X' is not a city"]),
        (("A", "C", "sea", 1.0), ["links[4] (A - C): kind must be road or rail, got 'sea'"]),
        (("A", "C", "road", 0.0), ["links[4] (A - C): km must be > 0 and finite [km], got 0.0"]),
        (("A", "C", "road", -5.0), ["links[4] (A - C): km must be > 0 and finite [km], got -5.0"]),
        (("A", "C", "road", math.nan), ["links[4] (A - C): km must be > 0 and finite [km], got nan"]),
        (("A", "C", "rail", math.inf), ["links[4] (A - C): km must be > 0 and finite [km], got inf"]),
        (("A", "A", "road", 1.0), ["links[4] (A - A) must join two cities"]),
        (("B", "A", "road", 9.0), ["links[4] (B - A): the road link is already given in links[0]"]),
        (("X", "A", "road", -1.0), [
            "links[4] (X - A): from 'X' is not a city",
            "links[4] (X - A): km must be > 0 and finite [km], got -1.0",
        ]),
    ],
)  # fmt: skip
def test_an_unsound_link_is_refused_by_row_and_city(link, problems):
    with pytest.raises(ParameterError) as error:
        build_network(SQUARE, [*ROUND_THE_SQUARE, link])
    assert error.value.problems == problems


def test_a_city_that_no_road_reaches_is_named_even_when_a_railway_does():
    with pytest.raises(ParameterError) as error:
        build_network(SQUARE, [("A", "B", "road", 1.0), ("B", "C", "road", 1.0), ("C", "D", "rail", 1.0)])
    assert error.value.problems == ["links must join all cities by road; no road joins the rest with D"]


def test_of_many_cities_that_no_road_reaches_five_are_named():
    with pytest.raises(ParameterError, match="no road joins the rest with B, C, D, E, F and 2 more"):
        build_network(cities(*"ABCDEFGHI"), [("A", "I", "road", 1.0)])


def test_the_links_of_the_package_are_used_when_none_are_given(geography, network):
    links = load_links()
    assert all(isinstance(link, Link) for link in links)
    assert network.graph.number_of_edges() == len({frozenset(link[:2]) for link in links})
    assert nx.utils.graphs_equal(network.graph, build_network(geography, links).graph)


def test_loading_building_and_asking_are_fast():
    def best_s(act: Callable[[], object]) -> float:
        def once_s() -> float:
            start_s = time.process_time()
            act()
            return time.process_time() - start_s

        return min(once_s() for _ in range(3))

    assert best_s(lambda: build_network(load_geography())) < 0.15
    network = build_network(load_geography())
    sources = network.geography.name.tolist()[:80]
    assert best_s(lambda: network.road_km(sources)) < 0.5
