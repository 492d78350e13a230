"""Where a client that connects begins in each log: at its position, at the end, or not without a resync (B9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.schemas import rooms
from services.gateway.domain.access import Readable
from services.gateway.domain.logs import STATE, Head

_MAX_NAMES = 5_000

#: Log name (a room, or `state`) → the last entry that the client was shown.
Position = Mapping[str, Head]

# Why a client must fetch again what it shows, instead of being sent what it missed.
NO_POSITION = "no-position"
TOO_OLD = "too-old"
TOO_LONG = "too-long"
AHEAD = "ahead"
EPOCH = "epoch"


def position(value: Any) -> Position | None:
    """A client's `{room: [epoch, seq]}`, or None when it has none or what it sent is not one."""
    if not isinstance(value, dict) or len(value) > _MAX_NAMES:
        return None
    heads: dict[str, Head] = {}
    for name, at in value.items():
        if not (isinstance(at, list | tuple) and [type(part) for part in at] == [int, int]):
            return None
        heads[name] = Head(at[0], at[1])
    return heads


def on_the_wire(heads: Mapping[str, Head]) -> dict[str, list[int]]:
    """A position as clients keep it."""
    return {name: [head.epoch, head.seq] for name, head in heads.items()}


@dataclass(slots=True)
class Plan:
    """`begin`: the last entry that counts as shown, by log. `resync`: the logs to be fetched again, by reason."""

    begin: dict[str, int] = field(default_factory=dict)
    resync: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, name: str, reason: str, head: Head) -> None:
        """The client goes on at the end of this log and is told to fetch what was before."""
        self.begin[name] = head.seq
        self.resync.setdefault(reason, []).append(name)


def plan(given: Position, readable: Readable, heads: Mapping[str, Head], limit: int) -> Plan:
    """Where to begin in each of `heads` (by wire name). More than `limit` missed entries in all are too long."""
    made = Plan()
    missed: dict[str, int] = {}
    for name, head in heads.items():
        begin = _begin(given.get(name), name, readable, head)
        if isinstance(begin, str):
            made.refuse(name, begin, head)
            continue
        made.begin[name] = begin
        missed[name] = _end(name, readable, head) - begin
    if sum(missed.values()) > limit:
        for name in [name for name, count in missed.items() if count > 0]:
            made.refuse(name, TOO_LONG, heads[name])
    return made


def _begin(at: Head | None, name: str, readable: Readable, head: Head) -> int | str:
    if at is None:
        return _unnamed(name, readable, head)
    if at.epoch != head.epoch:
        return EPOCH
    return AHEAD if at.seq > head.seq else at.seq


def _unnamed(name: str, readable: Readable, head: Head) -> int:
    """A log that the client has never been shown anything of: a room from when it was joined."""
    span = None if name == STATE else readable.last(name)
    return head.seq if span is None or span.until is not None else min(span.after, head.seq)


def _end(name: str, readable: Readable, head: Head) -> int:
    span = None if name == STATE else readable.last(name)
    return head.seq if span is None or span.until is None else min(span.until, head.seq)


def rooms_to_follow(readable: Readable, given: Position | None) -> tuple[str, ...]:
    """The rooms that the reader is in, and those they have left of which the client's position lacks the end."""
    left = [room for room, at in (given or {}).items() if room != STATE and _lacks_end(readable.last(room), at)]
    return rooms.ordered([*readable.open_rooms(), *left]) if left else readable.open_rooms()


def _lacks_end(span: Any, at: Head) -> bool:
    return span is not None and span.until is not None and at.seq < span.until
