"""The plan library: typed templates x scopes x severities -> 2,000 distinct plans, each of which can be drilled.

templates (`site_templates`, `road_templates`): a fault, how it is noticed, what answers it -> one plan for each severity, answer
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sim.params.base import build
from sim.params.contingency import Owner, PlanParams
from sim.params.contingency_kinds import KINDS, Part
from sim.units import HOUR_S, MINUTE_S

PLANS = 2000
# assumed: faults of the site last two minutes, long enough to act; those of the road a day and a half
_LASTS_S: dict[Part, float] = {"site": 2 * MINUTE_S, "road": 36 * HOUR_S}
_COURSE_S: dict[Part, float] = {"site": MINUTE_S, "road": 12 * HOUR_S}  # assumed: half of that, or a third
_WINDOW_S: dict[Part, float] = {"site": 10.0, "road": HOUR_S}  # assumed: what a duty officer's screen shows
_UNDO_S: dict[Part, float] = {"site": MINUTE_S, "road": 12 * HOUR_S}  # assumed: so long it must have been well


class Notice(NamedTuple):
    """How a fault is noticed: a metric beyond a threshold, and how long it takes until somebody acts."""

    metric: str
    at: str
    threshold: float
    delay_s: float


class Answer(NamedTuple):
    """What a plan does, where, how much of it, and what that should bring."""

    kind: str
    where: str
    amount: float
    expects: str


class Template(NamedTuple):
    """One fault at several severities, how it is noticed, what may be done about it, who decides, and what must not get worse."""

    kind: str
    where: str
    severities: Sequence[float]
    notice: Notice
    answers: Sequence[Answer]
    owner: Owner
    guard: Notice


def made(templates: Iterable[Template]) -> Iterator[PlanParams]:
    """The distinct plans of templates, in their order."""
    seen = set()
    for one in templates:
        for severity, answer in itertools.product(one.severities, one.answers):
            plan = _plan(one, severity, answer)
            if plan.key not in seen:
                seen.add(plan.key)
                yield plan


def library(of_site: Iterable[Template], of_road: Iterable[Template], most: int = PLANS) -> list[PlanParams]:
    """So many distinct plans: half of them of the site, where there are as many, the rest of the road."""
    site = list(itertools.islice(made(of_site), most // 2))
    return site + list(itertools.islice(made(of_road), most - len(site)))


def _plan(one: Template, severity: float, answer: Answer) -> PlanParams:
    known = KINDS[one.kind]
    part = known.part
    words = [one.kind, one.where, f"{100 * severity:g}", answer.kind, answer.where, f"{answer.amount:g}"]
    if one.notice.at not in (one.where, answer.where, "site"):
        words.append(one.notice.at)
    return build(
        PlanParams,
        {
            "id": "-".join(words).replace("/", ".").replace("_", "-").replace(" ", ""),
            "owner": one.owner,
            "fault": {
                "kind": one.kind,
                "where": one.where,
                "severity": severity,
                "lasts_s": _LASTS_S[part],
                "course": known.course,
                "course_s": 0.0 if known.course == "step" else _COURSE_S[part],
            },
            "detect": {
                "metric": one.notice.metric,
                "at": one.notice.at,
                "threshold": one.notice.threshold,
                "window_s": _WINDOW_S[part],
                "delay_s": one.notice.delay_s,
            },
            "act": {"kind": answer.kind, "where": answer.where, "amount": answer.amount},
            "guard": {
                "metric": one.guard.metric,
                "at": one.guard.at,
                "threshold": one.guard.threshold,
                "window_s": _WINDOW_S[part],
            },
            "undo_s": _UNDO_S[part],
            "expects": answer.expects,
        },
    )
