"""What a socket has confirmed: a pong answers everything that was written before its ping (S8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

_NOTHING: Mapping[str, int] = {}  # the same for all sockets, and never changed


@dataclass(slots=True)
class Confirmations:
    """The positions that went out before each unanswered ping of one socket, oldest first."""

    _open: tuple[Mapping[str, int], ...] = ()
    _confirmed: Mapping[str, int] = field(default_factory=lambda: _NOTHING)

    def pinged(self, sent: Mapping[str, int]) -> None:
        """A ping went out after entries up to `sent` (by room) had been written."""
        self._open = (*self._open, sent)

    def ponged(self) -> dict[str, int]:
        """The rooms in which the oldest unanswered ping confirms more than was known, with the seq."""
        if not self._open:
            return {}
        sent, self._open = self._open[0], self._open[1:]
        news = {room: seq for room, seq in sent.items() if seq > self._confirmed.get(room, 0)}
        if news:
            self._confirmed = {**self._confirmed, **news}
        return news

    def lags(self, sent: Mapping[str, int]) -> bool:
        """Whether something was sent that no ping on its way would confirm."""
        last = self._open[-1] if self._open else self._confirmed
        return any(seq > last.get(room, 0) for room, seq in sent.items())
