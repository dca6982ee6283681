"""One drill and its verdict: the same moment without the fault, with it, and with it and the plan, on common random numbers."""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sim.drills.branch import Arrays, branched
from sim.drills.stage import FAULT, Stage
from sim.kernels.recorders import ORDERS_LOST, PAGES_REJECTED, PAGES_SERVED, PAGES_TIMED_OUT
from sim.kernels.station_state import REJECTED, TIMED_OUT
from sim.metrics.drills import VERDICTS
from sim.params.contingency import PlanParams

UNNOTICED, NOTICED, WORSE, NEVER, UNPROVEN, STOPPED = VERDICTS
_Z = 1.959963984540054  # of a 95 % interval
_STRIP_S = 5


class Terms(NamedTuple):
    """What users would not notice."""

    bad_pages_share: float  # more pages than without the fault that fail or are slow
    late_parcels_share: float  # parcels that come later than without the fault by more than late_h
    late_h: float


class Way(NamedTuple):
    """One way on from the moment, seen from the user's side against the way without a fault."""

    bad: int  # pages that failed or were slow, parcels that are late
    all: int
    extra_share: float  # of bad ones over the way without a fault
    low: float  # of its 95 % interval
    high: float
    orders_lost: int
    delay_h: float  # mean over the parcels
    strip: list[float]  # share of failed pages in each five seconds
    fails_at: str  # service that refuses most above the way without a fault; "": none, or the road


class Steps(NamedTuple):
    """A plan's first detection and action, last calm and undoing, in seconds from the fault's onset; None: never."""

    detect_s: float | None
    act_s: float | None
    well_s: float | None
    undone_s: float | None
    guard_tripped: bool


class Drill(NamedTuple):
    """What a drill has shown."""

    plan: PlanParams
    verdict: str
    proof: int  # seconds in which services or links did not do what they do without the fault; parcels signed at another time
    steps: Steps
    without: Way  # with the fault alone
    planned: Way  # with the fault and the plan
    usual: Way  # without a fault
    diary: list[list[Any]]

    @property
    def spared_share(self) -> float:
        """Share of the damage that the plan spared; NaN when there was none."""
        lost = self.without.extra_share
        return (lost - self.planned.extra_share) / lost if lost > 0 else math.nan


def drilled(stage: Stage, plan: PlanParams, usual: Arrays, without: Arrays, terms: Terms) -> Drill:
    """Drill one plan from a stage at its moment, given the way without a fault and that with the fault alone."""
    return judged(plan, usual, without, branched(lambda: stage.go(plan.fault, plan)), terms)


def judged(plan: PlanParams, usual: Arrays, without: Arrays, planned: Arrays, terms: Terms) -> Drill:
    """The drill of three ways."""
    diary = json.loads(str(planned["diary"]))
    steps = steps_of(diary, plan.id)
    alone, both, never = (way_of(arrays, usual, terms) for arrays in (without, planned, usual))
    proof = _proof(without, usual)
    tolerance = terms.bad_pages_share if plan.part == "site" else terms.late_parcels_share
    stopped = any(entry[2] == STOPPED for entry in diary)
    return Drill(
        plan,
        _verdict(alone, both, proof, tolerance, fired=steps.act_s is not None, stopped=stopped),
        proof,
        steps,
        alone,
        both,
        never,
        diary,
    )


def steps_of(diary: list[list[Any]], who: str) -> Steps:
    """The steps of a plan in a drill's diary."""
    onset_s = next((time_s for time_s, name, what, _ in diary if (name, what) == (FAULT, "struck")), math.nan)

    def times(what: str) -> list[float]:
        return [entry[0] - onset_s for entry in diary if entry[1:3] == [who, what]]

    first = [next(iter(times(what)), None) for what in ("detected", "acted")]
    last = [next(reversed(times(what)), None) for what in ("well", "undone")]
    return Steps(first[0], first[1], last[0], last[1], bool(times("guard tripped")))


def way_of(arrays: Arrays, usual: Arrays, terms: Terms) -> Way:
    """One way as users see it."""
    if "demand" in arrays:
        bad, total = _bad_pages(arrays)
        usually_bad, usually = _bad_pages(usual)
        low, high = difference_interval(bad, total, usually_bad, usually)
        extra = _share(bad, total) - _share(usually_bad, usually)
        demand = arrays["demand"]
        lost = int(demand[:, ORDERS_LOST].sum()) - int(usual["demand"][:, ORDERS_LOST].sum())
        return Way(bad, total, extra, low, high, lost, 0.0, _strip(demand), _fails_at(arrays, usual))
    _, ours, theirs = np.intersect1d(arrays["key"], usual["key"], assume_unique=True, return_indices=True)
    signed_s, before_s = arrays["signed_s"][ours], usual["signed_s"][theirs]
    late = int((signed_s > before_s + 3600.0 * terms.late_h).sum())
    low, high = difference_interval(late, ours.size, 0, ours.size)
    both = np.isfinite(signed_s) & np.isfinite(before_s)
    delay_h = float((signed_s[both] - before_s[both]).mean()) / 3600.0 if both.any() else 0.0
    return Way(late, int(ours.size), _share(late, ours.size), low, high, 0, delay_h, [], "")


