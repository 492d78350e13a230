"""What a socket was sent and has not acknowledged, and when that is sent again (F1-4, S8).

Only for sockets that acknowledge. It lives in memory, with the socket, and is bounded: what is over the bound or too
old is given up, which leaves the person's delivered watermark below it until they are caught up on it some other time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from libs.schemas.records import StateChange, Withdrawal
from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Notification

_MOST = 1_000  # of one socket


@dataclass(frozen=True, slots=True)
class Patience:
    """`again`: the ages at which something is sent again, youngest first; from `failed` on it is given up. It stays in
    the inbox, and is delivered when somebody is caught up on it later.
    """

    again: tuple[timedelta, ...]
    failed: timedelta


@dataclass(slots=True)
class Sent:
    """Where a notification stands, when it was first sent, and how often it was sent again."""

    room: str
    seq: int
    at: datetime
    repeats: int = 0


@dataclass(slots=True)
class Unacknowledged:
    """Of one socket. `_given_up` holds by room the oldest that is no longer waited for."""

    _sent: dict[UUID, Sent] = field(default_factory=dict)
    _given_up: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._sent)

    def note(self, room: str, entry: Entry, now: datetime) -> None:
        """The socket was sent an entry: something new to wait for, or news that there is nothing to wait for."""
        record = entry.record
        if isinstance(record, Notification):
            self._sent.setdefault(UUID(record.id), Sent(room, entry.seq, now))
            if len(self._sent) > _MOST:
                self._give_up(next(iter(self._sent)))
        elif isinstance(record, Withdrawal | StateChange) and record.notification_id is not None:
            self._sent.pop(record.notification_id, None)

    def acknowledge(self, notification: UUID) -> Sent | None:
        """It has arrived; None when it was not waited for."""
        return self._sent.pop(notification, None)

    def settle(self, notification: UUID) -> None:
        """Nothing is to be waited for any more: it arrived by another way, or is to be seen no more."""
        self._sent.pop(notification, None)

    def confirmed(self, room: str, sent: int) -> int:
        """Up to which seq of a room everything has arrived, when `sent` is the last that was sent."""
        waited = [each.seq for each in self._sent.values() if each.room == room]
        return min([sent + 1, self._given_up.get(room, sent + 1), *waited]) - 1

    def due(self, now: datetime, patience: Patience) -> Iterator[tuple[UUID, Sent]]:
        """What is to be sent again now, each once for every age that it has reached; gives up what is too old."""
        for notification, sent in list(self._sent.items()):
            age = now - sent.at
            if age >= patience.failed:
                self._give_up(notification)
            elif sent.repeats < len(patience.again) and age >= patience.again[sent.repeats]:
                sent.repeats = sum(age >= limit for limit in patience.again)
                yield notification, sent

    def _give_up(self, notification: UUID) -> None:
        sent = self._sent.pop(notification)
        self._given_up[sent.room] = min(sent.seq, self._given_up.get(sent.room, sent.seq))
