"""Reads records of topics: whole spans of offsets, batch by batch, and none that came after the end was read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition

from cli.adapters.kafka import reading
from cli.domain.accounting import Ends, Partition

_BATCH = 200


async def read(bootstrap: str, spans: Mapping[Partition, Ends]) -> AsyncIterator[list[Any]]:
    """The records (aiokafka.ConsumerRecord) of the spans. Raises aiokafka.errors.KafkaError."""
    wanted = {TopicPartition(*where): span for where, span in spans.items() if span.first < span.end}
    if not wanted:
        return
    async with reading(bootstrap) as consumer:
        consumer.assign(list(wanted))
        for where, span in wanted.items():
            consumer.seek(where, span.first)
        while wanted:
            records = await consumer.getmany(*wanted, timeout_ms=1_000, max_records=_BATCH)
            yield [r for where, batch in records.items() for r in batch if r.offset < wanted[where].end]
            for where in [w for w, span in wanted.items() if await consumer.position(w) >= span.end]:
                del wanted[where]


async def between(
    bootstrap: str, spans: Mapping[Partition, Ends], since: datetime | None, until: datetime | None
) -> dict[Partition, Ends]:
    """The spans cut to what was written from `since` on and before `until`. Raises aiokafka.errors.KafkaError."""
    if not spans or since is until is None:
        return dict(spans)
    async with reading(bootstrap) as consumer:

        async def offsets(moment: datetime | None) -> dict[Partition, int]:
            if moment is None:
                return {}
            at = {TopicPartition(*where): int(moment.timestamp() * 1000) for where in spans}
            found = await consumer.offsets_for_times(at)
            return {(w.topic, w.partition): place.offset if place else spans[w].end for w, place in found.items()}

        first, end = await offsets(since), await offsets(until)
    return {w: Ends(max(s.first, first.get(w, s.first)), min(s.end, end.get(w, s.end))) for w, s in spans.items()}
