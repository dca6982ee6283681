"""Small festivals with a cloud, for its tests: few shoppers on few machines, of which a tenth is simulated."""

import simpy

from sim.cloud import Cloud
from sim.festival import cloud_of, site_of
from sim.params.festival import FestivalParams
from sim.site.site import Site
from tests.site_case import festival

SMALL = [
    "demand.shoppers=20000",
    "demand.arrivals.crowd.shoppers=2000",
    "demand.arrivals.crowd.mean_delay_s=300",
    "scale=0.1",
    "site.cells=1",
    "site.client.retries=2",
    "site.changes=[]",
    *(
        f"site.services.{name}={{machines: {machines}, slots_per_machine: 2, queue: {queue}, timeout_s: 6}}"
        for name, machines, queue in (("venue", 40, 400), ("item", 40, 200), ("trade", 40, 400))
    ),
    "site.services.venue.service.mean_s=10",
    "site.services.item.service.mean_s=15",
    "site.services.trade.service.mean_s=20",
]
MACHINES = "{start_machines: 30, least_machines: 10, most_machines: 200, priority: %d}"
CLOUD = [
    "cloud.look_s=15",
    "cloud.boot_s=40",
    "cloud.check_s=2",
    "cloud.warm_up_s=20",
    "cloud.drain_s=5",
    "cloud.quota=150",
    "cloud.boot_failure_share=0.1",
    *(f"~cloud.services.{name}" for name in ("gateway", "search", "cart", "inventory", "payment")),
    *(f"cloud.services.{name}={MACHINES % level}" for name, level in (("venue", 0), ("item", 1), ("trade", 1))),
]


def small(policy: str, *overrides: str) -> FestivalParams:
    """Parameters of a small festival whose cloud has this policy."""
    return festival(f"cloud={policy}", *SMALL, *CLOUD, *overrides)


def run_cloud(params: FestivalParams, *, until_s: float | None = None, trace: bool = False) -> tuple[Site, Cloud]:
    """Site and cloud at the end of the day, or at an earlier instant."""
    env = simpy.Environment()
    site = site_of(env, params, trace=trace)
    cloud = cloud_of(env, params, site)
    assert cloud is not None
    env.run(until=site.horizon_s if until_s is None else until_s)
    site.bring_orders()
    return site, cloud
