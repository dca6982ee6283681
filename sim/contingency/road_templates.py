"""Templates of the road's plans. Thresholds, delays and amounts are assumed: hubs answer within an hour, others within four."""

from collections import Counter
from collections.abc import Iterator, Sequence

from sim.contingency.check import Scopes
from sim.contingency.library import Answer, Notice, Template
from sim.units import HOUR_S

_SOON_S, _LATER_S = HOUR_S, 4 * HOUR_S
_FULL = 3.0  # times a hub's storage: more than this a plan must not bring it
_STORAGE_LOST = 0.9  # share; what is left holds what a hub sorts in two hours
_CITIES_OF_A_CARRIER = 5
_HUBS_OF_A_CARRIER = 8


def road_templates(scopes: Scopes) -> Iterator[Template]:
    """Templates of all kinds of faults of a road: those of which there are few first, lanes last."""
    yield from _of_carriers(scopes)
    yield from _of_merchants(scopes)
    yield from _of_trains(scopes)
    yield from _of_outlets(scopes)
    yield from _of_hubs(scopes)
    yield from _of_lanes(scopes)


def _guard(scopes: Scopes, where: str) -> Notice:
    """The hub that must not fill up: the one named, else the first of the carrier named, else the first of all."""
    hubs = scopes["hub"]
    origin = where.split("-")[0]
    carrier = where.split("/")[0]
    near = [hub for hub in hubs if hub == origin] or [hub for hub in hubs if hub.split("/")[0] == carrier] or list(hubs)
    return Notice("hub_full_share", near[0], _FULL, 0.0)


def _of_carriers(scopes: Scopes) -> Iterator[Template]:
    for name in scopes["carrier"]:
        guard = _guard(scopes, name)
        idle = Notice("free_trucks_share", name, 0.1, _LATER_S)
        borrow = [
            Answer("borrow_trucks", f"{name}/{fleet}", times, f"{name}'s parcels leave their hubs again")
            for fleet in ("own", "hired")
            for times in (1.5, 3.0)
        ]
        for kind in ("truck_breakdowns", "driver_strike", "hired_trucks_missing"):
            yield Template(kind, name, (0.5, 0.9), idle, borrow, "fleet manager", guard)
        waits = Notice("pickup_wait_h", name, 16.0, _LATER_S)
        couriers = [
            Answer("hire_couriers", name, times, f"{name}'s outlets are empty again") for times in (1.3, 2.0, 4.0)
        ]
        yield Template("interface_down", name, (1.0,), waits, couriers, "logistics duty officer", guard)
        absent = Notice("courier_share", name, 0.9, _LATER_S)
        yield Template("courier_strike", name, (0.3, 0.5, 0.75), absent, couriers, "outlet manager", guard)


def _of_merchants(scopes: Scopes) -> Iterator[Template]:
    for who in scopes["merchants"]:
        guard = _guard(scopes, who)
        slower = Notice("packing_share", who, 0.9, _LATER_S)
        hands = [Answer("hire_packers", who, times, "orders are packed in time again") for times in (1.5, 2.0, 4.0)]
        yield Template("warehouse_system_down", who, (0.5, 0.75, 0.9), slower, hands, "merchant desk", guard)
        for hub in _first_of_each_carrier(scopes["hub"], 1):
            pace = Notice("hub_pace_share", hub, 0.9, _SOON_S)
            labels = [Answer("print_labels", who, 3.0, "sorters read at once again")]
            yield Template("labels_unreadable", who, (0.5, 0.8), pace, labels, "hub manager", guard)
        for place in scopes["place"]:
            lost = Notice("stock_known_share", place, 0.95, _LATER_S)
            count = [Answer("recount", place, 10.0, "the books know again what lies on the shelves")]
            yield Template("stock_count_wrong", place, (0.3, 0.6, 0.9), lost, count, "merchant desk", guard)


def _first_of_each_carrier(hubs: Sequence[str], most: int) -> Iterator[str]:
    """The first hubs of each carrier, so many at most."""
    seen: Counter[str] = Counter()
    for hub in hubs:
        carrier = hub.split("/")[0]
        seen[carrier] += 1
        if seen[carrier] <= most:
            yield hub


def _of_trains(scopes: Scopes) -> Iterator[Template]:
    for train in scopes["train"]:
        carrier = train.split("/")[0]
        waits = Notice("lane_wait_h", train, 12.0, _LATER_S)
        answers = [
            Answer("borrow_trucks", f"{carrier}/{fleet}", times, "trucks carry what the train has left")
            for fleet in ("own", "hired")
            for times in (1.2, 1.5)
        ]
        yield Template("train_cancelled", train, (1.0,), waits, answers, "rail desk", _guard(scopes, train))
        wagons = [Answer("add_wagons", train, times, "the train takes all again") for times in (2.0, 4.0)]
        yield Template(
            "wagons_missing", train, (0.5, 0.75), waits, [*answers, *wagons], "rail desk", _guard(scopes, train)
        )


def _of_hubs(scopes: Scopes) -> Iterator[Template]:
    for hub in _first_of_each_carrier(scopes["hub"], _HUBS_OF_A_CARRIER):
        guard = _guard(scopes, hub)
        pace = Notice("hub_pace_share", hub, 0.8, _SOON_S)
        sorters = [Answer("hire_sorters", hub, times, "the hub sorts what comes") for times in (1.5, 2.5)]
        yield Template("sorter_down", hub, (0.6,), pace, sorters, "hub manager", guard)
        yield Template("hub_strike", hub, (0.5,), pace, sorters[1:], "hub manager", guard)
        burnt = [sorters[1], Answer("rent_storage", hub, 2.0, "vehicles unload and leave")]
        yield Template("hub_fire", hub, (0.8,), pace, burnt[:1], "hub manager", guard)
        line = Notice("dock_wait_h", hub, 1.0, _SOON_S)
        docks = [Answer("open_docks", hub, 4.0, "vehicles unload and leave")]
        yield Template("docks_blocked", hub, (0.9,), line, docks, "hub manager", guard)
        full = Notice("hub_full_share", hub, 1.0 - _STORAGE_LOST, _SOON_S)
        yield Template("storage_lost", hub, (_STORAGE_LOST,), full, burnt[1:], "hub manager", guard)


def _of_outlets(scopes: Scopes) -> Iterator[Template]:
    by_carrier: dict[str, int] = {}
    for outlet in scopes["outlet"]:
        carrier, _, city = outlet.partition("/")
        if not city or by_carrier.get(carrier, 0) >= _CITIES_OF_A_CARRIER:
            continue
        by_carrier[carrier] = by_carrier.get(carrier, 0) + 1
        absent = Notice("courier_share", outlet, 0.9, _LATER_S)
        couriers = [Answer("hire_couriers", outlet, 3.0, "the outlet is empty again")]
        yield Template("outlet_closed", outlet, (0.8,), absent, couriers, "outlet manager", _guard(scopes, outlet))


def _of_lanes(scopes: Scopes) -> Iterator[Template]:
    for lane in scopes["lane"]:
        waits = Notice("lane_wait_h", lane, 16.0, _LATER_S)
        around = [Answer("go_around", lane, 0.0, "what is sorted goes by another hub")]
        yield Template("road_closed", lane, (1.0,), waits, around, "fleet manager", _guard(scopes, lane))
        yield Template("road_slow", lane, (0.7,), waits, around, "fleet manager", _guard(scopes, lane))
