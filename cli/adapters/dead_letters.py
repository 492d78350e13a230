"""Reads dead letters from their topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cli.adapters import offsets, records
from cli.domain.accounting import Ends
from cli.domain.replay import Position
from libs.schemas.records import DeadLetter


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
    async for batch in records.read(bootstrap, tails):
        letters = [one for record in batch if (one := read(record)) is not None]
        found = sorted(found + letters, key=lambda one: one.at)[-limit:]
    return found


def read(record: Any) -> Found | None:
    """A record as a letter; None where it is none."""
    if record.value is None:
        return None
    try:
        letter = DeadLetter.model_validate_json(record.value)
    except ValidationError:
        return None
    return Found(Position(record.topic, record.partition, record.offset), record.timestamp, letter)
