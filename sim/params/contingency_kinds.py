"""What faults, readings and actions of contingency there are: of which part, on what, and what they mean."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Part = Literal["site", "road"]
Course = Literal["step", "ramp", "heat", "decay"]


class Kind(NamedTuple):
    """A kind of fault: which part it strikes, what it is said of, the course that it usually takes."""

    part: Part
    scope: str
    course: Course
    meaning: str


KINDS: Mapping[str, Kind] = {
    "machines_down": Kind("site", "service", "step", "a share of a service's machines fails"),
    "room_cooling": Kind(
        "site", "room", "heat", "a server room's air conditioning fails: its machines fail as it heats up"
    ),
    "room_power": Kind("site", "room", "step", "a share of a server room's machines loses power"),
    "rack_down": Kind("site", "service", "step", "a share of the racks that hold a quarter of a service fails"),
    "cell_down": Kind("site", "cell", "step", "a share of all machines of a cell fails"),
    "bank_lines_down": Kind("site", "gateway", "step", "a share of the lines to the banks is down"),
    "bank_hangs": Kind("site", "gateway", "step", "the banks answer up to twenty times as slowly"),
    "slow_dependency": Kind("site", "service", "ramp", "what a service depends on slows down, up to five times"),
    "cache_loss": Kind(
        "site", "service", "decay", "a service's cache is empty: up to ten times the work until it has filled"
    ),
    "bad_release": Kind("site", "service", "step", "a new release takes up to three times as long"),
    "bad_release_errors": Kind("site", "service", "step", "a share of a new release's answers are errors"),
    "memory_leak": Kind("site", "service", "ramp", "machines slow down up to four times, and up to half of them stop"),
    "pool_exhausted": Kind("site", "service", "step", "a share of the connections that a service may hold is lost"),
    "queue_misset": Kind("site", "service", "step", "a share of a service's waiting places is configured away"),
    "limit_misset": Kind("site", "service", "step", "a rate limit refuses a share of what a service can do"),
    "clock_skew": Kind("site", "service", "step", "a service's clock runs ahead: it holds fresh requests for too old"),
    "link_loss": Kind("site", "link", "step", "an access link loses a share of its bandwidth"),
    "region_loss": Kind("site", "region", "step", "all links of a region lose a share of their bandwidth"),
    "bandwidth_attack": Kind("site", "region", "ramp", "an attack fills a share of all links of a region"),
    "request_attack": Kind("site", "page", "step", "an attack asks for a page"),
    "hot_item": Kind(
        "site", "page", "decay", "a crowd for one item: visitors, and up to five times the work in what serves them"
    ),
    "red_packet_storm": Kind("site", "page", "decay", "everyone opens red packets at once"),
    "retry_storm": Kind("site", "shoppers", "step", "an app's release retries with up to a tenth of the waits"),
    "route_lost": Kind(
        "site", "route", "step", "a share of the shoppers cannot take one way to pay and takes the other"
    ),
    "sorter_down": Kind("road", "hub", "step", "a share of a hub's sorting stops"),
    "hub_fire": Kind("road", "hub", "step", "a share of a hub's sorting, storage and docks burns"),
    "hub_strike": Kind("road", "hub", "ramp", "a share of a hub's sorters walks out"),
    "docks_blocked": Kind("road", "hub", "step", "a share of a hub's docks cannot unload"),
    "storage_lost": Kind("road", "hub", "step", "a share of a hub's storage cannot be used"),
    "labels_unreadable": Kind("road", "merchants", "step", "a share of the labels cannot be read at once"),
    "road_closed": Kind("road", "lane", "step", "no truck can leave on a lane, and those under way wait"),
    "road_slow": Kind("road", "lane", "step", "trucks on a lane lose a share of their speed"),
    "truck_breakdowns": Kind("road", "carrier", "ramp", "a share of a carrier's trucks breaks down"),
    "driver_strike": Kind("road", "carrier", "step", "a share of a carrier's own trucks has no drivers"),
    "hired_trucks_missing": Kind("road", "carrier", "step", "a share of the hired trucks does not come"),
    "train_cancelled": Kind("road", "train", "step", "a train does not run"),
    "wagons_missing": Kind("road", "train", "step", "a train has fewer wagons"),
    "interface_down": Kind("road", "carrier", "step", "a carrier's interface is down: it picks nothing up"),
    "courier_strike": Kind("road", "carrier", "ramp", "a share of a carrier's couriers stays at home"),
    "outlet_closed": Kind("road", "outlet", "step", "a share of what an outlet delivers stays there"),
    "warehouse_system_down": Kind("road", "merchants", "step", "merchants pack by hand: up to ten times as slowly"),
    "stock_count_wrong": Kind("road", "place", "step", "a regional warehouse's books have lost a share of its stock"),
}


class Metric(NamedTuple):
    """What can be read off the running model: of which part, of what, whether much of it is bad, and the most that it can be."""

    part: Part
    scope: str
    high_is_bad: bool
    most: float
    unit: str


METRICS: Mapping[str, Metric] = {
    "failed_share": Metric("site", "site", True, 1.0, "share"),
    "requests_per_s": Metric("site", "site", True, float("inf"), "1/s"),
    "orders_lost_per_s": Metric("site", "site", True, float("inf"), "1/s"),
    "refused_share": Metric("site", "service", True, 1.0, "share"),
    "wait_s": Metric("site", "service", True, float("inf"), "s"),
    "service_s": Metric("site", "service", True, float("inf"), "s"),
    "busy_share": Metric("site", "service", True, 1.0, "share"),
    "arrivals_per_s": Metric("site", "service", True, float("inf"), "1/s"),
    "working_share": Metric("site", "service", False, 1.0, "share"),
    "link_share": Metric("site", "link", True, 1.0, "share"),
    "hub_full_share": Metric("road", "hub", True, float("inf"), "share"),
    "hub_gate_share": Metric("road", "hub", True, float("inf"), "share"),
    "dock_wait_h": Metric("road", "hub", True, float("inf"), "h"),
    "hub_pace_share": Metric("road", "hub", False, float("inf"), "share"),
    "lane_wait_h": Metric("road", "lane", True, float("inf"), "h"),
    "pickup_wait_h": Metric("road", "carrier", True, float("inf"), "h"),
    "free_trucks_share": Metric("road", "carrier", False, float("inf"), "share"),
    "outlet_days": Metric("road", "outlet", True, float("inf"), "d"),
    "courier_share": Metric("road", "outlet", False, 1.0, "share"),
    "packing_h": Metric("road", "merchants", True, float("inf"), "h"),
    "packing_share": Metric("road", "merchants", False, float("inf"), "share"),
    "stock_known_share": Metric("road", "place", False, 1.0, "share"),
}


class Action(NamedTuple):
    """What a plan can do: to what, the lever that it pulls, and the amounts that make sense."""

    part: Part
    scope: str
    lever: str
    least: float
    most: float
    meaning: str


ACTIONS: Mapping[str, Action] = {
    "scale": Action("site", "service", "capacity", 1.0, 10.0, "times a service's machines"),
    "simplify": Action("site", "service", "pace", 0.01, 1.0, "simpler answers in this share of the time"),
    "limit": Action("site", "service", "rate", 1.0, 1e9, "requests a second that a service takes"),
    "cap": Action("site", "service", "concurrency", 1.0, 1e9, "requests in a service at once"),
    "shed": Action("site", "service", "deadline", 0.001, 3600.0, "seconds in which a service must be able to answer"),
    "shorten": Action("site", "service", "queue", 1.0, 1e9, "waiting places of a service"),
    "steer": Action("site", "route", "route", 0.0, 10.0, "times the chance of one of a page's routes"),
    "retry_less": Action("site", "shoppers", "retries", 0.0, 15.0, "retries after a page's first try"),
    "retry_later": Action("site", "shoppers", "backoff", 1.0, 20.0, "times the waits before retries"),
    "widen": Action("site", "link", "bandwidth", 1.0, 20.0, "times a link's bandwidth"),
    "scrub": Action("site", "page", "visitors", 0.0, 1.0, "share of the visitors from outside that are let through"),
    "hire_sorters": Action("road", "hub", "sorting", 1.0, 5.0, "times a hub's sorting"),
    "rent_storage": Action("road", "hub", "storage", 1.0, 5.0, "times a hub's storage"),
    "open_docks": Action("road", "hub", "docks", 1.0, 10.0, "times a hub's docks"),
    "go_around": Action("road", "lane", "detour", 0.0, 0.0, "0: what is sorted goes around a lane"),
    "borrow_trucks": Action("road", "fleet", "trucks", 1.0, 5.0, "times a fleet's trucks"),
    "add_wagons": Action("road", "train", "wagons", 1.0, 10.0, "times a train's wagons: from road to rail"),
    "close_pickup": Action("road", "carrier", "pickup", 0.0, 0.0, "0: a carrier picks nothing up"),
    "hire_couriers": Action("road", "outlet", "couriers", 1.0, 5.0, "times what couriers deliver"),
    "hire_packers": Action("road", "merchants", "packing", 1.0, 10.0, "times the merchants' packing"),
    "recount": Action(
        "road", "place", "stock", 1.0, 10.0, "times the stock that the books know of, at most what is there"
    ),
    "print_labels": Action("road", "merchants", "labels", 1.0, 10.0, "times the share of labels that can be read"),
}
