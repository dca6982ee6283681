"""Peakday: a discrete-event simulator of festival-day web traffic and parcel flow."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.runner import simulate

__all__ = ["simulate"]


def __getattr__(name: str) -> Any:
    """`simulate` and the lab on first use: a worker that needs only a kernel does not pay for the rest."""
    if name == "simulate":
        from sim.runner import simulate

        return simulate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
