"""What shoppers need of the site at the moment of the drills, by which the library's faults are made grave enough to be felt."""

from sim.contingency.site_templates import Usual
from sim.demand.expected import page_requests_per_s
from sim.params.festival import FestivalParams
from sim.params.links import CHANNELS, Channel

AT_S, LASTS_S = 600, 120  # from ten minutes after midnight on, as long as a fault lasts


def usual_loads(festival: FestivalParams) -> Usual:
    """Expected loads of a festival's site, as shares of its capacities, while no request fails or waits."""
    site, demand = festival.site, festival.demand
    assert site is not None
    span = slice(AT_S, AT_S + LASTS_S)
    pages_per_s = {page: float(per_s[span].mean()) for page, per_s in page_requests_per_s(demand).items()}
    busy = dict.fromkeys(site.services, 0.0)
    for page, ways in site.pages.items():
        for way in ways:
            for name in way.services:
                service = site.services[name]
                busy[name] += way.share * pages_per_s[page] * service.service.expected_s / service.slots
    link_share = {}
    if site.links is not None:
        channel_share: dict[Channel, float] = {"pc": 1.0 - demand.wireless_share, "wireless": demand.wireless_share}
        for region, share in demand.regions.items():
            for channel in CHANNELS:
                bit_per_s = sum(8e3 * size[channel] * pages_per_s[page] for page, size in site.links.page_kbyte.items())
                needed = bit_per_s * share * channel_share[channel]
                link_share[f"{region}/{channel}"] = needed / site.links.bandwidth_bit_per_s(region, channel)
    return Usual(sum(pages_per_s.values()), busy, link_share)
