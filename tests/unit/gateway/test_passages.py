"""What many have missed of one log is read once, and each is given what it lacks itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.domain.logs import Entry, LogKey, Stretch
from services.gateway.errors import Retryable
from services.gateway.handlers.passages import Passages

pytestmark = pytest.mark.covers("B9")

ROOM = LogKey("t", "org:o")


class Shelf:
    """Logs as sets of seqs; notes how many entries each query read."""

    def __init__(self, logs: Mapping[LogKey, Sequence[int]]) -> None:
        self._logs = logs
        self.read: list[int] = []

    async def entries(self, wanted: Mapping[LogKey, Stretch], limit: int) -> dict[LogKey, list[Entry]]:
        """See ports.Logs."""
        await asyncio.sleep(0)
        found = {key: [Entry(1, seq, None) for seq in self.within(key, wanted[key])[:limit]] for key in wanted}
        self.read.append(sum(map(len, found.values())))
        return {key: entries for key, entries in found.items() if entries}

    def within(self, key: LogKey, stretch: Stretch) -> list[int]:
        """All that is left of a stretch."""
        return [seq for seq in self._logs.get(key, ()) if stretch.after < seq <= stretch.until]


async def seqs(passages: Passages, *wanted: Stretch) -> list[list[int]]:
    """What readers of the room are given, who ask at the same time."""
    found = await asyncio.gather(*(passages.read({ROOM: stretch}) for stretch in wanted))
    return [[entry.seq for entry in read.get(ROOM, ())] for read in found]


async def test_what_many_lack_is_read_once() -> None:
    shelf = Shelf({ROOM: range(1, 101)})
    wanted = [Stretch(60 + number % 5, 100 - number % 3) for number in range(50)]
    assert await seqs(Passages(shelf.entries), *wanted) == [shelf.within(ROOM, stretch) for stretch in wanted]
    assert shelf.read == [40]


async def test_who_lacks_much_more_than_others_is_read_for_alone() -> None:
    shelf = Shelf({ROOM: range(1, 5_001)})
    first, second = await seqs(Passages(shelf.entries), Stretch(0, 5_000), Stretch(4_990, 5_000))
    assert first == list(range(1, 401))
    assert second == list(range(4_991, 5_001))


async def test_a_query_reads_of_few_logs_when_they_are_long() -> None:
    people = [LogKey("t", f"user:{number}") for number in range(100)]
    shelf = Shelf(dict.fromkeys(people, range(1, 301)))
    passages = Passages(shelf.entries)
    found = await asyncio.gather(*(passages.read({person: Stretch(0, 300)}) for person in people))
    assert all(len(read[person]) == 300 for person, read in zip(people, found, strict=True))
    assert max(shelf.read) <= 1_200


async def test_a_fault_reaches_everybody_who_waits() -> None:
    async def away(_wanted: Mapping[LogKey, Stretch], _limit: int) -> dict[LogKey, list[Entry]]:
        raise Retryable("the database is away")

    passages = Passages(away)
    asked = [passages.read({ROOM: Stretch(0, until)}) for until in (1, 2)]
    assert all(isinstance(fault, Retryable) for fault in await asyncio.gather(*asked, return_exceptions=True))


@settings(deadline=None)
@given(
    st.sets(st.integers(1, 1_500)),
    st.lists(st.builds(lambda after, size: Stretch(after, after + size), st.integers(0, 1_400), st.integers(1, 700))),
)
def test_everybody_is_given_the_beginning_of_what_it_lacks(left: set[int], wanted: list[Stretch]) -> None:
    shelf = Shelf({ROOM: sorted(left)})
    for stretch, given_ in zip(wanted, asyncio.run(seqs(Passages(shelf.entries), *wanted)), strict=True):
        whole = shelf.within(ROOM, stretch)
        assert given_ == whole[: len(given_)]
        assert len(given_) >= min(len(whole), 1)
