"""What administration needs: who is who, types, endpoints, suppressions, and what is to be cancelled or erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from libs.auth.api_keys import NewKey
from services.ingest.domain.directory import Change, Subject
from services.ingest.domain.suppressions import Reason, SuppressedChannel


class Changed(NamedTuple):
    """A person whose memberships changed, and the version that they have now."""

    tenant: str
    user: str
    version: int


class Directory(Protocol):
    """Users, organisations, memberships and devices."""

    async def apply(self, changes: Sequence[Change], actor: str | None) -> list[Changed]:
        """Writes the changes at once; those of an `actor` stand in the audit trail. Raises Retryable."""

    async def leave_room(self, tenant: str, room: str) -> list[Changed]:
        """Closes the memberships of some of a room's people; nobody is returned when all have left."""


class DirectoryReads(Protocol):
    """Single entries of the directory, as the interface shows them. Raises Retryable."""

    async def find(self, subject: Subject) -> dict[str, Any] | None:
        """The entry as it is written, with what follows from it; None when there is none."""

    async def devices(self, tenant: str, user: str) -> list[dict[str, Any]]:
        """A person's devices."""


class Cancellations(Protocol):
    """Requests to cancel notifications. Raises Retryable."""

    async def request(self, tenant: str, notification: UUID, actor: str) -> None:
        """Writes the request durably; the router carries it out."""

    async def find(self, tenant: str, notification: UUID) -> dict[str, Any]:
        """Of a request that was written: requested_at, done_at, whether the notification is `known`, and how many of
        its `channels` are in which state."""


class KeyGrant(NamedTuple):
    """What a new key is for."""

    name: str
    scopes: Sequence[str]
    tenants: Sequence[str]
    expires_at: datetime | None


class Administration(Protocol):
    """Tenants and API keys; every change stands in the audit trail. Raises Retryable."""

    async def create_key(self, tenant: str, key: NewKey, grant: KeyGrant, actor: str) -> dict[str, Any]:
        """Stores a key; only its hash is kept."""

    async def keys(self, tenant: str) -> list[dict[str, Any]]:
        """The keys of a tenant, also those that have ended."""

    async def revoke_key(self, tenant: str, key_id: str, actor: str) -> bool:
        """Whether there was such a key in force."""

    async def put_tenant(self, tenant: str, name: str | None, settings: dict[str, Any], actor: str) -> dict[str, Any]:
        """Makes a tenant, or changes it; a disabled one is enabled again."""

    async def tenant(self, tenant: str) -> dict[str, Any] | None:
        """The tenant, also a disabled one."""

    async def disable_tenant(self, tenant: str, actor: str) -> bool:
        """Whether it was enabled. Its data stays; its events are refused from now on."""


class Said(NamedTuple):
    """What a tenant says of its types: the number of this state of all of them, and the documents by key."""

    number: int
    documents: Mapping[str, dict[str, Any]]


class TypeStore(Protocol):
    """What tenants say of notification types, with all that they said before. Raises Retryable."""

    async def said(self, tenant: str, number: int | None = None) -> Said:
        """What is in force, or was in the `number`th state."""

    async def say(self, tenant: str, key: str, document: dict[str, Any] | None, after: int, actor: str) -> int | None:
        """Says it (None: takes it back) and returns the new number; None when `after` is not the last one any more."""

    async def versions(self, tenant: str, key: str) -> list[dict[str, Any]]:
        """Everything that was said of one key, the newest first."""


class Suppressions(Protocol):
    """Addresses that nothing is sent to; every change stands in the audit trail. Raises Retryable."""

    async def add(
        self, tenant: str, channel: SuppressedChannel, address: str, *, reason: Reason, source: str
    ) -> dict[str, Any]:
        """The suppression, also where there was one already."""

    async def find(self, tenant: str, channel: SuppressedChannel, address: str) -> dict[str, Any] | None:
        """The suppression of an address."""

    async def page(
        self, tenant: str, channel: SuppressedChannel | None, after: tuple[datetime, bytes] | None, limit: int
    ) -> list[dict[str, Any]]:
        """The newest first, behind `after`: time and hash of the last one that was seen."""

    async def remove(self, tenant: str, identifier: bytes, actor: str) -> bool:
        """Whether there was such a suppression."""

    async def opted(self, number: str, *, out: bool, source: str) -> int:
        """A person answered STOP (`out`) or START: in every tenant that knows the number. How many were changed."""


class NewEndpoint(NamedTuple):
    """An endpoint to be registered."""

    id: str
    channel: str
    url: str
    events: Sequence[str]
    types: Sequence[str]
    description: str | None
    secrets: Sequence[str]


class EndpointChange(NamedTuple):
    """What is None stays as it is."""

    url: str | None
    events: Sequence[str] | None
    types: Sequence[str] | None
    description: str | None
    disabled: bool | None


class Endpoints(Protocol):
    """A tenant's endpoints; every change stands in the audit trail. Raises Retryable."""

    async def list(self, tenant: str) -> list[dict[str, Any]]:
        """All of them."""

    async def find(self, tenant: str, endpoint: str) -> dict[str, Any] | None:
        """One of them."""

    async def add(self, tenant: str, new: NewEndpoint, actor: str) -> bool:
        """Whether the id was free."""

    async def change(self, tenant: str, endpoint: str, change: EndpointChange, actor: str) -> bool:
        """Whether there is such an endpoint."""

    async def remove(self, tenant: str, endpoint: str, actor: str) -> bool:
        """Whether there was such an endpoint."""

    async def rotate(self, tenant: str, endpoint: str, secret: str | None, actor: str) -> bool:
        """Puts a secret before the others, or (None) takes all but the newest out; whether there is such a webhook."""

    async def ping(self, tenant: str, endpoint: str, delivery: UUID) -> bool:
        """Plans a test message; whether there is such an endpoint, enabled."""

    async def pinged(self, tenant: str, delivery: UUID) -> dict[str, Any]:
        """State, reason, and the code and milliseconds of the last attempt."""


class Erasures(Protocol):
    """Requests to erase what was said to people; the router carries them out."""

    async def request(self, tenant: str, user: str, actor: str) -> None:
        """Asked again, it begins again. Raises Retryable."""

    async def find(self, tenant: str, user: str) -> dict[str, Any] | None:
        """How far the last one is, by column. Raises Retryable."""
