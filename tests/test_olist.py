"""The importer of a public order table: times, places and rates come through, and bad rows are told."""

from pathlib import Path

import pandas as pd
import pytest

from experiments import cli
from sim.metrics.care import care_lists
from sim.metrics.tracking import tracked
from sim.own_data.olist import read_olist
from sim.params import ParameterError
from sim.store import read_result
from sim.units import DAY_S, HOUR_S

HEADER = (
    "order_id,order_purchase_timestamp,order_approved_at,order_delivered_carrier_date,order_delivered_customer_date,"
    "order_estimated_delivery_date,customer_unique_id,customer_city,customer_state,seller_id,seller_city,seller_state,price\n"
)
ROWS = """\
o1,2017-11-24 10:00:00,2017-11-24 10:15:00,2017-11-25 10:00:00,2017-11-28 12:00:00,2017-12-10,c1,recife,PE,\
s1,sao paulo,SP,10.5
o2,2017-11-24 09:00:00,2017-11-24 09:10:00,2017-11-27 08:00:00,2017-12-12 08:00:00,2017-12-10,c2,sao paulo,SP,s1,sao paulo,SP,20
o3,2017-11-25 00:00:00,,,,2017-12-12,c1,recife,PE,s2,belo horizonte,MG,30
o4,2017-11-20 08:00:00,,,,2017-12-12,c4,recife,PE,s2,belo horizonte,MG,30
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Four orders, one of them before day zero."""
    path = tmp_path / "olist.csv"
    path.write_text(HEADER + ROWS, encoding="utf-8")
    return path


def test_times_and_places_of_an_order_table_become_parcels(file: Path) -> None:
    found = read_olist(str(file), "2017-11-24")
    parcels = found.tables["parcels"]
    assert parcels["created_s"].tolist() == [9 * HOUR_S, 10 * HOUR_S, DAY_S]
    assert parcels["picked_up_s"].tolist()[:2] == [3 * DAY_S + 8 * HOUR_S, DAY_S + 10 * HOUR_S]
    assert parcels["signed_s"].notna().tolist() == [True, True, False]
    assert parcels["destination"].tolist() == ["sao paulo (SP)", "recife (PE)", "recife (PE)"]
    assert parcels["merchant"].tolist() == [0, 0, 1]
    assert found.late_share == 0.5
    places = found.places.set_index("city")
    assert places.loc["sao paulo (SP)", ["province", "sends", "receives"]].tolist() == ["SP", 2, 1]
    assert places[["sends", "receives"]].sum().tolist() == [3, 3]
    assert found.orders["value_rmb"].tolist() == [20.0, 10.5, 30.0]


def test_rates_and_care_lists_are_those_of_the_orders(file: Path) -> None:
    tables = read_olist(str(file), "2017-11-24").tables
    rates = tracked(tables, "province", 4 * DAY_S + 13 * HOUR_S).set_index("group")
    assert rates.loc["PE", ["parcels", "signed", "not_shipped"]].tolist() == [2, 1, 1]
    lists = {one.name: one.rows["parcel"].tolist() for one in care_lists(tables, 4 * DAY_S + 13 * HOUR_S)}
    assert lists == {
        "not shipped": [2],
        "long in transit": [],
        "struck by weather": [],
        "exceptions": [],
        "just signed": [1],
    }


def test_the_command_writes_a_folder_that_can_be_tracked_and_played_back(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "real"
    assert cli.main(["olist", str(file), "day_zero=2017-11-24", f"output={made}"]) == 0
    assert "3 parcels, 2 delivered; 50.0 % of them later than estimated" in capsys.readouterr().out
    assert read_result(made).kpis["parcels_signed"] == 2
    assert cli.main(["track", str(made), "at=day 5", "by=province"]) == 0
    assert "PE" in capsys.readouterr().out
    orders = pd.read_csv(made / "orders.csv", parse_dates=["paid"])
    assert orders["paid"].tolist() == [pd.Timestamp(f"2017-11-{when}:00") for when in ("24 09", "24 10", "25 00")]
    played = f"data.orders={made / 'orders.csv'}"
    few = ["orders.merchants=2", "orders.warehouse.prepacked.merchants=1"]
    words = ["run", played, "data.day_zero=2017-11-24", "site=off", "rehearsal=off", "scale=0.001", "output=null", *few]
    assert cli.main(words) == 0


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("2017-11-25 10:00:00", "2017-11-23 10:00:00", "row 2, column order_delivered_carrier_date must not be before"),
        ("2017-11-28 12:00:00", "soon", "row 2, column order_delivered_customer_date must be a date and time such as"),
        ("o3,2017-11-25 00:00:00", "o3,", "row 4, column order_purchase_timestamp must be a date and time such as"),
        ("c2,sao paulo,SP", "c2,,SP", "row 3, column customer_city is empty"),
        ("10.5", "ten", "row 2, column price must be a number, got 'ten'"),
    ],
)  # fmt: skip
def test_bad_rows_are_told(right: str, wrong: str, told: str, file: Path) -> None:
    file.write_text((HEADER + ROWS).replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ParameterError) as error:
        read_olist(str(file), "2017-11-24")
    assert any(problem.startswith(f"{file} {told}") for problem in error.value.problems), error.value.problems


def test_bad_questions_are_told(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = f"output={tmp_path / 'x'}"
    assert cli.main(["olist", str(file), "day_zero=2019-01-01", out]) == 2
    assert cli.main(["olist", str(file), "day_zero=the first", out]) == 2
    assert cli.main(["olist", "day_zero=2017-11-24", out]) == 2
    assert cli.main(["olist", str(file), "day_zero=2017-11-24"]) == 2
    told = capsys.readouterr().err
    for message in (
        "must have an order on or after day_zero 2019-01-01, got none in 4 rows",
        "day_zero must be a day such as 2012-11-11, got 'the first'",
        "peakday olist takes one file, got none",
        "output is missing",
    ):
        assert message in told
    assert not (tmp_path / "x").exists()
