"""Own carriers: hubs, lanes and the trains' timetable, in place of those of the config."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sim.own_data.read import Field, Table
from sim.params import ParameterError, build
from sim.params.data import DataParams
from sim.params.parcels import CarrierParams, ParcelsParams
from sim.units import DAY_S, HOUR_S, MINUTE_S

CARRIER_FIELDS = (
    Field("carrier", "text"),
    Field("share", "number", "> 0"),
    Field("own_trucks", "whole", ">= 0"),
    Field("hired_trucks", "whole", ">= 0"),
    Field("couriers", "whole", "> 0"),
    Field("parcel_rmb", "number", ">= 0"),
    Field("kg_rmb", "number", ">= 0"),
    Field("pickup_per_day", "number", "> 0", optional=True),
)
HUB_FIELDS = (
    Field("carrier", "text"),
    Field("hub", "text"),
    Field("sort_per_h", "number", "> 0"),
    Field("storage_parcels", "number", "> 0"),
)
LANE_FIELDS = (Field("carrier", "text"), Field("origin", "text"), Field("destination", "text"))
TRAIN_FIELDS = (
    *LANE_FIELDS,
    Field("depart", "clock"),
    Field("arrive", "clock"),
    Field("days_later", "whole", ">= 0"),
    Field("wagons", "whole", "> 0"),
    Field("wagon_parcels", "number", "> 0"),
    Field("wagon_kg", "number", "> 0"),
    Field("trip_rmb", "number", ">= 0"),
    Field("cutoff_s", "number", ">= 0"),
    Field("gather_s", "number", ">= 0"),
    Field("handling_s", "number", ">= 0"),
)


def with_own_carriers(parcels: ParcelsParams, data: DataParams) -> ParcelsParams:
    """The parameters with the carriers of the files; without `data.lanes` their lanes join all hubs.

    Raises
    ------
    ParameterError
        With a message for each problem of the files, with row and column.
    """
    if data.carriers is None and data.hubs is None and data.lanes is None and data.trains is None:
        return parcels
    if data.carriers is None or data.hubs is None:
        raise ParameterError(["data.carriers and data.hubs belong together, and data.lanes and data.trains need both"])
    carriers = Table("data.carriers", data.carriers, CARRIER_FIELDS)
    carriers.unique("carrier")
    hubs = Table("data.hubs", data.hubs, HUB_FIELDS)
    hubs.known("carrier", carriers["carrier"].tolist(), f"a carrier of {carriers.file}")
    hubs.unique("carrier", "hub")
    without = ~np.isin(carriers["carrier"].astype(str), hubs["carrier"].astype(str))
    carriers.tell_all(without, "carrier", lambda row: f"{carriers['carrier'][row]} has no hub in {hubs.file}")
    hubs_of = {
        str(carrier): hubs["hub"][hubs["carrier"] == carrier].tolist() for carrier in carriers["carrier"].tolist()
    }
    lanes = _between_hubs("data.lanes", data.lanes, LANE_FIELDS, hubs_of, hubs.file)
    if lanes is not None:
        lanes.unique("carrier", "origin", "destination")
    trains = _between_hubs("data.trains", data.trains, TRAIN_FIELDS, hubs_of, hubs.file)
    travel_s = _travel_s(trains) if trains is not None else np.empty(0)
    if trains is not None and lanes is not None:
        _on_lanes(trains, lanes)
    found = [table for table in (carriers, hubs, lanes, trains) if table is not None]
    if problems := [problem for table in found for problem in table.problems]:
        raise ParameterError(problems)
    values = {
        str(name): {
            **{field.name: _plain(carriers[field.name][row], field) for field in CARRIER_FIELDS[1:]},
            "hubs": _hubs(hubs, name),
            "lanes": _lanes(lanes, name),
            "trains": _trains(trains, travel_s, name),
        }
        for row, name in enumerate(carriers["carrier"].tolist())
    }
    return parcels.model_copy(
        update={"carriers": {name: build(CarrierParams, one, name) for name, one in values.items()}}
    )


def _between_hubs(
    parameter: str, file: str | None, fields: tuple[Field, ...], hubs_of: Mapping[str, list[str]], hub_file: str
) -> Table | None:
    """A file of ways between two hubs of one carrier; one to nowhere is told."""
    if file is None:
        return None
    table = Table(parameter, file, fields)
    table.known("carrier", hubs_of, f"a carrier with hubs in {hub_file}")
    for row, carrier in enumerate(table["carrier"].tolist()):
        for end in ("origin", "destination"):
            hub = table[end][row]
            if carrier in hubs_of and hub not in hubs_of[carrier]:
                table.tell(row, end, f"must be a hub of {carrier} in {hub_file}, got {hub!r}")
    same = table["origin"] == table["destination"]
    table.tell_all(same, "destination", lambda _: "must be another hub than the origin")
    return table


def _travel_s(trains: Table) -> np.ndarray:
    """Time from departure to arrival [s]; a train that arrives before it departs is told."""
    travel_s = np.asarray(trains["arrive"] + DAY_S * trains["days_later"] - trains["depart"])
    trains.tell_all(
        travel_s <= 0,
        "arrive",
        lambda row: (
            f"must be after the departure {_clock(trains['depart'][row])}, got {_clock(trains['arrive'][row])} "
            f"{trains['days_later'][row]:g} days later"
        ),
    )
    trains.tell_all(trains["depart"] >= DAY_S, "depart", lambda _: "must be before 24:00")
    trains.tell_all(trains["gather_s"] > DAY_S, "gather_s", lambda _: f"must be <= {DAY_S:g} [s]")
    return travel_s


def _on_lanes(trains: Table, lanes: Table) -> None:
    names = [field.name for field in LANE_FIELDS]
    known = set(zip(*(lanes[name].tolist() for name in names), strict=True))
    for row, lane in enumerate(zip(*(trains[name].tolist() for name in names), strict=True)):
        if lane not in known:
            trains.tell(row, "destination", f"must be at the end of a lane of {lanes.file}, got {lane[1]} to {lane[2]}")


def _hubs(hubs: Table, carrier: str) -> dict[str, Any]:
    rows = np.flatnonzero(hubs["carrier"] == carrier).tolist()
    return {
        hubs["hub"][row]: {name: float(hubs[name][row]) for name in ("sort_per_h", "storage_parcels")} for row in rows
    }


def _lanes(lanes: Table | None, carrier: str) -> Any:
    if lanes is None:
        return "complete"
    rows = np.flatnonzero(lanes["carrier"] == carrier).tolist()
    return [[lanes["origin"][row], lanes["destination"][row]] for row in rows]


def _trains(trains: Table | None, travel_s: np.ndarray, carrier: str) -> list[dict[str, Any]]:
    if trains is None:
        return []
    numbers = [field for field in TRAIN_FIELDS if field.kind in ("number", "whole") and field.name != "days_later"]
    return [
        {
            "origin": trains["origin"][row],
            "destination": trains["destination"][row],
            "depart_clock": _clock(trains["depart"][row]),
            "travel_s": float(travel_s[row]),
            **{field.name: _plain(trains[field.name][row], field) for field in numbers},
        }
        for row in np.flatnonzero(trains["carrier"] == carrier).tolist()
    ]


def _clock(time_s: float) -> str:
    hours, rest_s = divmod(float(time_s), HOUR_S)
    minutes, whole_s = divmod(rest_s, MINUTE_S)
    return f"{int(hours):02d}:{int(minutes):02d}:{int(whole_s):02d}"


def _plain(value: Any, field: Field) -> int | float | None:
    if value is None:
        return None
    return int(value) if field.kind == "whole" else float(value)
