"""The accounting of a running system: every offset dealt with, every log without gaps, every decision written.

Pure: it judges what the adapters read. A difference of zero everywhere is the promise of docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass

Partition = tuple[str, int]  # topic with its prefix, partition


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """One generation of one consumer on one partition, as the table `progress` has it."""

    consumer: str
    topic: str
    partition: int
    generation: int
    cluster: str
    start_offset: int
    next_offset: int
    accepted: int
    duplicates: int
    dead: int
    gaps: int

    @property
    def read(self) -> int:
        """Offsets dealt with."""
        return self.next_offset - self.start_offset

    @property
    def accounted(self) -> int:
        """Offsets whose fate is known."""
        return self.accepted + self.duplicates + self.dead + self.gaps

    def __str__(self) -> str:
        again = f" (generation {self.generation})" if self.generation > 1 else ""
        return f"{self.consumer} on {self.topic}:{self.partition}{again}"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not add up. `amount` is by how much; `subject` is what, `detail` how."""

    subject: str
    detail: str
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One promise that was looked at. `examined` is of how many things; `examples` are the first differences."""

    name: str
    promise: str
    examined: int
    difference: int
    examples: tuple[Difference, ...] = ()

    @classmethod
    def of(cls, name: str, promise: str, examined: int, differences: Iterable[Difference], limit: int) -> Check:
        """A check whose differences are all at hand; the first `limit` are kept as examples."""
        found = list(differences)
        return cls(name, promise, examined, sum(abs(d.amount) for d in found), tuple(found[:limit]))


@dataclass(frozen=True, slots=True)
class Ends:
    """The first and the end offset of a partition, read after the snapshot."""

    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of one partition that a consumer has not dealt with yet."""

    consumer: str
    topic: str
    partition: int
    records: int


def unbalanced(rows: Iterable[ProgressRow]) -> list[Difference]:
    """Partitions where next_offset - start_offset is not accepted + duplicates + dead + gaps."""
    return [
        Difference(
            str(row),
            f"{row.read} offsets read, but {row.accepted} accepted + {row.duplicates} duplicates + {row.dead} dead "
            f"+ {row.gaps} gaps = {row.accounted}",
            row.read - row.accounted,
        )
        for row in rows
        if row.read != row.accounted
    ]


def current(rows: Iterable[ProgressRow]) -> dict[tuple[str, Partition], ProgressRow]:
    """The last generation of each consumer and partition."""
    ordered = sorted(rows, key=lambda row: row.generation)
    return {(row.consumer, (row.topic, row.partition)): row for row in ordered}


def vanished(rows: Iterable[ProgressRow], ends: Mapping[Partition, Ends], cluster: str) -> list[Difference]:
    """Partitions of this cluster whose progress stands past their end: records that were counted are gone."""
    found = []
    for row in current(rows).values():
        end = ends.get((row.topic, row.partition), Ends(0, 0)).end
        if row.cluster == cluster and row.next_offset > end:
            detail = f"next offset {row.next_offset} stands past the end {end}: the topic was emptied or made anew"
            found.append(Difference(str(row), detail, row.next_offset - end))
    return found


def lags(
    consumers: Mapping[str, Set[str]], rows: Iterable[ProgressRow], ends: Mapping[Partition, Ends], cluster: str
) -> list[Lag]:
    """What is in flight, for `consumers` and the topics that each of them reads."""
    latest = current(rows)
    found = []
    for consumer, topics in consumers.items():
        for (topic, partition), at in sorted(ends.items()):
            row = latest.get((consumer, (topic, partition)))
            known = row is not None and row.cluster == cluster and row.next_offset <= at.end
            records = at.end - (row.next_offset if row is not None and known else at.first)
            if topic in topics and records > 0:
                found.append(Lag(consumer, topic, partition, records))
    return found
