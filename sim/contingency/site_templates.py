"""Templates of the site's plans, as grave as the site's capacity at the moment of the drills makes them felt.

Delays and amounts are assumed: what machines tell is acted on after half a minute, what people have to look into after one.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sim.contingency.check import Scopes
from sim.contingency.library import Answer, Notice, Template
from sim.params.contingency import Owner
from sim.params.links import Channel
from sim.params.site import SiteParams

_HALF_MINUTE_S, _MINUTE_S = 30.0, 60.0
_GUARD = Notice("failed_share", "site", 0.6, 0.0)
_SLOWER = 1.5  # times the usual service time; assumed: what tells a slower service from chance in ten seconds
_MORE = 1.25  # times the expected requests: more than that is no crowd of shoppers
_TIGHT = (0.8, 0.6, 0.4)  # of what shoppers need; assumed: some are turned away, many, or most
_QUEUEING = 0.4  # of the slots in use, from which on a small run's service has a queue at times
_FEW_LINES = 1000  # a link with fewer is one line in a drill at a thousandth, and not the same share of its load


class Usual(NamedTuple):
    """What shoppers need at the moment of the drills, of the real day."""

    requests_per_s: float  # pages
    busy_share: Mapping[str, float]  # of each service's slots
    link_share: Mapping[str, float]  # of each link's bandwidth


def site_templates(site: SiteParams, scopes: Scopes, usual: Usual) -> Iterator[Template]:
    """Templates of all kinds of faults of a site."""
    for name in site.services:
        yield from _of_service(site, name, usual.busy_share[name])
    for name in scopes.get("gateway", ()):
        yield from _of_gateway(site, name)
    yield from _of_rooms(site, scopes)
    yield from _of_visitors(site, scopes, usual.requests_per_s)
    yield from _of_links(site, scopes, usual.link_share)
    yield from _of_shoppers(site, scopes)


def _of_service(site: SiteParams, name: str, busy_share: float) -> Iterator[Template]:
    grave, broken = (0.5, 0.75, 0.9), (0.5, 0.9)
    capacity = [_scale(name, 2.0), _scale(name, 4.0), _simplify(name, 0.2)]
    gone = Notice("working_share", name, 0.95, _HALF_MINUTE_S)
    yield Template("machines_down", name, grave, gone, capacity, "machine room engineer", _GUARD)
    yield Template("rack_down", name, (1.0,), gone, capacity, "machine room engineer", _GUARD)
    slower = _slower(site, name)
    slow = [_simplify(name, 0.1), _scale(name, 3.0), _shed(site, name)]
    for kind, owner in _SLOW.items():
        yield Template(kind, name, broken, slower, slow, owner, _GUARD)
    refused = Notice("refused_share", name, 0.02, _HALF_MINUTE_S)
    fewer = [_simplify(name, 0.2), _later(2.0)]
    yield Template("pool_exhausted", name, (0.6, 0.9), refused, fewer, "release manager", _GUARD)
    yield Template("limit_misset", name, _short_of(busy_share), refused, fewer, "release manager", _GUARD)
    if busy_share >= _QUEUEING:
        more = [_scale(name, 2.0), _later(2.0)]
        yield Template("queue_misset", name, (0.999, 0.9999), refused, more, "release manager", _GUARD)
    yield Template(
        "clock_skew", name, (1.0,), refused, [_simplify(name, 0.2), _scale(name, 2.0)], "machine room engineer", _GUARD
    )
    errors = [_later(3.0), _retries(1.0)]
    yield Template("bad_release_errors", name, (0.1, 0.4), refused, errors, "release manager", _GUARD)


def _short_of(needed_share: float) -> list[float]:
    """How much of a capacity must be lost to leave too little, of which shoppers need a share."""
    return [round(1.0 - left * min(1.0, needed_share), 3) for left in _TIGHT]


def _slower(site: SiteParams, name: str) -> Notice:
    return Notice("service_s", name, round(_SLOWER * site.services[name].service.expected_s, 4), _MINUTE_S)


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
    answers = [*past, _shed(site, name)]
    yield Template("bank_hangs", name, severities, _slower(site, name), answers, "payment engineer", _GUARD)


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


def _of_visitors(site: SiteParams, scopes: Scopes, requests_per_s: float) -> Iterator[Template]:
    crowd = Notice("requests_per_s", "site", round(_MORE * requests_per_s, -3), _HALF_MINUTE_S)
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


def _of_links(site: SiteParams, scopes: Scopes, link_share: Mapping[str, float]) -> Iterator[Template]:
    for link in scopes.get("link", ()):
        full = Notice("link_share", link, 0.85, _MINUTE_S)
        widen = [Answer("widen", link, times, "another provider's line carries the pages") for times in (2.0, 5.0)]
        region = link.split("/")[0]
        severities = _short_of(link_share[link])
        assert site.links is not None
        channel: Channel = "wireless" if link.endswith("/wireless") else "pc"
        lines = 1e-6 * site.links.bandwidth_bit_per_s(region, channel) / site.links.line_mbit_per_s[channel]
        if lines < _FEW_LINES:
            severities = [round(1.0 - 0.1 * link_share[link], 3)]
        yield Template("link_loss", link, severities, full, widen, "network engineer", _GUARD)
        for kind, owner in _REGION.items():
            yield Template(kind, region, severities, full, widen, owner, _GUARD)


_REGION: dict[str, Owner] = {"region_loss": "network engineer", "bandwidth_attack": "security engineer"}


def _of_shoppers(site: SiteParams, scopes: Scopes) -> Iterator[Template]:
    failed = Notice("failed_share", "site", 0.01, _HALF_MINUTE_S)
    for who in scopes.get("shoppers", ()):
        calm = [_later(5.0), _later(10.0), _retries(1.0)]
        yield Template("retry_storm", who, (1.0,), failed, calm, "release manager", _GUARD)
    for way in scopes.get("route", ()):
        page, _, number = way.partition("/")
        others = {name for other in site.pages[page] for name in other.services}
        for name in sorted(others - set(site.pages[page][int(number)].services)):  # it must take them all
            waits = Notice("busy_share", name, 0.9, _MINUTE_S)
            more = [_scale(name, 2.0), _scale(name, 3.0)]
            yield Template("route_lost", way, (0.5, 1.0), waits, more, "payment engineer", _GUARD)


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
