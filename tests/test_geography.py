import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sim.geography import Geography, UnknownCityError, destination_weights, load_geography, origin_weights
from sim.params import ParameterError, build
from sim.params.geography import GeographyParams

ROOT = Path(__file__).parents[1]
CENSUS_TABLE = ROOT.parent / "shared" / "data" / "prefectures" / "prefectures_census.csv"

# Sixth national population census, communiqué no. 2 of the National Bureau of Statistics, 29 April 2011
PROVINCE_CENSUS_2010 = {
    "Beijing": 19_612_368, "Tianjin": 12_938_224, "Hebei": 71_854_202, "Shanxi": 35_712_111,
    "Inner Mongolia": 24_706_321, "Liaoning": 43_746_323, "Jilin": 27_462_297, "Heilongjiang": 38_312_224,
    "Shanghai": 23_019_148, "Jiangsu": 78_659_903, "Zhejiang": 54_426_891, "Anhui": 59_500_510,
    "Fujian": 36_894_216, "Jiangxi": 44_567_475, "Shandong": 95_793_065, "Henan": 94_023_567,
    "Hubei": 57_237_740, "Hunan": 65_683_722, "Guangdong": 104_303_132, "Guangxi": 46_026_629,
    "Hainan": 8_671_518, "Chongqing": 28_846_170, "Sichuan": 80_418_200, "Guizhou": 34_746_468,
    "Yunnan": 45_966_239, "Tibet": 3_002_166, "Shaanxi": 37_327_378, "Gansu": 25_575_254,
    "Qinghai": 5_626_722, "Ningxia": 6_301_350, "Xinjiang": 21_813_334,
}  # fmt: skip

EAST = {
    "Beijing", "Tianjin", "Hebei", "Liaoning", "Shanghai", "Jiangsu", "Zhejiang", "Fujian", "Shandong", "Guangdong", "Hainan"
}  # fmt: skip
SALES_RANK_2013 = [
    "Zhejiang", "Guangdong", "Jiangsu", "Shanghai", "Beijing", "Sichuan", "Shandong", "Hubei", "Hunan", "Henan"
]  # fmt: skip
FIRST_SEVEN_SHIPPING_CITIES = {"Guangzhou", "Shanghai", "Jinhua", "Hangzhou", "Suzhou", "Shenzhen", "Beijing"}
FIRST_TEN_RECEIVING_CITIES_OF_2017_OR_2018 = {
    "Shanghai", "Hangzhou", "Shenzhen", "Guangzhou", "Beijing", "Suzhou", "Nanjing", "Wuhan", "Dongguan", "Ningbo",
    "Chongqing", "Chengdu",
}  # fmt: skip


@pytest.fixture(scope="module")
def geography() -> Geography:
    return load_geography()


@pytest.fixture(scope="module")
def params() -> GeographyParams:
    values = yaml.safe_load((ROOT / "configs" / "geography" / "china.yaml").read_text(encoding="utf-8"))
    return build(GeographyParams, values, path="geography")


def two_provinces() -> Geography:
    return Geography(
        name=np.array(["Anfu", "Bohe", "Cidu", "Dali"]),
        province=np.array(["North", "South", "North", "North"]),
        longitude=np.array([100.0, 101.0, 102.0, 103.0]),
        latitude=np.array([30.0, 31.0, 32.0, 33.0]),
        population=np.array([100, 200, 300, 500]),
    )


def two_province_params(**changes: Any) -> GeographyParams:
    values: dict[str, Any] = {
        "origin_items": {"North": 3.0, "South": 1.0},
        "origin_share": {"Anfu": 0.6},
        "spending": {"North": 1.0, "South": 2.0},
        "city_spending": {"Dali": 3.0},
    }
    return build(GeographyParams, values | changes)


def by_province(values: np.ndarray, geography: Geography) -> dict[str, float]:
    return {name: float(values[geography.province == name].sum()) for name in np.unique(geography.province).tolist()}


def test_the_geography_holds_all_prefectures_of_31_provinces_under_unique_names(geography: Geography):
    assert len(geography) == 361
    assert len(set(geography.name.tolist())) == 361
    assert set(geography.province.tolist()) == PROVINCE_CENSUS_2010.keys()
    assert all(name.isascii() for name in geography.name.tolist())


