"""What the report says about the rehearsal: what the fault did, for how long after it was over, and what the plan saves."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sim.metrics.rehearsal import outcomes
from sim.plots.rehearsal import span
from sim.plots.style import quantity
from sim.report.answers import kept_together
from sim.report.rows import Table
from sim.units import clock

Tables = Mapping[str, pd.DataFrame]


class Finding(NamedTuple):
    """A question, its answer in a sentence, and what happened: without the plan, and with it."""

    question: str
    verdict: str
    paragraphs: tuple[str, ...]


def rehearsal(tables: Tables) -> Finding | None:
    """What the rehearsal found; None when nothing was rehearsed."""
    fared = _fared(tables)
    if fared is None:
        return None
    cases = tables["rehearsal_cases"]
    case, planned_case = cases.iloc[1], cases.iloc[2]
    calm, fault, planned = fared.itertuples(index=False)
    service = case["service"]
    machines, left = int(case["machines"]), int(case["fault_machines"])
    minutes = span(float(tables["rehearsal_seconds"]["second_s"].max()) + 1.0)
    without = [
        f"The first {minutes} were simulated three times, each time with the same shoppers{_part(case['scale'])}, who press "
        "again when a page does not come; what differs from the site of the run is listed below under rehearsal.site.",
        f"Without a fault {service} answers up to {quantity(calm.peak_in_time)} requests a second in time, and "
        f"{_lost(calm)}.",
        f"In the second case {left:,} of its {machines:,} machines are left from "
        f"{clock(case['fault_from_s'])[-8:]} to {clock(case['fault_until_s'])[-8:]}.",
        *_what_the_fault_does(service, fault),
    ]
    duration = span(case["fault_until_s"] - case["fault_from_s"])
    return Finding(
        f"What if {service} loses {machines - left:,} of {machines:,} machines for {duration}?",
        _verdict(fault, planned),
        tuple(
            kept_together(" ".join(sentences))
            for sentences in (without, _what_the_plan_does(str(planned_case["plan"]), fault, planned))
        ),
    )


def rehearsal_rows(tables: Tables) -> Table | None:
    """The cases side by side."""
    fared = _fared(tables)
    if fared is None:
        return None
    rows = [
        (
            row.case.capitalize(),
            quantity(row.peak_offered),
            f"{100 * row.too_late_share:.1f} %",
            "–" if not row.down_s else span(row.down_s) if np.isfinite(row.down_s) else "to the end",
            quantity(row.orders),
            quantity(row.orders_lost),
            quantity(row.lost_rmb),
        )
        for row in fared.itertuples()
    ]
    header = (
        "",
        "offered/s, peak",
        "finished too late",
        "down after the fault",
        "orders paid",
        "orders lost",
        "value lost, RMB",
    )
    note = (
        "Peaks are means of ten seconds. Down: fewer than half of the requests that the service finished were still waited "
        "for. An order is lost when its shopper leaves because pages fail; those who leave lose all that they still wanted."
    )
    return Table("The three cases", header, rows, note)


def _fared(tables: Tables) -> pd.DataFrame | None:
    cases, seconds = tables.get("rehearsal_cases"), tables.get("rehearsal_seconds")
    if cases is None or seconds is None or cases.empty or seconds.empty:
        return None
    return outcomes(cases, seconds)


def _verdict(fault: Any, planned: Any) -> str:
    if not fault.down_s:
        return "The fault ends with its cause."
    if not planned.down_s:
        return "It collapses and stays down long after the machines are back; the plan avoids that."
    better = planned.down_s < fault.down_s or planned.orders_lost < fault.orders_lost
    return (
        f"It collapses and stays down after the machines are back; the plan {'helps' if better else 'does not help'}."
    )


def _what_the_fault_does(service: str, fault: Any) -> list[str]:
    if not fault.down_s:
        return [f"When they are back, {service} answers in time again at once; {_lost(fault)}."]
    back = np.isfinite(fault.down_s)
    stays = f"for another {span(fault.down_s)}" if back else "to the end of the rehearsal"
    return [
        f"When all are back, {service} stays down {stays}: it works as hard as it can, but for browsers that have given "
        f"up, whose shoppers come again, up to {quantity(fault.peak_offered)} requests a second in all.",
        "Overload and retries keep each other alive, a metastable failure (Bronson et al. 2021)"
        f"{', until the shoppers have had enough' if back else ''}: {_lost(fault)}.",
    ]


def _what_the_plan_does(plan: str, fault: Any, planned: Any) -> list[str]:
    if not planned.down_s:
        again = "requests are answered in time as soon as the machines are back"
    elif np.isfinite(planned.down_s):
        again = f"it is down for {span(planned.down_s)} after the machines are back"
    else:
        again = "it does not come back before the end of the rehearsal"
    sentences = [f"The plan: {plan.replace('; ', ' and ')}. With it {again}, and {_lost(planned)}."]
    if not planned.down_s and _shortens_queues(plan):
        sentences.append("What a shorter queue turns away would only have been answered too late.")
    saved = fault.orders_lost - planned.orders_lost
    worth = f"{quantity(saved)} orders worth RMB {quantity(fault.lost_rmb - planned.lost_rmb)}"
    return [*sentences, f"The plan saves {worth}." if saved > 0 else "The plan saves no orders."]


def _shortens_queues(plan: str) -> bool:
    """Whether all that a plan does is to make queues shorter."""
    changes = [re.fullmatch(r"services\.\w+\.queue ([\d,]+) → ([\d,]+)", change) for change in plan.split("; ")]
    return all(change and _number(change[2]) < _number(change[1]) for change in changes)


def _part(scale: float) -> str:
    return "" if scale == 1 else f", one in {quantity(1 / scale)} of the crowd"


def _lost(outcome: Any) -> str:
    if not outcome.orders_lost:
        return "no order is lost"
    return (
        f"{quantity(outcome.orders_lost)} orders worth RMB {quantity(outcome.lost_rmb)} are lost, "
        f"{_percent(outcome.lost_share)} of those wanted"
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "less than 0.1 %"


def _number(text: str) -> int:
    return int(text.replace(",", ""))
