"""The report's table of the cloud: what each service ordered, and what it cost."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sim.metrics.cloud import service_costs
from sim.plots.style import quantity
from sim.report.rows import Table, have


def machines(tables: Mapping[str, pd.DataFrame], params: Mapping[str, Any]) -> Table | None:
    """One row a service of the cloud."""
    if not have(tables, "machines"):
        return None
    cloud = params.get("cloud") or {}
    described = cloud.get("services") or {}
    costs = service_costs(tables["machines"])
    rows: list[tuple[str, ...]] = [
        (
            str(row.service),
            _policy(described.get(row.service, {}).get("policy") or cloud.get("policy") or {}),
            f"{row.start:,}",
            f"{row.most:,}",
            f"{row.ordered:,}",
            f"{row.failed:,}",
            quantity(row.machine_h),
            quantity(row.cost_rmb),
        )
        for row in costs.itertuples()
    ]
    total = ("all", "", *(f"{costs[name].sum():,}" for name in ("start", "most", "ordered", "failed")))
    rows.append((*total, quantity(costs["machine_h"].sum()), quantity(costs["cost_rmb"].sum())))
    header = ("", "policy", "at 00:00", "most at once", "ordered", "boots failed", "machine hours", "cost, RMB")
    note = (
        "Machines of the real day. A machine is paid from its order to its stop, while it boots and drains too. The most of all "
        "services is the sum of each one’s own."
    )
    return Table("Machines by the hour", header, rows, note)


def _policy(policy: Mapping[str, Any]) -> str:
    """A policy in a few words: "target of 50 % concurrency"."""
    kind = str(policy.get("kind", ""))
    if kind == "target":
        return f"target of {100 * policy['target_share']:g} % {policy['metric']}"
    if kind == "predictive":
        return f"forecast, {100 * policy['target_share']:g} % of the slots"
    if kind == "threshold":
        return f"above {100 * policy['up_above_share']:g} %, below {100 * policy['down_below_share']:g} % {policy['metric']}"
    return kind