def test_the_cities_lie_inside_the_country(geography: Geography):
    assert geography.longitude.min() > 73.5
    assert geography.longitude.max() < 135.1
    assert geography.latitude.min() > 18.1
    assert geography.latitude.max() < 53.6


def test_the_populations_of_each_province_add_up_to_its_published_census_total(geography: Geography):
    assert by_province(geography.population, geography) == pytest.approx(PROVINCE_CENSUS_2010, rel=5e-4)


def test_the_city_table_holds_the_divisions_it_is_built_from(geography: Geography):
    with (ROOT / "sim" / "data" / "divisions.csv").open(encoding="utf-8") as file:
        divisions = list(csv.DictReader(file))
    assert [row["name"] for row in divisions] == geography.name.tolist()
    assert [int(row["population"]) for row in divisions] == geography.population.tolist()
    assert len({row["geonameid"] for row in divisions}) == len(divisions)
    assert len({row["name_zh"] for row in divisions}) == len(divisions)


@pytest.mark.skipif(not CENSUS_TABLE.exists(), reason="the table of the census is not at hand")
def test_an_independent_table_has_the_same_places_and_populations(geography: Geography):
    with CENSUS_TABLE.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["popu_2010"] and row["province_code"] < "800000"]
    longitude, latitude, population = (
        np.array([float(row[key]) for row in rows]) for key in ("lon", "lat", "popu_2010")
    )
    apart_km = great_circle_km(longitude[:, None], latitude[:, None], geography.longitude, geography.latitude)
    assert (apart_km.min(axis=1) < 60).mean() > 0.95

    with (ROOT / "sim" / "data" / "divisions.csv").open(encoding="utf-8") as file:
        ours = {row["name_zh"]: float(row["population"]) for row in csv.DictReader(file)}
    pairs = np.array([(ours[row["city"]], p) for row, p in zip(rows, population, strict=True) if row["city"] in ours])
    assert len(pairs) > 340
    ranks = pairs.argsort(axis=0).argsort(axis=0)
    assert np.corrcoef(*ranks.T).min() > 0.99
    assert (np.abs(pairs[:, 0] / pairs[:, 1] - 1) < 0.01).mean() > 0.95  # the rest changed its boundaries since 2012


def great_circle_km(longitude_a: Any, latitude_a: Any, longitude_b: Any, latitude_b: Any) -> Any:
    longitude_a, latitude_a, longitude_b, latitude_b = map(
        np.radians, (longitude_a, latitude_a, longitude_b, latitude_b)
    )
    across = np.cos(latitude_a) * np.cos(latitude_b) * np.sin((longitude_b - longitude_a) / 2) ** 2
    return 2 * 6371.0 * np.arcsin(np.sqrt(np.sin((latitude_b - latitude_a) / 2) ** 2 + across))


def test_index_finds_every_city(geography: Geography):
    assert [geography.index(name) for name in geography.name.tolist()] == list(range(len(geography)))


def test_an_unknown_city_is_an_error_that_proposes_the_closest(geography: Geography):
    with pytest.raises(UnknownCityError) as error:
        geography.index("Guangzou")
    assert str(error.value) == "'Guangzou' is not a city; did you mean 'Guangzhou'?"
    assert isinstance(error.value, KeyError)
    assert "Guangzou" not in geography


def test_an_unknown_city_that_is_close_to_none_is_an_error_without_a_hint(geography: Geography):
    with pytest.raises(UnknownCityError, match=r"^'Qwrtp' is not a city$"):
        geography.index("Qwrtp")


def test_weights_are_positive_and_add_up_to_one(geography: Geography, params: GeographyParams):
    for weights in (origin_weights(params, geography), destination_weights(params, geography)):
        assert weights.dtype == np.float64
        assert weights.shape == (len(geography),)
        assert weights.min() > 0
        assert weights.sum() == pytest.approx(1, abs=1e-12)


def test_provinces_send_what_was_published(geography: Geography, params: GeographyParams):
    sent = by_province(origin_weights(params, geography), geography)
    total = sum(params.origin_items.values())
    assert total == pytest.approx(8_143_490_000, rel=1e-4)
    assert sent == pytest.approx({name: items / total for name, items in params.origin_items.items()})
    assert 0.794 < sum(sent[name] for name in EAST) < 0.809  # State Post Bureau: 79.4 % in 2011, 80.9 % in 2014


