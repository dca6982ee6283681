"""Templates of the site's plans. Thresholds, delays and amounts are assumed: what machines tell is acted on after half a minute,
what people have to look into after one."""

from collections.abc import Iterator

from sim.contingency.check import Scopes
from sim.contingency.library import Answer, Notice, Template
from sim.params.contingency import Owner
from sim.params.site import SiteParams

_HALF_MINUTE_S, _MINUTE_S = 30.0, 60.0
_GUARD = Notice("failed_share", "site", 0.6, 0.0)
_USUAL_REQUESTS_PER_S = 150_000.0  # more than this is no crowd of shoppers ten minutes after midnight


def site_templates(site: SiteParams, scopes: Scopes) -> Iterator[Template]:
    """Templates of all kinds of faults of a site."""
    for name in site.services:
        yield from _of_service(site, name)
    for name in scopes.get("gateway", ()):
        yield from _of_gateway(site, name)
    yield from _of_rooms(site, scopes)
    yield from _of_visitors(site, scopes)
    yield from _of_links(scopes)
    yield from _of_shoppers(site, scopes)


def _of_service(site: SiteParams, name: str) -> Iterator[Template]:
    grave, broken = (0.5, 0.75, 0.9), (0.5, 0.9)
    capacity = [_scale(name, 2.0), _scale(name, 4.0), _simplify(name, 0.2)]
    gone = Notice("working_share", name, 0.95, _HALF_MINUTE_S)
    yield Template("machines_down", name, grave, gone, capacity, "machine room engineer", _GUARD)
    yield Template("rack_down", name, (1.0,), gone, capacity, "machine room engineer", _GUARD)
    busy = Notice("busy_share", name, 0.9, _MINUTE_S)
    slow = [_simplify(name, 0.1), _scale(name, 3.0), _shed(site, name)]
    for kind, owner in _SLOW.items():
        yield Template(kind, name, broken, busy, slow, owner, _GUARD)
    refused = Notice("refused_share", name, 0.02, _HALF_MINUTE_S)
    for kind in ("pool_exhausted", "limit_misset"):
        yield Template(kind, name, (0.6, 0.9), refused, [_simplify(name, 0.2), _later(2.0)], "release manager", _GUARD)
    yield Template(
        "queue_misset", name, (0.999, 0.9999), refused, [_scale(name, 2.0), _later(2.0)], "release manager", _GUARD
    )
    yield Template(
        "clock_skew", name, (1.0,), refused, [_simplify(name, 0.2), _scale(name, 2.0)], "machine room engineer", _GUARD
    )
    errors = [_later(3.0), _retries(1.0)]
    yield Template("bad_release_errors", name, (0.1, 0.4), refused, errors, "release manager", _GUARD)


_SLOW: dict[str, Owner] = {
    "slow_dependency": "site duty officer",
    "cache_loss": "database engineer",
    "bad_release": "release manager",
    "memory_leak": "release manager",
}


def _of_gateway(site: SiteParams, name: str) -> Iterator[Template]:
    """A service that only some ways of a page need: shoppers can be steered past it."""
    ways = [
        (f"{page}/{number}", way)
        for page, several in site.pages.items()
        for number, way in enumerate(several)
        if len(several) > 1 and name in way.services and any(name not in other.services for other in several)
    ]
    past = [
        Answer("steer", way, amount, f"shoppers pay another way than through {name}")
        for way, _ in ways
        for amount in (0.0, 0.2, 0.5)
    ]
    severities = (0.5, 0.75, 0.9, 1.0)
    gone = Notice("working_share", name, 0.95, _HALF_MINUTE_S)
    yield Template("bank_lines_down", name, severities, gone, [*past, _scale(name, 2.0)], "payment engineer", _GUARD)
    busy = Notice("busy_share", name, 0.95, _MINUTE_S)
    yield Template("bank_hangs", name, severities, busy, [*past, _shed(site, name)], "payment engineer", _GUARD)


