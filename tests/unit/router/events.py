"""Accepted events for tests of the router."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from libs.catalogue.catalogue import shipped
from libs.schemas.events import EventName
from libs.schemas.records import AcceptedEvent, Source
from services.router.domain.incoming import Received, Record

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def accepted(event: EventName = "service.event", **fields: Any) -> AcceptedEvent:
    """An event as ingest accepts it: metadata and texts are filled in."""
    filled = {
        "id": uuid4(),
        "tenant": "acme",
        "event": event,
        "type": shipped().find(event, fields.get("name")).key,
        "metadata": {"timestamp": "2026-11-21T10:00:00.000Z"} | fields.pop("metadata", {}),
        "accepted_at": NOW,
        "source": Source(topic="noti", partition=1, offset=2),
    }
    return AcceptedEvent.model_validate(filled | fields)


def record(
    event: AcceptedEvent | bytes | None, offset: int = 0, partition: int = 0, topic: str | None = None
) -> Record:
    """An event as it stands on its typed topic."""
    if isinstance(event, AcceptedEvent):
        topic = topic or event.event
        event = event.model_dump_json(by_alias=True).encode()
    headers = (("traceparent", TRACEPARENT.encode()),)
    return Record(topic or "service.event", partition, offset, b"key", event, headers, NOW.timestamp())


def received(event: AcceptedEvent) -> Received:
    """An event that has been decoded."""
    return Received(record(event), event, TRACEPARENT)
