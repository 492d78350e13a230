"""What the HTTP side of the gateway needs of the database. Everything raises Retryable when it is away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from libs.schemas.preferences import Preferences
from libs.schemas.records import StateChange
from services.gateway.domain.inbox import Count, Filters, Place, PositionOperation, Reader, Row, Seen
from services.gateway.domain.marks import Action


class InboxStore(Protocol):
    """The inbox of a reader. Rows are those of inbox.sql."""

    async def page(
        self, who: Reader, filters: Filters, limit: int, offset: int, after: Place | None, now: datetime
    ) -> Sequence[Row]:
        """Newest first, up to `limit` + 1 rows."""
        ...

    async def one(self, who: Reader, notification: UUID, now: datetime) -> Row | None:
        """The row; None when it is not theirs, was deleted, cleared or withdrawn, or is over."""
        ...

    async def unread_count(self, who: Reader, now: datetime) -> int:
        """How many rows of the inbox are unread."""
        ...

    async def counts(self, who: Reader, now: datetime) -> list[Count]:
        """By type, how many are unread and how many were not seen."""
        ...

    async def mark(
        self, who: Reader, notifications: Sequence[UUID], action: Action, now: datetime
    ) -> tuple[set[UUID], list[StateChange]]:
        """Does it to each; which of them are theirs, and a change for each that was not so already."""
        ...

    async def mark_matching(
        self, who: Reader, filters: Filters, seen: Seen | None, action: Action, limit: int, now: datetime
    ) -> tuple[list[StateChange], bool]:
        """Does it to the newest `limit` that match, none after what was seen; and whether more may match."""
        ...

    async def move(
        self, who: Reader, operation: PositionOperation, seen: Seen | None, now: datetime
    ) -> tuple[int, StateChange | None]:
        """Does it up to what was seen, or to everything; how many became read, and the change if there was any."""
        ...

    async def wake(self, limit: int, now: datetime) -> list[StateChange]:
        """Takes the snooze from what is due, of all readers."""
        ...


@dataclass(frozen=True, slots=True)
class PreferencesVersion:
    """One version of a person's preferences; 0 with an empty document for somebody who never set any."""

    number: int
    document: Preferences
    since: datetime | None


class PreferenceStore(Protocol):
    """Preferences of readers."""

    async def current(self, tenant: str, reader: str) -> PreferencesVersion:
        """The version in force."""
        ...

    async def replace(
        self, who: Reader, document: Preferences, muted: frozenset[str], expected: int
    ) -> tuple[PreferencesVersion, int | None] | None:
        """Puts a new version in force, with the types that it mutes. None when the one in force is not the `expected`.

        With it the new version of the person's memberships where the mutes have changed, so that sockets learn of it.
        """
        ...
