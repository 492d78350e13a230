"""A broadcast to the whole platform: one event that becomes one of its own in every tenant (S14)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from libs.schemas.events import PLATFORM, Recipients
from libs.schemas.records import AcceptedEvent, Source
from services.router.domain.incoming import Received
from services.router.domain.notification import Key

#: Where an event of a tenant says it comes from.
SOURCE = "broadcast"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """An event for everybody in every tenant, before any of them is told."""

    received: Received
    sensitive: tuple[str, ...] = ()  # paths into the data

    @property
    def key(self) -> Key:
        """What the event is known by in its sender's tenant."""
        return self.received.event.tenant, self.received.event.id

    @property
    def subject(self) -> str:
        """Nobody's own."""
        return ""


def is_platform_wide(event: AcceptedEvent) -> bool:
    """Whether it is for every tenant; ingest took it only from who may name them all."""
    return event.recipients is not None and event.recipients.broadcast == PLATFORM


def id_in(tenant: str, sender: str, event: UUID) -> UUID:
    """What it is known by in a tenant: the same each time that it is told there."""
    return event if tenant == sender else uuid5(event, f"tenant {tenant}")


def told_in(tenant: str, event: AcceptedEvent) -> bytes:
    """The event as it goes on its topic for a tenant. Who else is named is named in the sender's own tenant."""
    named = event.recipients if tenant == event.tenant and event.recipients else Recipients()
    changed: dict[str, Any] = {
        "id": id_in(tenant, event.tenant, event.id),
        "tenant": tenant,
        "metadata": event.metadata | {"tenantId": tenant},
        "recipients": named.model_copy(update={"broadcast": True}),
        "source": Source(topic=SOURCE),
    }
    return event.model_copy(update=changed).model_dump_json(by_alias=True, exclude_none=True).encode()
