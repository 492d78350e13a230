"""When to try again: exponential back-off with full jitter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_LONGEST_ASKED = 86_400.0  # seconds: a provider's word is no reason to forget a delivery


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


def asked_to_wait(retry_after: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks for, as a number or a date; 0 without one that makes sense."""
    if not retry_after:
        return 0.0
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return 0.0
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_ASKED) if seconds == seconds else 0.0  # noqa: PLR0124 - not a number
