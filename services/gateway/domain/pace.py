"""How much each socket may send to others: `rate` a second, and as many as that at once."""

from __future__ import annotations


class Pace:
    """Buckets by socket. Times are seconds of a monotonic clock."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, sid: str, now: float) -> bool:
        """Whether the socket may send one more now."""
        level, at = self._buckets.get(sid, (self._rate, now))
        level = min(self._rate, level + (now - at) * self._rate)
        may = level >= 1
        self._buckets[sid] = (level - 1 if may else level, now)
        return may

    def leave(self, sid: str) -> None:
        """The socket has gone."""
        self._buckets.pop(sid, None)