def difference_interval(bad: int, total: int, other_bad: int, other_total: int) -> tuple[float, float]:
    """95 % interval of the difference of two shares (Newcombe 1998, method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873)."""
    one, other = _share(bad, total), _share(other_bad, other_total)
    (low, high), (other_low, other_high) = _wilson(bad, total), _wilson(other_bad, other_total)
    below = math.hypot(one - low, other_high - other)
    above = math.hypot(high - one, other - other_low)
    return one - other - below, one - other + above


def _wilson(bad: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927, doi:10.1080/01621459.1927.10502953)."""
    if total == 0:
        return 0.0, 1.0
    share, square = bad / total, _Z * _Z
    middle = (share + square / (2 * total)) / (1 + square / total)
    half = _Z / (1 + square / total) * math.sqrt(share * (1 - share) / total + square / (4 * total * total))
    return max(0.0, middle - half), min(1.0, middle + half)


def _verdict(without: Way, planned: Way, proof: int, tolerance: float, *, fired: bool, stopped: bool) -> str:
    if proof == 0:
        return UNPROVEN
    if stopped:
        return STOPPED
    if not fired:
        return NEVER
    if difference_interval(planned.bad, planned.all, without.bad, without.all)[0] > 0.0:
        return WORSE
    return UNNOTICED if planned.high <= tolerance else NOTICED


def _bad_pages(arrays: Arrays) -> tuple[int, int]:
    """Pages that failed or were slow, and all that came to an end."""
    demand = arrays["demand"].sum(axis=0)
    failed = int(demand[PAGES_REJECTED] + demand[PAGES_TIMED_OUT])
    return failed + int(arrays["slow"].sum()), failed + int(demand[PAGES_SERVED])


def _fails_at(arrays: Arrays, usual: Arrays) -> str:
    """The service that refuses or keeps waiting for too long the most requests more than without the fault."""
    columns = [1 + REJECTED, 1 + TIMED_OUT]
    more = (arrays["site"][..., columns].astype(np.int64) - usual["site"][..., columns]).sum(axis=(0, 2))
    return str(arrays["services"][more.argmax()]) if more.max() > 0 else ""


def _strip(demand: np.ndarray) -> list[float]:
    """Share of the pages that failed, in each five seconds."""
    whole = demand[: demand.shape[0] // _STRIP_S * _STRIP_S].reshape(-1, _STRIP_S, demand.shape[1]).sum(axis=1)
    failed = whole[:, PAGES_REJECTED] + whole[:, PAGES_TIMED_OUT]
    return [
        round(_share(int(bad), int(bad + good)), 5) for bad, good in zip(failed, whole[:, PAGES_SERVED], strict=True)
    ]


def _proof(without: Arrays, usual: Arrays) -> int:
    """Seconds, or parcels, in which the fault can be seen in what the part did."""
    if "site" in without:
        differs = (without["site"] != usual["site"]).any(axis=(1, 2)) | (without["link"] != usual["link"]).any(
            axis=(1, 2)
        )
        return int(differs.sum())
    _, ours, theirs = np.intersect1d(without["key"], usual["key"], assume_unique=True, return_indices=True)
    return int((without["signed_s"][ours] != usual["signed_s"][theirs]).sum()) + abs(
        without["key"].size - usual["key"].size
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def as_record(drill: Drill) -> dict[str, Any]:
    """The drill as plain data."""
    told = {name: value for name, value in drill._asdict().items() if name != "plan"}
    ways = {name: told.pop(name)._asdict() for name in ("steps", "without", "planned", "usual")}
    return {"id": drill.plan.id, "plan": drill.plan.model_dump(), **told, **ways}


def row_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """One row of the table of drills, from a drill's record."""
    plan = record["plan"]
    row: dict[str, Any] = {
        "id": record["id"],
        "owner": plan["owner"],
        "fault": plan["fault"]["kind"],
        "where": plan["fault"]["where"],
        "severity": plan["fault"]["severity"],
        "action": plan["act"]["kind"],
        "target": plan["act"]["where"],
        "amount": plan["act"]["amount"],
    }
    row |= {name: record[name] for name in ("verdict", "proof")} | record["steps"]
    told = ("bad", "all", "extra_share", "low", "high", "orders_lost", "delay_h", "fails_at")
    for way in ("planned", "without"):
        row |= {f"{way}_{name}": record[way][name] for name in told}
    return row
