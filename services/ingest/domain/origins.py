"""Where an event came from: what its id, its order and its trace are taken from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol
from uuid import UUID

from libs.runtime.ids import FIRST_PLACE_HEADER, NOTI, Place, derived, event_id
from libs.schemas.events import MAX_ID_LENGTH
from services.ingest.domain import refusals
from services.ingest.domain.refusals import Refused

#: The namespace of ids that producers give over HTTP.
HTTP = "http"


class Origin(Protocol):
    """What admission asks of the place where an event came in."""

    @property
    def key(self) -> bytes | None:
        """The producer's own ordering key."""

    @property
    def traceparent(self) -> str | None:
        """The producer's trace, when it has one."""

    def id_for(self, tenant: str, given: str | None) -> UUID:
        """The notification's id; `given` is the id that the event itself names."""

    def source(self) -> dict[str, object]:
        """libs.schemas.records.Source as a JSON object."""


class GivenId(NamedTuple):
    """An id that the producer gave beside the event, and the namespace in which it is unique."""

    source: str
    id: str


class RecordOrigin(NamedTuple):
    """A Kafka record. `named` is the id that its headers give. `timestamp` in milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None = None
    named: GivenId | None = None
    traceparent: str | None = None

    def id_for(self, tenant: str, given: str | None) -> UUID:
        """By what was given, else by the position."""
        return event_id(tenant, given, self.named, Place(*self[:4]))

    def source(self) -> dict[str, object]:
        """The record's position."""
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset}


class RequestOrigin(NamedTuple):
    """One event of an HTTP request. `id` is new, or what the request's Idempotency-Key stands for."""

    id: UUID
    traceparent: str | None = None
    key: bytes | None = None

    def id_for(self, tenant: str, given: str | None) -> UUID:
        """An id that the event itself gives is kept apart from those of `noti`: a producer may use both doors."""
        return self.id if given is None else derived(tenant, HTTP, given)

    def source(self) -> dict[str, object]:
        """There is no position."""
        return {"topic": HTTP, "partition": 0, "offset": 0}


def named_by_headers(headers: Iterable[tuple[str, bytes]]) -> GivenId | Refused | None:
    """The id from `idempotency-key`, or from CloudEvents' `ce_source` and `ce_id` (binary content mode)."""
    found = {name: value for name, value in headers if name in ("idempotency-key", "ce_source", "ce_id")}
    texts: dict[str, str] = {}
    for name, value in found.items():
        text = _text(value)
        if text is None:
            return Refused(refusals.INVALID_HEADER, f"1 to {MAX_ID_LENGTH} printable characters", f"headers.{name}")
        texts[name] = text
    if "idempotency-key" in texts:
        return GivenId(NOTI, texts["idempotency-key"])
    return GivenId(texts["ce_source"], texts["ce_id"]) if {"ce_source", "ce_id"} <= texts.keys() else None


def first_place(headers: Iterable[tuple[str, bytes]]) -> Place | Refused | None:
    """Where a record that an operator sent again first stood."""
    value = next((value for name, value in headers if name == FIRST_PLACE_HEADER), None)
    if value is None:
        return None
    try:
        return Place.parse(value.decode())
    except ValueError:
        reason = "a place is topic:partition:offset:timestamp"
        return Refused(refusals.INVALID_HEADER, reason, f"headers.{FIRST_PLACE_HEADER}")


def _text(value: bytes) -> str | None:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return text if text.isprintable() and 0 < len(text) <= MAX_ID_LENGTH else None
