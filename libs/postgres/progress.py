"""How far a consumer has come in each partition, and what became of every offset: the base of `carillon audit`.

The rows are advanced in the transaction that does the work, so a batch that is repeated is counted once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from libs.postgres.pool import Connection

Partition = tuple[str, int]  # topic, partition

_CURRENT = """
select generation, cluster, next_offset from progress
where consumer = $1 and topic = $2 and partition = $3 order by generation desc limit 1
"""
_OPEN = """
insert into progress (consumer, topic, partition, generation, cluster, start_offset, next_offset)
values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing
"""
_LOCK = """
select p.topic, p.partition, p.next_offset
from progress p join unnest($2::text[], $3::int[], $4::int[]) as k (topic, partition, generation)
  using (topic, partition, generation)
where p.consumer = $1
order by p.topic, p.partition
for update of p
"""
_ADVANCE = """
update progress p
set next_offset = k.next_offset, accepted = p.accepted + k.accepted, duplicates = p.duplicates + k.duplicates,
    dead = p.dead + k.dead, gaps = p.gaps + k.gaps, updated_at = clock_timestamp()
from unnest($2::text[], $3::int[], $4::int[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[])
  as k (topic, partition, generation, next_offset, accepted, duplicates, dead, gaps)
where p.consumer = $1 and p.topic = k.topic and p.partition = k.partition and p.generation = k.generation
"""
_NEXT = """
select distinct on (topic, partition) topic, partition, next_offset
from progress
where consumer = $1 and topic = any($2::text[])
order by topic, partition, generation desc
"""


@dataclass(frozen=True, slots=True)
class Advance:
    """What a batch adds to one partition. `next_offset` is one past the last offset that it dealt with."""

    topic: str
    partition: int
    next_offset: int
    accepted: int = 0
    duplicates: int = 0
    dead: int = 0
    gaps: int = 0


async def next_offsets(connection: Connection, consumer: str, topics: Collection[str]) -> dict[Partition, int]:
    """Where a consumer goes on in each partition of these topics that it has opened, whichever process reads it."""
    rows = await connection.fetch(_NEXT, consumer, sorted(topics))
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


class Progress:
    """The progress rows of one consumer on one Kafka cluster. `open` a partition before the others name it."""

    def __init__(self, consumer: str, cluster: str) -> None:
        self.consumer, self._cluster = consumer, cluster
        self._generations: dict[Partition, int] = {}

    async def open(self, connection: Connection, partition: Partition, *, first: int, end: int) -> int:
        """The offset to read from. `first` is where a partition without progress begins, `end` its log end offset.

        A row from another cluster, or one that stands past the end, belongs to records that are gone: a new
        generation begins at `first`.
        """
        row = await connection.fetchrow(_CURRENT, self.consumer, *partition)
        generation = 0 if row is None else row["generation"]
        if row is not None and row["cluster"] == self._cluster and row["next_offset"] <= end:
            self._generations[partition] = generation
            return int(row["next_offset"])
        await connection.execute(_OPEN, self.consumer, *partition, generation + 1, self._cluster, first)
        self._generations[partition] = generation + 1
        return first

    def forget(self, partitions: Iterable[Partition]) -> None:
        """Partitions that this process no longer reads."""
        for partition in partitions:
            self._generations.pop(partition, None)

    async def lock(self, connection: Connection, partitions: Iterable[Partition]) -> dict[Partition, int]:
        """The next offset of each partition, locked until the transaction ends, in the order of their keys."""
        rows = await connection.fetch(_LOCK, self.consumer, *self._keys(sorted(partitions)))
        return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}

    async def advance(self, connection: Connection, advances: Sequence[Advance]) -> None:
        """Moves the partitions on. Call it in the transaction that holds their lock."""
        await connection.execute(
            _ADVANCE,
            self.consumer,
            *self._keys([(a.topic, a.partition) for a in advances]),
            [a.next_offset for a in advances],
            [a.accepted for a in advances],
            [a.duplicates for a in advances],
            [a.dead for a in advances],
            [a.gaps for a in advances],
        )

    def _keys(self, partitions: Sequence[Partition]) -> tuple[list[str], list[int], list[int]]:
        return (
            [topic for topic, _ in partitions],
            [number for _, number in partitions],
            [self._generations[partition] for partition in partitions],
        )