def test_the_first_shipping_cities_are_the_published_ones(geography: Geography, params: GeographyParams):
    weights = origin_weights(params, geography)
    order = geography.name[np.argsort(-weights)].tolist()
    assert order[0] == "Guangzhou"
    assert set(order[:7]) == FIRST_SEVEN_SHIPPING_CITIES
    assert order.index("Suzhou") == 6  # seventh in the country in the first half of 2014
    jiangsu = weights[geography.province == "Jiangsu"].sum()
    assert weights[geography.index("Nanjing")] / jiangsu == pytest.approx(119_202 / 613_640, abs=1e-4)


def test_provinces_receive_in_the_order_of_the_published_sales(geography: Geography, params: GeographyParams):
    received = by_province(destination_weights(params, geography), geography)
    assert sorted(received, key=lambda name: -received[name])[:10] == SALES_RANK_2013
    assert received["Hubei"] == pytest.approx(1.39 / 35.0, rel=0.02)  # RMB bn, 11 November 2013


def test_the_first_receiving_cities_are_among_the_published_ones(geography: Geography, params: GeographyParams):
    order = geography.name[np.argsort(-destination_weights(params, geography))].tolist()
    assert order[:2] == ["Shanghai", "Beijing"]
    assert set(order[:10]) <= FIRST_TEN_RECEIVING_CITIES_OF_2017_OR_2018


def test_unnamed_cities_send_the_rest_of_their_province_by_population():
    weights = origin_weights(two_province_params(), two_provinces())
    assert weights == pytest.approx([0.75 * 0.6, 0.25, 0.75 * 0.4 * 300 / 800, 0.75 * 0.4 * 500 / 800])


def test_cities_receive_by_population_and_spending_within_their_province():
    weights = destination_weights(two_province_params(), two_provinces())
    north, south = 900 * 1.0, 200 * 2.0
    within = np.array([100, 300, 500 * 3.0])
    expected = np.insert(within / within.sum() * north, 1, south) / (north + south)
    assert weights == pytest.approx(expected)


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.01, 1))
def test_a_citys_numbers_leave_its_provinces_total_alone(spending: float, city_spending: float, share: float):
    geography = two_provinces()
    params = two_province_params(
        spending={"North": spending, "South": 1.0}, city_spending={"Cidu": city_spending}, origin_share={"Cidu": share}
    )
    received = by_province(destination_weights(params, geography), geography)
    assert received["North"] / received["South"] == pytest.approx(spending * 900 / 200)
    assert by_province(origin_weights(params, geography), geography) == pytest.approx({"North": 0.75, "South": 0.25})


def test_every_unknown_name_and_every_missing_province_is_reported_at_once():
    params = two_province_params(
        origin_items={"North": 1.0, "Sout": 1.0}, origin_share={"Anfuu": 0.5}, city_spending={"Xyz": 1.0}
    )
    with pytest.raises(ParameterError) as error:
        destination_weights(params, two_provinces())
    assert error.value.problems == [
        "geography.origin_items.Sout: 'Sout' is not a province; did you mean 'South'?",
        "geography.origin_items must name every province, these are missing: South",
        "geography.origin_share.Anfuu: 'Anfuu' is not a city; did you mean 'Anfu'?",
        "geography.city_spending.Xyz: 'Xyz' is not a city",
    ]


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ({"Anfu": 0.7, "Cidu": 0.4}, "geography.origin_share: the cities of North must share at most 1, got 1.1"),
        ({"Bohe": 0.9}, "geography.origin_share: all cities of South are named and must share 1, got 0.9"),
    ],
)
def test_shares_that_do_not_add_up_are_refused(shares: dict[str, float], problem: str):
    with pytest.raises(ParameterError) as error:
        origin_weights(two_province_params(origin_share=shares), two_provinces())
    assert error.value.problems == [problem]


def test_numbers_out_of_range_are_refused_with_their_path():
    with pytest.raises(ParameterError) as error:
        build(GeographyParams, two_province_params().model_dump() | {"origin_share": {"Anfu": 1.5}}, path="geography")
    assert error.value.problems == ["geography.origin_share.Anfu must be <= 1, got 1.5"]
