"""The record on `noti.invalid`: the reason and the original bytes, within what the topic can hold (F0-3)."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import UTC, datetime

import orjson

from libs.runtime.clock import iso
from services.ingest.domain.origins import RecordOrigin
from services.ingest.domain.refusals import Refused

SERVICE = "ingest"
#: In base64 this stays below the topic's largest record; what is larger is told by its size alone.
MAX_ORIGINAL_BYTES = 3 * 1024 * 1024
_MAX_HEADERS, _MAX_HEADER_BYTES = 32, 1024


def letter(
    refused: Refused, origin: RecordOrigin, value: bytes | None, headers: Iterable[tuple[str, bytes]], failed_at: str
) -> bytes:
    """A libs.schemas.records.DeadLetter in JSON. `failed_at` is a time as on the wire."""
    fits = value is None or len(value) <= MAX_ORIGINAL_BYTES
    lost = "" if fits else f"; the original of {len(value or b'')} bytes is too large to be kept"
    return orjson.dumps(
        {
            "schemaVersion": 1,
            "code": refused.code,
            "reason": refused.reason + lost,
            "field": refused.field,
            "tenant": refused.tenant,
            "source": origin.source(),
            "sourceTimestamp": iso(datetime.fromtimestamp(origin.timestamp / 1000, UTC)),
            "key": _base64((origin.key or b"")[:_MAX_HEADER_BYTES]) if origin.key is not None else None,
            "value": _base64(value) if value is not None and fits else None,
            "headers": {name[:200]: _text(content) for name, content in list(headers)[:_MAX_HEADERS]},
            "failedAt": failed_at,
            "service": SERVICE,
        }
    )


def key(origin: RecordOrigin) -> bytes:
    """Where the refused record stood, as the topic is keyed."""
    return f"{origin.topic}:{origin.partition}:{origin.offset}".encode()


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _text(content: bytes | None) -> str:
    return (content or b"")[:_MAX_HEADER_BYTES].decode("utf-8", "replace")
