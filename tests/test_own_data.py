"""Own data: a tiny network from files runs end to end, and every mistake is told with file, row and column."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import cli
from sim import simulate
from sim.own_data.read import MOST_TOLD
from sim.params import ParameterError
from sim.store import run_key
from sim.units import HOUR_S

FILES = {
    "cities": """city,province,longitude,latitude,population,sends,receives
Ash,North,110.0,30.0,900000,3,1
Birch,North,112.0,31.0,400000,1,1
Cedar,South,113.5,28.0,600000,0,2
""",
    "links": """origin,destination,kind,km
Ash,Birch,road,220
Birch,Cedar,road,340
Ash,Cedar,road,410
Ash,Cedar,rail,400
""",
    "carriers": """carrier,share,own_trucks,hired_trucks,couriers,parcel_rmb,kg_rmb
swift,2,5,5,40,8,1
steady,1,3,3,30,6,0.5
""",
    "hubs": """carrier,hub,sort_per_h,storage_parcels
swift,Ash,400,900
swift,Cedar,300,900
steady,Birch,300,800
steady,Cedar,300,800
""",
    "lanes": """carrier,origin,destination
swift,Ash,Cedar
swift,Cedar,Ash
steady,Birch,Cedar
steady,Cedar,Birch
""",
    "trains": """carrier,origin,destination,depart,arrive,days_later,wagons,wagon_parcels,wagon_kg,trip_rmb,cutoff_s,gather_s,\
