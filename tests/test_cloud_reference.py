"""The site with its cloud against the plain SimPy model, request by request and machine by machine."""

import numpy as np
import pytest

from experiments._reference.cloud import ReferenceCloud
from sim.cloud.machines import STOPPED
from tests.cloud_case import run_cloud, small
from tests.site_case import calls_of

UNTIL_S = 5400.0
STEPS = "[{at_s: 0, service: venue, machines: 80}, {at_s: 100, service: venue, machines: 20}]"
CASES = {
    "target": ["target"],
    "threshold in three cells": [
        "threshold",
        "site.cells=3",
        "cloud.boot_cv=0",
        "cloud.policy.cool_down_s=30",
        "cloud.warm_up_s=0",
    ],
    "predictive, scheduled, machines with queues of their own": [
        "predictive",
        "cloud.policy.ahead_s=60",
        "+cloud.services.venue.policy={kind: scheduled, ahead_s: 60}",
        f"+cloud.services.venue.policy.steps={STEPS}",
        "+site.services.item.dispatch=two_choices",
        "+site.services.trade.dispatch=least_connections",
    ],
}


@pytest.mark.parametrize("overrides", CASES.values(), ids=CASES)
def test_requests_and_machines_have_the_same_instants_as_in_plain_simpy(overrides: list[str]) -> None:
    params = small(*overrides)
    reference = ReferenceCloud(params)
    reference.env.run(until=UNTIL_S)
    site, cloud = run_cloud(params, until_s=UNTIL_S, trace=True)
    expected = np.array(sorted(reference.calls, key=lambda call: call[:4]), dtype=np.float64)
    np.testing.assert_array_equal(calls_of(site), expected)
    for service, farm in enumerate(reference.farms):
        rows = cloud.machines.rows[cloud.machines.rows["service"] == service]
        assert rows["ordered_s"].tolist() == [machine.ordered_s for machine in farm.machines]
        stopped_s = [np.nan if machine.stopped_s is None else machine.stopped_s for machine in farm.machines]
        np.testing.assert_array_equal(rows["stopped_s"], stopped_s)
    last = cloud.table().groupby("service", observed=False, sort=False)["machine_h"].last()
    assert last[cloud.services].tolist() == pytest.approx(reference.machine_h(UNTIL_S), rel=1e-12)
    assert cloud.machines.rows.size > 120, "nothing was ordered"
    assert (np.sum(cloud.machines.counts, axis=0)[STOPPED:] > 0).all(), "nothing was drained, or no boot failed"
