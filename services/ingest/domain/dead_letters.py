"""The record on `noti.invalid`: the reason and the original bytes, within what the topic can hold (F0-3)."""

from __future__ import annotations

from collections.abc import Iterable

from libs.runtime.dead_letters import Original, encoded
from services.ingest.domain.origins import RecordOrigin
from services.ingest.domain.refusals import Refused

SERVICE = "ingest"


def letter(
    refused: Refused, origin: RecordOrigin, value: bytes | None, headers: Iterable[tuple[str, bytes]], failed_at: str
) -> bytes:
    """A libs.schemas.records.DeadLetter in JSON. `failed_at` is a time as on the wire."""
    source = origin.topic, origin.partition, origin.offset, origin.timestamp / 1000, origin.key
    return encoded(
        Original(*source, value, headers),
        code=refused.code,
        reason=refused.reason,
        field=refused.field,
        tenant=refused.tenant,
        id_=None,
        failed_at=failed_at,
        service=SERVICE,
    )


def key(origin: RecordOrigin) -> bytes:
    """Where the refused record stood, as the topic is keyed."""
    return f"{origin.topic}:{origin.partition}:{origin.offset}".encode()
