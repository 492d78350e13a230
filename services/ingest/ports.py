"""What ingest needs from the world."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from libs.auth.api_keys import NewKey
from libs.auth.links import Opened, Unsubscribe
from libs.catalogue.catalogue import Catalogue
from libs.explaining.story import Story, Waiting
from services.ingest.domain.access import Principal
from services.ingest.domain.accounting import Handled, Partition
from services.ingest.domain.directory import Change, Subject
from services.ingest.domain.lanes import Diversion
from services.ingest.domain.reports import Report
from services.ingest.domain.results import Progress
from services.ingest.domain.suppressions import Reason, SuppressedChannel


class Outgoing(NamedTuple):
    """A record to produce. `topic` without prefix; `partition` only where the reader is bound to one.

    `follows` is what a record of a bulk lane follows (libs.schemas.topics.FOLLOWS_HEADER).
    """

    topic: str
    key: bytes | None
    value: bytes
    traceparent: str | None = None
    partition: int | None = None
    follows: bytes | None = None


class Publisher(Protocol):
    """Produces records."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Returns when all in-sync replicas have every record.

        Raises Retryable when some may be missing, Permanent when the brokers will never take one of them.
        """


class Ledger(Protocol):
    """Counts, once each, what became of the offsets of `noti`."""

    async def open(self, partition: Partition, *, first: int, end: int) -> int:
        """The offset to read a partition from. Raises Retryable."""

    async def settle(self, batches: Mapping[Partition, Handled]) -> None:
        """Counts batches that were handed on. Raises Retryable, or PositionLost when there is nothing to count on."""


class Diversions(Protocol):
    """Which tenants go by the bulk lane, shared by all processes. Raises Retryable."""

    async def announce(self, tenants: Collection[str]) -> None:
        """These are over their share."""

    async def current(self) -> dict[str, Diversion]:
        """All that are announced, by tenant."""

    async def end(self, tenant: str) -> None:
        """Announces that the tenant comes back, unless it was over its share meanwhile."""

    async def remove(self, tenant: str) -> None:
        """The tenant has come back."""

    async def routed(self, topics: Collection[str]) -> dict[Partition, int]:
        """The offset from which the router goes on in each partition that it has read."""


class Ends(Protocol):
    """Where Kafka's partitions end."""

    async def ends(self, topics: Collection[str]) -> dict[str, dict[int, int]]:
        """By topic and partition, one past the last offset. Raises Retryable."""


class Tenants(Protocol):
    """The tenants that exist and are enabled."""

    @property
    def known(self) -> frozenset[str]:
        """As of the last look."""

    async def learn(self, tenants: Collection[str]) -> bool:
        """Looks for these; whether one of them is known now that was not. Raises Retryable."""


class Keys(Protocol):
    """API keys."""

    async def principal(self, key_id: str, secret: str) -> Principal | None:
        """Who holds the key; None when it does not exist, has ended, or the secret is wrong. Raises Retryable."""


class Idempotency(Protocol):
    """Remembers what an Idempotency-Key stands for."""

    async def reserve(self, tenant: str, key: str, body_hash: bytes, candidate: UUID) -> UUID | None:
        """The id that the key stands for from now on; None when it stands for another body. Raises Retryable."""


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


class Statuses(Protocol):
    """How far notifications have come. Raises Retryable."""

    async def find(self, tenant: str, notification: UUID) -> dict[str, Any] | None:
        """Fields of entrypoints.http.schemas.NotificationStatus; None when nobody knows the id."""


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


class Catalogues(Protocol):
    """The notification types of every tenant, as of seconds ago."""

    def of(self, tenant: str) -> Catalogue:
        """The tenant's catalogue."""

    async def ready(self) -> None:
        """Returns at once when they are known. Raises Retryable."""

    async def refresh(self) -> None:
        """Learns what changed. Raises Retryable."""


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


Key = tuple[str, UUID]  # tenant, notification


class Results(Protocol):
    """How far notifications have come."""

    async def progress(self, keys: Collection[Key]) -> dict[Key, Progress]:
        """Of those that are planned. Raises Retryable."""


class Timelines(Protocol):
    """What happened to notifications."""

    async def page(
        self, tenant: str, notification: UUID, after: UUID | None, user: str | None, limit: int
    ) -> dict[str, Any] | None:
        """Fields of entrypoints.http.timeline.Timeline; None when it is not planned. Raises Retryable."""


class Explanations(Protocol):
    """Why people were or were not told."""

    async def find(self, tenant: str, notification: UUID, user: str | None, limit: int) -> Story | Waiting | None:
        """The story, for a person where one is named; None when the tenant has nothing of this id. Raises Retryable."""


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


class Reports(Protocol):
    """What providers say of deliveries."""

    async def apply(self, report: Report) -> bool:
        """Whether the delivery is known; a word that was heard before changes nothing. Raises Retryable."""


class Unsubscribes(Protocol):
    """People who follow the link in what they were sent."""

    async def apply(self, asked: Unsubscribe, *, everything: bool) -> None:
        """A new version of the person's preferences; the address of somebody unknown is suppressed.

        Raises Retryable.
        """


class Opens(Protocol):
    """Mails whose picture was fetched."""

    async def record(self, opened: Opened) -> bool:
        """Whether that is new: it is written down once, and only while the tenant wants it. Raises Retryable."""


class Certificates(Protocol):
    """The certificates that Amazon signs with."""

    async def fetch(self, url: str) -> bytes | None:
        """The PEM at an address that is Amazon's, else None. Raises Retryable."""

    async def confirm(self, url: str) -> None:
        """Follows the address that confirms a subscription, where it is Amazon's. Raises Retryable."""


Clock = Callable[[], datetime]


class Erasures(Protocol):
    """Requests to erase what was said to people; the router carries them out."""

    async def request(self, tenant: str, user: str, actor: str) -> None:
        """Asked again, it begins again. Raises Retryable."""

    async def find(self, tenant: str, user: str) -> dict[str, Any] | None:
        """How far the last one is, by column. Raises Retryable."""
