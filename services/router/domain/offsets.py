"""What became of every offset: what a batch adds to the accounting, and how a loss is seen.

next_offset - start_offset = accepted + duplicates + dead + gaps, for every partition, at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from services.router.domain.incoming import Record

Partition = tuple[str, int]  # topic, partition


class Fate(Enum):
    """What became of one record."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Offsets [start, stop) of a partition."""

    partition: Partition
    start: int
    stop: int


@dataclass(slots=True)
class Tally:
    """What a batch adds to one partition. `next_offset` is one past the last offset that it dealt with."""

    next_offset: int
    accepted: int = 0
    duplicates: int = 0
    dead: int = 0
    gaps: int = 0


def partition_of(record: Record) -> Partition:
    """Where the record stood."""
    return record.topic, record.partition


def first_hole(
    records: Sequence[Record], at: Mapping[Partition, int], verified: Stretch | None = None
) -> tuple[int, Stretch] | None:
    """The first stretch that neither an earlier batch nor this one holds: (index of the record behind it, stretch).

    `at` is the next offset of each partition. Offsets inside `verified` are known to hold no other records.
    """
    expected = dict(at)
    for index, record in enumerate(records):
        partition = partition_of(record)
        wanted = expected[partition]
        if record.offset > wanted and not _covers(verified, partition, wanted, record.offset):
            return index, Stretch(partition, wanted, record.offset)
        expected[partition] = max(wanted, record.offset + 1)
    return None


def tally(
    fates: Iterable[tuple[Record, Fate]], at: Mapping[Partition, int], verified: Stretch | None = None
) -> dict[Partition, Tally]:
    """What the batch adds. Offsets below `at` were counted before and are not counted again.

    Holes are counted as gaps: ask `first_hole` before.
    """
    tallies: dict[Partition, Tally] = {}
    for record, fate in fates:
        partition = partition_of(record)
        added = tallies.get(partition)
        if added is None:
            added = tallies[partition] = Tally(at[partition])
        if record.offset < added.next_offset:
            continue
        added.gaps += record.offset - added.next_offset
        added.next_offset = record.offset + 1
        if fate is Fate.ACCEPTED:
            added.accepted += 1
        elif fate is Fate.DUPLICATE:
            added.duplicates += 1
        else:
            added.dead += 1
    if verified is not None:
        added = tallies.setdefault(verified.partition, Tally(at[verified.partition]))
        added.gaps += max(0, verified.stop - added.next_offset)
        added.next_offset = max(added.next_offset, verified.stop)
    return {partition: added for partition, added in tallies.items() if added.next_offset > at[partition]}


def halves(verified: Stretch | None, offset: int) -> tuple[Stretch | None, Stretch | None]:
    """A verified stretch cut before `offset`, for a batch that is cut before the record there."""
    if verified is None:
        return None, None
    partition, start, stop = verified.partition, verified.start, verified.stop
    return Stretch(partition, start, offset), Stretch(partition, offset, stop)


def _covers(verified: Stretch | None, partition: Partition, start: int, stop: int) -> bool:
    return (
        verified is not None and verified.partition == partition and verified.start <= start and stop <= verified.stop
    )
