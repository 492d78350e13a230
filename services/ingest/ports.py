"""What ingest needs from the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from services.ingest.domain.access import Principal
from services.ingest.domain.accounting import Handled, Partition


class Outgoing(NamedTuple):
    """A record to produce. `topic` without prefix; `partition` only where the reader is bound to one."""

    topic: str
    key: bytes | None
    value: bytes
    traceparent: str | None = None
    partition: int | None = None


class Publisher(Protocol):
    """Produces records."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Returns when all in-sync replicas have every record; raises Retryable when some may be missing."""


class Ledger(Protocol):
    """Counts, once each, what became of the offsets of `noti`."""

    async def open(self, partition: Partition, *, first: int, end: int) -> int:
        """The offset to read a partition from. Raises Retryable."""

    async def settle(self, batches: Mapping[Partition, Handled]) -> None:
        """Counts batches that were handed on. Raises Retryable, or PositionLost when there is nothing to count on."""


class Tenants(Protocol):
    """The tenants that exist and are enabled."""

    @property
    def known(self) -> frozenset[str]:
        """As of the last look."""

    async def refresh(self) -> None:
        """Looks again, at most once a second. Raises Retryable."""


class Keys(Protocol):
    """API keys."""

    async def principal(self, key_id: str, secret: str) -> Principal | None:
        """Who holds the key; None when it does not exist, has ended, or the secret is wrong. Raises Retryable."""


class Idempotency(Protocol):
    """Remembers what an Idempotency-Key stands for."""

    async def reserve(self, tenant: str, key: str, body_hash: bytes, candidate: UUID) -> UUID | None:
        """The id that the key stands for from now on; None when it stands for another body. Raises Retryable."""


Clock = Callable[[], datetime]
