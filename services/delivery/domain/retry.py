"""When to try again: exponential back-off with full jitter."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits between 0 and `base · 2^n` seconds, never more than `cap`."""

    base: float
    cap: float

    def delay(self, failures: int, draw: float) -> float:
        """Seconds to wait after this many failures in a row (from 1); `draw` is random in [0, 1)."""
        exponent = min(max(failures - 1, 0), 62)  # 2^62 s is beyond every cap, and a float holds it
        return min(self.cap, self.base * 2.0**exponent) * draw


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a delivery is attempted, and how its attempts are spread."""

    backoff: Backoff
    max_attempts: int

    def exhausted(self, attempts: int) -> bool:
        """Whether no attempt is left after this many."""
        return attempts >= self.max_attempts

    def delay(self, attempts: int, draw: float, after: float = 0.0) -> float:
        """Seconds until the next attempt. `after` is what the provider asked for: never sooner than that."""
        return after + self.backoff.delay(attempts, draw)
