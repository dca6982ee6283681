"""How many machines a service is to have: the policies, as functions of what is known at a look, and their memory."""

import math
from typing import Any, NamedTuple, Protocol

from sim.params.cloud import (
    FixedParams,
    Policy,
    PredictiveParams,
    ScheduledParams,
    TargetParams,
    ThresholdParams,
    TrackingParams,
)

_ROUNDING = 1e-9  # what is so little above a whole number is that number


class Look(NamedTuple):
    """What a policy knows of its service at a look."""

    now_s: float
    machines: int  # ordered, booting, warming up or serving
    serving: float  # of these, what serves: those that warm up count in part
    busy: float  # machines' worth of slots in use, mean since the last look
    waiting: float  # machines' worth of requests in its queues
    needed: float  # machines' worth of slots that the forecast load keeps busy, at the most within the time ahead
    scheduled: int | None  # machines by the clock; None: nothing is scheduled yet


class Memory:
    """What a policy remembers from look to look, in plain data.

    Parameters
    ----------
    recommended : (instant, machines), the recommendations of a policy with a stabilisation window
    changed_s : instant of the last change of a policy with a cool-down; -inf: none
    """

    def __init__(self, recommended: list[list[float]] | None = None, changed_s: float = -math.inf) -> None:
        self.recommended = recommended or []
        self.changed_s = changed_s

    def state(self) -> dict[str, Any]:
        """The arguments that make another one like it."""
        return {"recommended": [list(entry) for entry in self.recommended], "changed_s": self.changed_s}


class _Decision(Protocol):
    def __call__(self, policy: Any, look: Look, memory: Memory, /) -> int: ...


def wanted(policy: Policy, look: Look, memory: Memory) -> int:
    """Machines that the policy wants at a look; remembers what it has to."""
    return _DECISIONS[type(policy)](policy, look, memory)


def opening(policy: Policy, look: Look) -> int | None:
    """Machines that a policy which looks ahead has ordered in time for t = 0; None of a policy that does not."""
    if isinstance(policy, PredictiveParams):
        return tracked(1.0, look.needed, policy.target_share)
    return look.scheduled if isinstance(policy, ScheduledParams) else None


def tracked(machines: float, metric: float, target: float) -> int:
    """Machines that bring a metric to its target when it is inversely proportional to them, rounded up.

    Source: Kubernetes, Horizontal Pod Autoscaling, "Algorithm details".
    """
    return math.ceil(machines * metric / target - _ROUNDING)


def within_tolerance(metric: float, target: float, tolerance_share: float) -> bool:
    """Whether a metric is near enough to its target for no change."""
    return abs(metric / target - 1) <= tolerance_share + _ROUNDING


def stabilised(now_s: float, machines: int, recommendation: int, window_s: float, memory: Memory) -> int:
    """The recommendation, or, where it is for fewer machines, the largest of those within the window.

    A window of so many seconds reaches back from now to, and not including, that many seconds ago. Source: as `tracked`.
    """
    memory.recommended.append([now_s, recommendation])
    memory.recommended = [entry for entry in memory.recommended if entry[0] > now_s - window_s or entry[0] == now_s]
    most = int(max(entry[1] for entry in memory.recommended))
    return min(max(machines, recommendation), most)


def stepped(machines: int, recommendation: int, up_share: float, down_share: float) -> int:
    """The recommendation within the limits of one step, which is one machine at least."""
    most_up = max(1, math.floor(machines * up_share + _ROUNDING))
    most_down = max(1, math.floor(machines * down_share + _ROUNDING))
    return min(max(recommendation, machines - most_down), machines + most_up)


def _fixed(policy: FixedParams, look: Look, memory: Memory) -> int:
    return look.machines


def _scheduled(policy: ScheduledParams, look: Look, memory: Memory) -> int:
    return look.machines if look.scheduled is None else look.scheduled


def _metric(policy: ThresholdParams | TargetParams, look: Look) -> float:
    """Slots in use, for concurrency with the requests that wait, as a share of the slots that serve."""
    machines = look.busy + (look.waiting if policy.metric == "concurrency" else 0.0)
    return machines / look.serving


def _threshold(policy: ThresholdParams, look: Look, memory: Memory) -> int:
    if look.now_s - memory.changed_s < policy.cool_down_s:
        return look.machines
    metric, machines = _metric(policy, look), look.machines
    if metric > policy.up_above_share:
        found = machines + max(1, math.ceil(machines * policy.up_share - _ROUNDING))
    elif metric < policy.down_below_share:
        found = machines - math.floor(machines * policy.down_share + _ROUNDING)
    else:
        return machines
    if found != machines:
        memory.changed_s = look.now_s
    return found


def _target(policy: TargetParams, look: Look, memory: Memory) -> int:
    metric = _metric(policy, look)
    near = within_tolerance(metric, policy.target_share, policy.tolerance_share)
    recommendation = look.machines if near else tracked(look.serving, metric, policy.target_share)
    return _kept(policy, look, recommendation, memory)


def _predictive(policy: PredictiveParams, look: Look, memory: Memory) -> int:
    near = within_tolerance(look.needed / look.machines, policy.target_share, policy.tolerance_share)
    recommendation = look.machines if near else tracked(1.0, look.needed, policy.target_share)
    return _kept(policy, look, recommendation, memory)


def _kept(policy: TrackingParams, look: Look, recommendation: int, memory: Memory) -> int:
    steady = stabilised(look.now_s, look.machines, recommendation, policy.window_s, memory)
    return stepped(look.machines, steady, policy.up_share, policy.down_share)


_DECISIONS: dict[type, _Decision] = {
    FixedParams: _fixed,
    ScheduledParams: _scheduled,
    ThresholdParams: _threshold,
    TargetParams: _target,
    PredictiveParams: _predictive,
}
