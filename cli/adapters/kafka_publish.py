"""Publishes to the topic `noti`, as any producer would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cli.adapters.kafka import producing
from libs.kafka.producer import acknowledged
from libs.runtime.tracing import HEADER, new_traceparent

_BATCH = 1_000  # records that are waited for together


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands, and the trace to look for in the logs."""

    topic: str
    partition: int
    offset: int
    traceparent: str

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


async def publish(
    bootstrap: str, topic: str, events: Sequence[bytes], *, key: str | None, idempotency_key: str | None
) -> list[Position]:
    """Sends the events in their order and waits for all in-sync replicas. Raises aiokafka.errors.KafkaError."""
    headers = [("idempotency-key", idempotency_key.encode())] if idempotency_key else []
    positions: list[Position] = []
    async with producing(bootstrap, linger_ms=5) as producer:
        for start in range(0, len(events), _BATCH):
            traces = [new_traceparent() for _ in events[start : start + _BATCH]]
            sent = [
                await producer.send(
                    topic, event, key=key.encode() if key else None, headers=[*headers, (HEADER, trace.encode())]
                )
                for event, trace in zip(events[start : start + _BATCH], traces, strict=True)
            ]
            for record, trace in zip(await acknowledged(sent), traces, strict=True):
                positions.append(Position(record.topic, record.partition, record.offset, trace))
    return positions
