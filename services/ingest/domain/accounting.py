"""What became of every offset, counted once however often a batch is repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

Partition = tuple[str, int]


class Handled(NamedTuple):
    """A batch of one partition that has been handed on: all its offsets, and those that went to `noti.invalid`."""

    partition: Partition
    offsets: list[int]
    dead: frozenset[int]


class Counted(NamedTuple):
    """What a partition's progress grows by. `next_offset - before = accepted + dead + gaps`."""

    next_offset: int
    accepted: int
    dead: int
    gaps: int


def merged(batches: Iterable[Handled]) -> dict[Partition, Handled]:
    """The batches of each partition as one."""
    whole: dict[Partition, Handled] = {}
    for batch in batches:
        before = whole.get(batch.partition)
        whole[batch.partition] = (
            batch
            if before is None
            else Handled(batch.partition, before.offsets + batch.offsets, before.dead | batch.dead)
        )
    return whole


def count(handled: Handled, next_offset: int) -> Counted | None:
    """What the batch adds from `next_offset` on; None when all of it was counted before.

    Offsets without a record (transaction markers, or lost to retention) are gaps.
    """
    new = {offset for offset in handled.offsets if offset >= next_offset}
    if not new:
        return None
    dead = len(new & handled.dead)
    end = max(new) + 1
    return Counted(end, len(new) - dead, dead, end - next_offset - len(new))


def positions(batches: Mapping[Partition, Handled]) -> dict[Partition, int]:
    """Where each partition is to be read from after the batches."""
    return {partition: max(batch.offsets) + 1 for partition, batch in batches.items()}
