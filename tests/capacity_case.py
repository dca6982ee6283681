"""A small plan for the tests, with a world whose figures follow from what is decided by a formula."""

from pathlib import Path
from typing import Any

import yaml

from sim.sweeps.plan import Task
from sim.sweeps.records import Record, done

PLAN = """
question: What is the least?
experiment: festival_2012
scale: 0.0001
seed: 1
overrides:
  - site.cells=1
  - site.changes=[]
variables:
  payment:
    label: payment servers
    unit: machines
    levels: {low: 2500, high: 20000, step: 2500}
    paths: {site.services.payment.machines: 1}
    owned: 2500
    price_rmb: 1000
  trade:
    label: trade servers
    unit: machines
    levels: {low: 2500, high: 10000, step: 2500}
    paths: {site.services.trade.machines: 1}
    price_rmb: 0
  couriers:
    label: couriers more
    unit: couriers
    levels: {low: 0, high: 100000, step: 10000}
    lever: add
    paths: {parcels.capacity.couriers_factor: 0.00001}
    price_rmb: 3000
  stock:
    label: forward stocking
    options:
      none: {label: with the merchants, overrides: [stock=off], price_rmb: 0}
      regional: {label: in the regions, overrides: [stock=regional], price_rmb: 50000000}
goals:
  - {figure: error_rate_busiest_minute, most: 0.01, probability: 0.8}
  - {figure: lead_time_median_h, most: 130, probability: 0.8}
together: 0.75
confidence: 0.95
costs: [cost_rmb]
inputs:
  size: {label: size of the day, kind: lognormal, median: 1.5, sigma: 0.1, paths: {demand.shoppers: 1}}
  hub_rate: {label: what the hubs sort, kind: uniform, low: 0.9, high: 1.1, paths: {parcels.capacity.sort_factor: 1}}
effort:
  days: 8
  first_days: 2
  screening_paths: 2
  screening_days: 1
  trials: 8
  batch: 4
  verification_days: 30
  verified_plans: 3
  frontier_days: 5
  frontier_plans: 1
  sensitivity_points: 2
afterwards: {label: as it was, overrides: [demand=tmall_2013], runs: 2}
"""


def values(**changes: Any) -> dict[str, Any]:
    """The plan file's values; a name with __ for a dot sets what is inside."""
    found: dict[str, Any] = yaml.safe_load(PLAN)
    for path, value in changes.items():
        *steps, last = path.split("__")
        node: Any = found
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        node[int(last) if isinstance(node, list) else last] = value
    return found


def file_of(folder: Path, **changes: Any) -> Path:
    """The plan as a file."""
    file = folder / "small.yaml"
    file.write_text(yaml.safe_dump(values(**changes), sort_keys=False), encoding="utf-8")
    return file


def formula(task: Task) -> Record:
    """A run that takes no time: more machines lose fewer pages, more couriers are quicker, larger days are worse."""
    settings = task.settings
    size = settings["demand"]["shoppers"] / 213e6
    chance = (settings["seed"] * 2654435761 % 1000) / 1000
    kpis: dict[str, Any] = {"seed": settings["seed"], "wall_s": 1.0, "peak_rss_bytes": 1, "cost_rmb": None}
    if settings["site"] is not None:
        machines = settings["site"]["services"]["payment"]["machines"]
        kpis["error_rate_busiest_minute"] = max(size * (1 + 0.02 * chance) - machines / 6000, 0.0)
    if settings["parcels"] is not None:
        capacity = settings["parcels"]["capacity"]
        hours = (
            140 * size
            - 60 * capacity["couriers_factor"]
            - 10 * capacity["sort_factor"]
            - 5 * (settings["stock"] is not None)
        )
        kpis |= {"lead_time_median_h": hours + chance, "cost_rmb": 1e8 * size}
    return done(task.key, kpis, "here")
