"""What the HTTP side of the gateway needs of its neighbours. Everything raises Retryable when one is away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from libs.schemas.preferences import Preferences, TenantPreferences
from libs.schemas.records import AcceptedEvent, StateChange
from services.gateway.domain.admin import LogFilters, LogPlace
from services.gateway.domain.answers import Answer
from services.gateway.domain.devices import Platform
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


D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class Version(Generic[D]):
    """One version of a document; 0 with an empty document where none was ever set."""

    number: int
    document: D
    since: datetime | None


class PreferenceStore(Protocol):
    """Preferences of readers, and of tenants for their people."""

    async def current(self, tenant: str, reader: str) -> Version[Preferences]:
        """The version in force."""
        ...

    async def replace(
        self, who: Reader, document: Preferences, said: Mapping[str, bool], expected: int
    ) -> tuple[Version[Preferences], int | None] | None:
        """Puts a new version in force, with what it says of types. None when the one in force is not the `expected`.

        With it the new version of the person's memberships where that has changed, so that sockets learn of it.
        """
        ...

    async def of_tenant(self, tenant: str) -> Version[TenantPreferences]:
        """What a tenant decides for its people."""
        ...

    async def replace_of_tenant(
        self, tenant: str, document: TenantPreferences, said: Mapping[str, bool], expected: int
    ) -> Version[TenantPreferences] | None:
        """The same of a tenant. Sockets learn of it by comparing versions."""
        ...


@dataclass(frozen=True, slots=True)
class Device:
    """A device of a person, without its address."""

    id: str
    platform: str
    updated_at: datetime


class PeopleStore(Protocol):
    """Devices and topics of readers."""

    async def devices(self, who: Reader) -> list[Device]:
        """Those that changed last first."""
        ...

    async def put_device(
        self, who: Reader, device_id: str, platform: Platform, token: str, keys: Mapping[str, str], most: int
    ) -> Device | None:
        """Puts a device, and takes its address from everybody else of the tenant; None when there are too many."""
        ...

    async def delete_device(self, who: Reader, device_id: str) -> bool:
        """Whether there was one."""
        ...

    async def topics(self, who: Reader) -> list[tuple[str, datetime]]:
        """The topics that are subscribed to, and since when."""
        ...

    async def subscribe(self, who: Reader, topic: str, most: int) -> int | None:
        """The version of the reader's memberships that came of it, 0 when it was so; None when there are too many."""
        ...

    async def unsubscribe(self, who: Reader, topic: str) -> int:
        """The version of the reader's memberships that came of it, 0 when it was so."""
        ...


class AnswerStore(Protocol):
    """Answers to agents' questions."""

    async def put(self, who: Reader, notification: UUID, value: str, event: AcceptedEvent) -> Answer:
        """Keeps the answer with what the agent is to be sent, and audits it; the first answer, if there was one."""
        ...

    async def of(self, who: Reader, notification: UUID) -> Answer | None:
        """The answer that was given."""
        ...

    async def waiting(self, before: datetime, limit: int) -> Sequence[tuple[UUID, AcceptedEvent]]:
        """Of all tenants what agents have not been sent, by the question's notification."""
        ...

    async def told(self, tenant: str, notification: UUID) -> None:
        """Kafka has it."""
        ...


class Events(Protocol):
    """The typed topics of events."""

    async def publish(self, event: AcceptedEvent, key: str) -> None:
        """Returns when all in-sync replicas have it."""
        ...


class AdminStore(Protocol):
    """What administrators see of the tenant of `who`."""

    async def log(self, who: Reader, filters: LogFilters, after: LogPlace | None, limit: int) -> Sequence[Row]:
        """Lines of the log, newest first. Rows are those of admin_log."""
        ...

    async def stats(self, who: Reader, since: datetime, until: datetime) -> dict[str, Any]:
        """Figures of what was accepted in that time, as admin_stats gives them."""
        ...

    async def readers(self, who: Reader, notification: UUID, after: str, limit: int) -> Sequence[Row]:
        """Who has read it: `user_id` and `read_at`, by user."""
        ...
