"""What a record of a bulk lane follows: everything of its tenant that is in the fast lane of the same topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.schemas.topics import BULK, FOLLOWS_HEADER, TYPED
from services.router.domain.incoming import Record
from services.router.domain.offsets import Partition

_FAST = {topic.name: TYPED[event].name for event, topic in BULK.items()}


def followed(records: Sequence[Record], prefix: str) -> dict[Partition, int]:
    """The offset in each partition of a fast lane up to which the router must have come."""
    wanted: dict[Partition, int] = {}
    for record in records:
        offset = _offset(record)
        if offset:
            partition = (prefix + _FAST[record.topic.removeprefix(prefix)], record.partition)
            wanted[partition] = max(offset, wanted.get(partition, 0))
    return wanted


def is_behind(wanted: Mapping[Partition, int], reached: Mapping[Partition, int]) -> bool:
    """Whether some of it has not been dealt with yet."""
    return any(reached.get(partition, 0) < offset for partition, offset in wanted.items())


def _offset(record: Record) -> int:
    header = next((value for name, value in record.headers if name == FOLLOWS_HEADER), b"")
    numbers = header.split(b",")
    named = numbers[record.partition] if record.partition < len(numbers) else b""
    return int(named) if named.isdigit() else 0
