"""A record as it came from Kafka, and what it turns out to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import ValidationError

from libs.runtime.tracing import from_headers
from libs.schemas.records import AcceptedEvent

#: More than ingest ever writes: an event it accepts has at most 64 KiB. It keeps every record that is made of an event
#: below the broker's limit.
MAX_RECORD_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record. `timestamp` is in seconds since 1970."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp: float


@dataclass(frozen=True, slots=True)
class Received:
    """A record that holds an event."""

    record: Record
    event: AcceptedEvent
    traceparent: str


@dataclass(frozen=True, slots=True)
class Dead:
    """A record that cannot be processed, now or later: it goes to `events.dead`. `code` is one of docs/errors.md."""

    record: Record
    code: str
    reason: str
    field: str | None = None
    tenant: str | None = None
    id: UUID | None = None


def decode(record: Record) -> Received | Dead:
    """Reads a record; never raises."""
    if record.value is None:
        return Dead(record, "malformed-event", "the record has no value")
    if len(record.value) > MAX_RECORD_BYTES:
        return Dead(record, "event-too-large", f"{len(record.value)} bytes, at most {MAX_RECORD_BYTES} are taken")
    try:
        event = AcceptedEvent.model_validate_json(record.value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or None
        return Dead(record, "malformed-event", first["msg"], field)
    return Received(record, event, from_headers(tuple(record.headers)))


def condemned(received: Received, code: str, reason: str) -> Dead:
    """An event that was read and still cannot be processed."""
    return Dead(received.record, code, reason, None, received.event.tenant, received.event.id)