handling_s
swift,Ash,Cedar,21:00,05:30,1,2,100,500,900,3600,7200,1800
""",
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """The files of a sound network with three hundred orders."""
    made = {}
    for name, text in FILES.items():
        made[name] = tmp_path / f"{name}.csv"
        made[name].write_text(text, encoding="utf-8")
    rng = np.random.default_rng(3)
    paid = pd.Timestamp("2017-11-24") + pd.to_timedelta(rng.uniform(0, 30 * HOUR_S, 300), unit="s")
    orders = pd.DataFrame({"paid": paid, "shopper": rng.integers(0, 200, 300), "value_rmb": rng.lognormal(5, 1, 300)})
    made["orders"] = tmp_path / "orders.csv"
    orders.to_csv(made["orders"], index=False)
    return made


def words(files: dict[str, Path], **more: Any) -> list[str]:
    given = (
        {f"data.{name}": file for name, file in files.items()} | {"data.day_zero": "2017-11-24", "site": "off"} | more
    )
    return [f"{name}={value}" for name, value in given.items()]


SMALL = {
    "scale": 1,
    "orders.merchants": 20,
    "orders.warehouse.prepacked.merchants": 5,
    "rehearsal": "off",
    "parcels.truck.capacity_parcels": 40,
    "orders.virtual_share": 0,
}


def run(files: dict[str, Path], **more: Any) -> Any:
    return simulate(overrides=words(files, **SMALL, **more))


def problems_of(files: dict[str, Path], **more: Any) -> list[str]:
    with pytest.raises(ParameterError) as error:
        run(files, **more)
    return error.value.problems


def test_a_network_from_files_runs_from_order_to_signature(files: dict[str, Path]) -> None:
    result = run(files)
    orders, parcels, trips = (result.tables[name] for name in ("orders", "parcels", "trips"))
    given = pd.read_csv(files["orders"])
    assert len(orders) == 300
    since_s = (pd.to_datetime(given["paid"]) - pd.Timestamp("2017-11-24")).dt.total_seconds()
    assert orders["paid_s"].to_numpy() == pytest.approx(np.sort(since_s))
    assert result.kpis["gmv_rmb"] <= given["value_rmb"].sum()
    assert result.kpis["shoppers"] == given["shopper"].nunique()
    assert parcels["orders"].sum() == 300
    assert set(parcels["origin"]) <= {"Ash", "Birch"}, "Cedar sends nothing"
    assert set(parcels["carrier"]) == {"swift", "steady"}
    lanes = {tuple(row) for row in trips[["carrier", "origin", "destination"]].astype(str).itertuples(index=False)}
    assert lanes <= {tuple(line.split(",")) for line in FILES["lanes"].splitlines()[1:]}
    assert parcels["signed_s"].notna().mean() > 0.95
    assert set(result.tables["hubs"]["hub"]) == {"Ash", "Birch", "Cedar"}
    rail = trips[trips["vehicle"].astype(str) == "train"]
    assert ((rail["arrive_s"] - rail["depart_s"]).dropna() == 8.5 * HOUR_S + 1800).all()
    roads = trips[(trips["carrier"] == "steady")]
    assert (roads["distance_km"] == 340.0).all()


def test_parquet_is_read_as_csv_is(files: dict[str, Path], tmp_path: Path) -> None:
    in_parquet = {}
    for name, file in files.items():
        in_parquet[name] = tmp_path / f"{name}.parquet"
        pd.read_csv(file, parse_dates=["paid"] if name == "orders" else None).to_parquet(in_parquet[name])
    one, other = run(files), run(in_parquet)
    for name in ("parcels", "trips", "orders"):
        pd.testing.assert_frame_equal(one.tables[name], other.tables[name])


def test_hubs_without_lanes_are_all_joined(files: dict[str, Path]) -> None:
    del files["lanes"], files["trains"]
    assert len(run(files).tables["parcels"]) > 200


def test_own_orders_travel_through_the_network_of_2012(files: dict[str, Path]) -> None:
    few = {"orders.merchants": 100, "orders.warehouse.prepacked.merchants": 10}
    result = simulate(overrides=words({"orders": files["orders"]}, scale=0.001, rehearsal="off", **few))
    assert len(result.tables["cities"]) > 300
    assert result.tables["parcels"]["signed_s"].notna().mean() > 0.9


def test_a_changed_file_is_another_run(files: dict[str, Path]) -> None:
    config = {"data": {"orders": str(files["orders"]), "day_zero": "2012-11-11", "hubs": None}}
    before = run_key(config)
    assert run_key(config) == before
    files["orders"].write_text("paid,shopper,value_rmb\n", encoding="utf-8")
    assert run_key(config) != before


MISTAKES = [
    ("lanes", "swift,Ash,Cedar", "swift,Ash,Nowhere",
     "row 2, column destination must be a hub of swift in {hubs}, got 'Nowhere'"),
    ("lanes", "swift,Ash,Cedar", "swift,Ash,Ash", "row 2, column destination must be another hub than the origin"),
    ("lanes", "steady,Birch", "stedy,Birch",
     "row 4, column carrier must be a carrier with hubs in {hubs}, got 'stedy'; did you mean 'steady'?"),
    ("lanes", "swift,Cedar,Ash", "swift,Ash,Cedar", "row 3, column destination repeats row 2: swift, Ash, Cedar"),
    ("trains", "05:30,1", "05:30,0", "row 2, column arrive must be after the departure 21:00:00, got 05:30:00 0 days later"),
    ("trains", ",100,500", ",0,500", "row 2, column wagon_parcels must be > 0, got 0"),
    ("trains", "21:00", "9 pm", "row 2, column depart must be a clock such as 08:50, got '9 pm'"),
    ("trains", "swift,Ash,Cedar", "steady,Cedar,Cedar", "row 2, column destination must be another hub than the origin"),
    ("hubs", "swift,Ash,400", "swift,Ash,0", "row 2, column sort_per_h must be > 0, got 0"),
    ("hubs", "steady,Cedar,300", "steady,Cedar,many", "row 5, column sort_per_h must be a number, got 'many'"),
    ("hubs", "swift,Cedar,300", "swift,Ash,300", "row 3, column hub repeats row 2: swift, Ash"),
    ("carriers", "steady,1,3", "steady,1,2.5", "row 3, column own_trucks must be a whole number, got '2.5'"),
    ("carriers", "6,0.5\n", "6,0.5\nidle,1,1,1,1,1,1\n", "row 4, column carrier idle has no hub in {hubs}"),
    ("cities", "Birch,North,112.0", "Birch,North,212.0",
     "row 3, column longitude must be between -180 and 180 [degrees], got 212"),
    ("cities", "Birch,North", "Ash,North", "row 3, column city repeats row 2: Ash"),
    ("cities", "Cedar,South", ",South", "row 4, column city is empty"),
    ("links", "Birch,Cedar,road,340", "Birch,Ceder,road,340",
     "row 3, column destination must be a city of {cities}, got 'Ceder'; did you mean 'Cedar'?"),
    ("links", "rail,400", "canal,400", "row 5, column kind must be road or rail, got 'canal'"),
    ("links", "road,220", "road,-2", "row 2, column km must be > 0, got -2"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "right", "wrong", "told"), MISTAKES, ids=[f"{row[0]}: {row[2]}" for row in MISTAKES])
def test_a_mistake_is_told_with_file_row_and_column(
    name: str, right: str, wrong: str, told: str, files: dict[str, Path]
) -> None:
    text = files[name].read_text(encoding="utf-8")
    assert right in text
    files[name].write_text(text.replace(right, wrong, 1), encoding="utf-8")
    expected = f"{files[name]} {told.format(**files)}"
    found = problems_of(files)
    assert expected in found, found


def test_bad_orders_are_told_with_their_rows(files: dict[str, Path]) -> None:
    files["orders"].write_text(
        "paid,shopper,value_rmb\n2017-11-24 00:00:01,a,5\n2017-11-31 00:00,b,5\n2017-11-23 10:00,c,5\n"
        "2019-11-24,d,5\n2017-11-24 08:00,e,-5\n",
        encoding="utf-8",
    )
    file = files["orders"]
    assert problems_of(files) == [
        f"{file} row 3, column paid must be a date and time such as 2012-11-11 00:00:03, got '2017-11-31 00:00'",
        f"{file} row 6, column value_rmb must be >= 0, got -5",
        f"{file} row 4, column paid must not be before data.day_zero 2017-11-24",
        f"{file} row 5, column paid must be before the run's end, 21 days after 2017-11-24",
    ]


def test_a_thousand_mistakes_are_not_told_one_by_one(files: dict[str, Path]) -> None:
    files["orders"].write_text(
        "paid,shopper,value_rmb\n" + "".join(f"soon,{k},5\n" for k in range(1000)), encoding="utf-8"
    )
    found = problems_of(files)
    assert len(found) == MOST_TOLD + 1
    assert found[-1] == f"{files['orders']}, column paid: {1000 - MOST_TOLD} more rows like these"


def test_mistakes_of_all_files_are_told_at_once(files: dict[str, Path]) -> None:
    files["orders"].write_text("paid,shopper,value_rmb\nsoon,a,5\n", encoding="utf-8")
    files["lanes"].write_text("carrier,origin\n", encoding="utf-8")
    files["cities"].write_text(FILES["cities"].replace("900000", "nobody"), encoding="utf-8")
    told = " ".join(problems_of(files))
    for part in ("orders.csv row 2", "lanes.csv must have a column destination", "cities.csv row 2, column population"):
        assert part in told


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.orders": "none.csv"}, "data.orders: there is no file 'none.csv'"),
        ({"data.orders": "orders.xls"}, "data.orders must be a .csv or a .parquet file, got 'orders.xls'"),
        ({"data.links": "null"}, "data.cities and data.links belong together"),
        ({"data.carriers": "null"}, "data.carriers and data.hubs belong together"),
        ({"data.day_zero": "yesterday"}, "data.day_zero must be a day such as 2012-11-11, got 'yesterday'"),
        ({"site": "tmall_2012"}, "data.orders needs site=off"),
    ],
)
def test_what_does_not_belong_together_is_told(changes: dict[str, str], message: str, files: dict[str, Path]) -> None:
    assert any(problem.startswith(message) for problem in problems_of(files, **changes))


def test_a_city_that_no_road_reaches_is_told(files: dict[str, Path]) -> None:
    links = "origin,destination,kind,km\nAsh,Birch,road,220\n"
    files["links"].write_text(links, encoding="utf-8")
    assert any("Cedar" in problem and str(files["links"]) in problem for problem in problems_of(files))


def test_the_command_takes_files(files: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = words(files, **SMALL, output=tmp_path / "results")
    assert cli.main(["run", *given]) == 0
    report = capsys.readouterr().out.splitlines()[-1].removeprefix("report: ")
    assert "data.hubs=" in Path(report).read_text(encoding="utf-8"), "the report says how to run it again"
    files["hubs"].write_text(FILES["hubs"].replace("400", "-1"), encoding="utf-8")
    assert cli.main(["run", *given]) == 2
    assert f"{files['hubs']} row 2, column sort_per_h must be > 0, got -1" in capsys.readouterr().err
