"""Reading records of `delivery.*`: the ids that they name, or why they cannot be used."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import ValidationError

from libs.schemas.records import DeadLetter, DeliveryBatch, DeliveryReference, Source

NEWEST_SCHEMA = 1


class Record(Protocol):
    """What is read of a Kafka record."""

    topic: str
    partition: int
    offset: int
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Read:
    """What a batch of records says: the deliveries named, once each and in order, and the records that say nothing."""

    references: tuple[DeliveryReference, ...]
    refused: tuple[DeadLetter, ...]


def read(records: Iterable[Record], channel: str, now: datetime) -> Read:
    """Reads the records of one channel's topic."""
    references: dict[tuple[str, str], DeliveryReference] = {}
    refused: list[DeadLetter] = []
    for record in records:
        fault = "null"
        batch = None
        if record.value is not None:
            try:
                batch = DeliveryBatch.model_validate_json(record.value)
                fault = _fault(batch, channel)
            except ValidationError as error:
                fault = f"{'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['type']}"
        if fault or batch is None:
            refused.append(_refusal(record, fault, now))
        else:
            references |= {(r.tenant, str(r.id)): r for r in batch.deliveries}
    return Read(tuple(references.values()), tuple(refused))


def _fault(batch: DeliveryBatch, channel: str) -> str:
    if batch.schema_version > NEWEST_SCHEMA:
        return f"schemaVersion {batch.schema_version} is newer than this service"
    if batch.channel != channel:
        return f"channel: this is the topic of {channel}"
    # PostgreSQL has no such text: the statement would fail again and again.
    return "deliveries.tenant: NUL" if any("\0" in r.tenant for r in batch.deliveries) else ""


def _refusal(record: Record, fault: str, now: datetime) -> DeadLetter:
    return DeadLetter(
        code="unreadable-record",
        reason=fault,
        source=Source(topic=record.topic, partition=record.partition, offset=record.offset),
        value=None if record.value is None else base64.b64encode(record.value).decode(),
        failed_at=now,
        service="delivery",
    )
