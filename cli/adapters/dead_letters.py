"""Reads dead letters from their topics."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition
from pydantic import ValidationError

from cli.adapters import offsets
from cli.adapters.kafka import reading
from cli.domain.accounting import Ends, Partition
from cli.domain.replay import Position
from cli.outcome import Refused
from libs.schemas.records import DeadLetter

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter and where it stands. `at` is when it was written, in milliseconds."""

    position: Position
    at: int
    letter: DeadLetter


async def newest(bootstrap: str, topics: Sequence[str], limit: int) -> list[Found]:
    """The last `limit` letters of the topics, the oldest of them first."""
    spans = await offsets.read(bootstrap, topics)
    tails = {where: Ends(max(span.first, span.end - limit), span.end) for where, span in spans.items()}
    found: list[Found] = []
    async for batch in _read(bootstrap, tails):
        found = sorted(found + batch, key=lambda one: one.at)[-limit:]
    return found


async def all_of(bootstrap: str, topics: Sequence[str]) -> AsyncIterator[list[Found]]:
    """Every letter that the topics hold now, in batches."""
    async for batch in _read(bootstrap, await offsets.read(bootstrap, topics)):
        yield batch


async def at(bootstrap: str, position: Position) -> Found:
    """The letter at a position. Raises Refused when there is none."""
    spans = await offsets.read(bootstrap, [position.topic])
    span = spans.get((position.topic, position.partition), Ends(0, 0))
    if span.first <= position.offset < span.end:
        one = {(position.topic, position.partition): Ends(position.offset, position.offset + 1)}
        async for batch in _read(bootstrap, one):
            for found in batch:
                return found
    raise Refused(f"there is no dead letter at {position}; `carillon dead list` shows what there is")


async def _read(bootstrap: str, spans: dict[Partition, Ends]) -> AsyncIterator[list[Found]]:
    wanted = {TopicPartition(*where): span for where, span in spans.items() if span.first < span.end}
    if not wanted:
        return
    async with reading(bootstrap) as consumer:
        consumer.assign(list(wanted))
        for where, span in wanted.items():
            consumer.seek(where, span.first)
        while wanted:
            records = await consumer.getmany(*wanted, timeout_ms=1_000, max_records=_BATCH)
            yield [found for where, batch in records.items() for r in batch if (found := _found(r, wanted[where]))]
            for where in [w for w, span in wanted.items() if await consumer.position(w) >= span.end]:
                del wanted[where]


def _found(record: Any, span: Ends) -> Found | None:
    """The record as a letter; None for what came after the end was read, or is no letter."""
    if record.offset >= span.end or record.value is None:
        return None
    try:
        letter = DeadLetter.model_validate_json(record.value)
    except ValidationError:
        return None
    return Found(Position(record.topic, record.partition, record.offset), record.timestamp, letter)
