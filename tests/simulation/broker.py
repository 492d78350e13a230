"""Partitions in memory, who reads them, and how far that was committed: Kafka as a consumer group sees it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.router.domain.incoming import Record
from services.router.domain.offsets import Partition

Headers = Sequence[tuple[str, bytes]]


@dataclass(slots=True)
class Assignment:
    """One partition as one consumer has it. Only what is acknowledged without a hole is committed."""

    partition: Partition
    reader: object
    start: int
    acknowledged: set[int] = field(default_factory=set)


class Broker:
    """Topics that are consumed by the group, and topics that work is handed on to."""

    def __init__(self) -> None:
        self.partitions: dict[Partition, list[Record]] = defaultdict(list)
        self.committed: dict[Partition, int] = defaultdict(int)
        self.assigned: dict[Partition, Assignment] = {}

    def append(self, topic: str, value: bytes | None, at: float, partition: int = 0, headers: Headers = ()) -> Record:
        """A record behind the others."""
        log = self.partitions[topic, partition]
        log.append(Record(topic, partition, len(log), b"key", value, headers, at))
        return log[-1]

    def assign(self, partition: Partition, reader: object, *, skipping: int = 0) -> Assignment:
        """Takes the partition from whoever has it. `skipping` records are passed over, as no consumer should."""
        start = self.committed[partition]
        left = len(self.partitions[partition]) - start
        assignment = Assignment(partition, reader, start + min(skipping, max(0, left - 1)))
        self.assigned[partition] = assignment
        return assignment

    def acknowledge(self, assignment: Assignment, offset: int) -> None:
        """Commits as far as there is no hole, unless the partition is another's by now."""
        assignment.acknowledged.add(offset)
        if self.assigned.get(assignment.partition) is not assignment:
            return
        at = max(assignment.start, self.committed[assignment.partition])
        while at in assignment.acknowledged:
            at += 1
        if at > assignment.start:
            self.committed[assignment.partition] = at
