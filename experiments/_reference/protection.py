"""The rules that protect a service, in plain Python: each as its definition reads."""

from collections import deque

WHOLE = 1.0 - 1e-9  # a token, but for rounding


class Bucket:
    """A token bucket that is full at first; its rate grows from a share of the full one over a warm-up from 0 s on."""

    def __init__(self, rate_per_s: float, burst: float, warm_up_s: float = 0.0, cold_share: float = 1.0) -> None:
        self.rate_per_s = rate_per_s
        self.burst = burst
        self.warm_up_s = warm_up_s
        self.cold_share = cold_share
        self.tokens = burst
        self.filled_s = 0.0

    def given(self, t_s: float) -> float:
        """Tokens that came until an instant."""
        if t_s >= self.warm_up_s:
            return self.rate_per_s * (t_s - (1.0 - self.cold_share) * self.warm_up_s / 2.0)
        return self.rate_per_s * t_s * (self.cold_share + (1.0 - self.cold_share) * t_s / (2.0 * self.warm_up_s))

    def take(self, now_s: float) -> bool:
        """Whether a request passes."""
        self.tokens = min(self.burst, self.tokens + (self.given(now_s) - self.given(self.filled_s)))
        self.filled_s = now_s
        if self.tokens < WHOLE:
            return False
        self.tokens = max(0.0, self.tokens - 1.0)
        return True


class Breaker:
    """A circuit breaker: closed, open, half open. Answers to what it let through in an earlier state are not heard."""

    def __init__(self, window: int, least_answers: int, failure_share: float, open_s: float, trials: int) -> None:
        self.least_answers = least_answers
        self.failure_share = failure_share
        self.open_s = open_s
        self.trials = trials
        self.state = "closed"
        self.generation = 0
        self.opened_s = 0.0
        self.answers: deque[bool] = deque(maxlen=window)
        self.permits = 0

    def turn(self, state: str) -> None:
        """Change the state and forget all answers."""
        self.state = state
        self.generation += 1
        self.answers.clear()
        self.permits = 0

    def permit(self, now_s: float) -> int | None:
        """The generation under which the answer is to be reported; None: refused."""
        if self.state == "open" and now_s >= self.opened_s + self.open_s:
            self.turn("half open")
        if self.state == "open" or (self.state == "half open" and self.permits == self.trials):
            return None
        self.permits += 1
        return self.generation

    def tell(self, now_s: float, generation: int, failed: bool) -> None:
        """The answer to a request that was let through."""
        if generation != self.generation:
            return
        self.answers.append(failed)
        if len(self.answers) < (self.trials if self.state == "half open" else self.least_answers):
            return
        if sum(self.answers) >= self.failure_share * len(self.answers):
            self.opened_s = now_s
            self.turn("open")
        elif self.state == "half open":
            self.turn("closed")
