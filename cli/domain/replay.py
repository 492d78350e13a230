"""What replaying a record means: it is sent again as it was, as the original of a dead letter, or a delivery is planned
again. Doing it twice has the effect of doing it once: ids do not change.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from libs.kafka.record import Record
from libs.runtime.ids import FIRST_PLACE_HEADER, NOTI, Place, event_id
from libs.schemas import topics
from libs.schemas.records import DeadLetter

#: The topics that hold dead letters, and those that hold events.
DEAD = (topics.NOTI_INVALID.name, topics.EVENTS_DEAD.name, topics.DELIVERY_DEAD.name)
EVENTS = (topics.NOTI.name, *(topic.name for topic in (*topics.TYPED.values(), *topics.BULK.values())))
_TARGETS = frozenset({topics.NOTI.name, topics.DIRECTORY.name, *topics.TYPED})


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands; `topic` is its whole name."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets `first` to `last` of a partition; `last` None: to the end that it has now."""

    topic: str
    partition: int
    first: int
    last: int | None

    def __str__(self) -> str:
        through = "" if self.last == self.first else f"-{'' if self.last is None else self.last}"
        return f"{self.topic}:{self.partition}:{self.first}{through}"

    @classmethod
    def parse(cls, text: str) -> Stretch:
        """Reads `topic:partition:offset`, `…:first-last` or `…:first-`. Raises ValueError."""
        topic, *parts = text.rsplit(":", 2)
        first, dash, last = parts[1].partition("-") if len(parts) == 2 else ("", "", "")
        if not topic or not all(number.isdecimal() for number in (parts[0] if parts else "", first, last or "0")):
            raise ValueError(f"{text!r} is not topic:partition:offset, …:first-last or …:first-")
        return cls(topic, int(parts[0]), int(first), int(last) if last else None if dash else int(first))


@dataclass(frozen=True, slots=True)
class Resend:
    """A record that is sent to a topic, again. `tenant` and `id` are the event's, where they can be told."""

    topic: str
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    partition: int | None = None
    tenant: str | None = None
    id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PlanAgain:
    """A failed delivery, to be due at once with all its attempts before it."""

    tenant: str
    delivery: UUID


@dataclass(frozen=True, slots=True)
class Impossible:
    """It cannot be replayed, and why."""

    reason: str
    tenant: str | None = None


Planned = Resend | PlanAgain | Impossible


def plan(letter: DeadLetter, position: Position, prefix: str) -> Planned:
    """What to do for a letter."""
    if position.topic == prefix + topics.DELIVERY_DEAD.name:
        if letter.tenant is None or letter.id is None:
            return Impossible("it names no delivery", letter.tenant)
        return PlanAgain(letter.tenant, letter.id)
    name = letter.source.topic.removeprefix(prefix)
    if name not in _TARGETS:
        return Impossible(f"it was read from {letter.source.topic}, to which nothing is replayed", letter.tenant)
    if letter.value is None:
        return Impossible("the original record was empty or too large to be kept", letter.tenant)
    key = base64.b64decode(letter.key) if letter.key is not None else None
    value, headers = base64.b64decode(letter.value), _headers(letter, position)
    return Resend(prefix + name, key, value, headers, None, letter.tenant, letter.id)


def again(record: Record, prefix: str, default_tenant: str) -> Planned:
    """What to do for a record of a topic of events: it goes where it stands, and stays the same event."""
    try:
        event = orjson.loads(record.value or b"")
        tenant, identifier = _identity(record, event, default_tenant)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Impossible("it is no event: it has been refused before")
    headers = tuple(record.headers)
    if record.topic == prefix + topics.NOTI.name and FIRST_PLACE_HEADER not in dict(headers):
        headers += ((FIRST_PLACE_HEADER, str(_place(record)).encode()),)
    return Resend(record.topic, record.key, record.value or b"", headers, record.partition, tenant, identifier)


def _identity(record: Record, event: Any, default_tenant: str) -> tuple[str, UUID]:
    if "data" not in event or "acceptedAt" in event:
        return event["tenant"], UUID(event["id"])
    return _of_upstream(record, event["data"], default_tenant)


def _of_upstream(record: Record, data: Any, default_tenant: str) -> tuple[str, UUID]:
    """As ingest will name it: libs.runtime.ids.event_id."""
    tenant = data["metadata"].get("tenantId") or default_tenant
    headers = {name: value.decode() for name, value in record.headers}
    named = (NOTI, headers["idempotency-key"]) if "idempotency-key" in headers else None
    if named is None and {"ce_source", "ce_id"} <= headers.keys():
        named = headers["ce_source"], headers["ce_id"]
    first = headers.get(FIRST_PLACE_HEADER)
    return tenant, event_id(tenant, data.get("id"), named, Place.parse(first) if first else _place(record))


def _place(record: Record) -> Place:
    return Place(record.topic, record.partition, record.offset, record.timestamp)


def _headers(letter: DeadLetter, position: Position) -> tuple[tuple[str, bytes], ...]:
    """The original ones. An event that nobody named is named by where it first stood, however often it is sent."""
    headers = dict(letter.headers)
    if "idempotency-key" not in headers and not {"ce_source", "ce_id"} <= headers.keys():
        source = letter.source
        headers["idempotency-key"] = f"{source.topic}:{source.partition}:{source.offset}"
    headers["carillon-replay-of"] = str(position)
    return tuple((name, text.encode()) for name, text in headers.items())
