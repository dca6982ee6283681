"""Who pulls which lever how far: several may pull one at once, and each lets go of his own only."""

import math
from collections.abc import Mapping
from typing import Any

FACTOR, LIMIT = "factor", "limit"


class Pulls:
    """Pulls by lever, target and who pulls. Factors multiply; of limits the tightest holds.

    Parameters
    ----------
    combines : FACTOR or LIMIT of each lever
    """

    def __init__(self, combines: Mapping[str, str]) -> None:
        self._combines = dict(combines)
        self._pulls: dict[tuple[str, str], dict[str, float]] = {}

    def pull(self, who: str, lever: str, target: str, value: float) -> None:
        """Pull, or pull further."""
        self._pulls.setdefault((lever, target), {})[who] = value

    def release(self, who: str) -> list[tuple[str, str]]:
        """Let go of all that somebody pulls: the levers and targets."""
        return [place for place, pulls in self._pulls.items() if pulls.pop(who, None) is not None]

    def value(self, lever: str, target: str) -> float | None:
        """All pulls together; None where nobody pulls."""
        pulls = self._pulls.get((lever, target))
        if not pulls:
            return None
        return math.prod(pulls.values()) if self._combines[lever] == FACTOR else min(pulls.values())

    def factor(self, lever: str, target: str) -> float:
        """All pulls together; 1 where nobody pulls."""
        value = self.value(lever, target)
        return 1.0 if value is None else value

    def left(self, lever: str, target: str) -> float:
        """What those who take away have left of a factor, whatever others add to it; 1 where nobody takes."""
        return math.prod(min(value, 1.0) for value in self._pulls.get((lever, target), {}).values())

    def state(self) -> list[list[Any]]:
        """Lever, target, who and value of every pull."""
        return [[*place, who, value] for place, pulls in self._pulls.items() for who, value in pulls.items()]

    def put_back(self, state: list[list[Any]]) -> None:
        """Remember the pulls of a state."""
        for lever, target, who, value in state:
            self.pull(who, lever, target, value)