def _of_rooms(site: SiteParams, scopes: Scopes) -> Iterator[Template]:
    for room in scopes.get("room", ()):
        for kind in ("room_cooling", "room_power"):
            for name in site.services:
                gone = Notice("working_share", name, 0.9, _HALF_MINUTE_S)
                answers = [_scale(name, 1.4), _simplify(name, 0.5)]
                yield Template(kind, room, (1.0,), gone, answers, "machine room engineer", _GUARD)
    for cell in scopes.get("cell", ()):
        for name in site.services:
            gone = Notice("working_share", name, 0.95, _HALF_MINUTE_S)
            yield Template("cell_down", cell, (0.5, 0.9), gone, [_scale(name, 2.0)], "machine room engineer", _GUARD)


def _of_visitors(site: SiteParams, scopes: Scopes) -> Iterator[Template]:
    crowd = Notice("requests_per_s", "site", _USUAL_REQUESTS_PER_S, _HALF_MINUTE_S)
    for page in scopes.get("page", ()):
        last = site.pages[page][0].services[-1]
        scrub = [
            Answer("scrub", page, share, "most of the visits from outside are turned away") for share in (0.02, 0.2)
        ]
        answers = [*scrub, _scale(last, 4.0), _simplify(last, 0.1)]
        yield Template("request_attack", page, (0.3, 0.6, 1.0), crowd, answers, "security engineer", _GUARD)
        spread = [_scale(last, 3.0), _simplify(last, 0.2), scrub[1]]
        for kind in ("red_packet_storm", "hot_item"):
            yield Template(kind, page, (0.6, 1.0), crowd, spread, "site duty officer", _GUARD)


def _of_links(scopes: Scopes) -> Iterator[Template]:
    for link in scopes.get("link", ()):
        full = Notice("link_share", link, 0.85, _MINUTE_S)
        widen = [Answer("widen", link, times, "another provider's line carries the pages") for times in (2.0, 5.0)]
        yield Template("link_loss", link, (0.8, 0.95), full, widen, "network engineer", _GUARD)
        region = link.split("/")[0]
        for kind, owner in _REGION.items():
            yield Template(kind, region, (0.8, 0.95), full, widen, owner, _GUARD)


_REGION: dict[str, Owner] = {"region_loss": "network engineer", "bandwidth_attack": "security engineer"}


def _of_shoppers(site: SiteParams, scopes: Scopes) -> Iterator[Template]:
    failed = Notice("failed_share", "site", 0.01, _HALF_MINUTE_S)
    for who in scopes.get("shoppers", ()):
        calm = [_later(5.0), _later(10.0), _retries(1.0)]
        yield Template("retry_storm", who, (0.5, 0.75, 1.0), failed, calm, "release manager", _GUARD)
    for way in scopes.get("route", ()):
        page = way.split("/")[0]
        last = site.pages[page][-1].services[-1]
        waits = Notice("busy_share", last, 0.9, _MINUTE_S)
        yield Template(
            "route_lost", way, (0.5, 1.0), waits, [_scale(last, 2.0), _scale(last, 3.0)], "payment engineer", _GUARD
        )


def _scale(name: str, times: float) -> Answer:
    return Answer("scale", name, times, f"{name} has machines enough again")


def _simplify(name: str, share: float) -> Answer:
    return Answer("simplify", name, share, f"{name} answers all with what it has left")


def _shed(site: SiteParams, name: str) -> Answer:
    deadline_s = 2.0 + 3.0 * site.services[name].service.expected_s
    return Answer("shed", name, round(deadline_s, 3), f"{name} works only for those who still wait")


def _later(times: float) -> Answer:
    return Answer("retry_later", "shoppers", times, "who was refused comes back when there is room")


def _retries(most: float) -> Answer:
    return Answer("retry_less", "shoppers", most, "retries do not add to the load")
