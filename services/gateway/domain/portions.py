"""How much is told in one go: a client is cut off by what waits for it, so nothing big comes at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import orjson

from services.gateway.domain.logs import Entry
from services.gateway.domain.notification import Notification

_FRAME = 500  # bytes: what a dialect adds, and entries that are no notifications

Shown = tuple[str, Entry]  # the log's name, and an entry


def weight(entry: Entry) -> int:
    """About how many bytes an entry is in any dialect."""
    record = entry.record
    if not isinstance(record, Notification):
        return _FRAME
    content = (record.title, record.message, record.data, record.metadata, record.actor, record.related, record.tags)
    return _FRAME + len(orjson.dumps(content))


def fitting(entries: Sequence[Shown], most: int) -> Sequence[Shown]:
    """The first of these that are together no more than `most` bytes; the first one always."""
    sums = itertools.accumulate(weight(entry) for _, entry in entries)
    return entries[: max(1, len(list(itertools.takewhile(lambda total: total <= most, sums))))]


def newest(entries: Sequence[Shown], most: int) -> Sequence[Shown]:
    """The last of them likewise, in the same order."""
    return fitting(entries[::-1], most)[::-1]
