"""What publishing needs: Kafka, the ledger, the lanes, and who may publish what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from libs.catalogue.catalogue import Catalogue
from services.ingest.domain.access import Principal
from services.ingest.domain.accounting import Handled, Partition
from services.ingest.domain.lanes import Diversion


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


class Catalogues(Protocol):
    """The notification types of every tenant, as of seconds ago."""

    def of(self, tenant: str) -> Catalogue:
        """The tenant's catalogue."""

    async def ready(self) -> None:
        """Returns at once when they are known. Raises Retryable."""

    async def refresh(self) -> None:
        """Learns what changed. Raises Retryable."""


Clock = Callable[[], datetime]
