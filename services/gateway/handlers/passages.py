"""Reads from logs what sessions have missed: what many of them lack of one log is read once.

When another gateway has stopped, thousands come within seconds, and nearly all of them lack the same entries.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from services.gateway.domain.logs import Entry, LogKey, Stretch
from services.gateway.handlers.batching import Batcher

_PAGE = 200  # entries of a log that each reader is given, where there are as many; it may be twice that
_ROWS = 1_000  # entries in one query, or little more
_READERS = 64  # sessions that wait for what they have missed at once: it is all in memory then

Wanted = tuple[LogKey, Stretch]
Read = Callable[[Mapping[LogKey, Stretch], int], Awaitable[Mapping[LogKey, Sequence[Entry]]]]


class Passages:
    """What is asked for while something is being read is the next reading. `entries` is that of ports.Logs."""

    def __init__(self, entries: Read) -> None:
        self._entries = entries
        self._readers = asyncio.Semaphore(_READERS)
        self._asked: Batcher[Wanted, list[Entry]] = Batcher(self._load, 0)

    async def read(self, wanted: Mapping[LogKey, Stretch]) -> dict[LogKey, list[Entry]]:
        """The oldest entries of each stretch; a log is missing when nothing of it is left. Raises Retryable."""
        async with self._readers:
            found = await self._asked.get(wanted.items())
        return {key: entries for key, stretch in wanted.items() if (entries := found[key, stretch])}

    async def _load(self, wanted: Sequence[Wanted]) -> dict[Wanted, list[Entry]]:
        found: dict[Wanted, list[Entry]] = {}
        while left := [one for one in wanted if one not in found]:
            near = _near(left)
            whole = {key: Stretch(near[key][0].after, max(s.until for s in near[key])) for key in near}
            read = await self._entries(whole, 2 * _PAGE)
            for key, stretches in near.items():
                found |= {(key, stretch): _part(read.get(key, ()), stretch) for stretch in stretches}
        return found


def _near(wanted: Iterable[Wanted]) -> dict[LogKey, list[Stretch]]:
    """Of as many logs as one query shall read, the stretches, in order, that begin within a page of the first."""
    logs: defaultdict[LogKey, list[Stretch]] = defaultdict(list)
    for key, stretch in sorted(wanted):
        logs[key].append(stretch)
    near: dict[LogKey, list[Stretch]] = {}
    rows = 0
    for key, (first, *others) in logs.items():
        near[key] = [first, *(stretch for stretch in others if stretch.after < first.after + _PAGE)]
        rows += min(2 * _PAGE, max(stretch.until for stretch in near[key]) - first.after)
        if rows >= _ROWS:
            break
    return near


def _part(entries: Iterable[Entry], stretch: Stretch) -> list[Entry]:
    return [entry for entry in entries if stretch.after < entry.seq <= stretch.until]
