"""The form of a dead letter about a record: the reason, where it stood, and its original bytes."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from libs.runtime.clock import iso

#: In base64 this stays below the largest record of the topics; what is larger is told by its size alone.
MAX_ORIGINAL_BYTES = 3 * 1024 * 1024
_MAX_HEADERS, _MAX_NAME, _MAX_TEXT = 32, 200, 1024


class Original(NamedTuple):
    """A record as it stood. `timestamp` in seconds."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None
    headers: Iterable[tuple[str, bytes]]


def encoded(
    original: Original,
    *,
    code: str,
    reason: str,
    field: str | None,
    tenant: str | None,
    id_: UUID | None,
    failed_at: datetime | str,
    service: str,
) -> bytes:
    """A libs.schemas.records.DeadLetter in JSON. `failed_at` may be a time as on the wire."""
    value = original.value
    fits = value is None or len(value) <= MAX_ORIGINAL_BYTES
    lost = "" if fits else f"; the original of {len(value or b'')} bytes is too large to be kept"
    return orjson.dumps(
        {
            "schemaVersion": 1,
            "code": code,
            "reason": reason + lost,
            "field": field,
            "source": {"topic": original.topic, "partition": original.partition, "offset": original.offset},
            "sourceTimestamp": iso(datetime.fromtimestamp(original.timestamp, UTC)),
            "tenant": tenant,
            "id": None if id_ is None else str(id_),
            "key": None if original.key is None else _base64(original.key[:_MAX_TEXT]),
            "value": _base64(value) if value is not None and fits else None,
            "headers": {name[:_MAX_NAME]: _text(content) for name, content in list(original.headers)[:_MAX_HEADERS]},
            "failedAt": failed_at if isinstance(failed_at, str) else iso(failed_at),
            "service": service,
        }
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _text(content: bytes | None) -> str:
    return (content or b"")[:_MAX_TEXT].decode("utf-8", "replace")
