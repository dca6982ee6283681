"""The rehearsal: the site's first minutes three times over, on common random numbers, before the day itself.

RehearsalParams.cases(site) --> no fault       --+
                            |-> fault          --+--> rehearsal_cases, rehearsal_seconds
                            '-> fault and plan --+

All cases have the same shoppers with the same arrivals, wishes and patience, so that whatever differs between two of them comes
of the fault or of the plan.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import simpy

from sim.params.festival import FestivalParams
from sim.params.rehearsal import Case, RehearsalParams
from sim.records import table
from sim.site.site import Site

SiteOf = Callable[[simpy.Environment, FestivalParams], Site]
_OF_DEMAND = ("requests", "retries", "orders", "gmv_rmb", "orders_lost", "lost_rmb")
_OF_SERVICE = ("arrivals", "served", "rejected", "timed_out", "queue", "busy")


def rehearse(params: FestivalParams, site_of: SiteOf) -> dict[str, pd.DataFrame]:
    """Simulate the cases of a run's rehearsal; no tables when the run has none.

    Parameters
    ----------
    params : of the run, checked
    site_of : builds a site on an environment
    """
    if params.rehearsal is None or params.site is None:
        return {}
    rehearsal, cases = params.rehearsal, params.rehearsal.cases(params.site)
    seconds = [_seconds(site_after(params, case, site_of), rehearsal) for case in cases]
    names = [case.name for case in cases]
    joined: dict[str, object] = {name: np.concatenate([columns[name] for columns in seconds]) for name in seconds[0]}
    joined["case"] = pd.Categorical.from_codes(np.repeat(range(len(cases)), seconds[0]["second_s"].size), names)
    return {"rehearsal_cases": _cases(cases, rehearsal), "rehearsal_seconds": table("rehearsal_seconds", joined)}


def site_after(params: FestivalParams, case: Case, site_of: SiteOf) -> Site:
    """The site of one case at the end of the rehearsal."""
    assert params.rehearsal is not None
    env = simpy.Environment()
    site = site_of(env, params.model_copy(update={"site": case.site, "scale": params.rehearsal.scale}))
    env.run(until=params.rehearsal.until_s)
    site.advance()
    return site


def _seconds(site: Site, rehearsal: RehearsalParams) -> dict[str, np.ndarray]:
    """What happened on the site and at the service with the fault, second by second."""
    tables = site.tables()
    at_service = tables["site_seconds"][tables["site_seconds"]["service"] == rehearsal.fault.service]
    second_s = np.arange(int(np.ceil(rehearsal.until_s)))
    columns = {"second_s": second_s}
    for rows, names in ((tables["demand_seconds"], _OF_DEMAND), (at_service, _OF_SERVICE)):
        at = rows["second_s"].to_numpy()
        for name in names:
            values = rows[name].to_numpy()
            columns[name] = np.zeros(second_s.size, values.dtype)
            columns[name][at] = values
    return columns


def _cases(cases: tuple[Case, ...], rehearsal: RehearsalParams) -> pd.DataFrame:
    """The table of the cases."""
    fault = rehearsal.fault
    struck = np.array([case.has_fault for case in cases])
    columns: dict[str, object] = {
        "case": [case.name for case in cases],
        "scale": np.full(len(cases), rehearsal.scale),
        "service": np.repeat(fault.service, len(cases)),
        "machines": [case.site.services[fault.service].machines for case in cases],
        "fault_machines": np.where(struck, fault.machines, np.nan),
        "fault_from_s": np.where(struck, fault.from_s, np.nan),
        "fault_until_s": np.where(struck, fault.until_s, np.nan),
        "plan": [case.plan for case in cases],
    }
    return table("rehearsal_cases", columns)
